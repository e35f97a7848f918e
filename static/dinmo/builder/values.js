// The inputs of values, by what an operator takes and the type of the column.
"use strict";

// What is wrong with a value, in the same words as segments/conditions/operands.py.
const WRONG = {
    number: "the value must be a number such as 100 or 9.5",
    date: "the value must be a date such as 2026-01-31",
    moment: "the value must be a date such as 2026-01-31, or a time such as 2026-01-31 09:00",
    length: "the value must be a duration such as 30 days",
    short: "the duration must be 1 or more, such as 30 days",
    long: "the duration can have at most 4 digits; use a longer unit, such as months",
    half: "it takes two values",
    order: "the first value is greater than the second; put the lower value first",
};

// A number; one that JavaScript would round stays the text that it is, as the server sends it too.
const unrounded = (text) => (Number.isInteger(Number(text)) && !Number.isSafeInteger(Number(text)) ? text.trim() : Number(text));

// A date has no time of day, so minutes and hours say nothing of it.
const SHORT_UNITS = ["minute", "hour"];
const LONG_UNITS = ["day", "week", "month"];

class Values {
    // `ask(search)` gives observed values; `set(value, wrong)` takes undefined while there is no value, and what is wrong with one that is there.
    constructor({ type, shape, value, set, ask, name }) {
        Object.assign(this, { type, shape, value, set, ask, name });
        this.isNumber = ["integer", "number"].includes(type);
        this.observed = new Set();
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
        input.addEventListener("input", () => {
            if (input.validity.badInput) return set(undefined, WRONG[kind]);
            set(input.value === "" ? undefined : kind === "number" ? unrounded(input.value) : input.value);
        });
        this.offer(input, () => input.value);
        return input;
    }

    // A day, or with the box ticked a time of day too.
    moment(value, set) {
        const text = String(value ?? "");
        const input = screens.element("input", { class: "d-input", type: "text", "aria-label": "Value", placeholder: "2026-01-31 or 2026-01-31 09:00", value: text, inputMode: "numeric" });
        input.addEventListener("input", () => {
            const written = input.value.trim();
            set(written || undefined, !written || /^\d{4}-\d\d-\d\d([T ]\d\d:\d\d\S*)?$/.test(written) ? "" : WRONG.moment);
        });
        return input;
    }

    yesNo(value, set) {
        const select = screens.element("select", { class: "d-input", "aria-label": "Value" }, screens.element("option", { value: "" }, "choose"));
        screens.fill(select, [{ value: "true", label: "yes" }, { value: "false", label: "no" }], value === undefined ? "" : String(value));
        select.addEventListener("change", () => set(select.value === "" ? undefined : select.value === "true"));
        return select;
    }

    two() {
        const values = Array.isArray(this.value) ? [...this.value] : [];
        const wrong = [];
        const part = (index, label) => {
            const input = this.one(values[index], (value, why) => {
                [values[index], wrong[index]] = [value, why];
                const given = [values[0] ?? null, values[1] ?? null];
                this.set(given.some((one) => one !== null) ? given : undefined, wrong[0] || wrong[1] || this.wrongPair(given));
            });
            input.setAttribute("aria-label", label);
            return input;
        };
        const hint = this.type === "timestamp" ? [screens.element("span", { class: "d-muted" }, "e.g. 2026-01-31 or 2026-01-31 09:00")] : [];
        return [part(0, "From"), screens.element("span", {}, "and"), part(1, "To"), ...hint];
    }

    // Which of a day and a time, or of two times with a zone, is the lower one only the server knows.
    wrongPair([first, second]) {
        if (first === null || second === null) return first === second ? "" : WRONG.half;
        const [low, high] = this.isNumber ? [Number(first), Number(second)] : [first, second].map((text) => text.replace("T", " "));
        const alike = this.isNumber || (low.length === high.length && low.length <= "2026-01-31 09:00:00".length);
        return alike && low > high ? WRONG.order : "";
    }

    length() {
        const [count, written] = String(this.value || "30 days").split(" ");
        const unit = written.replace(/s$/, "");
        const input = screens.element("input", { class: "d-input d-short", type: "number", min: "1", max: "9999", "aria-label": "How many", value: count });
        const units = screens.element("select", { class: "d-input d-short", "aria-label": "Unit" });
        const offered = this.type === "date" && !SHORT_UNITS.includes(unit) ? LONG_UNITS : [...SHORT_UNITS, ...LONG_UNITS];
        screens.fill(units, offered.map((name) => ({ value: name, label: `${name}s` })), unit);
        const say = () => {
            if (input.value === "") return this.set(undefined, input.validity.badInput ? WRONG.length : "");
            const many = Number(input.value);
            this.set(`${many} ${units.value}s`, many < 1 ? WRONG.short : many > 9999 ? WRONG.long : Number.isInteger(many) ? "" : WRONG.length);
        };
        input.addEventListener("input", say);
        units.addEventListener("change", say);
        if (this.value === undefined) this.set(`${count} ${unit}s`);
        return [input, units];
    }

    // Chips, and an input that adds to them. What is typed and not yet added counts too.
    // What is typed is one value and so is each line that is pasted: a comma may be part of a name, so only a person splits at it.
    many() {
        const chosen = Array.isArray(this.value) ? [...this.value] : [];
        const chips = screens.element("ul", { class: "d-chips" });
        const input = screens.element("input", { class: "d-input d-many", type: "text", "aria-label": "Values", placeholder: "one value, then Enter; or paste lines", autocomplete: "off" });
        const tell = () => {
            const all = [...new Set([...chosen, ...this.read([input.value])])];
            this.set(all.length ? all : undefined);
        };
        const replace = (place, ...values) => {
            chosen.splice(place, 1, ...values.filter((value) => !chosen.includes(value)));
            draw();
            tell();
            input.focus();
        };
        const draw = () => chips.replaceChildren(...chosen.map((value, place) => this.chip(value, (...values) => replace(place, ...values))));
        const add = (texts) => {
            const present = new Set(chosen);
            chosen.push(...this.read(texts).filter((value) => !present.has(value)));
            draw();
            tell();
        };
        const take = () => {
            const text = input.value;
            input.value = "";
            add([text]);
        };
        // A value that is chosen from the list comes without typing. One that is typed may go on after it reads like an observed one.
        input.addEventListener("input", (event) => (event.inputType && event.inputType !== "insertReplacementText" ? tell() : take()));
        input.addEventListener("change", take);
        input.addEventListener("keydown", (event) => {
            if (event.key === "Backspace" && !input.value && chosen.length) { chosen.pop(); draw(); tell(); }
            if (event.key !== "Enter" || event.isComposing) return;
            event.preventDefault();
            take();
        });
        input.addEventListener("paste", (event) => {
            const text = event.clipboardData.getData("text");
            if (!/[\r\n\t]/.test(text)) return;
            event.preventDefault();
            add(text.split(/[\r\n\t]+/));
        });
        this.offer(input, () => input.value.trim());
        draw();
        return [chips, input];
    }

    // Values of texts: as they are where the source has them so, else without blanks around them.
    read(texts) {
        const exact = texts.map((text) => (this.observed.has(text) ? text : text.trim())).filter(Boolean);
        const values = exact.map((text) => (this.isNumber && text.trim() && !Number.isNaN(Number(text)) ? unrounded(text) : text));
        return [...new Set(values)];
    }

    chip(value, replace) {
        const text = String(value);
        const remove = screens.element("button", { type: "button", "aria-label": `Remove ${text}` }, "×");
        remove.addEventListener("click", () => replace());
        const shown = text === text.trim() ? text : `“${text}”`;
        const parts = this.observed.has(text) ? [] : this.read(text.split(","));
        if (parts.length < 2) return screens.element("li", {}, shown, remove);
        const split = screens.element("button", { type: "button", class: "d-split d-link", title: "Split it at its commas" }, `make ${parts.length} values`);
        split.addEventListener("click", () => replace(...parts));
        return screens.element("li", {}, shown, split, remove);
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
                for (const { value } of found) this.observed.add(String(value));
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
