// The inputs of values, by what an operator takes and the type of the column.
"use strict";

class Values {
    // `ask(search)` gives observed values; `set(value)` takes undefined while the value is incomplete.
    constructor({ type, shape, value, set, ask, name }) {
        Object.assign(this, { type, shape, value, set, ask, name });
        this.isNumber = ["integer", "number"].includes(type);
    }

    inputs() {
        const make = { none: () => [], length: () => this.length(), two: () => this.two(), many: () => this.many(), day: () => [this.one(this.value, this.set, "date")] }[this.shape];
        return make ? make() : [this.one(this.value, this.set)];
    }

    one(value, set, forced) {
        if (this.type === "boolean") return this.yesNo(value, set);
        const kind = forced || { integer: "number", number: "number", date: "date" }[this.type] || "text";
        if (this.type === "timestamp" && !forced) return this.moment(value, set);
        const input = screens.element("input", { class: "d-input", type: kind, "aria-label": "Value", value: value ?? "", autocomplete: "off" });
        if (kind === "number") input.step = "any";
        input.addEventListener("input", () => set(input.value === "" ? undefined : kind === "number" ? Number(input.value) : input.value));
        this.offer(input, () => input.value);
        return input;
    }

    // A day, or with the box ticked a time of day too.
    moment(value, set) {
        const text = String(value ?? "");
        const input = screens.element("input", { class: "d-input", type: "text", "aria-label": "Value", placeholder: "2026-01-31 or 2026-01-31 09:00", value: text, inputMode: "numeric" });
        input.addEventListener("input", () => set(/^\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*)?$/.test(input.value.trim()) ? input.value.trim() : undefined));
        return input;
    }

    yesNo(value, set) {
        const select = screens.element("select", { class: "d-input", "aria-label": "Value" }, screens.element("option", { value: "" }, "choose"));
        screens.fill(select, [{ value: "true", label: "yes" }, { value: "false", label: "no" }], value === undefined ? "" : String(value));
        select.addEventListener("change", () => set(select.value === "" ? undefined : select.value === "true"));
        return select;
    }

    two() {
        const values = Array.isArray(this.value) ? [...this.value] : [undefined, undefined];
        const part = (index, label) => {
            const input = this.one(values[index], (value) => {
                values[index] = value;
                this.set(values.every((item) => item !== undefined) ? [...values] : undefined);
            });
            input.setAttribute("aria-label", label);
            return input;
        };
        return [part(0, "From"), screens.element("span", {}, "and"), part(1, "To")];
    }

    length() {
        const [count, written] = String(this.value || "30 days").split(" ");
        const unit = written.replace(/s$/, "");
        const input = screens.element("input", { class: "d-input d-short", type: "number", min: "1", max: "9999", "aria-label": "How many", value: count });
        const units = screens.element("select", { class: "d-input d-short", "aria-label": "Unit" });
        screens.fill(units, ["minute", "hour", "day", "week", "month"].map((name) => ({ value: name, label: `${name}s` })), unit);
        const say = () => this.set(Number(input.value) > 0 ? `${input.value} ${units.value}s` : undefined);
        input.addEventListener("input", say);
        units.addEventListener("change", say);
        if (this.value === undefined) this.set(`${count} ${unit}s`);
        return [input, units];
    }

    // Chips, and an input that adds to them. What is typed and not yet added counts too.
    many() {
        const chosen = Array.isArray(this.value) ? [...this.value] : [];
        const chips = screens.element("ul", { class: "d-chips" });
        const input = screens.element("input", { class: "d-input", type: "text", "aria-label": "Values", placeholder: "choose or type; Enter adds", autocomplete: "off" });
        const split = (text) => (this.observed?.has(text) ? [text] : text.split(",")).map((part) => part.trim()).filter(Boolean);
        const typed = () => split(input.value).map((part) => (this.isNumber && !Number.isNaN(Number(part)) ? Number(part) : part));
        const tell = () => {
            const all = [...new Set([...chosen, ...typed()])];
            this.set(all.length ? all : undefined);
        };
        const draw = () => chips.replaceChildren(...chosen.map((value, index) => this.chip(value, () => { chosen.splice(index, 1); draw(); tell(); input.focus(); })));
        const take = () => {
            for (const value of typed()) if (!chosen.includes(value)) chosen.push(value);
            input.value = "";
            draw();
            tell();
        };
        input.addEventListener("input", () => (this.observed?.has(input.value) && input.value ? take() : tell()));
        input.addEventListener("change", take);
        input.addEventListener("keydown", (event) => {
            if (event.key === "Backspace" && !input.value && chosen.length) { chosen.pop(); draw(); tell(); }
            if (event.key !== "Enter") return;
            event.preventDefault();
            take();
        });
        input.addEventListener("paste", (event) => {
            const text = event.clipboardData.getData("text");
            if (!/[\n\t]/.test(text)) return;
            event.preventDefault();
            input.value = text.split(/[\n\t]+/).join(",");
            take();
        });
        this.offer(input, () => input.value.split(",").at(-1).trim());
        draw();
        return [chips, input];
    }

    chip(value, drop) {
        const remove = screens.element("button", { type: "button", "aria-label": `Remove ${value}` }, "×");
        remove.addEventListener("click", drop);
        return screens.element("li", {}, String(value), remove);
    }

    // Observed values to pick from; anything else can be typed all the same.
    offer(input, search) {
        if (!this.ask) return;
        const list = screens.element("datalist", { id: `${this.name}-values` });
        input.setAttribute("list", list.id);
        let timer;
        const fill = async () => {
            try {
                const found = await this.ask(search());
                this.observed = new Set(found.map(({ value }) => String(value)));
                list.replaceChildren(...found.map(({ value, rows }) => screens.element("option", { value: String(value) }, `${value} (${rows.toLocaleString("en")})`)));
            } catch {
                // A value can be typed without a list to choose from.
            }
        };
        const later = () => { clearTimeout(timer); timer = setTimeout(fill, 300); };
        input.addEventListener("focus", later, { once: true });
        input.addEventListener("input", later);
        input.after?.(list);
        queueMicrotask(() => input.after(list));
    }
}
