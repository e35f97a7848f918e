// The search: a dialog that Ctrl-K opens, and the button that searches the sources on the list of records.
"use strict";

const TYPING_MS = 250;
const sourceSearch = {
    page: `search-${Math.random().toString(36).slice(2)}`,
    number: 0,

    // Searches the sources. A newer search, or a closed dialog, ends an earlier one.
    async run(url, text) {
        this.number += 1;
        return screens.request(url, { q: text, page: this.page, number: this.number });
    },
};

class Finder {
    constructor(dialog) {
        this.dialog = dialog;
        this.input = dialog.querySelector("input[role=combobox]");
        this.found = dialog.querySelector("[role=listbox]");
        this.state = dialog.querySelector("[data-role=state]");
        this.sources = dialog.querySelector("[data-role=sources]");
        this.hint = this.state.textContent;
        this.asked = 0;
        this.timer = 0;
        this.input.addEventListener("input", () => this.later());
        this.input.addEventListener("keydown", (event) => this.key(event));
        this.sources.addEventListener("click", () => this.searchSources(this.input.value.trim(), this.groups));
        // A click on the backdrop has the dialog itself as its target.
        dialog.addEventListener("click", (event) => { if (event.target === dialog) dialog.close(); });
        dialog.addEventListener("close", () => { this.asked += 1; });
    }

    open() {
        if (this.dialog.open) return;
        this.dialog.showModal();
        this.input.select();
    }

    later() {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.search(), TYPING_MS);
    }

    async search() {
        const text = this.input.value.trim();
        const asked = ++this.asked;
        this.sources.hidden = true;
        if (!text) return this.show([], this.hint);
        try {
            const answer = await screens.request(`${this.dialog.dataset.url}?q=${encodeURIComponent(text)}`);
            if (asked !== this.asked) return undefined;
            this.groups = answer.groups;
            const none = answer.groups.length === 0;
            this.show(answer.groups, none ? "Nothing found." : "");
            if (!answer.may_search_sources) return undefined;
            if (none) return this.searchSources(text, []);
            this.sources.hidden = false;
        } catch (error) {
            if (asked === this.asked) this.show([], error.message);
        }
        return undefined;
    }

    async searchSources(text, groups) {
        const asked = ++this.asked;
        this.sources.hidden = true;
        this.state.textContent = "Searching the sources…";
        try {
            const answer = await sourceSearch.run(this.dialog.dataset.sourceUrl, text);
            if (asked !== this.asked) return;
            const more = answer.items.length ? [{ label: "In the sources now", items: answer.items }] : [];
            const nothing = more.length ? "" : `No row of the models in use has “${text}”.`;
            this.show([...groups, ...more], [nothing, ...answer.problems].filter(Boolean).join(" "));
        } catch (error) {
            if (asked === this.asked) this.state.textContent = error.message;
        }
    }

    show(groups, words) {
        let place = 0;
        const nodes = groups.map(({ label, items }) => {
            const head = screens.element("div", { class: "d-finder-label", "aria-hidden": "true" }, label);
            const options = items.map((item) => foundLink(item, { role: "option", id: `finder-${place++}`, tabindex: "-1", "aria-selected": "false" }));
            return screens.element("div", { role: "group", "aria-label": label }, head, ...options);
        });
        this.found.replaceChildren(...nodes);
        this.found.hidden = nodes.length === 0;
        this.input.setAttribute("aria-expanded", String(nodes.length > 0));
        this.input.removeAttribute("aria-activedescendant");
        this.state.textContent = words || `${place} found.`;
        if (place) this.choose(0);
    }

    options() {
        return [...this.found.querySelectorAll("[role=option]")];
    }

    choose(place) {
        const options = this.options();
        if (!options.length) return;
        this.place = (place + options.length) % options.length;
        options.forEach((option, at) => option.setAttribute("aria-selected", String(at === this.place)));
        this.input.setAttribute("aria-activedescendant", options[this.place].id);
        options[this.place].scrollIntoView({ block: "nearest" });
    }

    key(event) {
        const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
        if (step) {
            event.preventDefault();
            this.choose((this.place ?? 0) + step);
        } else if (event.key === "Escape") {
            // A search field would only be emptied.
            event.preventDefault();
            this.dialog.close();
        } else if (event.key === "Enter") {
            event.preventDefault();
            this.options()[this.place ?? 0]?.click();
        }
    }
}

// A link to what was found, with its icon and a note.
function foundLink(item, attributes = {}) {
    const icon = screens.element("span", { class: "material-symbols-outlined", "aria-hidden": "true" }, item.icon);
    const note = item.note ? [screens.element("span", { class: "d-muted" }, item.note)] : [];
    const words = screens.element("span", { class: "d-found-words" }, screens.element("span", {}, item.title), ...note);
    return screens.element("a", { class: "d-found", href: item.url, ...attributes }, icon, words);
}

async function searchSourcesBelow(box) {
    const place = box.querySelector("[data-role=found]");
    const button = box.querySelector("[data-role=search-source]");
    button.disabled = true;
    place.textContent = "Searching the sources…";
    try {
        const answer = await sourceSearch.run(box.dataset.url, box.dataset.query);
        const none = answer.items.length ? [] : [screens.element("p", {}, `No row of the models in use has “${box.dataset.query}”.`)];
        const problems = answer.problems.map((problem) => screens.element("p", { class: "d-muted" }, problem));
        place.replaceChildren(...answer.items.map((item) => foundLink(item)), ...none, ...problems);
    } catch (error) {
        place.textContent = error.message;
    }
    button.disabled = false;
}

document.addEventListener("DOMContentLoaded", () => {
    const dialog = document.getElementById("finder");
    if (dialog) {
        const finder = new Finder(dialog);
        document.querySelectorAll("[data-role=open-search]").forEach((button) => button.addEventListener("click", () => finder.open()));
        document.addEventListener("keydown", (event) => {
            if ((event.ctrlKey || event.metaKey) && !event.shiftKey && !event.altKey && event.key.toLowerCase() === "k") {
                event.preventDefault();
                finder.open();
            }
        });
    }
    document.querySelectorAll("[data-source-search]").forEach((box) => {
        box.querySelector("[data-role=search-source]").addEventListener("click", () => searchSourcesBelow(box));
    });
});
