// The attributes that nothing fills, each as a button that adds a row for it.
"use strict";

class Untouched {
    constructor(editor) {
        this.editor = editor;
        this.place = editor.place.querySelector("[data-untouched]");
    }

    show() {
        const left = this.left();
        this.place.hidden = !left.length;
        this.place.querySelector("summary").textContent = `Left untouched (${left.length})`;
        this.place.querySelector("ul").replaceChildren(...left.map((field) => screens.element("li", {}, this.button(field))));
    }

    // An attribute is mapped as a whole or by its parts, so the other way is not offered.
    left() {
        const { fields, rows, custom, matchField } = this.editor;
        const used = new Set([...rows.targetsInUse(), ...custom.chosen, matchField.value]);
        const inParts = new Set((fields || []).filter(({ name }) => used.has(name)).map((field) => field.part_of).filter(Boolean));
        return (fields || []).filter((field) => field.writable && !used.has(field.name) && !used.has(field.part_of) && !inParts.has(field.name));
    }

    button({ name, label }) {
        const icon = screens.element("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, "add");
        const button = screens.element("button", { type: "button", class: "d-button d-small", "data-map": name }, icon, screens.element("span", { class: "d-hidden" }, "Map "), label || name);
        button.addEventListener("click", () => this.editor.rows.map({ target: name }, true));
        return button;
    }
}
