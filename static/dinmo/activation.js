// The activation form: fills its selects with the current columns of the data and the attributes of the destination.
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
        const [problem, state, changes] = ["problem", "state", "changes"].map((role) => document.querySelector(`[data-role=fields-${role}]`));
        Object.assign(this, { problem, state, changes });
        this.state?.querySelector("[data-role=refresh-fields]").addEventListener("click", ({ currentTarget }) => this.refresh(currentTarget));
        Object.assign(this, { columns: null, fields: null, service: null });
        this.prepared = new WeakSet();
        // A form that was refused keeps what was chosen: only a form that nobody has filled in proposes defaults.
        this.isBlank = this.mode.dataset.chosen === undefined;
        this.mode.addEventListener("change", () => { this.mode.dataset.chosen = ""; });
        this.modeLabels = new Map([...this.mode.options].map((option) => [option.value, option.textContent]));
        this.notes = screens.element("div", {});
        this.destination.closest(".field-line").querySelector(":scope > .grow").append(this.notes);
        this.dataNote = screens.element("div", {});
        this.data.closest(".field-line").querySelector(":scope > .grow").append(this.dataNote);
        this.data.addEventListener("change", () => this.loadColumns());
        this.destination.addEventListener("change", () => this.loadDestination(true));
        document.addEventListener("formset:added", (event) => this.prepare(event.target));
        this.prepareSchedules(document);
        this.loadColumns();
        this.loadDestination(this.isBlank);
    }

    async loadColumns() {
        const [kind, id] = this.data.value.split(":");
        this.dataNote.replaceChildren();
        if (!id) return;
        try {
            const { columns, kind: modelKind, problem } = await screens.request(`/api/${kind}s/${id}/columns/`);
            Object.assign(this, { columns, kind: modelKind });
            if (problem) this.dataNote.append(screens.note(problem, "warn"));
        } catch (error) {
            this.dataNote.append(screens.note(error.message, "bad"));
            return;
        }
        this.fillColumns(document);
        this.fillCustom();
        this.checkKind();
    }

    async loadDestination(useDefaults) {
        this.notes.replaceChildren();
        if (this.problem) this.problem.hidden = true;
        this.changes?.replaceChildren();
        if (this.state) this.state.hidden = true;
        const id = this.destination.value;
        if (!id) return this.showCustom();
        try {
            this.service = await screens.request(`/api/destinations/${id}/`);
            this.showService(useDefaults);
            await this.loadFields(id);
            if (id !== this.destination.value) return;
        } catch (error) {
            if (this.problem) {
                this.problem.textContent = `${error.message} Attributes can't be loaded until this is fixed.`;
                this.problem.hidden = false;
            }
            this.notes.append(screens.note(error.message, "bad"));
            return;
        }
        this.fillFields(document);
        this.fillCustom();
        this.proposeMatch(useDefaults);
    }

    // Proposes an attribute that can be the match. If none can, says what to do about it.
    proposeMatch(useDefaults) {
        const matchable = this.fields.filter((field) => field.matchable).map(({ name }) => name);
        if (!matchable.length) {
            const note = screens.note(`No attribute of this destination can be the match attribute. ${this.service.match_advice}`.trim(), "warn");
            note.dataset.role = "match-advice";
            this.notes.append(note);
        }
        const proposed = matchable.includes(this.service.default_match) ? this.service.default_match : matchable.length === 1 ? matchable[0] : "";
        if (useDefaults && !this.matchField.value) this.matchField.value = proposed;
    }

    // Loads the cached attributes. Only the refresh button and runs request them from the platform.
    async loadFields(id, body) {
        const response = await screens.request(`/api/destinations/${id}/fields/`, body);
        if (id !== this.destination.value) return null;
        this.fields = response.fields;
        if (this.state) {
            this.state.hidden = false;
            this.state.querySelector("[data-role=found-at]").textContent = `Attributes last refreshed ${new Date(response.found_at).toLocaleString()}. Every run refreshes them.`;
        }
        return response;
    }

    async refresh(button) {
        button.disabled = true;
        try {
            const response = await this.loadFields(this.destination.value, {});
            if (response) {
                if (this.problem) this.problem.hidden = true;
                const { changes } = response;
                const notes = changes.length ? changes.map((text) => screens.note(text, "warn")) : [screens.note("The attributes have not changed.", "good")];
                this.changes.replaceChildren(...notes);
                this.fillFields(document);
                this.fillCustom();
                this.warnRows(response.differences);
            }
        } catch (error) {
            this.changes.replaceChildren(screens.note(error.message, "bad"));
        }
        button.disabled = false;
    }

    // Shows next to a mapping how its attribute has changed since it was mapped. Selecting a different attribute hides it.
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

    showService(useDefaults) {
        const kept = this.mode.dataset.chosen !== undefined;
        const mode = useDefaults && !kept ? this.service.default_mode : this.mode.value;
        screens.fill(this.mode, this.service.modes.map((value) => ({ value, label: this.modeLabels.get(value) || value })), mode, "not supported");
        const lines = this.service.notes.map((text) => screens.element("p", {}, text));
        if (lines.length) this.notes.append(screens.element("div", { class: "d-note", style: "margin-top:.5rem;margin-bottom:0" }, screens.element("div", { class: "d-muted" }, ...lines)));
        this.showCustom();
        this.checkKind();
    }

    checkKind() {
        this.dataNote.querySelector("[data-kind]")?.remove();
        if (!this.service || !this.kind || this.service.accepts.includes(this.kind)) return;
        const message = `${this.service.label} accepts models of kind ${this.service.accepts.join(" or ")}, not ${this.kind}. Choose a different model or segment.`;
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
        const fromSource = options.filter((_, index) => !this.columns[index].computed);
        for (const select of root.querySelectorAll("[data-role=column]")) screens.fill(select, fromSource, select.value, "can't be matched");
    }

    fillFields(root) {
        if (!this.fields) return;
        const label = (field) => (field.label && field.label !== field.name ? `${field.label} (${field.name}, ${field.type})` : `${field.name} (${field.type})`);
        const matchable = this.fields.filter((field) => field.matchable).map((field) => ({ value: field.name, label: label(field) }));
        if (root === document) screens.fill(this.matchField, matchable, this.matchField.value, "can't be matched");
        const targets = this.fields.map((field) => ({
            value: field.name,
            label: field.writable ? label(field) : `${label(field)} – read-only`,
            disabled: !field.writable,
            title: field.read_only_reason || "",
        }));
        for (const select of root.querySelectorAll("[data-role=target]")) screens.fill(select, targets);
        for (const row of root.querySelectorAll("tr")) this.prepareMapping(row);
        if (root.matches?.("tr")) this.prepareMapping(root);
    }

    fillCustom() {
        if (!this.custom || !this.columns) return;
        const checked = new Set([...this.custom.querySelectorAll("input:checked")].map((input) => input.value));
        const names = [...this.columns.map(({ name }) => name), ...[...checked].filter((name) => !this.columns.some((column) => column.name === name))];
        this.custom.className = "d-checks";
        this.custom.replaceChildren(...names.map((name) => {
            const input = screens.element("input", { type: "checkbox", name: "custom_columns", value: name, checked: checked.has(name) });
            const missing = this.columns.some((column) => column.name === name) ? "" : " (missing)";
            const existing = this.fields?.find((field) => field.custom && field.name === name);
            const note = existing && !existing.writable ? [screens.element("span", { class: "d-muted" }, ` ${existing.read_only_reason}`)] : [];
            return screens.element("label", {}, input, name + missing, ...note);
        }));
    }

    prepare(row) {
        this.fillColumns(row);
        this.fillFields(row);
        this.prepareMapping(row);
        this.prepareSchedules(row);
    }

    // A fixed value can be entered only if no column is selected. The choice for lists is shown only for list attributes,
    // and the country only for phone numbers.
    prepareMapping(row) {
        const [column, fixed, target] = ["mapping-column", "fixed", "target"].map((role) => row.querySelector(`[data-role=${role}]`));
        if (!column || !fixed || !target) return;
        const multi = row.querySelector("select[name$='-multi']");
        const country = row.querySelector("[data-role=country]");
        const refresh = () => {
            // A value typed before a column was selected comes back if the column is removed again.
            if (column.value !== "" && fixed.value) fixed.dataset.typed = fixed.value;
            fixed.disabled = column.value !== "";
            fixed.value = fixed.disabled ? "" : fixed.value || fixed.dataset.typed || "";
            const field = this.fields?.find(({ name }) => name === target.value);
            if (multi && this.fields) multi.parentElement.style.visibility = field?.multiple ? "" : "hidden";
            if (country && this.fields) {
                country.parentElement.style.visibility = field?.takes_country ? "" : "hidden";
                if (field && !field.takes_country) country.value = "";
            }
            this.suggestOptions(fixed, field);
        };
        // Django copies a new row from the template row, with its DOM attributes but without its listeners.
        if (!this.prepared.has(row)) {
            this.prepared.add(row);
            column.addEventListener("change", refresh);
            target.addEventListener("change", refresh);
            target.addEventListener("change", () => { delete target.dataset.warning; this.showWarning(target); });
            this.showWarning(target);
        }
        refresh();
    }

    suggestOptions(fixed, field) {
        document.getElementById(`${fixed.id}-options`)?.remove();
        fixed.removeAttribute("list");
        if (!field?.options.length) return;
        const list = screens.element("datalist", { id: `${fixed.id}-options` }, ...field.options.map(({ title }) => screens.element("option", { value: title })));
        fixed.after(list);
        fixed.setAttribute("list", list.id);
    }

    // A schedule shows only the inputs of its kind.
    prepareSchedules(root) {
        const inputs = { interval: ["every"], cron: ["cron", "timezone"], weekly: ["days", "at", "timezone"] };
        for (const kind of root.querySelectorAll("[data-role=schedule-kind]")) {
            const row = kind.closest(".form-group");
            if (!row || kind.name.includes("__prefix__")) continue;
            const refresh = () => {
                for (const name of ["every", "cron", "days", "at", "timezone"]) {
                    row.querySelector(`.field-${name}`).closest(".form-row").hidden = !inputs[kind.value].includes(name);
                }
            };
            kind.addEventListener("change", refresh);
            refresh();
            if (!this.prepared.has(row)) this.describeSchedule(row, kind);
        }
    }

    // Puts a schedule into words below its fields, each time one of them changes.
    describeSchedule(row, kind) {
        this.prepared.add(row);
        const words = screens.element("p", { class: "d-muted d-schedule", role: "status" });
        row.append(words);
        const prefix = kind.name.replace(/kind$/, "");
        const value = (name) => row.querySelector(`[name="${prefix}${name}"]`)?.value || "";
        let latest = 0;
        const describe = async () => {
            const thisRequest = ++latest;
            const days = [...row.querySelectorAll(`[name="${prefix}days"]:checked`)].map((input) => input.value);
            const entered = { interval: value("every"), cron: value("cron"), weekly: days.length && value("at") };
            const fields = Object.fromEntries(["kind", "every", "unit", "cron", "at", "timezone"].map((name) => [name, value(name)]));
            let [text, bad] = ["", false];
            if (entered[kind.value]) {
                try {
                    const answer = await screens.request("/api/schedules/words/", { ...fields, days });
                    text = `${answer.words}. Due: ${answer.next.join(" · ")} (${answer.timezone}).`;
                } catch (error) {
                    [text, bad] = [error.message, true];
                }
            }
            if (thisRequest !== latest) return;
            words.textContent = text;
            words.classList.toggle("d-bad-text", bad);
        };
        row.addEventListener("input", describe);
        row.addEventListener("change", describe);
        describe();
    }
}
