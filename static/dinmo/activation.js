// The activation form: selects filled from the live columns of the data and the live fields of the destination.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    if (document.querySelector("[data-role=data]")) new ActivationForm();
});

class ActivationForm {
    constructor() {
        this.data = document.querySelector("[data-role=data]");
        this.destination = document.querySelector("[data-role=destination]");
        this.mode = document.querySelector("[data-role=mode]");
        this.matchColumn = document.querySelector("[data-role=column]");
        this.matchField = document.querySelector("[data-role=match-field]");
        this.custom = document.querySelector("#id_custom_columns");
        this.problem = document.querySelector("[data-role=fields-problem]");
        this.state = document.querySelector("[data-role=fields-state]");
        this.changes = document.querySelector("[data-role=fields-changes]");
        this.state?.querySelector("[data-role=refresh-fields]").addEventListener("click", ({ currentTarget }) => this.refresh(currentTarget));
        this.columns = null;
        this.fields = null;
        this.service = null;
        this.prepared = new WeakSet();
        this.isNew = !/\/change\/$/.test(window.location.pathname);
        this.modeLabels = new Map([...this.mode.options].map((option) => [option.value, option.textContent]));
        this.notes = screens.element("div", {});
        this.destination.closest(".field-line").querySelector(":scope > .grow").append(this.notes);
        this.dataNote = screens.element("div", {});
        this.data.closest(".field-line").querySelector(":scope > .grow").append(this.dataNote);
        this.data.addEventListener("change", () => this.loadColumns());
        this.destination.addEventListener("change", () => this.loadDestination(true));
        for (const select of [this.data, this.destination, this.matchColumn, this.matchField]) select.addEventListener("change", () => this.showAgree(true));
        document.addEventListener("formset:added", (event) => this.prepare(event.target));
        this.prepareSchedules(document);
        this.showAgree(false);
        this.loadColumns();
        this.loadDestination(this.isNew);
    }

    // "Start afresh" matters only once something that identifies records was changed.
    showAgree(changed) {
        const row = document.querySelector("#id_agree")?.closest(".form-row");
        if (row && !row.querySelector(".text-red-600")) row.hidden = row.hidden ? !changed : row.dataset.seen === undefined && !changed;
        if (row && changed) row.dataset.seen = "";
    }

    async loadColumns() {
        const [kind, id] = this.data.value.split(":");
        this.dataNote.replaceChildren();
        if (!id) return;
        try {
            const answer = await screens.ask(`/api/${kind}s/${id}/columns/`);
            this.columns = answer.columns;
            this.kind = answer.kind;
            if (answer.problem) this.dataNote.append(screens.note(answer.problem, "warn"));
        } catch (error) {
            this.dataNote.append(screens.note(error.message, "bad"));
            return;
        }
        this.fillColumns(document);
        this.fillCustom();
        this.judgeKind();
    }

    async loadDestination(propose) {
        this.notes.replaceChildren();
        if (this.problem) this.problem.hidden = true;
        this.changes?.replaceChildren();
        if (this.state) this.state.hidden = true;
        const id = this.destination.value;
        if (!id) return this.showCustom();
        try {
            this.service = await screens.ask(`/api/destinations/${id}/`);
            this.showService(propose);
            await this.loadFields(id);
            if (id !== this.destination.value) return;
        } catch (error) {
            if (this.problem) {
                this.problem.textContent = `${error.message} The attributes can't be listed until this is solved.`;
                this.problem.hidden = false;
            }
            this.notes.append(screens.note(error.message, "bad"));
            return;
        }
        this.fillFields(document);
        this.fillCustom();
        if (propose && !this.matchField.value && this.fields.some(({ name }) => name === this.service.default_match)) this.matchField.value = this.service.default_match;
    }

    // The attributes as they were found last; the platform is asked by the refresh button and by runs.
    async loadFields(id, body) {
        const found = await screens.ask(`/api/destinations/${id}/fields/`, body);
        if (id !== this.destination.value) return null;
        this.fields = found.fields;
        if (this.state) {
            this.state.hidden = false;
            this.state.querySelector("[data-role=found-at]").textContent = `Attributes as they were found ${new Date(found.found_at).toLocaleString()}. Every run looks again.`;
        }
        return found;
    }

    async refresh(button) {
        button.disabled = true;
        try {
            const found = await this.loadFields(this.destination.value, {});
            if (found) {
                if (this.problem) this.problem.hidden = true;
                const said = found.changes.length ? found.changes.map((text) => screens.note(text, "warn")) : [screens.note("The attributes are as they were.", "good")];
                this.changes.replaceChildren(...said);
                this.fillFields(document);
                this.fillCustom();
                this.warnRows(found.differences);
            }
        } catch (error) {
            this.changes.replaceChildren(screens.note(error.message, "bad"));
        }
        button.disabled = false;
    }

    // What became of an attribute since it was mapped stands beside its row; a new choice takes it away.
    warnRows(differences) {
        const serious = new Map(differences.filter(({ kind }) => ["gone", "read_only", "type"].includes(kind)).map(({ name, message }) => [name, message]));
        for (const target of document.querySelectorAll("[data-role=target]")) {
            if (serious.has(target.value)) target.dataset.warning = serious.get(target.value);
            this.showWarning(target);
        }
    }

    showWarning(target) {
        const cell = target.closest("td") || target.parentElement;
        cell.querySelector("[data-role=row-warning]")?.remove();
        if (!target.dataset.warning || cell.querySelector(".text-red-600")) return;
        const note = screens.note(target.dataset.warning, "warn");
        note.dataset.role = "row-warning";
        cell.append(note);
    }

    showService(propose) {
        const present = propose && this.isNew ? this.service.default_mode : this.mode.value;
        screens.fill(this.mode, this.service.modes.map((value) => ({ value, label: this.modeLabels.get(value) || value })), present, "not here");
        const lines = this.service.notes.map((text) => screens.element("p", {}, text));
        if (lines.length) this.notes.append(screens.element("div", { class: "d-note", style: "margin-top:.5rem;margin-bottom:0" }, screens.element("div", { class: "d-muted" }, ...lines)));
        this.showCustom();
        this.judgeKind();
    }

    judgeKind() {
        this.dataNote.querySelector("[data-kind]")?.remove();
        if (!this.service || !this.kind || this.service.accepts.includes(this.kind)) return;
        const message = `${this.service.label} takes models of kind ${this.service.accepts.join(" or ")}, not ${this.kind}. Choose other data.`;
        const note = screens.note(message, "warn");
        note.dataset.kind = "";
        this.dataNote.append(note);
    }

    showCustom() {
        const fieldset = this.custom?.closest("fieldset");
        if (fieldset) fieldset.hidden = !this.service?.creates_fields && !this.custom.querySelector("input:checked");
    }

    fillColumns(root) {
        if (!this.columns) return;
        const options = this.columns.map(({ name, type }) => ({ value: name, label: `${name} (${type})` }));
        for (const select of root.querySelectorAll("[data-role=mapping-column]")) screens.fill(select, options);
        const fromSource = options.filter((_, place) => !this.columns[place].computed);
        for (const select of root.querySelectorAll("[data-role=column]")) screens.fill(select, fromSource, select.value, "can't match");
    }

    fillFields(root) {
        if (!this.fields) return;
        const label = (field) => (field.label && field.label !== field.name ? `${field.label} (${field.name}, ${field.type})` : `${field.name} (${field.type})`);
        const matchable = this.fields.filter((field) => field.matchable).map((field) => ({ value: field.name, label: label(field) }));
        if (root === document) screens.fill(this.matchField, matchable, this.matchField.value, "can't match");
        const targets = this.fields.map((field) => ({
            value: field.name,
            label: field.writable ? label(field) : `${label(field)}: read-only`,
            disabled: !field.writable,
            title: field.read_only_reason || "",
        }));
        for (const select of root.querySelectorAll("[data-role=target]")) screens.fill(select, targets);
        for (const row of root.querySelectorAll("tr")) this.prepareMapping(row);
        if (root.matches?.("tr")) this.prepareMapping(root);
    }

    fillCustom() {
        if (!this.custom || !this.columns) return;
        const chosen = new Set([...this.custom.querySelectorAll("input:checked")].map((input) => input.value));
        const names = [...this.columns.map(({ name }) => name), ...[...chosen].filter((name) => !this.columns.some((column) => column.name === name))];
        this.custom.className = "d-checks";
        this.custom.replaceChildren(...names.map((name) => {
            const input = screens.element("input", { type: "checkbox", name: "custom_columns", value: name, checked: chosen.has(name) });
            const missing = this.columns.some((column) => column.name === name) ? "" : " (missing)";
            const present = this.fields?.find((field) => field.custom && field.name === name);
            const note = present && !present.writable ? [screens.element("span", { class: "d-muted" }, ` ${present.read_only_reason}`)] : [];
            return screens.element("label", {}, input, name + missing, ...note);
        }));
    }

    prepare(row) {
        this.fillColumns(row);
        this.fillFields(row);
        this.prepareMapping(row);
        this.prepareSchedules(row);
    }

    // A fixed value is typed only where no column is chosen; lists only matter for list attributes.
    prepareMapping(row) {
        const [column, fixed, target] = ["mapping-column", "fixed", "target"].map((role) => row.querySelector(`[data-role=${role}]`));
        if (!column || !fixed || !target) return;
        const multi = row.querySelector("select[name$='-multi']");
        const refresh = () => {
            fixed.disabled = column.value !== "";
            if (fixed.disabled) fixed.value = "";
            const field = this.fields?.find(({ name }) => name === target.value);
            if (multi && this.fields) multi.parentElement.style.visibility = field?.multiple ? "" : "hidden";
            this.offerOptions(fixed, field);
        };
        // A new row is a copy of the template row with its attributes, but without its listeners.
        if (!this.prepared.has(row)) {
            this.prepared.add(row);
            column.addEventListener("change", refresh);
            target.addEventListener("change", refresh);
            target.addEventListener("change", () => { delete target.dataset.warning; this.showWarning(target); });
            this.showWarning(target);
        }
        refresh();
    }

    offerOptions(fixed, field) {
        document.getElementById(`${fixed.id}-options`)?.remove();
        fixed.removeAttribute("list");
        if (!field?.options.length) return;
        const list = screens.element("datalist", { id: `${fixed.id}-options` }, ...field.options.map(({ title }) => screens.element("option", { value: title })));
        fixed.after(list);
        fixed.setAttribute("list", list.id);
    }

    // A schedule shows the inputs of its kind only.
    prepareSchedules(root) {
        const shown = { interval: ["every"], cron: ["cron", "timezone"], weekly: ["days", "at", "timezone"] };
        for (const kind of root.querySelectorAll("[data-role=schedule-kind]")) {
            const row = kind.closest(".form-group");
            if (!row || kind.name.includes("__prefix__")) continue;
            const refresh = () => {
                for (const name of ["every", "cron", "days", "at", "timezone"]) {
                    row.querySelector(`.field-${name}`).closest(".form-row").hidden = !shown[kind.value].includes(name);
                }
            };
            kind.addEventListener("change", refresh);
            refresh();
        }
    }
}
