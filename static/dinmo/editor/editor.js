// The activation editor: loads columns and attributes, and keeps the parts of the page in step.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-editor]");
    if (place) new ActivationEditor(place);
});

class ActivationEditor {
    constructor(place) {
        this.place = place;
        this.form = document.getElementById("activation_form");
        this.destinations = JSON.parse(document.getElementById("editor-destinations").textContent);
        const find = (id) => document.getElementById(id);
        Object.assign(this, { data: find("id_records"), destination: find("id_destination"), name: find("id_name"), matchColumn: find("id_match_column"), matchField: find("id_match_field") });
        Object.assign(this, { columns: null, fields: null, matchBox: new Combobox(this.matchField, "Match attribute") });
        this.modes = place.querySelector(".d-modes");
        this.comparing = new Comparing(place.querySelector("[data-comparing]"), this.modes);
        this.isNew = !place.dataset.activation;
        this.rows = new MappingRows(this);
        this.custom = new CustomColumns(this);
        this.attached = new AttachedPeople(this);
        this.schedules = new Schedules(this);
        this.samples = new Samples(this);
        this.suggestions = new Suggestions(this);
        this.untouched = new Untouched(this);
        this.drafts = new Autosave(this);
        this.steps = new Steps(this);
        this.logos = new ChosenLogos(this);
        this.listen();
        this.loadColumns();
        this.loadDestination(this.modes.dataset.chosen === undefined);
    }

    listen() {
        this.data.addEventListener("change", () => { this.proposeName(); this.loadColumns(); });
        this.destination.addEventListener("change", () => { this.proposeName(); this.loadDestination(true); });
        this.modes.addEventListener("change", () => { this.modes.dataset.chosen = ""; });
        this.name.addEventListener("input", () => { delete this.name.dataset.proposed; });
        this.place.querySelector("[data-refresh-fields]").addEventListener("click", ({ currentTarget }) => this.refreshFields(currentTarget));
        const edited = (event) => {
            this.steps.errors.delete(event.target.closest("[data-step]")?.dataset.step);
            this.changed();
        };
        this.place.addEventListener("input", edited);
        this.place.addEventListener("change", edited);
        this.proposeName();
    }

    get service() {
        return this.destinations[this.destination.value];
    }

    field(name) {
        return this.fields?.find((field) => field.name === name);
    }

    // Something was entered, by the person or by a suggestion that they accepted.
    changed() {
        if (!this.steps) return;
        this.showColumnIcons();
        this.untouched.show();
        this.custom.show();
        this.samples.later();
        this.drafts.later();
        this.steps.refresh();
    }

    proposeName() {
        if (!this.isNew || (this.name.value && this.name.dataset.proposed === undefined)) return;
        const text = (select) => (select.value ? select.selectedOptions[0].textContent.trim() : "");
        const [data, destination] = [text(this.data).replace(/^All of /, ""), text(this.destination)];
        if (!data || !destination) return;
        this.name.value = `${data} to ${destination}`.slice(0, 200);
        this.name.dataset.proposed = "";
    }

    async loadColumns() {
        const [kind, id] = this.data.value.split(":");
        const note = this.place.querySelector("[data-data-note]");
        note.replaceChildren();
        if (!id) return;
        try {
            const { columns, kind: modelKind, problem } = await screens.request(`/api/${kind}s/${id}/columns/`);
            if (this.data.value !== `${kind}:${id}`) return;
            Object.assign(this, { columns, kind: modelKind });
            if (problem) note.append(screens.note(problem, "warn"));
        } catch (error) {
            note.append(screens.note(error.message, "bad"));
            return;
        }
        const fromSource = columnOptions(this.columns.filter(({ computed }) => !computed));
        screens.fill(this.matchColumn, fromSource, this.matchColumn.value, "can't be matched");
        this.ready();
    }

    async loadDestination(useDefaults) {
        const id = this.destination.value;
        const problem = this.place.querySelector("[data-fields-problem]");
        problem.hidden = true;
        this.place.querySelector("[data-fields-changes]").replaceChildren();
        this.showService(useDefaults);
        if (!id) return;
        try {
            await this.loadFields(id);
        } catch (error) {
            if (id !== this.destination.value) return;
            problem.textContent = `${error.message} Attributes can't be loaded until this is fixed.`;
            problem.hidden = false;
            this.place.querySelector("[data-destination-note]").append(screens.note(error.message, "bad"));
            return;
        }
        if (id === this.destination.value) this.ready();
    }

    async loadFields(id, body) {
        const response = await screens.request(`/api/destinations/${id}/fields/`, body);
        if (id !== this.destination.value) return null;
        this.fields = response.fields;
        this.place.querySelector("[data-found-at]").textContent = `Attributes read ${clock(response.found_at)}. Every run reads them again.`;
        return response;
    }

    async refreshFields(button) {
        button.disabled = true;
        const place = this.place.querySelector("[data-fields-changes]");
        try {
            const response = await this.loadFields(this.destination.value, {});
            const changes = response?.changes || [];
            place.replaceChildren(...(changes.length ? changes.map((text) => screens.note(text, "warn")) : [screens.note("The attributes have not changed.", "good")]));
            this.ready();
        } catch (error) {
            place.replaceChildren(screens.note(error.message, "bad"));
        }
        button.disabled = false;
    }

    // Columns or attributes have arrived.
    ready() {
        if (this.fields) {
            const matchable = this.fields.filter((field) => field.matchable);
            this.matchBox.fill(matchable.map((field) => ({ ...attributeOption(field), disabled: false, note: "" })), "can't be matched");
            this.proposeMatchField(matchable.map(({ name }) => name));
        }
        this.rows.fillAll();
        this.attached.later(0);
        this.checkKind();
        this.custom.show();
        this.showColumnIcons();
        this.untouched.show();
        this.samples.later(0);
        this.steps.refresh();
        focusWanted(this);
    }

    proposeMatchField(names) {
        const note = this.place.querySelector("[data-destination-note]");
        note.querySelector("[data-role=match-advice]")?.remove();
        if (!names.length) {
            const advice = screens.note(`No attribute of this destination can be the match attribute. ${this.service.match_advice}`.trim(), "warn");
            advice.dataset.role = "match-advice";
            note.append(advice);
        }
        const proposed = names.includes(this.service.default_match) ? this.service.default_match : names.length === 1 ? names[0] : "";
        if (!this.matchField.value) this.matchField.value = proposed;
        this.matchBox.show();
    }

    showService(useDefaults) {
        const note = this.place.querySelector("[data-destination-note]");
        note.replaceChildren();
        this.modes.hidden = !this.service;
        this.comparing.show(this.service?.comparing);
        this.custom.show();
        this.attached.show();
        if (!this.service) return;
        const words = new Map(this.service.modes);
        const kept = this.modes.dataset.chosen !== undefined;
        for (const label of this.modes.querySelectorAll("[data-mode]")) {
            const [input, text] = [label.querySelector("input"), words.get(label.dataset.mode)];
            if (text) label.querySelector("span").textContent = text;
            if (useDefaults && !kept) input.checked = input.value === this.service.default_mode;
            label.hidden = !text && !input.checked;
        }
        if (this.service.notes.length) {
            const title = screens.element("summary", { class: "d-link" }, `Good to know about ${this.service.platform} ${this.service.records}`);
            note.append(screens.element("details", { class: "d-details d-good-to-know" }, title, screens.element("ul", {}, ...this.service.notes.map((text) => screens.element("li", {}, text)))));
        }
        this.checkKind();
    }

    checkKind() {
        const place = this.place.querySelector("[data-data-note]");
        place.querySelector("[data-kind]")?.remove();
        if (!this.service || !this.kind || this.service.accepts.includes(this.kind)) return;
        const note = screens.note(`${this.service.platform} ${this.service.records} take models of kind ${this.service.accepts.join(" or ")}, not ${this.kind}. Choose different data.`, "warn");
        note.dataset.kind = "";
        place.append(note);
    }

    targets() {
        return (this.fields || []).filter((field) => field.name !== this.matchField.value).map((field) => attributeOption(field));
    }

    showColumnIcons() {
        const match = this.place.querySelector(".d-match");
        const column = this.columns?.find(({ name }) => name === this.matchColumn.value);
        match.querySelector("[data-column-icon]").textContent = column ? fieldIcon(column.type) : "";
        match.querySelector("[data-target-icon]").textContent = this.field(this.matchField.value) ? fieldIcon(this.field(this.matchField.value).type) : "";
    }

    complete() {
        const mapped = this.rows.present.some((row) => this.rows.isComplete(row)) || this.custom.chosen.length > 0;
        const chosenMode = this.modes.querySelector("input:checked");
        return {
            data: Boolean(this.data.value && this.name.value.trim()), destination: Boolean(this.destination.value && chosenMode),
            mapping: Boolean(this.matchColumn.value && this.matchField.value && mapped), schedule: this.isNew ? this.schedules.present.length > 0 : true, alerts: !this.isNew || Boolean(document.getElementById("id_recipients").value),
        };
    }
}

// Whether new records are compared with the destination first. Preselected by what its service does.
class Comparing {
    constructor(place, modes) {
        Object.assign(this, { place, modes, means: {} });
        this.isChosen = Boolean(place.querySelector("input:checked"));
        place.addEventListener("change", () => { this.isChosen = true; });
        modes.addEventListener("change", () => this.show(this.means));
    }

    // Hidden where it changes nothing: the service can't compare, or records that exist are skipped.
    show(means = {}) {
        this.means = means;
        this.place.hidden = !means.words || this.modes.querySelector("input:checked")?.value === "insert";
        for (const label of this.place.querySelectorAll("[data-choice]")) {
            const input = label.querySelector("input");
            label.querySelector("[data-means]").textContent = means.words?.[input.value] || "";
            if (!this.isChosen) input.checked = input.value === means.default;
        }
    }
}

function attributeOption(field) {
    const refilled = field.enriched ? "may be refilled there" : "";
    return { value: field.name, label: field.label || field.name, type: field.type_word, disabled: !field.writable, note: field.read_only_reason || refilled };
}
