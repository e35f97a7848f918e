// A select with search: a text input in front of a native select, which keeps the value and stays part of the form.
"use strict";

const FIELD_ICONS = {
    text: "abc", string: "abc", number: "tag", integer: "tag", float: "tag", boolean: "toggle_on", checkbox: "toggle_on", date: "calendar_today", timestamp: "schedule",
    datetime: "schedule", list: "data_array", object: "data_object", domain: "language", select: "arrow_drop_down_circle", status: "flag", currency: "payments",
    "email-address": "mail", email: "mail", "phone-number": "call", phone: "call", location: "location_on", "record-reference": "link", "actor-reference": "person",
    rating: "star", "personal-name": "badge",
};
const fieldIcon = (type) => FIELD_ICONS[String(type || "").toLowerCase()] || "data_object";
const MOST_OPTIONS = 200;

class Combobox {
    constructor(select, label) {
        Object.assign(this, { select, options: [], shown: [], active: -1, all: false });
        const id = select.id || select.name;
        this.input = screens.element("input", {
            type: "text", id: `${id}-search`, class: "d-input d-combo", role: "combobox", "aria-label": label, "aria-autocomplete": "list",
            "aria-expanded": "false", "aria-controls": `${id}-list`, autocomplete: "off", placeholder: "Choose an attribute",
        });
        this.list = screens.element("ul", { id: `${id}-list`, role: "listbox", "aria-label": label });
        this.more = screens.element("button", { type: "button", class: "d-button d-small", tabIndex: -1 });
        this.popup = screens.element("div", { class: "d-combo-popup", hidden: true }, this.list, this.more);
        select.classList.add("d-hidden");
        select.setAttribute("aria-hidden", "true");
        select.tabIndex = -1;
        const described = select.getAttribute("aria-describedby");
        if (described) this.input.setAttribute("aria-describedby", described);
        this.whole = screens.element("span", { id: `${id}-whole`, class: "d-muted d-combo-whole" });
        select.after(this.input, this.whole, this.popup);
        new ResizeObserver(() => this.showWhole()).observe(this.input);
        select.addEventListener("change", () => this.show());
        this.listen();
    }

    listen() {
        this.input.addEventListener("focus", () => this.input.select());
        this.input.addEventListener("click", () => this.open());
        this.input.addEventListener("input", () => this.open(this.input.value));
        this.input.addEventListener("keydown", (event) => this.press(event));
        this.input.addEventListener("blur", () => { this.close(); this.show(); });
        // Pressing the mouse button in the list must not take the focus from the input.
        this.popup.addEventListener("mousedown", (event) => event.preventDefault());
        this.more.addEventListener("click", () => { this.all = true; this.open(this.typed); });
        this.list.addEventListener("click", (event) => {
            const item = event.target.closest("[data-value]");
            if (item && item.getAttribute("aria-disabled") !== "true") this.choose(item.dataset.value);
        });
    }

    // Options: { value, label, type, disabled, note }. The select gets them too, so that the form can be submitted.
    fill(options, missing = "missing") {
        this.options = options;
        screens.fill(this.select, options.map(({ value, label, disabled, note }) => ({ value, label, disabled, title: note })), this.select.value, missing);
        if (this.popup.hidden) this.show();
        else this.open(this.typed);
    }

    // Shows what is chosen, unless a person is typing.
    show() {
        if (!this.popup.hidden) return;
        const chosen = this.select.selectedOptions[0];
        this.input.value = this.select.value && chosen ? chosen.textContent : "";
        this.showWhole();
    }

    // Below the input: the whole label if the input cuts it off, and the name in the API unless the label says the same.
    showWhole() {
        const option = this.popup.hidden ? this.options.find(({ value }) => value === this.select.value) : null;
        const isCut = this.input.scrollWidth > this.input.clientWidth;
        this.whole.textContent = option ? [isCut ? this.input.value : "", apiName(option)].filter(Boolean).join(" · ") : "";
    }

    open(text = "") {
        this.typed = text;
        const search = text.trim().toLowerCase();
        const found = this.options.filter(({ value, label, type }) => !search || [value, label, type].some((part) => String(part || "").toLowerCase().includes(search)));
        const hidden = found.filter(({ disabled }) => disabled);
        this.shown = [...found.filter(({ disabled }) => !disabled), ...(this.all ? hidden : [])].slice(0, MOST_OPTIONS);
        this.list.replaceChildren(...this.shown.map((option, place) => this.item(option, place)));
        if (!this.shown.length) this.list.append(screens.element("li", { class: "d-muted", role: "option", "aria-disabled": "true" }, "Nothing matches."));
        this.more.hidden = this.all || !hidden.length;
        this.more.textContent = `Show read-only (${hidden.length})`;
        this.popup.hidden = false;
        this.input.setAttribute("aria-expanded", "true");
        this.showWhole();
        this.mark(search && this.shown.length ? 0 : this.shown.findIndex(({ value }) => value === this.select.value));
    }

    item({ value, label, type, disabled, note }, place) {
        const icon = screens.element("span", { class: "material-symbols-outlined d-type", "aria-hidden": "true" }, fieldIcon(type));
        const name = apiName({ value, label });
        const text = screens.element("span", {}, label, ...(name ? [screens.element("span", { class: "d-muted d-combo-name" }, name)] : []));
        const details = screens.element("span", { class: "d-muted" }, [type, disabled ? note || "read-only" : note].filter(Boolean).join(" · "));
        const attributes = { id: `${this.list.id}-${place}`, role: "option", "data-value": value, "aria-selected": String(value === this.select.value) };
        if (disabled) attributes["aria-disabled"] = "true";
        return screens.element("li", attributes, icon, text, details);
    }

    mark(place) {
        this.active = place;
        [...this.list.children].forEach((item, index) => item.classList.toggle("d-active", index === place));
        const item = this.list.children[place];
        if (item?.id) {
            this.input.setAttribute("aria-activedescendant", item.id);
            item.scrollIntoView({ block: "nearest" });
        } else this.input.removeAttribute("aria-activedescendant");
    }

    press(event) {
        const { key } = event;
        const isOpen = !this.popup.hidden;
        if (key === "ArrowDown" || key === "ArrowUp") {
            event.preventDefault();
            if (!isOpen) return this.open();
            const count = this.shown.length;
            if (count) this.mark((this.active + (key === "ArrowDown" ? 1 : -1) + count) % count);
        } else if (key === "Enter") {
            // Enter chooses, and never submits the form from here.
            event.preventDefault();
            const option = this.shown[this.active];
            if (isOpen && option && !option.disabled) this.choose(option.value);
        } else if (key === "Escape" && isOpen) {
            event.preventDefault();
            this.close();
            this.show();
        }
        return undefined;
    }

    choose(value) {
        this.select.value = value;
        this.close();
        this.show();
        this.select.dispatchEvent(new Event("change", { bubbles: true }));
    }

    close() {
        this.popup.hidden = true;
        this.input.setAttribute("aria-expanded", "false");
        this.input.removeAttribute("aria-activedescendant");
    }
}

// The name of an attribute in the vendor's API; "" if its label says the same.
function apiName({ value, label }) {
    const plain = (text) => String(text).toLowerCase().replaceAll(/[^\p{L}\p{N}]/gu, "");
    return plain(value) === plain(label) ? "" : value;
}
