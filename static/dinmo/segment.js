// The condition builder: rows over one hidden field that holds the tree, and a live preview.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const place = document.querySelector("[data-conditions]");
    if (place) new Conditions(place);
});

class Conditions {
    constructor(place) {
        this.place = place;
        this.hidden = place.querySelector("input[type=hidden]");
        this.list = place.querySelector("[data-rules]");
        this.join = place.querySelector("[data-join]");
        this.result = place.querySelector("[data-result]");
        this.model = document.querySelector("[data-role=model]");
        const state = JSON.parse(document.getElementById("conditions-state").textContent);
        this.operators = state.operators;
        this.join.value = state.join;
        this.rows = state.rows.map(({ node, words }) => ({ node: structuredClone(node), words }));
        this.columns = [];
        this.join.addEventListener("change", () => this.changed());
        place.querySelector("[data-add]").addEventListener("click", () => this.add());
        place.querySelector("[data-show]").addEventListener("click", () => this.preview());
        this.model?.addEventListener("change", () => this.load());
        this.draw();
        this.load();
    }

    get modelId() {
        return this.model?.value || this.place.dataset.model;
    }

    async load() {
        this.columns = [];
        if (!this.modelId) return this.draw();
        try {
            const answer = await screens.ask(`/api/models/${this.modelId}/columns/`);
            this.columns = answer.columns;
            this.result.replaceChildren(...(answer.problem ? [screens.note(answer.problem, "warn")] : []));
        } catch (error) {
            this.result.replaceChildren(screens.note(error.message, "bad"));
        }
        this.draw();
        if (this.columns.length) this.preview();
    }

    add() {
        if (!this.columns.length) return this.result.replaceChildren(screens.note("Choose a model first.", "warn"));
        const column = this.columns.find(({ type }) => this.operators[type]?.length);
        if (!column) return this.result.replaceChildren(screens.note("This model has no column to filter on.", "warn"));
        this.rows.push({ node: { field: column.name, is: this.offered(column.name)[0].is }, words: "" });
        this.draw();
        this.list.lastElementChild.querySelector("select").focus();
    }

    offered(field) {
        const column = this.columns.find(({ name }) => name === field);
        return (column && this.operators[column.type]) || [];
    }

    typeOf(field) {
        return this.columns.find(({ name }) => name === field)?.type || "text";
    }

    draw() {
        this.list.replaceChildren(...this.rows.map((row, index) => this.drawRow(row, index)));
        this.place.querySelector("[data-none]").hidden = this.rows.length > 0;
        this.write();
    }

    drawRow(row, index) {
        const remove = screens.element("button", { type: "button", class: "d-button d-small d-remove", "aria-label": "Remove this condition" }, "Remove");
        remove.addEventListener("click", () => {
            this.rows.splice(index, 1);
            this.draw();
            this.later();
        });
        const parts = row.words ? [screens.element("span", { class: "d-words" }, row.words)] : this.parts(row);
        return screens.element("div", { class: "d-rule" }, ...parts, remove);
    }

    parts(row) {
        const field = screens.element("select", { class: "d-input", "aria-label": "Field" });
        screens.fill(field, this.columns.map(({ name, type }) => ({ value: name, label: `${name} (${type})`, disabled: !this.operators[type]?.length })), row.node.field);
        field.addEventListener("change", () => {
            row.node = { field: field.value, is: this.offered(field.value)[0].is };
            this.draw();
            this.later();
        });
        const operator = screens.element("select", { class: "d-input", "aria-label": "Operator" });
        screens.fill(operator, this.offered(row.node.field).map((offer) => ({ value: offer.is, label: offer.label })), row.node.is, "not for this field");
        operator.addEventListener("change", () => {
            const before = this.shape(row.node);
            row.node = { ...row.node, is: operator.value };
            if (this.shape(row.node) !== before) delete row.node.value;
            this.draw();
            this.later();
        });
        return [field, operator, screens.element("span", { class: "d-value" }, ...this.value(row))];
    }

    shape(node) {
        return this.offered(node.field).find((offer) => offer.is === node.is)?.shape || "one";
    }

    value(row) {
        const shape = this.shape(row.node);
        const set = (value) => {
            if (value === undefined || value === "") delete row.node.value;
            else row.node.value = value;
            this.changed();
        };
        if (shape === "none") return [];
        if (shape === "length") return this.lengthInputs(row.node.value, set);
        if (shape === "two") return this.twoInputs(row.node, set);
        if (shape === "many") return [this.manyInput(row.node, set)];
        return [this.oneInput(this.typeOf(row.node.field), row.node.value, set)];
    }

    oneInput(type, value, set) {
        if (type === "boolean") return this.choice([["true", "yes"], ["false", "no"]], value === undefined ? "" : String(value), (text) => set(text === "" ? undefined : text === "true"));
        const withTime = type === "timestamp" && /T|:/.test(value || "");
        const kind = { integer: "number", number: "number", date: "date", timestamp: withTime ? "text" : "date" }[type] || "text";
        const input = screens.element("input", { class: "d-input", type: kind, "aria-label": "Value", value: value ?? "" });
        if (type === "number") input.step = "any";
        input.addEventListener("input", () => set(kind === "number" && input.value !== "" ? Number(input.value) : input.value));
        return input;
    }

    twoInputs(node, set) {
        const values = Array.isArray(node.value) ? [...node.value] : [undefined, undefined];
        const type = this.typeOf(node.field);
        const part = (index) => this.oneInput(type, values[index], (value) => {
            values[index] = value;
            set(values.every((item) => item !== undefined && item !== "") ? [...values] : undefined);
        });
        return [part(0), screens.element("span", {}, "and"), part(1)];
    }

    manyInput(node, set) {
        const number = ["integer", "number"].includes(this.typeOf(node.field));
        const input = screens.element("input", { class: "d-input", type: "text", "aria-label": "Values", placeholder: "values, separated by commas", value: (node.value || []).join(", ") });
        input.addEventListener("input", () => {
            const parts = input.value.split(",").map((part) => part.trim()).filter(Boolean);
            set(parts.length ? parts.map((part) => (number && part !== "" && !Number.isNaN(Number(part)) ? Number(part) : part)) : undefined);
        });
        return input;
    }

    lengthInputs(value, set) {
        const [count, unit = "day"] = String(value || "30 days").split(" ");
        const input = screens.element("input", { class: "d-input", type: "number", min: "1", "aria-label": "How many", value: count });
        const units = this.choice(["minute", "hour", "day", "week", "month"].map((name) => [name, `${name}s`]), unit.replace(/s$/, ""), () => say());
        units.querySelector("option[value='']")?.remove();
        const say = () => set(input.value ? `${input.value} ${units.value}s` : undefined);
        input.addEventListener("input", say);
        if (value === undefined) set(`${count} ${unit}`);
        return [input, units];
    }

    choice(options, value, set) {
        const select = screens.element("select", { class: "d-input", "aria-label": "Value" }, screens.element("option", { value: "" }, "choose"));
        screens.fill(select, options.map(([value, label]) => ({ value, label })), value);
        select.addEventListener("change", () => set(select.value));
        return select;
    }

    tree() {
        return this.rows.length ? { [this.join.value]: this.rows.map(({ node }) => node) } : {};
    }

    write() {
        this.hidden.value = JSON.stringify(this.tree());
    }

    changed() {
        this.write();
        this.later();
    }

    later() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.preview(), 700);
    }

    complete() {
        return this.rows.every(({ node, words }) => words || this.shape(node) === "none" || node.value !== undefined);
    }

    async preview() {
        clearTimeout(this.timer);
        if (!this.modelId || !this.complete()) return;
        const asked = (this.asked = (this.asked || 0) + 1);
        const show = (...parts) => asked === this.asked && this.result.replaceChildren(...parts);
        show(screens.element("p", { class: "d-muted" }, "Counting…"));
        try {
            const { count, columns, rows, sql } = await screens.ask("/api/segments/preview/", { model: this.modelId, where: this.tree() });
            const said = screens.element("p", {}, screens.element("span", { class: "d-figure", "data-segment-count": "" }, count.toLocaleString("en")), count === 1 ? " row" : " rows");
            const details = screens.element("details", { class: "d-details" }, screens.element("summary", { class: "d-link" }, "Show the SQL"), screens.element("code", { class: "d-code" }, sql));
            show(said, ...(rows.length ? [screens.table(columns, rows)] : []), details);
        } catch (error) {
            show(screens.note(error.message, "bad"));
        }
    }
}
