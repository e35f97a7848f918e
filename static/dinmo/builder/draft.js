// Unsaved changes of a builder survive a reload: they are stored for this tab, and restored only on request.
"use strict";

class Draft {
    // `noun` names what is built, such as "segment". `read` returns the current state; a draft differs if its `built` does.
    constructor(noun, place, form, read) {
        const model = new URLSearchParams(location.search).get("model") || "";
        Object.assign(this, { noun, place, form, read, key: `${noun}:${location.pathname}:${model}` });
        form.addEventListener("submit", () => this.save({ submitted: true }));
    }

    stored() {
        try {
            return JSON.parse(sessionStorage.getItem(this.key));
        } catch {
            return null;
        }
    }

    save(extra = {}) {
        sessionStorage.setItem(this.key, JSON.stringify({ ...this.read(), at: Date.now(), ...extra }));
    }

    drop() {
        sessionStorage.removeItem(this.key);
        this.place.replaceChildren();
    }

    // A successfully submitted draft is dropped. If the server rejected the form, the page already shows the submitted state.
    offer(restore) {
        const saved = this.stored();
        if (!saved) return;
        const current = this.read();
        const same = JSON.stringify(saved.built) === JSON.stringify(current.built);
        const rejected = document.querySelector(".errornote, .errorlist, [data-errors]");
        if (same || (saved.submitted && !rejected)) return this.drop();
        const button = (text, act) => {
            const element = screens.element("button", { type: "button", class: "d-button d-small" }, text);
            element.addEventListener("click", act);
            return element;
        };
        const time = new Date(saved.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
        const note = screens.element("div", { class: "d-note d-note-warn", role: "status", "data-draft": "" },
            `You have unsaved changes to this ${this.noun} from ${time}.`,
            button("Restore", () => { this.place.replaceChildren(); restore(saved); }),
            button("Discard", () => this.drop()));
        this.place.replaceChildren(note);
    }
}
