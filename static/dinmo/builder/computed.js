// The builder of a computed field: an aggregate over related rows, or a label chosen by conditions, with a preview.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-computed]");
    if (place) new Computed(place);
});

const KINDS = { number: "A number or date from related rows", label: "A label based on conditions" };
const MEASURE_LABELS = { count: "number of", sum: "sum of", average: "average of", min: "lowest", max: "highest" };

class Computed extends Editor {
    constructor(place) {
        super(place);
        const { model, field } = place.dataset;
        Object.assign(this, { modelId: model, field });
        this.answer = new Answer(place.querySelector("[data-answer]"), `/api/models/${model}/computed/`);
        this.name = document.getElementById("id_name");
        this.name.addEventListener("change", () => this.model && this.answer.load(this.previewRequest()));
        this.draft = new Draft("field", place.querySelector("[data-draft-note]"), place.closest("form"), () => this.state());
        this.draft.offer((saved) => this.restore(saved));
        this.load(JSON.parse(this.hidden.value || "{}"));
    }

    state() {
        return { built: this.kind ? this.definition() : JSON.parse(this.hidden.value || "{}"), name: this.name.value };
    }

    restore({ built, name }) {
        this.name.value = name;
        this.load(built);
    }

    async load(stored) {
        try {
            const { model, models } = await screens.request(`/api/models/${this.modelId}/computed/?field=${encodeURIComponent(this.field)}`);
            Object.assign(this, { model, models });
        } catch (error) {
            this.area.replaceChildren(screens.note(error.message, "bad"));
            return;
        }
        const isNew = !Object.keys(stored).length;
        this.kind = "labels" in stored || (isNew && !this.links.length) ? "label" : "number";
        this.number = "related" in stored ? this.readNumber(stored) : this.links.length ? tree.read(this.newRelated(this.model), this.model) : null;
        this.labels = (stored.labels || [{ label: "", where: {} }]).map(({ label, where }) => this.readLabel(label, where));
        this.otherwise = stored.otherwise ?? "";
        this.draw();
        if (!isNew || !this.incomplete()) this.answer.load(this.previewRequest());
    }

    get links() {
        return this.models[this.model].links;
    }

    // A computed field can't use segments.
    segmentsOf() {
        return [];
    }

    readNumber(stored) {
        const measure = Object.keys(MEASURE_LABELS).find((name) => name in stored);
        const node = tree.read({ related: stored.related, through: stored.through, where: stored.where, has: "at_least", count: 1 }, this.model);
        return Object.assign(node, { measure, column: measure === "count" ? "" : stored[measure] });
    }

    readLabel(label, where) {
        const root = tree.root(where, this.model);
        root.hint = "No conditions yet. Add conditions for the rows that get this label.";
        return { id: tree.next++, label, root };
    }

    definition() {
        if (this.kind === "label") {
            const labels = this.labels.map(({ label, root }) => ({ label: label.trim(), where: tree.write(root) }));
            return { labels, ...(this.otherwise.trim() && { otherwise: this.otherwise.trim() }) };
        }
        if (!this.number) return {};
        const { related, through, measure, column } = this.number;
        const where = tree.write(this.number.where);
        return { related, ...(through && { through }), [measure]: measure === "count" ? true : column, ...(Object.keys(where).length && { where }) };
    }

    incomplete() {
        if (this.kind === "number") {
            if (!this.number) return "Add a relation to a different model first.";
            if (this.number.measure !== "count" && !this.number.column) return `Choose a column of ${this.number.related}.`;
            return this.missing(this.number.where);
        }
        for (const { label, root } of this.labels) {
            if (!label.trim()) return "Enter a text for each label.";
            if (tree.isEmpty(root)) return `Add conditions for the label ${label}.`;
            const missing = this.missing(root);
            if (missing) return missing;
        }
        return "";
    }

    previewRequest() {
        return { incomplete: this.incomplete(), body: { name: this.name.value, field: this.place.dataset.pk, definition: this.definition() } };
    }

    onEdit() {
        this.write();
        this.draft.save();
        this.answer.schedule(() => this.previewRequest());
    }

    write() {
        this.hidden.value = JSON.stringify(this.definition());
    }

    draw() {
        const key = document.activeElement?.dataset?.key;
        this.area.replaceChildren(this.kinds(), ...(this.kind === "number" ? this.drawNumber() : this.drawLabels()));
        if (key) this.focus(key);
        this.write();
    }

    kinds() {
        const options = Object.entries(KINDS).map(([kind, label]) => {
            const input = screens.element("input", { type: "radio", name: "computed-kind", value: kind, checked: kind === this.kind, "data-key": `kind:${kind}` });
            input.addEventListener("change", () => this.change(() => { this.kind = kind; }));
            return screens.element("label", {}, input, label);
        });
        return screens.element("div", { class: "d-checks", role: "radiogroup", "aria-label": "Type of field" }, ...options);
    }

    drawNumber() {
        if (!this.number) {
            const message = `${this.model} has no relations yet. Add one under “Belongs to” on the page of the model whose rows reference the other.`;
            return [screens.note(message, "warn")];
        }
        const node = this.number;
        const measures = Object.entries(MEASURE_LABELS).map(([value, label]) => ({ value, label }));
        const measure = this.rows.select(node, "measure", "Measure", measures, node.measure, (value) => this.change(() => this.setMeasure(node, value)));
        const parts = node.measure === "count" ? [] : [this.column(node), screens.element("span", {}, "over")];
        const empty = ["count", "sum"].includes(node.measure) ? "If there are no matching rows, the value is 0." : "If there are no matching rows, the value is empty.";
        const line = screens.element("div", { class: "d-rule" }, screens.element("span", {}, "The"), measure, ...parts, this.related(node), screens.element("span", { class: "d-muted d-nulls" }, empty));
        return [line, this.rows.group(node.where)];
    }

    column(node) {
        const byType = this.offered.measures[node.measure];
        return this.rows.select(node, "column", "Column", this.rows.columnOptions(node.related, (kind) => kind in byType), node.column, (value) => this.change(() => { node.column = value; }));
    }

    related(node) {
        const [options, current] = this.rows.linkOptions(node);
        return this.rows.select(node, "related", "Related model", options, current, (value) => this.change(() => this.setRelated(node, ...value.split("\n"))));
    }

    drawLabels() {
        const add = this.rows.button({ id: "labels" }, "add", "add", "Add label", () => this.addLabel(), "Add label");
        const rest = screens.element("input", { class: "d-input", type: "text", maxLength: 200, value: this.otherwise, "aria-label": "All other rows", placeholder: "(empty)", "data-key": "labels:otherwise" });
        rest.addEventListener("input", () => { this.otherwise = rest.value; this.onEdit(); });
        const list = screens.element("ol", { class: "d-list" }, ...this.labels.map((entry, index) => this.drawLabel(entry, index)));
        const note = screens.element("p", { class: "d-muted" }, "Each row gets the first label whose conditions it matches.");
        return [note, list, screens.element("div", { class: "d-adders" }, add), screens.element("label", { class: "d-ops" }, "All other rows:", rest)];
    }

    drawLabel(entry, index) {
        const input = screens.element("input", { class: "d-input", type: "text", maxLength: 200, value: entry.label, "aria-label": "Label", placeholder: "e.g. Gold", "data-key": `${entry.id}:label` });
        input.addEventListener("input", () => { entry.label = input.value; this.onEdit(); });
        const line = screens.element("div", { class: "d-rule" }, screens.element("span", {}, index ? "else" : "first"), input, screens.element("span", {}, "for"), this.labelTools(entry, index));
        line.append(this.rows.group(entry.root));
        return screens.element("li", { "data-label": String(entry.id) }, line);
    }

    labelTools(entry, index) {
        const tool = (name, icon, label, enabled, act) => {
            const button = this.rows.button(entry, name, icon, label, () => this.change(act, label));
            button.disabled = !enabled;
            return button;
        };
        const swap = (other) => () => { [this.labels[index], this.labels[other]] = [this.labels[other], this.labels[index]]; };
        return screens.element("span", { class: "d-tools2" },
            tool("up", "arrow_upward", "Move up", index > 0, swap(index - 1)),
            tool("down", "arrow_downward", "Move down", index < this.labels.length - 1, swap(index + 1)),
            tool("remove", "delete", "Remove this label", this.labels.length > 1, () => this.labels.splice(index, 1)));
    }

    addLabel() {
        const entry = this.readLabel("", {});
        this.change(() => this.labels.push(entry), "Added.");
        this.focus(`${entry.id}:label`);
    }
}
