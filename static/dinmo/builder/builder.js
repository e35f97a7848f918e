// The condition builder: holds the tree, draws it, writes it to the form, and asks what it holds.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-conditions]");
    if (place) new Builder(place);
});

class Builder {
    constructor(place) {
        this.place = place;
        this.hidden = place.querySelector("input[type=hidden]");
        this.limitInput = document.querySelector("input[name=limit]");
        this.area = place.querySelector("[data-tree]");
        this.choice = document.querySelector("select[data-role=model]");
        this.offered = JSON.parse(document.getElementById("conditions-offered").textContent);
        this.limit = JSON.parse(this.limitInput?.value || "{}") || {};
        this.models = {};
        this.answer = new Answer(place.querySelector("[data-answer]"));
        this.rows = new Rows(this);
        const form = place.closest("form");
        this.draft = new Draft(place.querySelector("[data-draft-note]"), form, () => this.state());
        this.stored = JSON.parse(this.hidden.value || "{}");
        this.draft.offer((found) => this.restore(found));
        this.choice?.addEventListener("change", () => { this.stored = {}; this.limit = {}; this.load(); });
        document.getElementById("id_name")?.addEventListener("change", () => this.root && this.ask());
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
        return { where: this.root ? tree.write(this.root) : this.stored, limit: this.limit, model: this.modelId, fields };
    }

    restore({ where, limit, model, fields }) {
        [this.stored, this.limit] = [where, limit || {}];
        for (const [id, value] of Object.entries(fields || {})) if (value !== undefined && document.getElementById(id)) document.getElementById(id).value = value;
        if (this.choice) this.choice.value = model;
        this.load();
    }

    async load() {
        this.root = null;
        if (!this.modelId) return;
        try {
            const { model, models, problem } = await screens.ask(`/api/models/${this.modelId}/builder/`);
            [this.models, this.model] = [models, model];
            this.root = tree.root(this.stored, model);
            this.draw();
            if (problem) this.answer.note(problem, "warn");
            else this.ask();
        } catch (error) {
            this.area.replaceChildren(screens.note(error.message, "bad"));
        }
    }

    // Structure changes here: drawn anew, written, asked; the focus stays where it was.
    change(act, said = "") {
        act();
        this.draw();
        this.typed();
        this.place.querySelector("[data-said]").textContent = typeof said === "function" ? said() : said;
    }

    draw() {
        const key = document.activeElement?.dataset?.key;
        this.area.replaceChildren(this.rows.group(this.root));
        this.drawLimit();
        if (key) this.focus(key);
        this.write();
    }

    focus(key) {
        const found = this.area.querySelector(`[data-key="${key}"]`);
        if (found && !found.disabled) return found.focus();
        found?.closest("li, .d-group")?.querySelector("select, input, button:not(:disabled)")?.focus();
    }

    typed() {
        this.write();
        this.draft.keep();
        this.answer.later(() => this.question());
    }

    write() {
        this.hidden.value = JSON.stringify(tree.write(this.root));
        if (this.limitInput) this.limitInput.value = JSON.stringify(this.limit);
    }

    ask() {
        this.answer.ask(this.question());
    }

    question() {
        const incomplete = this.incomplete();
        return { incomplete, model: this.modelId, where: tree.write(this.root), limit: this.limit, name: this.ownName };
    }

    // What is still to be filled in, in words.
    incomplete() {
        for (const node of tree.walk(this.root)) {
            if (node.kind === "field" && node.value === undefined && this.shape(this.operatorsOf(node), node.is) !== "none") return `Give a value for ${node.field}.`;
            if (node.kind !== "related") continue;
            if (node.measure === "count" && node.is !== "none" && node.value === undefined) return `Say how many ${node.related}.`;
            if (node.measure !== "count" && node.value === undefined && this.shape(this.operatorsOf(node), node.is) !== "none") return `Give a value for the ${node.measure} of ${node.column}.`;
        }
        return this.limit.rows === null ? "Give the number of rows of the size limit." : "";
    }

    operatorsOf(node) {
        if (node.kind === "field") return this.offered.operators[this.rows.typeOf(node.model, node.field)] || [];
        return this.offered.measures[node.measure]?.[this.rows.typeOf(node.related, node.column)] || [];
    }

    shape(operators, is) {
        return operators.find((one) => one.is === is)?.shape || "one";
    }

    segmentsOf(model) {
        return (this.models[model]?.segments || []).filter((name) => name !== this.ownName);
    }

    newField(model) {
        const column = this.models[model].columns[0];
        return { field: column.name, is: this.offered.operators[column.type][0].is };
    }

    newRelated(model) {
        const links = this.models[model].links;
        const link = links.find(({ many }) => many) || links[0];
        const several = links.filter((one) => one.model === link.model).length > 1;
        return { related: link.model, ...(several && { through: link.through }), has: "at_least", count: 1 };
    }

    addTo(group, stored) {
        const node = tree.add(group, tree.read(stored, group.model, group));
        this.change(() => {}, "Added.");
        const part = { field: "field", related: "related", segment: "segment", group: "add" }[node.kind];
        this.focus(`${node.id}:${part}`);
    }

    remove(node) {
        const [parent, place] = [node.parent, tree.place(node)];
        this.change(() => tree.take(node), "Removed.");
        const next = parent.items[place] || parent.items[place - 1];
        this.focus(next ? `${next.id}:remove` : `${parent.id}:add`);
    }

    setField(node, field) {
        const before = this.rows.typeOf(node.model, node.field);
        node.field = field;
        if (this.rows.typeOf(node.model, field) === before) return;
        node.value = undefined;
        node.is = this.operatorsOf(node)[0]?.is;
    }

    setOperator(node, operators, is) {
        if (this.shape(operators, is) !== this.shape(operators, node.is)) node.value = undefined;
        node.is = is;
    }

    setRelated(node, model, through) {
        const several = this.models[node.parent.model].links.filter((link) => link.model === model).length > 1;
        node.through = several ? through : "";
        if (node.related === model) return;
        node.related = model;
        node.where = tree.read({ all: [] }, model);
        node.where.within = node;
        this.setMeasure(node, "count");
    }

    setMeasure(node, measure, column = node.column) {
        const same = node.measure === measure && this.rows.typeOf(node.related, column) === this.rows.typeOf(node.related, node.column);
        node.measure = measure;
        if (measure === "count") return Object.assign(node, { is: "at_least", value: 1, column: "" });
        const allowed = this.models[node.related].columns.filter(({ type }) => type in this.offered.measures[measure]);
        node.column = allowed.some(({ name }) => name === column) ? column : allowed.find(({ name }) => !/(^|_)id$/.test(name))?.name || allowed[0]?.name || "";
        if (!same || !this.operatorsOf(node).some(({ is }) => is === node.is)) {
            node.value = undefined;
            node.is = this.operatorsOf(node).find(({ is }) => is === "at_least")?.is || this.operatorsOf(node)[0]?.is;
        }
        return node;
    }

    async observed(model, column, search) {
        this.looks = (this.looks || 0) + 1;
        const asked = { column, search, page: `${this.answer.page}:values`, number: this.looks };
        return (await screens.ask(`/api/models/${this.models[model].id}/values/`, asked)).values;
    }

    drawLimit() {
        const place = this.place.querySelector("[data-limit]");
        if (!this.limitInput) return;
        place.hidden = false;
        if (this.limit.order_by) place.open = true;
        const columns = this.models[this.model].columns.filter(({ type }) => this.offered.sortable.includes(type));
        const rows = screens.element("input", { class: "d-input d-short", type: "number", min: "1", "aria-label": "Rows at most", value: String(this.limit.rows ?? ""), placeholder: "all" });
        const by = screens.element("select", { class: "d-input", "aria-label": "Ordered by" });
        screens.fill(by, columns.map(({ name, type }) => ({ value: name, label: `${name} · ${type}` })), this.limit.order_by || columns[0]?.name);
        const way = screens.element("select", { class: "d-input", "aria-label": "Order" });
        screens.fill(way, [{ value: "yes", label: "highest first" }, { value: "", label: "lowest first" }], this.limit.order_by && !this.limit.descending ? "" : "yes");
        const set = () => {
            this.limit = rows.value === "" ? {} : { rows: Number(rows.value), order_by: by.value, ...(way.value && { descending: true }) };
            this.typed();
        };
        for (const input of [rows, by, way]) input.addEventListener("input", set);
        const words = screens.element("span", { class: "d-muted" }, "Empty ones come last; ties go by the primary key.");
        place.querySelector("[data-limit-inputs]").replaceChildren("At most", rows, "rows, by", by, way, words);
    }
}
