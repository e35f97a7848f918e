// The tables of a source: the first rows of one are asked for when it is opened.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    for (const listed of document.querySelectorAll("[data-sample]")) {
        listed.addEventListener("toggle", () => { if (listed.open && !listed.dataset.asked) showRows(listed); });
    }
});

async function showRows(listed) {
    const place = listed.querySelector("[data-rows]");
    listed.dataset.asked = "yes";
    place.replaceChildren(screens.element("p", { class: "d-muted" }, "Reading from the source…"));
    try {
        const { columns, rows } = await screens.ask(listed.dataset.sample);
        const said = rows.length ? `The first ${rows.length} rows.` : "It has no rows.";
        place.replaceChildren(screens.element("p", { class: "d-muted" }, said), screens.table(columns, rows));
    } catch (error) {
        delete listed.dataset.asked;
        place.replaceChildren(screens.note(error.message, "bad"));
    }
}
