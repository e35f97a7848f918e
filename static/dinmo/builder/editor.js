// What every page with conditions does: holds the trees, draws them anew after each change, and keeps the focus.
"use strict";

// Subclasses have `draw()`, `typed()` and `segmentsOf(model)`; `model` is the name of the page's own model.
class Editor {
    constructor(place) {
        this.place = place;
        this.hidden = place.querySelector("input[type=hidden]");
        this.area = place.querySelector("[data-tree]");
        this.offered = JSON.parse(document.getElementById("conditions-offered").textContent);
        this.models = {};
        this.rows = new Rows(this);
    }

    // Structure changes here: drawn anew, written, asked; the focus stays where it was.
    change(act, said = "") {
        act();
        this.draw();
        this.typed();
        this.place.querySelector("[data-said]").textContent = typeof said === "function" ? said() : said;
    }

    // A part changes here, and only what depends on it is drawn anew.
    alter(act, redraw = () => {}) {
        act();
        redraw();
        this.typed();
    }

    focus(key) {
        const found = this.area.querySelector(`[data-key="${key}"]`);
        if (found && !found.disabled) return found.focus();
        found?.closest("li, .d-group")?.querySelector("select, input, button:not(:disabled)")?.focus();
    }

    // What is still to be filled in below a node, in words.
    missing(root) {
        for (const node of tree.walk(root)) {
            if (node.wrong) return `The condition on '${node.field || node.column}' is not valid: ${node.wrong}.`;
            if (node.kind === "field" && node.value === undefined && this.shape(this.operatorsOf(node), node.is) !== "none") return `Give a value for ${node.field}.`;
            if (node.kind !== "related") continue;
            if (node.measure === "count" && node.is !== "none" && node.value === undefined) return `Say how many ${node.related}.`;
            if (node.measure !== "count" && node.value === undefined && this.shape(this.operatorsOf(node), node.is) !== "none") return `Give a value for the ${node.measure} of ${node.column}.`;
        }
        return "";
    }

    operatorsOf(node) {
        if (node.kind === "field") return this.offered.operators[this.rows.typeOf(node.model, node.field)] || [];
        return this.offered.measures[node.measure]?.[this.rows.typeOf(node.related, node.column)] || [];
    }

    shape(operators, is) {
        return this.rows.offer(operators, is)?.shape || "one";
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
        Object.assign(node, { value: undefined, wrong: "" });
        node.is = this.operatorsOf(node)[0]?.is;
    }

    setOperator(node, operators, is) {
        if (this.shape(operators, is) !== this.shape(operators, node.is)) Object.assign(node, { value: undefined, wrong: "" });
        node.is = is;
    }

    setRelated(node, model, through) {
        const several = this.models[node.model].links.filter((link) => link.model === model).length > 1;
        node.through = several ? through : "";
        if (node.related === model) return;
        node.related = model;
        node.where = tree.read({ all: [] }, model);
        node.where.within = node;
        this.setMeasure(node, "count");
    }

    setMeasure(node, measure, column = node.column) {
        const same = node.measure === measure && this.rows.typeOf(node.related, column) === this.rows.typeOf(node.related, node.column);
        Object.assign(node, { measure, wrong: same ? node.wrong : "" });
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
}
