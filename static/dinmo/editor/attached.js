// The section of people that are attached to records that the destination hides: columns, proposals and a live check.
"use strict";

const ATTACHED_PAUSE = 450;

class AttachedPeople {
    constructor(editor) {
        this.editor = editor;
        this.place = editor.place.querySelector("[data-attached]");
        if (!this.place) return;
        this.page = `attached-${Math.random().toString(36).slice(2, 12)}`;
        this.number = 0;
        this.sent = "";
        this.model = document.getElementById("id_attach_model");
        this.columns = [...this.place.querySelectorAll("[data-role=people-column]")];
        this.place.addEventListener("change", () => this.later());
    }

    // Shown for destinations that hide records. Its fields are sent only then, or if they hold a choice to take back.
    show() {
        if (!this.place) return;
        const reveals = this.editor.service?.reveals;
        this.place.hidden = !reveals;
        this.place.querySelector("[data-attached-columns]").hidden = !this.model.value;
        if (!reveals) return;
        this.place.querySelector("[data-attached-nouns]").textContent = reveals.many;
        this.place.querySelector("[data-attached-note]").textContent = reveals.note;
        for (const select of this.columns) {
            const name = select.dataset.foundBy;
            if (name) select.closest("[data-field]").hidden = !reveals.found_by.includes(name);
        }
        this.later(0);
    }

    later(pause = ATTACHED_PAUSE) {
        if (!this.place) return;
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.ask(), pause);
    }

    body() {
        const { editor } = this;
        const chosen = Object.fromEntries(this.columns.map((select) => [select.dataset.foundBy || "company_column", select.value]));
        return { records: editor.data.value, destination: editor.destination.value, people: this.model.value, ...chosen };
    }

    async ask() {
        const body = this.body();
        const text = JSON.stringify(body);
        this.place.querySelector("[data-attached-columns]").hidden = !body.people;
        if (!body.records || !body.destination || !body.people || text === this.sent || this.place.hidden) return;
        this.sent = text;
        const number = ++this.number;
        try {
            const answer = await screens.request("/api/editor/attach/", { ...body, page: this.page, number });
            if (number === this.number) this.fill(body, answer);
        } catch (error) {
            if (number !== this.number) return;
            this.sent = "";
            this.place.querySelector("[data-attached-problem]").textContent = error.message;
        }
    }

    fill(body, { columns, proposed, problems, key, text }) {
        for (const select of this.columns) screens.fill(select, columnOptions(columns), select.value, "missing");
        if (!this.columns.some((select) => select.value) && this.propose(proposed)) return;
        this.place.querySelector("[data-attached-key]").textContent = key;
        this.place.querySelector("[data-attached-problem]").textContent = Object.values(problems).join(" ");
        this.place.querySelector("[data-attached-share]").textContent = text;
    }

    // Fills in what a person would probably choose, while nothing is chosen. Checks it afterwards.
    propose(proposed) {
        for (const select of this.columns) select.value = proposed[select.dataset.foundBy || "company_column"] || "";
        if (!this.columns.some((select) => select.value)) return false;
        this.editor.changed();
        this.later(0);
        return true;
    }
}
