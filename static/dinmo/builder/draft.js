// What was built and not saved outlives a reload: kept in this tab, offered and never forced.
"use strict";

class Draft {
    // `what` is being built, e.g. "segment"; `read` gives its state, of which `built` decides whether it is another one than was stored.
    constructor(what, place, form, read) {
        const model = new URLSearchParams(location.search).get("model") || "";
        Object.assign(this, { what, place, form, read, key: `${what}:${location.pathname}:${model}` });
        form.addEventListener("submit", () => this.keep({ submitted: true }));
    }

    stored() {
        try {
            return JSON.parse(sessionStorage.getItem(this.key));
        } catch {
            return null;
        }
    }

    keep(more = {}) {
        sessionStorage.setItem(this.key, JSON.stringify({ ...this.read(), at: Date.now(), ...more }));
    }

    drop() {
        sessionStorage.removeItem(this.key);
        this.place.replaceChildren();
    }

    // After a refusal the page shows what was sent; after a success nothing is left to offer.
    offer(restore) {
        const found = this.stored();
        if (!found) return;
        const now = this.read();
        const same = JSON.stringify(found.built) === JSON.stringify(now.built);
        const refused = document.querySelector(".errornote, .errorlist, [data-errors]");
        if (same || (found.submitted && !refused)) return this.drop();
        const button = (text, act) => {
            const made = screens.element("button", { type: "button", class: "d-button d-small" }, text);
            made.addEventListener("click", act);
            return made;
        };
        const time = new Date(found.at).toLocaleTimeString([], { hour: "2-digit", minute: "2-digit" });
        const note = screens.element("div", { class: "d-note d-note-warn", role: "status", "data-draft": "" },
            `You changed this ${this.what} at ${time} and did not save it.`,
            button("Bring it back", () => { this.place.replaceChildren(); restore(found); }),
            button("Forget it", () => this.drop()));
        this.place.replaceChildren(note);
    }
}
