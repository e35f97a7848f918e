// The steps of the editor as tabs: ticks, errors, and which step is open.
"use strict";

class Steps {
    constructor(editor) {
        this.editor = editor;
        this.tabs = [...editor.place.querySelectorAll("[data-tab]")];
        this.bar = document.querySelector("[data-savebar]");
        this.bar.querySelector("[data-next-step]").addEventListener("click", () => this.move(1));
        this.bar.querySelector("[data-back]").addEventListener("click", () => this.move(-1));
        for (const tab of this.tabs) {
            tab.addEventListener("click", () => this.open(tab.dataset.tab));
            tab.addEventListener("keydown", (event) => this.press(event));
        }
        editor.form.addEventListener("keydown", (event) => {
            // Enter in a text field would submit a half-made activation.
            if (event.key === "Enter" && event.target.matches("input:not([type=submit])")) event.preventDefault();
        });
        this.errors = new Set();
        for (const error of editor.place.querySelectorAll(".d-error")) this.errors.add(error.closest("[data-step]").dataset.step);
        const first = this.tabs.map(({ dataset }) => dataset.tab).find((step) => this.errors.has(step));
        const wanted = location.hash.slice(1).replace(/^step-/, "") || editor.place.dataset.firstStep;
        this.open(first || (this.tabs.some(({ dataset }) => dataset.tab === wanted) ? wanted : "data"), false);
        if (first) this.focusError(first);
    }

    panel(step) {
        return document.getElementById(`step-${step}`);
    }

    open(step, focus = true) {
        this.current = step;
        const place = this.tabs.findIndex(({ dataset }) => dataset.tab === step);
        this.tabs.forEach((tab, index) => {
            const isOpen = index === place;
            tab.setAttribute("aria-selected", String(isOpen));
            tab.tabIndex = isOpen ? 0 : -1;
            this.panel(tab.dataset.tab).hidden = !isOpen;
        });
        this.bar.querySelector("[data-back]").hidden = place === 0;
        this.showButtons(place);
        if (location.hash.slice(1) !== step) history.replaceState(null, "", `${location.pathname}${location.search}#${step}`);
        if (focus) {
            const heading = this.panel(step).querySelector("h2");
            heading.tabIndex = -1;
            heading.focus({ preventScroll: true });
            window.scrollTo({ top: 0 });
        }
        this.refresh();
    }

    // From the mapping on, the rest is optional: the review is offered beside the next step.
    showButtons(place) {
        const [next, following] = [this.bar.querySelector("[data-next-step]"), this.tabs[place + 1]];
        const mayReview = place >= this.tabs.findIndex(({ dataset }) => dataset.tab === "mapping") || !this.editor.isNew;
        next.hidden = !following;
        next.textContent = mayReview && following ? `Continue to ${following.dataset.tab}` : "Continue";
        next.classList.toggle("d-primary", !mayReview);
        for (const part of this.bar.querySelectorAll("[data-review]")) part.hidden = !mayReview;
    }

    move(by) {
        const place = this.tabs.findIndex(({ dataset }) => dataset.tab === this.current);
        const next = this.tabs[place + by];
        if (next) this.open(next.dataset.tab);
    }

    press(event) {
        const by = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
        if (!by) return;
        event.preventDefault();
        this.move(by);
        this.tabs.find(({ dataset }) => dataset.tab === this.current).focus();
    }

    focusError(step) {
        const error = this.panel(step).querySelector(".d-error");
        const place = error.closest(".d-has-error, [data-error]") || error.parentElement;
        for (const details of this.panel(step).querySelectorAll("details:has(.d-error)")) details.open = true;
        const inputs = [...place.querySelectorAll("input, select, textarea")];
        const input = inputs.find((each) => each.tabIndex >= 0 && each.type !== "hidden" && each.getClientRects().length > 0);
        (input || error).focus();
        error.scrollIntoView({ block: "center" });
    }

    // Ticks the steps that are complete, and marks those with an error until something in them changes.
    refresh() {
        const complete = this.editor.complete();
        for (const tab of this.tabs) {
            const step = tab.dataset.tab;
            const state = this.errors.has(step) ? "error" : complete[step] ? "complete" : "";
            tab.dataset.state = state;
            tab.querySelector("[data-step-state]").textContent = { error: " (has an error)", complete: " (complete)" }[state] || "";
            const mark = tab.querySelector(".d-step-mark");
            mark.textContent = state === "complete" ? "✓" : state === "error" ? "!" : String(this.tabs.indexOf(tab) + 1);
        }
    }
}
