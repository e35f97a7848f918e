// Draws groups and conditions. Every change goes to the editor, which redraws and restores the focus by `data-key`.
"use strict";

const TYPE_ICONS = { text: "abc", integer: "tag", number: "tag", boolean: "toggle_on", date: "calendar_today", timestamp: "schedule", list: "data_array", object: "data_object" };
const always = () => true;
const exactly = (operator) => ["equals", "not_equals", "one_of", "none_of", "on"].includes(operator);
// When to suggest values from the source: for numbers and dates only if the operator takes exact values, not bounds.
const SUGGESTED = { text: always, list: always, object: always, integer: exactly, number: exactly, date: exactly };

class Rows {
    constructor(editor) {
        this.editor = editor;
        this.offered = editor.offered;
    }

    scope(model) {
        return this.editor.models[model] || { columns: [], links: [], segments: [] };
    }

    button(node, name, icon, label, act, text = "") {
        const button = screens.element("button", { type: "button", class: `d-button d-small${text ? "" : " d-icon"}`, "data-key": `${node.id}:${name}`, title: label });
        button.append(screens.element("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, icon));
        if (text) button.append(text);
        else button.setAttribute("aria-label", label);
        button.addEventListener("click", act);
        return button;
    }

    select(node, name, label, options, current, set, missing, currentLabel) {
        const select = screens.element("select", { class: "d-input", "aria-label": label, "data-key": `${node.id}:${name}` });
        screens.fill(select, options, current, missing, currentLabel);
        select.addEventListener("change", () => set(select.value));
        return select;
    }

    group(node) {
        const title = node.within ? `Rows of ${node.model} that match` : node.parent ? "Group: match" : "Rows that match";
        const combine = this.select(node, "combine", "All or any", [{ value: "all", label: "all" }, { value: "any", label: "any" }], node.combine, (value) => this.editor.change(() => { node.combine = value; }));
        const head = screens.element("div", { class: "d-grouphead" }, screens.element("label", {}, `${title} `, combine, " of these:"), ...(node.parent ? this.tools(node) : []));
        const list = screens.element("ol", { class: "d-list" }, ...node.items.map((item) => this.item(item)));
        const area = screens.element("div", { class: "d-group", role: "group", "aria-label": `${title} ${node.combine} of ${node.items.length}`, "data-node": String(node.id), "data-combine": node.combine }, head, list);
        if (!node.items.length) list.append(screens.element("li", { class: "d-muted d-none" }, this.emptyText(node)));
        area.append(this.adders(node));
        this.acceptDrops(area, list, node);
        return area;
    }

    emptyText(node) {
        if (node.hint) return node.hint;
        if (node.within) return `No conditions: all rows of ${node.model} count.`;
        return node.parent ? "Empty groups are ignored." : "No conditions: all rows of the model are in the segment.";
    }

    adders(node) {
        const isRoot = !node.parent && !node.within;
        const add = (name, icon, label, create) => this.button(node, name, icon, label, () => this.editor.addTo(node, create()), label);
        const buttons = [add("add", "add", "Add condition", () => this.editor.newField(node.model)), add("group", "join_inner", "Add group", () => ({ all: [] }))];
        if (this.scope(node.model).links.length) buttons.push(add("related", "account_tree", "Add related rows", () => this.editor.newRelated(node.model)));
        if (this.editor.segmentsOf(node.model).length) buttons.push(add("segment", "filter_alt", "Add segment", () => ({ segment: this.editor.segmentsOf(node.model)[0], is: "not_member" })));
        if (isRoot) buttons[0].setAttribute("data-add", "");
        return screens.element("div", { class: "d-adders" }, ...buttons);
    }

    item(node) {
        const body = node.kind === "group" ? this.group(node) : screens.element("div", { class: "d-rule" }, this.handle(node), ...this[node.kind](node), ...this.tools(node));
        const item = screens.element("li", { "data-item": String(node.id) }, body);
        if (node.kind === "related") body.append(this.group(node.where));
        if (node.kind === "group") body.querySelector(".d-grouphead").prepend(this.handle(node));
        return item;
    }

    handle(node) {
        const handle = screens.element("span", { class: "d-handle material-symbols-outlined", "aria-hidden": "true", draggable: "true", title: "Drag to move" }, "drag_indicator");
        handle.draggable = true;
        handle.addEventListener("dragstart", (event) => {
            this.dragged = node;
            event.dataTransfer.effectAllowed = "move";
            event.dataTransfer.setData("text/plain", String(node.id));
            event.dataTransfer.setDragImage(handle.closest("li"), 0, 0);
        });
        handle.addEventListener("dragend", () => { this.dragged = null; this.markDrop(null); });
        return handle;
    }

    // Lets conditions be dropped into a group, at the position of the pointer.
    acceptDrops(area, list, group) {
        const dropIndex = (event) => {
            const items = [...list.children].filter((item) => item.dataset.item);
            const index = items.findIndex((item) => event.clientY < item.getBoundingClientRect().top + item.offsetHeight / 2);
            return index < 0 ? items.length : index;
        };
        area.addEventListener("dragover", (event) => {
            if (!this.dragged || !tree.fits(this.dragged, group)) return;
            event.preventDefault();
            event.stopPropagation();
            this.markDrop(list, dropIndex(event));
        });
        area.addEventListener("drop", (event) => {
            if (!this.dragged || !tree.fits(this.dragged, group)) return;
            event.preventDefault();
            event.stopPropagation();
            const [node, index] = [this.dragged, dropIndex(event)];
            this.dragged = null;
            this.editor.change(() => {
                // Within one group, removing the node first shifts everything after it up by one.
                const shift = node.parent === group && tree.indexOf(node) < index ? 1 : 0;
                tree.add(group, tree.detach(node), index - shift);
            }, `Moved to position ${index + 1}.`);
        });
    }

    markDrop(list, index) {
        for (const item of document.querySelectorAll(".d-drop, .d-drop-end")) item.classList.remove("d-drop", "d-drop-end");
        if (!list) return;
        const items = [...list.children];
        if (items[index]) items[index].classList.add("d-drop");
        else items.at(-1)?.classList.add("d-drop-end");
    }

    tools(node) {
        const moves = Object.entries(tree.moves).map(([name, move]) => {
            const act = () => this.editor.change(() => move.do(node, tree.indexOf(node)), () => `${move.label}: now ${tree.indexOf(node) + 1} of ${node.parent.items.length}.`);
            const button = this.button(node, name, move.icon, move.label, act);
            button.disabled = !move.can(node);
            return button;
        });
        const copy = this.button(node, "copy", "content_copy", "Duplicate", () => this.editor.change(() => tree.copy(node), "Duplicated."));
        const remove = this.button(node, "remove", "delete", node.kind === "group" ? "Remove this group" : "Remove this condition", () => this.editor.remove(node));
        return [screens.element("span", { class: "d-tools2" }, ...moves, copy, remove)];
    }

    columnOptions(model, allowed = () => true) {
        return this.scope(model).columns.filter(({ type }) => allowed(type)).map(({ name, type }) => ({ value: name, label: `${name} · ${type}` }));
    }

    typeOf(model, field) {
        return this.scope(model).columns.find(({ name }) => name === field)?.type;
    }

    // Redraws what depends on a select without the select itself. Redrawing a select would interrupt typing to find an option.
    dependent(draw) {
        const place = screens.element("span", { class: "d-after" }, ...draw());
        return [place, () => place.replaceChildren(...draw())];
    }

    field(node) {
        const [rest, redraw] = this.dependent(() => this.fieldComparison(node));
        const icon = screens.element("span", { class: "d-type material-symbols-outlined", role: "img" });
        const updateIcon = () => {
            const type = this.typeOf(node.model, node.field);
            for (const name of ["aria-label", "title"]) icon.setAttribute(name, type || "unknown");
            icon.textContent = TYPE_ICONS[type] || "help";
        };
        const set = (value) => this.editor.changePart(() => this.editor.setField(node, value), () => { updateIcon(); redraw(); });
        updateIcon();
        return [icon, this.select(node, "field", "Field", this.columnOptions(node.model), node.field, set), rest];
    }

    fieldComparison(node) {
        const type = this.typeOf(node.model, node.field);
        return this.comparison(node, this.offered.operators[type] || [], type, node.model, node.field);
    }

    // Finds an operator by name, even if the column is gone or its type does not have the operator.
    operator(operators, is) {
        return [...operators, ...Object.values(this.offered.operators).flat()].find((candidate) => candidate.is === is);
    }

    comparison(node, operators, type, model, column) {
        const [rest, redraw] = this.dependent(() => this.valueInputs(node, operators, type, model, column));
        const current = this.operator(operators, node.is);
        const options = (operators.length || !current ? operators : [current]).map(({ is, label }) => ({ value: is, label }));
        const set = (value) => this.editor.changePart(() => this.editor.setOperator(node, operators, value), redraw);
        return [this.select(node, "is", "Operator", options, node.is, set, "not supported for this field", current?.label), rest];
    }

    // The inputs for the value, and a note on whether nulls match.
    valueInputs(node, operators, type, model, column) {
        const operator = this.operator(operators, node.is);
        const suggest = node.kind === "field" && SUGGESTED[type]?.(node.is) ? (search) => this.editor.observedValues(model, column, search) : null;
        const values = new Values({ type, shape: operator?.shape || "one", value: node.value, name: `v${node.id}`, suggest, set: (value, error = "") => { Object.assign(node, { value, error }); this.editor.onEdit(); } });
        const parts = [screens.element("span", { class: "d-value" }, ...values.inputs())];
        parts[0].querySelectorAll("input, select").forEach((input, index) => input.setAttribute("data-key", `${node.id}:value${index}`));
        if (operator?.null && node.measure !== "sum") parts.push(screens.element("span", { class: "d-muted d-nulls" }, operator.null));
        return parts;
    }

    segment(node) {
        const icon = screens.element("span", { class: "d-type material-symbols-outlined", "aria-hidden": "true" }, "filter_alt");
        const member = this.select(node, "is", "Operator", Object.entries(this.offered.member).map(([value, label]) => ({ value, label })), node.is, (value) => this.editor.changePart(() => { node.is = value; }));
        const names = this.editor.segmentsOf(node.model).map((name) => ({ value: name, label: name }));
        return [icon, member, this.select(node, "segment", "Segment", names, node.segment, (value) => this.editor.changePart(() => { node.segment = value; }))];
    }

    // The options for the relation of a node, and the current one.
    linkOptions(node) {
        const links = this.scope(node.model).links;
        const ambiguous = links.filter(({ model }) => model === node.related).length > 1;
        const options = links.map(({ model, through, many }) => ({ value: `${model}\n${through}`, label: links.filter((link) => link.model === model).length > 1 ? `${model} (${through})` : many ? model : `${model} (belongs to)` }));
        const current = ambiguous ? `${node.related}\n${node.through}` : (options.find(({ value }) => value.startsWith(`${node.related}\n`)) || { value: node.related }).value;
        return [options, current];
    }

    related(node) {
        const [options, current] = this.linkOptions(node);
        const icon = screens.element("span", { class: "d-type material-symbols-outlined", "aria-hidden": "true" }, "account_tree");
        const model = this.select(node, "related", "Related model", options, current, (value) => this.editor.change(() => this.editor.setRelated(node, ...value.split("\n"))));
        const measures = [{ value: "count", label: "has" }, ...Object.keys(this.offered.measures).map((name) => ({ value: name, label: `${name} of` }))];
        const measure = this.select(node, "measure", "Measure", measures, node.measure, (value) => this.editor.change(() => this.editor.setMeasure(node, value)));
        return node.measure === "count" ? [icon, measure, ...this.count(node), model] : [icon, measure, ...this.measured(node, model)];
    }

    count(node) {
        const has = this.select(node, "is", "How many", Object.entries(this.offered.has).map(([value, label]) => ({ value, label })), node.is, (value) => this.editor.change(() => { node.is = value; node.value = value === "none" ? undefined : node.value ?? 1; }));
        if (node.is === "none") return [has];
        const input = screens.element("input", { class: "d-input d-short", type: "number", min: "0", step: "1", "aria-label": "Count", value: String(node.value ?? ""), "data-key": `${node.id}:count` });
        input.addEventListener("input", () => { node.value = /^\d+$/.test(input.value) ? Number(input.value) : undefined; this.editor.onEdit(); });
        return [has, input];
    }

    measured(node, model) {
        const byType = this.offered.measures[node.measure];
        const type = this.typeOf(node.related, node.column);
        const column = this.select(node, "column", "Column", this.columnOptions(node.related, (kind) => kind in byType), node.column, (value) => this.editor.change(() => this.editor.setMeasure(node, node.measure, value)));
        const nulls = node.measure === "sum" ? "If there are no matching rows, the sum is 0." : "If there are no matching rows, the value is empty.";
        const parts = this.comparison(node, byType[type] || [], type === "integer" ? "number" : type, node.related, node.column);
        return [column, screens.element("span", {}, "over"), model, ...parts, screens.element("span", { class: "d-muted d-nulls" }, nulls)];
    }
}
