// The inputs for values, by the operator's shape of value and the type of the column.
"use strict";

// Why a value is invalid. The texts match those of the server in segments/conditions/operands.py.
const ERRORS = {
    number: "the value must be a number such as 100 or 9.5",
    date: "the value must be a date such as 2026-01-31",
    timestamp: "the value must be a date such as 2026-01-31, or a time such as 2026-01-31 09:00",
    length: "the value must be a duration such as 30 days",
    short: "the duration must be 1 or more, such as 30 days",
    long: "the duration can have at most 4 digits; use a longer unit, such as months",
    incomplete: "it takes two values",
    order: "the first value is greater than the second; put the lower value first",
};

// Parses a number. Integers that JavaScript would round stay text; the server sends them as text, too.
const parseNumber = (text) => (Number.isInteger(Number(text)) && !Number.isSafeInteger(Number(text)) ? text.trim() : Number(text));

// Dates have no time of day, so minutes and hours don't apply to them.
const SHORT_UNITS = ["minute", "hour"];
const LONG_UNITS = ["day", "week", "month"];

class Values {
    // `suggest(search)` returns observed values. `set(value, error)` stores a value: undefined if there is none, with the error
    // if what was entered is invalid.
    constructor({ type, shape, value, set, suggest, name }) {
        Object.assign(this, { type, shape, value, set, suggest, name });
        this.isNumber = ["integer", "number"].includes(type);
        this.observed = new Set();
    }

    inputs() {
        const create = { none: () => [], length: () => this.length(), two: () => this.pair(), many: () => this.list(), day: () => [this.single(this.value, this.set, "date")] }[this.shape];
        return create ? create() : [this.single(this.value, this.set)];
    }

    single(value, set, inputType) {
        if (this.type === "boolean") return this.yesNo(value, set);
        const kind = inputType || { integer: "number", number: "number", date: "date" }[this.type] || "text";
        if (this.type === "timestamp" && !inputType) return this.timestamp(value, set);
        const input = screens.element("input", { class: "d-input", type: kind, "aria-label": "Value", value: value ?? "", autocomplete: "off" });
        if (kind === "number") input.step = "any";
        input.addEventListener("input", () => {
            if (input.validity.badInput) return set(undefined, ERRORS[kind]);
            set(input.value === "" ? undefined : kind === "number" ? parseNumber(input.value) : input.value);
        });
        this.addSuggestions(input, () => input.value);
        return input;
    }

    // A date, optionally with a time of day.
    timestamp(value, set) {
        const text = String(value ?? "");
        const input = screens.element("input", { class: "d-input", type: "text", "aria-label": "Value", placeholder: "2026-01-31 or 2026-01-31 09:00", value: text, inputMode: "numeric" });
        input.addEventListener("input", () => {
            const entered = input.value.trim();
            set(entered || undefined, !entered || /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*)?$/.test(entered) ? "" : ERRORS.timestamp);
        });
        return input;
    }

    yesNo(value, set) {
        const select = screens.element("select", { class: "d-input", "aria-label": "Value" }, screens.element("option", { value: "" }, "Choose"));
        screens.fill(select, [{ value: "true", label: "yes" }, { value: "false", label: "no" }], value === undefined ? "" : String(value));
        select.addEventListener("change", () => set(select.value === "" ? undefined : select.value === "true"));
        return select;
    }

    pair() {
        const values = Array.isArray(this.value) ? [...this.value] : [];
        const errors = [];
        const part = (index, label) => {
            const input = this.single(values[index], (value, error) => {
                [values[index], errors[index]] = [value, error];
                const pair = [values[0] ?? null, values[1] ?? null];
                this.set(pair.some((bound) => bound !== null) ? pair : undefined, errors[0] || errors[1] || this.pairError(pair));
            });
            input.setAttribute("aria-label", label);
            return input;
        };
        const hint = this.type === "timestamp" ? [screens.element("span", { class: "d-muted" }, "e.g. 2026-01-31 or 2026-01-31 09:00")] : [];
        return [part(0, "From"), screens.element("span", {}, "and"), part(1, "To"), ...hint];
    }

    // Compares the bounds only if both have the same format. A date and a time, or times with a zone, are left to the server.
    pairError([first, second]) {
        if (first === null || second === null) return first === second ? "" : ERRORS.incomplete;
        const [low, high] = this.isNumber ? [Number(first), Number(second)] : [first, second].map((text) => text.replace("T", " "));
        const comparable = this.isNumber || (low.length === high.length && low.length <= "2026-01-31 09:00:00".length);
        return comparable && low > high ? ERRORS.order : "";
    }

    length() {
        const [count, plural] = String(this.value || "30 days").split(" ");
        const unit = plural.replace(/s$/, "");
        const input = screens.element("input", { class: "d-input d-short", type: "number", min: "1", max: "9999", "aria-label": "How many", value: count });
        const units = screens.element("select", { class: "d-input d-short", "aria-label": "Unit" });
        const offered = this.type === "date" && !SHORT_UNITS.includes(unit) ? LONG_UNITS : [...SHORT_UNITS, ...LONG_UNITS];
        screens.fill(units, offered.map((name) => ({ value: name, label: `${name}s` })), unit);
        const update = () => {
            if (input.value === "") return this.set(undefined, input.validity.badInput ? ERRORS.length : "");
            const number = Number(input.value);
            this.set(`${number} ${units.value}s`, number < 1 ? ERRORS.short : number > 9999 ? ERRORS.long : Number.isInteger(number) ? "" : ERRORS.length);
        };
        input.addEventListener("input", update);
        units.addEventListener("change", update);
        if (this.value === undefined) this.set(`${count} ${unit}s`);
        return [input, units];
    }

    // Chips, and an input that adds to them. A typed value counts even before it becomes a chip.
    // Typed text is one value, and so is each pasted line. Text is never split at commas automatically, because a comma may be
    // part of a name: “Acme, Inc.” is one company. A button on the chip splits it on request.
    list() {
        const chosen = Array.isArray(this.value) ? [...this.value] : [];
        const chips = screens.element("ul", { class: "d-chips" });
        const input = screens.element("input", { class: "d-input d-many", type: "text", "aria-label": "Values", placeholder: "Type and press Enter, or paste lines", autocomplete: "off" });
        const update = () => {
            const all = [...new Set([...chosen, ...this.parse([input.value])])];
            this.set(all.length ? all : undefined);
        };
        const replace = (index, ...values) => {
            chosen.splice(index, 1, ...values.filter((value) => !chosen.includes(value)));
            draw();
            update();
            input.focus();
        };
        const draw = () => chips.replaceChildren(...chosen.map((value, index) => this.chip(value, (...values) => replace(index, ...values))));
        const add = (texts) => {
            const existing = new Set(chosen);
            chosen.push(...this.parse(texts).filter((value) => !existing.has(value)));
            draw();
            update();
        };
        const commit = () => {
            const text = input.value;
            input.value = "";
            add([text]);
        };
        // A value picked from the suggestions is added immediately. Typed text is not, even if it matches a suggestion:
        // “Acme” may be the start of “Acme, Inc.”
        input.addEventListener("input", (event) => (event.inputType && event.inputType !== "insertReplacementText" ? update() : commit()));
        input.addEventListener("change", commit);
        input.addEventListener("keydown", (event) => {
            if (event.key === "Backspace" && !input.value && chosen.length) { chosen.pop(); draw(); update(); }
            if (event.key !== "Enter" || event.isComposing) return;
            event.preventDefault();
            commit();
        });
        input.addEventListener("paste", (event) => {
            const text = event.clipboardData.getData("text");
            if (!/[\r\n\t]/.test(text)) return;
            event.preventDefault();
            add(text.split(/[\r\n\t]+/));
        });
        this.addSuggestions(input, () => input.value.trim());
        draw();
        return [chips, input];
    }

    // Converts texts to values. Surrounding whitespace is trimmed unless the source has the value exactly like that.
    parse(texts) {
        const exact = texts.map((text) => (this.observed.has(text) ? text : text.trim())).filter(Boolean);
        const values = exact.map((text) => (this.isNumber && text.trim() && !Number.isNaN(Number(text)) ? parseNumber(text) : text));
        return [...new Set(values)];
    }

    chip(value, replace) {
        const text = String(value);
        const remove = screens.element("button", { type: "button", "aria-label": `Remove ${text}` }, "×");
        remove.addEventListener("click", () => replace());
        const label = text === text.trim() ? text : `“${text}”`;
        const parts = this.observed.has(text) ? [] : this.parse(text.split(","));
        if (parts.length < 2) return screens.element("li", {}, label, remove);
        const split = screens.element("button", { type: "button", class: "d-split d-link", title: "Split at commas" }, `Split into ${parts.length} values`);
        split.addEventListener("click", () => replace(...parts));
        return screens.element("li", {}, label, split, remove);
    }

    // Suggests observed values. Any other value can be typed as well.
    addSuggestions(input, search) {
        if (!this.suggest) return;
        const list = screens.element("datalist", { id: `${this.name}-values` });
        input.setAttribute("list", list.id);
        let timer;
        const fill = async () => {
            try {
                const values = await this.suggest(search());
                for (const { value } of values) this.observed.add(String(value));
                list.replaceChildren(...values.map(({ value, rows }) => screens.element("option", { value: String(value) }, `${value} (${rows.toLocaleString("en")})`)));
            } catch {
                // Suggestions are optional: values can be typed without them.
            }
        };
        const schedule = () => { clearTimeout(timer); timer = setTimeout(fill, 300); };
        input.addEventListener("focus", schedule, { once: true });
        input.addEventListener("input", schedule);
        input.after?.(list);
        queueMicrotask(() => input.after(list));
    }
}
