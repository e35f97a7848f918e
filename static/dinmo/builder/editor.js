// The base of all condition editors: holds the trees, redraws them after each change, and preserves the focus.
"use strict";

// Subclasses define `draw()`, `onEdit()` and `segmentsOf(model)`. `model` is the name of the page's own model.
class Editor {
    constructor(place) {
        this.place = place;
        this.hidden = place.querySelector("input[type=hidden]");
        this.area = place.querySelector("[data-tree]");
        this.offered = JSON.parse(document.getElementById("conditions-offered").textContent);
        this.models = {};
        this.rows = new Rows(this);
    }

    // For structural changes: redraws, stores and previews everything. `announcement` is read by screen readers.
    change(act, announcement = "") {
        act();
        this.draw();
        this.onEdit();
        this.place.querySelector("[data-said]").textContent = typeof announcement === "function" ? announcement() : announcement;
    }

    // For changes of a part: redraws only what depends on it.
    changePart(act, redraw = () => {}) {
        act();
        redraw();
        this.onEdit();
    }

    focus(key) {
        const target = this.area.querySelector(`[data-key="${key}"]`);
        if (target && !target.disabled) return target.focus();
        target?.closest("li, .d-group")?.querySelector("select, input, button:not(:disabled)")?.focus();
    }

    // What still needs to be filled in below a node, as a sentence; "" if nothing.
    missing(root) {
        for (const node of tree.walk(root)) {
            if (node.error) return `The condition on “${node.field || node.column}” is not valid: ${node.error}.`;
            if (node.kind === "field" && node.value === undefined && this.shape(this.operatorsOf(node), node.is) !== "none") return `Enter a value for ${node.field}.`;
            if (node.kind !== "related") continue;
            if (node.measure === "count" && node.is !== "none" && node.value === undefined) return `Enter how many ${node.related}.`;
            if (node.measure !== "count" && node.value === undefined && this.shape(this.operatorsOf(node), node.is) !== "none") return `Enter a value for the ${node.measure} of ${node.column}.`;
        }
        return "";
    }

    operatorsOf(node) {
        if (node.kind === "field") return this.offered.operators[this.rows.typeOf(node.model, node.field)] || [];
        return this.offered.measures[node.measure]?.[this.rows.typeOf(node.related, node.column)] || [];
    }

    shape(operators, is) {
        return this.rows.operator(operators, is)?.shape || "one";
    }

    newField(model) {
        const column = this.models[model].columns[0];
        return { field: column.name, is: this.offered.operators[column.type][0].is };
    }

    newRelated(model) {
        const links = this.models[model].links;
        const link = links.find(({ many }) => many) || links[0];
        const ambiguous = links.filter(({ model: name }) => name === link.model).length > 1;
        return { related: link.model, ...(ambiguous && { through: link.through }), has: "at_least", count: 1 };
    }

    addTo(group, stored) {
        const node = tree.add(group, tree.read(stored, group.model, group));
        this.change(() => {}, "Added.");
        const input = { field: "field", related: "related", segment: "segment", group: "add" }[node.kind];
        this.focus(`${node.id}:${input}`);
    }

    remove(node) {
        const [parent, index] = [node.parent, tree.indexOf(node)];
        this.change(() => tree.detach(node), "Removed.");
        const next = parent.items[index] || parent.items[index - 1];
        this.focus(next ? `${next.id}:remove` : `${parent.id}:add`);
    }

    setField(node, field) {
        const before = this.rows.typeOf(node.model, node.field);
        node.field = field;
        if (this.rows.typeOf(node.model, field) === before) return;
        Object.assign(node, { value: undefined, error: "" });
        node.is = this.operatorsOf(node)[0]?.is;
    }

    setOperator(node, operators, is) {
        if (this.shape(operators, is) !== this.shape(operators, node.is)) Object.assign(node, { value: undefined, error: "" });
        node.is = is;
    }

    setRelated(node, model, through) {
        const ambiguous = this.models[node.model].links.filter((link) => link.model === model).length > 1;
        node.through = ambiguous ? through : "";
        if (node.related === model) return;
        node.related = model;
        node.where = tree.read({ all: [] }, model);
        node.where.within = node;
        this.setMeasure(node, "count");
    }

    setMeasure(node, measure, column = node.column) {
        const same = node.measure === measure && this.rows.typeOf(node.related, column) === this.rows.typeOf(node.related, node.column);
        Object.assign(node, { measure, error: same ? node.error : "" });
        if (measure === "count") return Object.assign(node, { is: "at_least", value: 1, column: "" });
        const allowed = this.models[node.related].columns.filter(({ type }) => type in this.offered.measures[measure]);
        node.column = allowed.some(({ name }) => name === column) ? column : allowed.find(({ name }) => !/(^|_)id$/.test(name))?.name || allowed[0]?.name || "";
        if (!same || !this.operatorsOf(node).some(({ is }) => is === node.is)) {
            node.value = undefined;
            node.is = this.operatorsOf(node).find(({ is }) => is === "at_least")?.is || this.operatorsOf(node)[0]?.is;
        }
        return node;
    }

    async observedValues(model, column, search) {
        this.valueRequests = (this.valueRequests || 0) + 1;
        const body = { column, search, page: `${this.answer.page}:values`, number: this.valueRequests };
        return (await screens.request(`/api/models/${this.models[model].id}/values/`, body)).values;
    }
}
