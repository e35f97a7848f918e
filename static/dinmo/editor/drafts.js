// Stores what was entered while a person types, so that nothing is lost, and discards drafts.
"use strict";

class Autosave {
    constructor(editor) {
        this.editor = editor;
        this.field = editor.form.elements.draft;
        this.status = document.querySelector("[data-autosaved]");
        this.timer = null;
        this.stopped = false;
        editor.form.addEventListener("submit", () => this.stop());
        document.addEventListener("visibilitychange", () => { if (document.hidden && this.timer) this.save(); });
        const restored = editor.place.querySelector("[data-restored]");
        if (restored) restored.querySelector("[data-restored-at]").textContent = ` ${clock(restored.dataset.restored)}`;
    }

    stop() {
        this.stopped = true;
        clearTimeout(this.timer);
        this.request?.abort();
    }

    later() {
        if (this.stopped) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.save(), 1200);
    }

    entries() {
        const data = {};
        for (const [name, value] of new FormData(this.editor.form)) {
            if (name !== "csrfmiddlewaretoken" && name !== "draft" && typeof value === "string") (data[name] ||= []).push(value);
        }
        return data;
    }

    async save() {
        clearTimeout(this.timer);
        this.timer = null;
        if (this.stopped) return;
        this.request = new AbortController();
        const body = { data: this.entries(), activation: this.editor.place.dataset.activation, draft: this.field.value };
        try {
            const response = await fetch("/api/editor/drafts/", {
                method: "POST", signal: this.request.signal, keepalive: true, credentials: "same-origin",
                headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.editor.form.elements.csrfmiddlewaretoken.value },
                body: JSON.stringify(body),
            });
            if (!response.ok) throw new Error("refused");
            const { draft, updated_at: at } = await response.json();
            this.field.value = String(draft);
            this.status.textContent = `Kept as a draft ${clock(at)}`;
            if (!this.editor.place.dataset.activation) history.replaceState(null, "", `${location.pathname}?draft=${draft}${location.hash}`);
        } catch (error) {
            if (error.name !== "AbortError") this.status.textContent = "Not kept yet: the server can't be reached.";
        }
    }
}

function clock(text) {
    return `at ${new Intl.DateTimeFormat("en-GB", { hour: "2-digit", minute: "2-digit" }).format(new Date(text))}`;
}

document.addEventListener("click", async (event) => {
    const button = event.target.closest("[data-discard]");
    if (!button) return;
    button.disabled = true;
    const token = document.querySelector("[name=csrfmiddlewaretoken]")?.value;
    const response = await fetch(`/api/editor/drafts/${button.dataset.discard}/`, { method: "DELETE", headers: { "X-CSRFToken": token }, credentials: "same-origin" });
    if (!response.ok && response.status !== 404) { button.disabled = false; return; }
    const url = new URL(location.href);
    url.searchParams.delete("draft");
    // With its fragment, the same address would not be loaded again.
    if (url.hash) url.searchParams.set("step", url.hash.slice(1));
    url.hash = "";
    location.replace(url.href);
});
