// The rows of the mapping: where each value comes from, the attribute that it fills, and the options that apply.
"use strict";

const LINKS = [["add", "Keep them"], ["detach", "Detach them: only this one stays"]];

class MappingRows {
    constructor(editor) {
        this.editor = editor;
        this.list = editor.place.querySelector("[data-rows]");
        this.template = editor.place.querySelector("[data-template=mappings]");
        this.total = editor.form.elements["mappings-TOTAL_FORMS"];
        this.boxes = new Map();
        for (const row of this.list.children) this.prepare(row);
        editor.place.querySelector("[data-add-row]").addEventListener("click", () => this.add({}, true));
    }

    get present() {
        return [...this.list.children].filter((row) => !row.hidden);
    }

    input(row, name) {
        return row.querySelector(`[name$="-${name}"]`);
    }

    add(values = {}, focus = false) {
        const place = Number(this.total.value);
        const holder = document.createElement("ol");
        holder.innerHTML = this.template.innerHTML.replaceAll("__prefix__", String(place));
        const row = holder.firstElementChild;
        this.total.value = String(place + 1);
        this.list.append(row);
        this.prepare(row);
        this.fill(row);
        for (const [name, value] of Object.entries(values)) {
            const input = this.input(row, name);
            if (input.tagName === "SELECT" && ![...input.options].some((option) => option.value === value)) input.append(new Option(value, value));
            input.value = value;
        }
        this.refresh(row);
        if (focus) this.input(row, "column").focus();
        this.editor.changed();
        return row;
    }

    // Maps something in a new row, or in an empty one that the person has added.
    map(values, focus = false) {
        const empty = this.present.find((row) => { const { column, fixed, template, target } = this.values(row); return !column && !fixed && !template && !target; });
        if (empty) this.remove(empty);
        return this.add(values, focus);
    }

    // A removed row stays in the form, marked for deletion, because the numbers of the others must not change.
    remove(row) {
        this.input(row, "DELETE").checked = true;
        row.hidden = true;
        this.editor.changed();
        (this.present.at(-1)?.querySelector("[data-remove]") || this.editor.place.querySelector("[data-add-row]")).focus();
    }

    prepare(row) {
        if (this.input(row, "DELETE")?.checked) row.hidden = true;
        const target = this.input(row, "target");
        this.boxes.set(row, new Combobox(target, "Attribute"));
        row.querySelector("[data-remove]").addEventListener("click", () => this.remove(row));
        row.addEventListener("change", () => this.refresh(row));
        target.addEventListener("change", () => { delete target.dataset.warning; row.querySelector("[data-shared]").replaceChildren(); });
        this.refresh(row);
    }

    fillAll() {
        for (const row of this.list.children) this.fill(row);
    }

    fill(row) {
        const { columns, fields } = this.editor;
        if (columns) screens.fill(this.input(row, "column"), columnOptions(columns));
        if (fields) this.boxes.get(row).fill(this.editor.targets());
        this.refresh(row);
    }

    refresh(row) {
        const origin = this.input(row, "origin").value || "column";
        for (const part of row.querySelectorAll("[data-part]")) part.hidden = part.dataset.part !== origin;
        this.boxes.get(row)?.show();
        const column = this.editor.columns?.find(({ name }) => name === this.input(row, "column").value);
        const field = this.editor.field(this.input(row, "target").value);
        row.querySelector("[data-column-icon]").textContent = column ? fieldIcon(column.type) : "";
        row.querySelector("[data-target-icon]").textContent = field ? fieldIcon(field.type) : "";
        this.choices(row, origin, column, field);
        this.suggestOptions(this.input(row, "fixed"), field);
    }

    choices(row, origin, column, field) {
        const show = (name, visible) => { row.querySelector(`[data-choice=${name}]`).hidden = !visible; };
        const country = this.input(row, "country");
        const round = this.input(row, "round_to_whole");
        show("when_empty", origin !== "fixed");
        show("multi", Boolean(field?.multiple || field?.links));
        if (field?.multiple || field?.links) this.chooseOthers(this.input(row, "multi"), Boolean(field.links));
        show("country", Boolean(field?.takes_country));
        for (const note of row.querySelectorAll("[data-note]")) note.hidden = note.dataset.note !== this.input(row, "policy").value;
        show("round", round.checked || column?.type === "number");
        if (field && !field.takes_country) country.value = "";
    }

    // What happens with other values of a list, or with other links of a record. Links stay unless a person chooses otherwise.
    chooseOthers(select, isLink) {
        if (!select.dataset.others) select.dataset.others = JSON.stringify([...select.options].map(({ value, text }) => [value, text]));
        const lists = JSON.parse(select.dataset.others);
        const choices = isLink ? LINKS : lists.filter(([value]) => value !== "detach");
        const chosen = choices.find(([value]) => value === select.value) ?? choices[0];
        select.replaceChildren(...choices.map(([value, text]) => screens.element("option", { value }, text)));
        select.value = chosen[0];
        select.closest("[data-choice]").querySelector("label").textContent = isLink ? "Links that are there already" : "Lists";
    }

    suggestOptions(fixed, field) {
        document.getElementById(`${fixed.id}-options`)?.remove();
        fixed.removeAttribute("list");
        if (!field?.options.length) return;
        const list = screens.element("datalist", { id: `${fixed.id}-options` }, ...field.options.map(({ title }) => screens.element("option", { value: title })));
        fixed.after(list);
        fixed.setAttribute("list", list.id);
    }

    // What the row maps, as the server's endpoint takes it.
    values(row) {
        const value = (name) => this.input(row, name).value;
        const origin = value("origin") || "column";
        const given = (name) => (origin === name ? value(name) : "");
        return {
            id: [...this.list.children].indexOf(row), target: value("target"), column: given("column"), fixed: given("fixed"), template: given("template"),
            when_empty: value("when_empty"), multi: value("multi"), policy: value("policy"), country: value("country"), round_to_whole: this.input(row, "round_to_whole").checked,
        };
    }

    isComplete(row) {
        const { target, column, fixed, template } = this.values(row);
        return Boolean(target && (column || fixed || template));
    }

    targetsInUse() {
        return new Set(this.present.map((row) => this.input(row, "target").value).filter(Boolean));
    }
}

function columnOptions(columns) {
    return columns.map(({ name, type }) => ({ value: name, label: `${name} (${type})` }));
}
