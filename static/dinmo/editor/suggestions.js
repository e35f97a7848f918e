// Suggested rows of the mapping, each with its reason: accepted one by one, or all together.
"use strict";

class Suggestions {
    constructor(editor) {
        this.editor = editor;
        this.place = editor.place.querySelector("[data-suggestions]");
        this.found = [];
        this.dismissed = new Set();
        this.place.querySelector("[data-accept-all]").addEventListener("click", () => this.accept(this.found));
    }

    show(found) {
        this.found = found.filter(({ column, target }) => !this.dismissed.has(`${column} ${target}`));
        this.place.hidden = !this.found.length;
        this.place.querySelector("ul").replaceChildren(...this.found.map((each) => this.entry(each)));
    }

    entry(each) {
        const words = `${each.column} → ${each.label || each.target}`;
        const add = screens.element("button", { type: "button", class: "d-button d-small", "aria-label": `Add ${words}` }, "Add");
        add.addEventListener("click", () => this.accept([each]));
        const dismiss = screens.element("button", { type: "button", class: "d-button d-icon", "aria-label": `Dismiss ${words}` }, screens.element("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, "close"));
        dismiss.addEventListener("click", () => { this.dismissed.add(`${each.column} ${each.target}`); this.show(this.found); });
        return screens.element("li", {}, screens.element("span", {}, words), screens.element("span", { class: "d-muted" }, each.reason), add, dismiss);
    }

    accept(wanted) {
        const accepted = [...wanted];
        for (const { column, target } of accepted) this.editor.rows.map({ column, target });
        this.show(this.found.filter((each) => !accepted.includes(each)));
        this.editor.samples.later(0);
    }
}
