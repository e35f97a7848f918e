// The page of a computed field: a number or date from related rows, or a label by conditions, with the first rows as it is built.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-computed]");
    if (place) new Computed(place);
});

const KINDS = { number: "A number or date from related rows", label: "A label by conditions" };
const MEASURE_WORDS = { count: "number of", sum: "sum of", average: "average of", min: "lowest", max: "highest" };

class Computed extends Editor {
    constructor(place) {
        super(place);
        const { model, field } = place.dataset;
        Object.assign(this, { modelId: model, field });
        this.answer = new Answer(place.querySelector("[data-answer]"), `/api/models/${model}/computed/`);
        this.name = document.getElementById("id_name");
        this.name.addEventListener("change", () => this.model && this.answer.ask(this.question()));
        this.draft = new Draft("field", place.querySelector("[data-draft-note]"), place.closest("form"), () => this.state());
        this.draft.offer((found) => this.restore(found));
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
            const { model, models } = await screens.ask(`/api/models/${this.modelId}/computed/?field=${encodeURIComponent(this.field)}`);
            Object.assign(this, { model, models });
        } catch (error) {
            this.area.replaceChildren(screens.note(error.message, "bad"));
            return;
        }
        const fresh = !Object.keys(stored).length;
        this.kind = "labels" in stored || (fresh && !this.links.length) ? "label" : "number";
        this.number = "related" in stored ? this.readNumber(stored) : this.links.length ? tree.read(this.newRelated(this.model), this.model) : null;
        this.labels = (stored.labels || [{ label: "", where: {} }]).map(({ label, where }) => this.readLabel(label, where));
        this.otherwise = stored.otherwise ?? "";
        this.draw();
        if (!fresh || !this.incomplete()) this.answer.ask(this.question());
    }

    get links() {
        return this.models[this.model].links;
    }

    // A computed field asks about no segment.
    segmentsOf() {
        return [];
    }

    readNumber(stored) {
        const measure = Object.keys(MEASURE_WORDS).find((name) => name in stored);
        const node = tree.read({ related: stored.related, through: stored.through, where: stored.where, has: "at_least", count: 1 }, this.model);
        return Object.assign(node, { measure, column: measure === "count" ? "" : stored[measure] });
    }

    readLabel(label, where) {
        const root = tree.root(where, this.model);
        root.hint = "No condition yet: say which rows get this label.";
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
            if (!this.number) return "Relate the model to another one first.";
            if (this.number.measure !== "count" && !this.number.column) return `Choose a column of ${this.number.related}.`;
            return this.missing(this.number.where);
        }
        for (const { label, root } of this.labels) {
            if (!label.trim()) return "Give each label a text.";
            if (tree.isEmpty(root)) return `Say which rows are labelled ${label}.`;
            const missing = this.missing(root);
            if (missing) return missing;
        }
        return "";
    }

    question() {
        return { incomplete: this.incomplete(), body: { name: this.name.value, field: this.place.dataset.pk, definition: this.definition() } };
    }

    typed() {
        this.write();
        this.draft.keep();
        this.answer.later(() => this.question());
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
        const options = Object.entries(KINDS).map(([kind, words]) => {
            const input = screens.element("input", { type: "radio", name: "computed-kind", value: kind, checked: kind === this.kind, "data-key": `kind:${kind}` });
            input.addEventListener("change", () => this.change(() => { this.kind = kind; }));
            return screens.element("label", {}, input, words);
        });
        return screens.element("div", { class: "d-checks", role: "radiogroup", "aria-label": "What is worked out" }, ...options);
    }

    drawNumber() {
        if (!this.number) {
            const words = `${this.model} is not related to another model yet. Add a relation under “Belongs to” on the page of the model whose rows point at the other.`;
            return [screens.note(words, "warn")];
        }
        const node = this.number;
        const measures = Object.entries(MEASURE_WORDS).map(([value, label]) => ({ value, label }));
        const measure = this.rows.select(node, "measure", "What of them", measures, node.measure, (value) => this.change(() => this.setMeasure(node, value)));
        const parts = node.measure === "count" ? [] : [this.column(node), screens.element("span", {}, "over")];
        const empty = ["count", "sum"].includes(node.measure) ? "Without such rows it is 0." : "Without such rows it is empty.";
        const line = screens.element("div", { class: "d-rule" }, screens.element("span", {}, "The"), measure, ...parts, this.related(node), screens.element("span", { class: "d-muted d-nulls" }, empty));
        return [line, this.rows.group(node.where)];
    }

    column(node) {
        const byType = this.offered.measures[node.measure];
        return this.rows.select(node, "column", "Column", this.rows.columnOptions(node.related, (kind) => kind in byType), node.column, (value) => this.change(() => { node.column = value; }));
    }

    related(node) {
        const [options, present] = this.rows.linkOptions(node);
        return this.rows.select(node, "related", "Related model", options, present, (value) => this.change(() => this.setRelated(node, ...value.split("\n"))));
    }

    drawLabels() {
        const add = this.rows.button({ id: "labels" }, "add", "add", "Add label", () => this.addLabel(), "Add label");
        const rest = screens.element("input", { class: "d-input", type: "text", maxLength: 200, value: this.otherwise, "aria-label": "All other rows", placeholder: "nothing", "data-key": "labels:otherwise" });
        rest.addEventListener("input", () => { this.otherwise = rest.value; this.typed(); });
        const list = screens.element("ol", { class: "d-list" }, ...this.labels.map((one, place) => this.drawLabel(one, place)));
        const words = screens.element("p", { class: "d-muted" }, "The first label whose conditions a row meets counts.");
        return [words, list, screens.element("div", { class: "d-adders" }, add), screens.element("label", { class: "d-ops" }, "All other rows:", rest)];
    }

    drawLabel(one, place) {
        const input = screens.element("input", { class: "d-input", type: "text", maxLength: 200, value: one.label, "aria-label": "Label", placeholder: "e.g. Gold", "data-key": `${one.id}:label` });
        input.addEventListener("input", () => { one.label = input.value; this.typed(); });
        const line = screens.element("div", { class: "d-rule" }, screens.element("span", {}, place ? "else" : "first"), input, screens.element("span", {}, "for"), this.labelTools(one, place));
        line.append(this.rows.group(one.root));
        return screens.element("li", { "data-label": String(one.id) }, line);
    }

    labelTools(one, place) {
        const tool = (name, icon, words, can, act) => {
            const made = this.rows.button(one, name, icon, words, () => this.change(act, words));
            made.disabled = !can;
            return made;
        };
        const swap = (other) => () => { [this.labels[place], this.labels[other]] = [this.labels[other], this.labels[place]]; };
        return screens.element("span", { class: "d-tools2" },
            tool("up", "arrow_upward", "Move up", place > 0, swap(place - 1)),
            tool("down", "arrow_downward", "Move down", place < this.labels.length - 1, swap(place + 1)),
            tool("remove", "delete", "Remove this label", this.labels.length > 1, () => this.labels.splice(place, 1)));
    }

    addLabel() {
        const made = this.readLabel("", {});
        this.change(() => this.labels.push(made), "Added.");
        this.focus(`${made.id}:label`);
    }
}
