// Breakdown and overlap of a saved segment, as a table with bars.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-analysis]");
    if (!place) return;
    let lastRequest = 0;

    const bars = (caption, rows, total) => {
        const body = rows.map(({ name, count }) => {
            const share = total ? (100 * count) / total : 0;
            const bar = screens.element("span", { class: "d-bar", style: `width: ${share.toFixed(1)}%` });
            return screens.element("tr", {}, screens.element("th", { scope: "row" }, name), screens.element("td", { class: "d-num" }, count.toLocaleString("en")), screens.element("td", { class: "d-num" }, `${share.toFixed(share < 10 ? 1 : 0)}%`), screens.element("td", { class: "d-barcell", "aria-hidden": "true" }, bar));
        });
        return screens.element("table", { class: "d-table" }, screens.element("caption", { class: "d-muted" }, caption), screens.element("tbody", {}, ...body));
    };

    async function show(url, body, draw) {
        const thisRequest = ++lastRequest;
        place.replaceChildren(screens.element("p", { class: "d-muted" }, "Counting rows in the source…"));
        try {
            const response = await screens.request(url, body);
            if (thisRequest === lastRequest) place.replaceChildren(draw(response));
        } catch (error) {
            if (thisRequest === lastRequest) place.replaceChildren(screens.note(error.message, "bad"));
        }
    }

    const prepare = (area, makeBody, draw) => {
        const select = area?.querySelector("select");
        select?.addEventListener("change", () => (select.value ? show(Object.values(area.dataset)[0], makeBody(select.value), draw) : place.replaceChildren()));
    };

    prepare(document.querySelector("[data-breakdown]"), (column) => ({ column }), ({ total, groups }) => {
        const rows = groups.map(({ value, rows }) => ({ name: value === null ? "(empty)" : String(value), count: rows }));
        const rest = total - rows.reduce((sum, { count }) => sum + count, 0);
        return bars(`All ${total.toLocaleString("en")} rows of the saved segment.`, rest > 0 ? [...rows, { name: "(all others)", count: rest }] : rows, total);
    });
    prepare(document.querySelector("[data-overlap]"), (other) => ({ other }), ({ both, only, other_only, name, other }) =>
        bars("Rows of the two saved segments.", [{ name: "In both", count: both }, { name: `Only in ${name}`, count: only }, { name: `Only in ${other}`, count: other_only }], both + only + other_only));
});
