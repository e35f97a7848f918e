// The condition builder of a segment: the condition tree, the size limit, a draft of both, and the preview.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-conditions]");
    if (place) new Builder(place);
});

class Builder extends Editor {
    constructor(place) {
        super(place);
        this.limitInput = document.querySelector("input[name=limit]");
        this.choice = document.querySelector("select[data-role=model]");
        this.limit = JSON.parse(this.limitInput?.value || "{}") || {};
        this.answer = new Answer(place.querySelector("[data-answer]"), "/api/segments/");
        const form = place.closest("form");
        this.draft = new Draft("segment", place.querySelector("[data-draft-note]"), form, () => this.state());
        this.stored = JSON.parse(this.hidden.value || "{}");
        this.draft.offer((saved) => this.restore(saved));
        this.choice?.addEventListener("change", () => { this.stored = {}; this.limit = {}; this.load(); });
        document.getElementById("id_name")?.addEventListener("change", () => this.root && this.loadPreview());
        this.load();
    }

    get modelId() {
        return this.choice?.value || this.place.dataset.model;
    }

    get ownName() {
        return document.getElementById("id_name")?.value || "";
    }

    state() {
        const fields = {};
        for (const id of ["id_name", "id_description", "id_tags"]) fields[id] = document.getElementById(id)?.value;
        return { built: { where: this.root ? tree.write(this.root) : this.stored, limit: this.limit }, model: this.modelId, fields };
    }

    restore({ built, model, fields }) {
        [this.stored, this.limit] = [built.where, built.limit || {}];
        for (const [id, value] of Object.entries(fields || {})) if (value !== undefined && document.getElementById(id)) document.getElementById(id).value = value;
        if (this.choice) this.choice.value = model;
        this.load();
    }

    async load() {
        this.root = null;
        this.answer.showHint("");
        if (!this.modelId) return this.area.replaceChildren(screens.element("p", { class: "d-muted" }, "Choose a model first."));
        try {
            const { model, models, problem } = await screens.request(`/api/models/${this.modelId}/builder/`);
            [this.models, this.model] = [models, model];
            this.root = tree.root(this.stored, model);
            this.draw();
            if (problem) this.answer.note(problem, "warn");
            else this.loadPreview();
        } catch (error) {
            this.area.replaceChildren(screens.note(error.message, "bad"));
        }
    }

    draw() {
        const key = document.activeElement?.dataset?.key;
        this.area.replaceChildren(this.rows.group(this.root));
        this.drawLimit();
        if (key) this.focus(key);
        this.write();
    }

    onEdit() {
        this.write();
        this.draft.save();
        this.answer.schedule(() => this.previewRequest());
    }

    write() {
        this.hidden.value = JSON.stringify(tree.write(this.root));
        if (this.limitInput) this.limitInput.value = JSON.stringify(this.limit);
    }

    loadPreview() {
        this.answer.load(this.previewRequest());
    }

    previewRequest() {
        return { incomplete: this.incomplete(), body: { model: this.modelId, where: tree.write(this.root), limit: this.limit, name: this.ownName } };
    }

    // What still needs to be filled in, as a sentence; "" if nothing.
    incomplete() {
        return this.missing(this.root) || (this.limit.rows === null ? "Enter the number of rows for the size limit." : "");
    }

    segmentsOf(model) {
        return (this.models[model]?.segments || []).filter((name) => name !== this.ownName);
    }

    drawLimit() {
        const place = this.place.querySelector("[data-limit]");
        if (!this.limitInput) return;
        place.hidden = false;
        if (this.limit.order_by) place.open = true;
        const columns = this.models[this.model].columns.filter(({ type }) => this.offered.sortable.includes(type));
        const rows = screens.element("input", { class: "d-input d-short", type: "number", min: "1", "aria-label": "Maximum rows", value: String(this.limit.rows ?? ""), placeholder: "all" });
        const by = screens.element("select", { class: "d-input", "aria-label": "Ordered by" });
        screens.fill(by, columns.map(({ name, type }) => ({ value: name, label: `${name} · ${type}` })), this.limit.order_by || columns[0]?.name);
        const direction = screens.element("select", { class: "d-input", "aria-label": "Order" });
        screens.fill(direction, [{ value: "yes", label: "highest first" }, { value: "", label: "lowest first" }], this.limit.order_by && !this.limit.descending ? "" : "yes");
        const update = () => {
            this.limit = rows.value === "" ? {} : { rows: Number(rows.value), order_by: by.value, ...(direction.value && { descending: true }) };
            this.onEdit();
        };
        for (const input of [rows, by, direction]) input.addEventListener("input", update);
        const note = screens.element("span", { class: "d-muted" }, "Empty values come last. Ties are ordered by primary key.");
        place.querySelector("[data-limit-inputs]").replaceChildren("At most", rows, "rows, ordered by", by, direction, note);
    }
}
