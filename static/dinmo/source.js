// The form of a file source: shows what its settings make of the file, before they are saved.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const path = document.querySelector("[data-file-engine]");
    if (!path) return;
    const prefix = "id_setting_";
    const settings = [...document.querySelectorAll(`[id^=${prefix}]`)];
    const zone = document.getElementById("id_timezone");
    const place = screens.element("section", { class: "d-panel", "aria-live": "polite", "data-file-preview": "" });
    path.closest("fieldset").after(place);
    let lastRequest = 0;
    let timer = 0;
    let stop = () => {};

    async function show() {
        const thisRequest = ++lastRequest;
        stop();
        if (!path.value.trim()) return place.replaceChildren();
        stop = screens.showWaiting(place);
        const values = Object.fromEntries(settings.map((input) => [input.id.slice(prefix.length), input.value]));
        const body = { engine: path.dataset.fileEngine, timezone: zone?.value || "UTC", settings: values };
        const answer = await screens.request("/api/sources/preview/", body).catch((error) => ({ problem: error.message }));
        if (thisRequest !== lastRequest) return;
        stop();
        place.replaceChildren(...(answer.problem ? [screens.note(answer.problem, "bad")] : parts(answer)));
    }

    function parts({ types, columns, rows, misfits, skipped, bad_lines: badLines }) {
        const head = Object.entries(types).map(([name, type]) => `${name} (${type})`);
        const table = rows.length ? screens.table(head, rows) : screens.element("p", { class: "d-muted" }, `No rows. Columns: ${head.join(", ")}`);
        return [
            screens.element("p", { class: "d-muted" }, "First rows with these settings:"),
            table,
            ...notes(misfits),
            ...notes(badLines, skipped > badLines.length ? [`${skipped} lines are left out in all.`] : []),
        ];
    }

    function notes(messages, more = []) {
        const lines = [...messages, ...more];
        if (!lines.length) return [];
        const items = lines.map((message) => screens.element("li", {}, message));
        return [screens.element("div", { class: "d-note d-note-warn" }, screens.element("ul", {}, ...items))];
    }

    for (const input of [...settings, zone].filter(Boolean)) {
        input.addEventListener("change", show);
        input.addEventListener("input", () => { clearTimeout(timer); timer = setTimeout(show, 600); });
    }
    show();
});
