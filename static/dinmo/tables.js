// The table browser of a source: loads the first rows of a table when it is expanded.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    for (const details of document.querySelectorAll("[data-sample]")) {
        details.addEventListener("toggle", () => { if (details.open && !details.dataset.asked) showRows(details); });
    }
});

async function showRows(details) {
    const place = details.querySelector("[data-rows]");
    details.dataset.asked = "yes";
    place.replaceChildren(screens.element("p", { class: "d-muted" }, "Reading from the source…"));
    try {
        const { columns, rows } = await screens.request(details.dataset.sample);
        const summary = rows.length ? `First ${rows.length} rows:` : "No rows.";
        place.replaceChildren(screens.element("p", { class: "d-muted" }, summary), screens.table(columns, rows));
    } catch (error) {
        delete details.dataset.asked;
        place.replaceChildren(screens.note(error.message, "bad"));
    }
}
