// Custom attributes: columns that become attributes of the same name at the destination.
"use strict";

class CustomColumns {
    constructor(editor) {
        this.editor = editor;
        this.place = editor.place.querySelector("[data-custom]");
        this.list = this.place.querySelector("[data-custom-columns]");
        this.all = this.place.querySelector("[data-add-all]");
        Object.assign(this, { facts: {}, shared: {} });
        this.all.addEventListener("click", () => this.addAll());
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
        this.all.hidden = !this.addable.length;
        this.all.textContent = `Add all ${this.addable.length}`;
    }

    // The columns that nothing sends yet, neither as a custom attribute nor as a field, and that the vendor would take.
    get addable() {
        const { editor } = this;
        const sent = [editor.matchColumn.value, ...this.chosen, ...editor.suggestions.found.map(({ column }) => column)];
        const used = new Set([...sent, ...editor.rows.present.map((row) => editor.rows.values(row).column)]);
        return (editor.columns || []).map(({ name }) => name).filter((name) => this.facts[name] && !this.facts[name].problem && !used.has(name));
    }

    addAll() {
        const names = new Set(this.addable);
        for (const input of this.list.querySelectorAll("input")) input.checked ||= names.has(input.value);
        this.list.querySelector("input:checked")?.focus();
        this.editor.changed();
    }

    entry(name, column, checked, mapped) {
        const input = screens.element("input", { type: "checkbox", name: "custom_columns", value: name, checked });
        const fact = this.facts[name] || {};
        const details = column ? [fact.type || column.type, mapped ? "already mapped above" : "", fact.exists ? "exists there" : ""].filter(Boolean).join(" · ") : "missing";
        const label = screens.element("label", { class: "d-check" }, input, screens.element("span", { class: "material-symbols-outlined d-type", "aria-hidden": "true" }, fieldIcon(column?.type)), screens.element("span", {}, name), screens.element("span", { class: "d-muted" }, details));
        const problem = fact.problem ? [screens.element("p", { class: checked ? "d-problem" : "d-muted" }, fact.problem)] : [];
        return screens.element("div", { class: "d-custom-entry" }, label, ...problem, ...(checked ? sharedNotes(this.shared[name]) : []));
    }

    update(facts) {
        this.facts = facts;
        this.show();
    }
}
