// Asks the server what the mapping would send, and shows it on each row. One request for each burst of edits.
"use strict";

const EDIT_PAUSE = 450;

class Samples {
    constructor(editor) {
        this.editor = editor;
        this.page = `editor-${Math.random().toString(36).slice(2, 12)}`;
        this.number = 0;
        this.sent = "";
        this.status = editor.place.querySelector("[data-sampled]");
    }

    later(pause = EDIT_PAUSE) {
        clearTimeout(this.timer);
        this.timer = setTimeout(() => this.ask(), pause);
    }

    body() {
        const { editor } = this;
        return {
            records: editor.data.value, destination: editor.destination.value, match_column: editor.matchColumn.value, match_field: editor.matchField.value,
            rows: editor.rows.present.map((row) => editor.rows.values(row)), custom: editor.custom.chosen, activation: editor.place.dataset.activation, mode: editor.modes.querySelector("input:checked")?.value || "",
        };
    }

    async ask() {
        const body = this.body();
        const text = JSON.stringify(body);
        if (!body.records || !body.destination || !this.editor.fields || !this.editor.columns || text === this.sent) return;
        this.sent = text;
        const number = ++this.number;
        this.editor.place.dataset.sampling = "";
        try {
            const answer = await screens.request("/api/editor/mapping/", { ...body, page: this.page, number });
            if (number !== this.number) return;
            this.show(answer);
            this.profile(body);
        } catch (error) {
            if (number !== this.number) return;
            this.status.textContent = error.message;
            this.sent = "";
        }
        delete this.editor.place.dataset.sampling;
    }

    show({ problem, shared, sampled, match, rows, custom, suggestions }) {
        this.showShared(shared);
        this.status.textContent = problem || (sampled ? `Shown with the first ${sampled.toLocaleString("en-US")} rows of your data.` : "The data has no rows yet.");
        if (problem) return;
        if (match.proposed && this.propose(match.proposed)) return;
        this.showRow(this.editor.place.querySelector(".d-match"), match);
        for (const found of rows) {
            const row = this.editor.rows.list.children[found.id];
            if (row) this.showRow(row, found);
        }
        this.editor.suggestions.show(suggestions);
        this.editor.custom.update(custom);
    }

    showShared(shared) {
        const { rows, custom } = this.editor;
        for (const row of rows.present) row.querySelector("[data-shared]").replaceChildren(...sharedNotes(shared[rows.values(row).target]));
        custom.shared = shared;
        custom.show();
    }

    // Fills in the match while nobody has chosen it. Asks again, since the samples depend on it.
    propose({ column, target, reason }) {
        const { matchColumn, matchField } = this.editor;
        if (matchColumn.value || ![...matchColumn.options].some(({ value }) => value === column)) return false;
        matchColumn.value = column;
        if (![...matchField.options].some(({ value }) => value === target)) return false;
        matchField.value = target;
        this.editor.matchBox.show();
        this.editor.place.querySelector(".d-match").dataset.reason = reason;
        this.editor.changed();
        this.later(0);
        return true;
    }

    showRow(row, { examples, problem, empty, fix }) {
        const place = row.querySelector("[data-samples]");
        const items = examples.map(({ from, to, problem: refused }) => {
            const result = refused ? screens.element("span", { class: "d-refused", title: refused }, "refused") : screens.element("span", { class: to ? "d-to" : "d-muted" }, to || (from ? "" : "nothing sent"));
            const arrow = refused || to ? [screens.element("span", { class: "d-muted" }, " → "), result] : [];
            return screens.element("li", {}, screens.element("span", { class: "d-from" }, from || "empty"), ...arrow);
        });
        const share = empty ? [screens.element("li", { class: "d-muted" }, `${empty} empty`)] : [];
        place.replaceChildren(...(items.length || share.length ? [screens.element("ul", { class: "d-samples" }, ...items, ...share)] : []));
        const warning = row.querySelector("[data-role=target]")?.dataset.warning;
        const text = row.querySelector("[data-problem]");
        text.replaceChildren(...[problem || warning || ""].filter(Boolean));
        if (fix) {
            const button = screens.element("button", { type: "button", class: "d-button d-small" }, "Round to whole numbers");
            button.addEventListener("click", () => { this.editor.rows.input(row, fix).checked = true; this.editor.rows.refresh(row); this.editor.changed(); });
            text.append(" ", button);
        }
        row.toggleAttribute("data-problematic", Boolean(problem || warning));
    }

    // How many rows have the match empty or share it, over all rows. It may take longer, so it comes on its own.
    async profile({ records, destination, match_column: column, match_field: field }) {
        const place = this.editor.place.querySelector("[data-profile]");
        const reason = this.editor.place.querySelector(".d-match").dataset.reason;
        const wanted = `${records} ${column} ${field}`;
        if (!column || wanted === this.profiled) return;
        this.profiled = wanted;
        place.textContent = "Counting empty and doubled values…";
        let text;
        try {
            ({ text } = await screens.request("/api/editor/match/", { records, destination, column }));
        } catch (error) {
            text = error.message;
        }
        if (wanted === this.profiled) place.textContent = [reason ? `Proposed: ${reason}.` : "", text].filter(Boolean).join(" ");
    }
}

// The other activations that write an attribute. Their pages open in a new tab, because the form may be half filled in.
function sharedNotes(found = []) {
    return found.map(({ name, url, words, conflict }) => {
        const link = screens.element("a", { class: "d-link", href: url, target: "_blank", rel: "noopener" }, name, screens.element("span", { class: "d-hidden" }, " (opens a new tab)"));
        return screens.element("p", { class: conflict ? "d-caution" : "d-muted" }, link, ` ${words}`);
    });
}
