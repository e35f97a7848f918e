// What a page holds while it is built: its sentence and SQL at once, the first rows and how many when the source answers.
"use strict";

class Answer {
    // `base` is the address below which `said/` and `preview/` answer.
    constructor(place, base) {
        Object.assign(this, { place, base });
        this.page = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
        this.number = 0;
        this.result = place.querySelector("[data-result]");
        this.first = place.querySelector("[data-first]");
        this.sentence = place.querySelector("[data-sentence]");
        this.sql = place.querySelector("[data-sql]");
        place.querySelector("[data-copy]").addEventListener("click", (event) => this.copy(event.currentTarget));
        addEventListener("pagehide", () => this.number && this.post("/api/segments/preview/end/", { page: this.page, number: this.number + 1 }, { keepalive: true }));
    }

    post(url, body, more = {}) {
        const token = document.querySelector("[name=csrfmiddlewaretoken]").value;
        const headers = { Accept: "application/json", "Content-Type": "application/json", "X-CSRFToken": token };
        return fetch(url, { method: "POST", credentials: "same-origin", headers, body: JSON.stringify(body), ...more });
    }

    later(question) {
        clearTimeout(this.timer);
        this.mark([this.sentence, this.sql, this.result, this.first]);
        this.timer = setTimeout(() => this.ask(question()), 500);
    }

    // The number ends an earlier question in the source, not only here.
    async ask(question) {
        clearTimeout(this.timer);
        this.abort?.abort();
        this.place.hidden = false;
        this.mark([this.sentence, this.sql, this.result, this.first]);
        if (question.incomplete) return this.refuse(question.incomplete);
        const [mine, abort] = [++this.number, (this.abort = new AbortController())];
        const { body } = question;
        const asked = { ...body, page: this.page, number: mine, total: this.totalOf !== body.model };
        const stop = this.waiting(abort);
        try {
            const [said, found] = await Promise.all([this.say(body, abort, mine), this.json(`${this.base}preview/`, asked, abort)]);
            if (mine !== this.number || !said) return;
            if (found.total !== null) [this.total, this.totalOf] = [found.total, body.model];
            this.show(found);
        } catch (error) {
            if (mine === this.number && error.name !== "AbortError") this.note(error.message, "bad");
        } finally {
            stop();
        }
    }

    async say(body, abort, mine) {
        let said;
        try {
            said = await this.json(`${this.base}said/`, body, abort);
        } catch (error) {
            if (mine === this.number && error.name !== "AbortError") this.unsay();
            throw error;
        }
        if (mine !== this.number) return null;
        this.sentence.textContent = said.sentence;
        this.sql.hidden = false;
        this.mark([this.sentence, this.sql], false);
        this.sql.querySelector("code").textContent = said.sql;
        return said;
    }

    async json(url, body, abort) {
        let answer;
        try {
            answer = await this.post(url, body, { signal: abort.signal });
        } catch (error) {
            throw error.name === "AbortError" ? error : new Error("The server can't be reached. Try again.");
        }
        const data = await answer.json().catch(() => ({}));
        if (!answer.ok) throw new Error(data.message || data.detail || "That did not work. Try again.");
        return data;
    }

    // Says that the source is working, and lets a person stop it.
    waiting(abort) {
        const cancel = screens.element("button", { type: "button", class: "d-button d-small" }, "Stop");
        cancel.addEventListener("click", () => {
            abort.abort();
            this.post("/api/segments/preview/end/", { page: this.page, number: ++this.number });
            this.note("Stopped. Change a condition to count again.");
        });
        const stop = screens.waiting(this.result, cancel);
        this.place.setAttribute("aria-busy", "true");
        return () => {
            stop();
            if (this.abort === abort) this.place.removeAttribute("aria-busy");
        };
    }

    // What was true of other conditions than those on the page: shown as such until there is an answer.
    mark(parts, stale = true) {
        for (const part of parts) part.classList.toggle("d-stale", stale);
    }

    unsay() {
        this.sentence.textContent = "";
        this.sql.hidden = true;
    }

    refuse(message) {
        if (this.number) this.number++;
        this.unsay();
        this.note(message);
    }

    note(message, tone = "") {
        this.mark([this.result], false);
        this.first.replaceChildren();
        this.result.replaceChildren(tone ? screens.note(message, tone) : screens.element("p", { class: "d-muted" }, message));
    }

    show({ count, columns, rows, left_out: left = [] }) {
        const unread = `Not worked out here, as no condition asks about ${left.length === 1 ? "it" : "them"}: ${left.join(", ")}.`;
        this.mark([this.result, this.first], false);
        this.first.replaceChildren(...(rows.length ? [screens.table(columns, rows), ...(left.length ? [screens.element("p", { class: "d-muted" }, unread)] : [])] : []));
        if (count === undefined) return this.result.replaceChildren(screens.element("p", { class: "d-muted" }, rows.length ? "The first rows:" : "The model has no rows."));
        const share = this.total ? ` of ${this.total.toLocaleString("en")} (${this.percent(count)})` : "";
        const figure = screens.element("span", { class: "d-figure", "data-segment-count": "" }, count.toLocaleString("en"));
        this.result.replaceChildren(screens.element("p", {}, figure, ` ${count === 1 ? "row" : "rows"}${share}`));
    }

    percent(count) {
        const share = (100 * count) / this.total;
        return `${share > 0 && share < 1 ? "under 1" : share.toFixed(share < 10 && share % 1 ? 1 : 0)} %`;
    }

    async copy(button) {
        await navigator.clipboard.writeText(this.sql.querySelector("code").textContent);
        const label = button.lastChild;
        label.textContent = "Copied";
        setTimeout(() => { label.textContent = "Copy"; }, 1500);
    }
}
