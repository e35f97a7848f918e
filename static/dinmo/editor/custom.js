// Custom attributes: columns that become attributes of the same name at the destination.
"use strict";

class CustomColumns {
    constructor(editor) {
        this.editor = editor;
        this.place = editor.place.querySelector("[data-custom]");
        this.list = this.place.querySelector("[data-custom-columns]");
        this.facts = {};
    }

    get chosen() {
        return [...this.list.querySelectorAll("input:checked")].map((input) => input.value);
    }

    show() {
        const service = this.editor.service;
        this.place.hidden = !service?.creates_fields && !this.chosen.length;
        const { columns } = this.editor;
        if (!columns) return;
        const checked = new Set(this.chosen);
        const mapped = new Set(this.editor.rows.present.map((row) => this.editor.rows.values(row).column));
        const known = new Map(columns.map((column) => [column.name, column]));
        const names = [...known.keys(), ...[...checked].filter((name) => !known.has(name))];
        const focused = document.activeElement?.name === "custom_columns" ? document.activeElement.value : null;
        this.list.className = "d-custom-list";
        this.list.replaceChildren(...names.map((name) => this.entry(name, known.get(name), checked.has(name), mapped.has(name))));
        if (focused) this.list.querySelector(`input[value="${CSS.escape(focused)}"]`)?.focus();
    }

    entry(name, column, checked, mapped) {
        const input = screens.element("input", { type: "checkbox", name: "custom_columns", value: name, checked });
        const fact = this.facts[name] || {};
        const details = column ? [fact.type || column.type, mapped ? "already mapped above" : "", fact.exists ? "exists there" : ""].filter(Boolean).join(" · ") : "missing";
        const label = screens.element("label", { class: "d-check" }, input, screens.element("span", { class: "material-symbols-outlined d-type", "aria-hidden": "true" }, fieldIcon(column?.type)), screens.element("span", {}, name), screens.element("span", { class: "d-muted" }, details));
        const problem = fact.problem ? [screens.element("p", { class: checked ? "d-problem" : "d-muted" }, fact.problem)] : [];
        return screens.element("div", { class: "d-custom-entry" }, label, ...problem);
    }

    update(facts) {
        this.facts = facts;
        this.show();
    }
}
