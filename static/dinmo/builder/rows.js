// Draws groups and conditions. Every change goes to the builder, which draws anew and keeps the focus by `data-key`.
"use strict";

const TYPE_ICONS = { text: "abc", integer: "tag", number: "tag", boolean: "toggle_on", date: "calendar_today", timestamp: "schedule", list: "data_array", object: "data_object" };
const always = () => true;
const exactly = (operator) => ["equals", "not_equals", "one_of", "none_of", "on"].includes(operator);
// Where values of the source are offered: for a number or a day only where one of them is meant, and no bound.
const OBSERVED = { text: always, list: always, object: always, integer: exactly, number: exactly, date: exactly };

class Rows {
    constructor(builder) {
        this.builder = builder;
        this.offered = builder.offered;
    }

    facts(model) {
        return this.builder.models[model] || { columns: [], links: [], segments: [] };
    }

    button(node, name, icon, label, act, text = "") {
        const made = screens.element("button", { type: "button", class: `d-button d-small${text ? "" : " d-icon"}`, "data-key": `${node.id}:${name}`, title: label });
        made.append(screens.element("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, icon));
        if (text) made.append(text);
        else made.setAttribute("aria-label", label);
        made.addEventListener("click", act);
        return made;
    }

    select(node, name, label, options, present, set, missing, shown) {
        const made = screens.element("select", { class: "d-input", "aria-label": label, "data-key": `${node.id}:${name}` });
        screens.fill(made, options, present, missing, shown);
        made.addEventListener("change", () => set(made.value));
        return made;
    }

    group(node) {
        const what = node.within ? "Rows of " + node.model + " that meet" : node.parent ? "A group: meets" : "Rows that meet";
        const combine = this.select(node, "combine", "All or any", [{ value: "all", label: "all" }, { value: "any", label: "any" }], node.combine, (value) => this.builder.change(() => { node.combine = value; }));
        const head = screens.element("div", { class: "d-grouphead" }, screens.element("label", {}, `${what} `, combine, " of these:"), ...(node.parent ? this.tools(node) : []));
        const list = screens.element("ol", { class: "d-list" }, ...node.items.map((item) => this.item(item)));
        const made = screens.element("div", { class: "d-group", role: "group", "aria-label": `${what} ${node.combine} of ${node.items.length}`, "data-node": String(node.id), "data-combine": node.combine }, head, list);
        if (!node.items.length) list.append(screens.element("li", { class: "d-muted d-none" }, this.emptyText(node)));
        made.append(this.adders(node));
        this.drops(made, list, node);
        return made;
    }

    emptyText(node) {
        if (node.hint) return node.hint;
        if (node.within) return `No condition: every row of ${node.model} counts.`;
        return node.parent ? "An empty group says nothing." : "No condition: every row of the model belongs to the segment.";
    }

    adders(node) {
        const [facts, root] = [this.facts(node.model), !node.parent && !node.within];
        const add = (name, icon, label, make) => this.button(node, name, icon, label, () => this.builder.addTo(node, make()), label);
        const buttons = [add("add", "add", "Add condition", () => this.builder.newField(node.model)), add("group", "join_inner", "Add group", () => ({ all: [] }))];
        if (facts.links.length) buttons.push(add("related", "account_tree", "Add related rows", () => this.builder.newRelated(node.model)));
        if (this.builder.segmentsOf(node.model).length) buttons.push(add("segment", "filter_alt", "Add segment", () => ({ segment: this.builder.segmentsOf(node.model)[0], is: "not_member" })));
        if (root) buttons[0].setAttribute("data-add", "");
        return screens.element("div", { class: "d-adders" }, ...buttons);
    }

    item(node) {
        const body = node.kind === "group" ? this.group(node) : screens.element("div", { class: "d-rule" }, this.handle(node), ...this[node.kind](node), ...this.tools(node));
        const made = screens.element("li", { "data-item": String(node.id) }, body);
        if (node.kind === "related") body.append(this.group(node.where));
        if (node.kind === "group") body.querySelector(".d-grouphead").prepend(this.handle(node));
        return made;
    }

    handle(node) {
        const made = screens.element("span", { class: "d-handle material-symbols-outlined", "aria-hidden": "true", draggable: "true", title: "Drag to move" }, "drag_indicator");
        made.draggable = true;
        made.addEventListener("dragstart", (event) => {
            this.dragged = node;
            event.dataTransfer.effectAllowed = "move";
            event.dataTransfer.setData("text/plain", String(node.id));
            event.dataTransfer.setDragImage(made.closest("li"), 0, 0);
        });
        made.addEventListener("dragend", () => { this.dragged = null; this.mark(null); });
        return made;
    }

    // A group takes what is dragged over it, at the place the pointer shows.
    drops(area, list, group) {
        const place = (event) => {
            const items = [...list.children].filter((item) => item.dataset.item);
            const found = items.findIndex((item) => event.clientY < item.getBoundingClientRect().top + item.offsetHeight / 2);
            return found < 0 ? items.length : found;
        };
        area.addEventListener("dragover", (event) => {
            if (!this.dragged || !tree.fits(this.dragged, group)) return;
            event.preventDefault();
            event.stopPropagation();
            this.mark(list, place(event));
        });
        area.addEventListener("drop", (event) => {
            if (!this.dragged || !tree.fits(this.dragged, group)) return;
            event.preventDefault();
            event.stopPropagation();
            const [node, at] = [this.dragged, place(event)];
            this.dragged = null;
            this.builder.change(() => {
                const before = node.parent === group && tree.place(node) < at ? 1 : 0;
                tree.add(group, tree.take(node), at - before);
            }, `Moved to place ${at + 1}.`);
        });
    }

    mark(list, place) {
        for (const item of document.querySelectorAll(".d-drop, .d-drop-end")) item.classList.remove("d-drop", "d-drop-end");
        if (!list) return;
        const items = [...list.children];
        if (items[place]) items[place].classList.add("d-drop");
        else items.at(-1)?.classList.add("d-drop-end");
    }

    tools(node) {
        const moves = Object.entries(tree.moves).map(([name, move]) => {
            const act = () => this.builder.change(() => move.do(node, tree.place(node)), () => `${move.label}: now ${tree.place(node) + 1} of ${node.parent.items.length}.`);
            const made = this.button(node, name, move.icon, move.label, act);
            made.disabled = !move.can(node);
            return made;
        });
        const copy = this.button(node, "copy", "content_copy", "Duplicate", () => this.builder.change(() => tree.copy(node), "Duplicated."));
        const remove = this.button(node, "remove", "delete", node.kind === "group" ? "Remove this group" : "Remove this condition", () => this.builder.remove(node));
        return [screens.element("span", { class: "d-tools2" }, ...moves, copy, remove)];
    }

    columnOptions(model, allowed = () => true) {
        return this.facts(model).columns.filter(({ type }) => allowed(type)).map(({ name, type }) => ({ value: name, label: `${name} · ${type}` }));
    }

    typeOf(model, field) {
        return this.facts(model).columns.find(({ name }) => name === field)?.type;
    }

    // What depends on a select is drawn anew without it: drawn anew itself, it would forget what is being typed to find an option.
    after(draw) {
        const place = screens.element("span", { class: "d-after" }, ...draw());
        return [place, () => place.replaceChildren(...draw())];
    }

    field(node) {
        const [rest, redraw] = this.after(() => this.ofField(node));
        const icon = screens.element("span", { class: "d-type material-symbols-outlined", role: "img" });
        const mark = () => {
            const type = this.typeOf(node.model, node.field);
            for (const name of ["aria-label", "title"]) icon.setAttribute(name, type || "unknown");
            icon.textContent = TYPE_ICONS[type] || "help";
        };
        const set = (value) => this.builder.alter(() => this.builder.setField(node, value), () => { mark(); redraw(); });
        mark();
        return [icon, this.select(node, "field", "Field", this.columnOptions(node.model), node.field, set), rest];
    }

    ofField(node) {
        const type = this.typeOf(node.model, node.field);
        return this.comparison(node, this.offered.operators[type] || [], type, node.model, node.field);
    }

    // What an operator is, also where the column is gone, or of a type that does not have it.
    offer(operators, is) {
        return [...operators, ...Object.values(this.offered.operators).flat()].find((one) => one.is === is);
    }

    comparison(node, operators, type, model, column) {
        const [rest, redraw] = this.after(() => this.compared(node, operators, type, model, column));
        const present = this.offer(operators, node.is);
        const options = (operators.length || !present ? operators : [present]).map(({ is, label }) => ({ value: is, label }));
        const set = (value) => this.builder.alter(() => this.builder.setOperator(node, operators, value), redraw);
        return [this.select(node, "is", "Operator", options, node.is, set, "not for this field", present?.label), rest];
    }

    // The value, and what a null means.
    compared(node, operators, type, model, column) {
        const offer = this.offer(operators, node.is);
        const listed = node.kind === "field" && OBSERVED[type]?.(node.is) ? (search) => this.builder.observed(model, column, search) : null;
        const values = new Values({ type, shape: offer?.shape || "one", value: node.value, name: `v${node.id}`, ask: listed, set: (value, wrong = "") => { Object.assign(node, { value, wrong }); this.builder.typed(); } });
        const made = [screens.element("span", { class: "d-value" }, ...values.inputs())];
        made[0].querySelectorAll("input, select").forEach((input, index) => input.setAttribute("data-key", `${node.id}:value${index}`));
        if (offer?.null && node.measure !== "sum") made.push(screens.element("span", { class: "d-muted d-nulls" }, offer.null));
        return made;
    }

    segment(node) {
        const icon = screens.element("span", { class: "d-type material-symbols-outlined", "aria-hidden": "true" }, "filter_alt");
        const member = this.select(node, "is", "Operator", Object.entries(this.offered.member).map(([value, label]) => ({ value, label })), node.is, (value) => this.builder.alter(() => { node.is = value; }));
        const names = this.builder.segmentsOf(node.model).map((name) => ({ value: name, label: name }));
        return [icon, member, this.select(node, "segment", "Segment", names, node.segment, (value) => this.builder.alter(() => { node.segment = value; }))];
    }

    // The relations of a node's model to choose from, and the one that it has.
    linkOptions(node) {
        const links = this.facts(node.model).links;
        const several = links.filter(({ model }) => model === node.related).length > 1;
        const options = links.map(({ model, through, many }) => ({ value: `${model}\n${through}`, label: links.filter((link) => link.model === model).length > 1 ? `${model} (${through})` : many ? model : `${model} it belongs to` }));
        const present = several ? `${node.related}\n${node.through}` : (options.find(({ value }) => value.startsWith(`${node.related}\n`)) || { value: node.related }).value;
        return [options, present];
    }

    related(node) {
        const [options, present] = this.linkOptions(node);
        const icon = screens.element("span", { class: "d-type material-symbols-outlined", "aria-hidden": "true" }, "account_tree");
        const model = this.select(node, "related", "Related model", options, present, (value) => this.builder.change(() => this.builder.setRelated(node, ...value.split("\n"))));
        const measures = [{ value: "count", label: "has" }, ...Object.keys(this.offered.measures).map((name) => ({ value: name, label: `${name} of` }))];
        const measure = this.select(node, "measure", "What of them", measures, node.measure, (value) => this.builder.change(() => this.builder.setMeasure(node, value)));
        return node.measure === "count" ? [icon, measure, ...this.count(node), model] : [icon, measure, ...this.measured(node, model)];
    }

    count(node) {
        const has = this.select(node, "is", "How many", Object.entries(this.offered.has).map(([value, label]) => ({ value, label })), node.is, (value) => this.builder.change(() => { node.is = value; node.value = value === "none" ? undefined : node.value ?? 1; }));
        if (node.is === "none") return [has];
        const input = screens.element("input", { class: "d-input d-short", type: "number", min: "0", step: "1", "aria-label": "Count", value: String(node.value ?? ""), "data-key": `${node.id}:count` });
        input.addEventListener("input", () => { node.value = /^\d+$/.test(input.value) ? Number(input.value) : undefined; this.builder.typed(); });
        return [has, input];
    }

    measured(node, model) {
        const byType = this.offered.measures[node.measure];
        const type = this.typeOf(node.related, node.column);
        const column = this.select(node, "column", "Column", this.columnOptions(node.related, (kind) => kind in byType), node.column, (value) => this.builder.change(() => this.builder.setMeasure(node, node.measure, value)));
        const nulls = node.measure === "sum" ? "Without such rows the sum is 0." : "Without such rows it is empty.";
        const parts = this.comparison(node, byType[type] || [], type === "integer" ? "number" : type, node.related, node.column);
        return [column, screens.element("span", {}, "over"), model, ...parts, screens.element("span", { class: "d-muted d-nulls" }, nulls)];
    }
}
