// The preview below a builder. The sentence and the SQL appear immediately, the rows once the source responds.
"use strict";

class Answer {
    // `base` is the URL of the endpoints `said/` and `preview/`.
    constructor(place, base) {
        Object.assign(this, { place, base });
        this.page = crypto.randomUUID ? crypto.randomUUID() : `${Date.now()}-${Math.random()}`;
        this.number = 0;
        this.result = place.querySelector("[data-result]");
        this.firstRows = place.querySelector("[data-first]");
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

    // Requests a preview after a pause in typing.
    schedule(makeRequest) {
        clearTimeout(this.timer);
        this.markStale([this.sentence, this.sql, this.result, this.firstRows]);
        this.timer = setTimeout(() => this.load(makeRequest()), 500);
    }

    // A higher `number` cancels earlier requests of the page in the source, not only in the browser.
    async load({ incomplete, body }) {
        clearTimeout(this.timer);
        this.abort?.abort();
        this.place.hidden = false;
        this.markStale([this.sentence, this.sql, this.result, this.firstRows]);
        if (incomplete) return this.showHint(incomplete);
        const [thisRequest, abort] = [++this.number, (this.abort = new AbortController())];
        const previewBody = { ...body, page: this.page, number: thisRequest, total: this.totalModel !== body.model };
        const stop = this.showWaiting(abort);
        try {
            const [sentence, preview] = await Promise.all([this.loadSentence(body, abort, thisRequest), this.json(`${this.base}preview/`, previewBody, abort)]);
            if (thisRequest !== this.number || !sentence) return;
            if (preview.total !== null) [this.total, this.totalModel] = [preview.total, body.model];
            this.show(preview);
        } catch (error) {
            if (thisRequest === this.number && error.name !== "AbortError") this.note(error.message, "bad");
        } finally {
            stop();
        }
    }

    async loadSentence(body, abort, thisRequest) {
        let response;
        try {
            response = await this.json(`${this.base}said/`, body, abort);
        } catch (error) {
            if (thisRequest === this.number && error.name !== "AbortError") this.clearSentence();
            throw error;
        }
        if (thisRequest !== this.number) return null;
        this.sentence.textContent = response.sentence;
        this.sql.hidden = false;
        this.markStale([this.sentence, this.sql], false);
        this.sql.querySelector("code").textContent = response.sql;
        return response;
    }

    async json(url, body, abort) {
        let response;
        try {
            response = await this.post(url, body, { signal: abort.signal });
        } catch (error) {
            throw error.name === "AbortError" ? error : new Error("Can't reach the server. Try again.");
        }
        const data = await response.json().catch(() => ({}));
        if (!response.ok) throw new Error(data.message || data.detail || "The request failed. Try again.");
        return data;
    }

    // Shows that the source is working, with a button that cancels the query.
    showWaiting(abort) {
        const cancel = screens.element("button", { type: "button", class: "d-button d-small" }, "Stop");
        cancel.addEventListener("click", () => {
            abort.abort();
            this.post("/api/segments/preview/end/", { page: this.page, number: ++this.number });
            this.note("Stopped. Change a condition to run the preview again.");
        });
        const stop = screens.showWaiting(this.result, cancel);
        this.place.setAttribute("aria-busy", "true");
        return () => {
            stop();
            if (this.abort === abort) this.place.removeAttribute("aria-busy");
        };
    }

    // Grays out results that belong to earlier conditions, until the new ones arrive.
    markStale(parts, stale = true) {
        for (const part of parts) part.classList.toggle("d-stale", stale);
    }

    clearSentence() {
        this.sentence.textContent = "";
        this.sql.hidden = true;
    }

    // Shows what is still missing instead of a preview. The new number makes pending responses outdated.
    showHint(message) {
        if (this.number) this.number++;
        this.clearSentence();
        this.note(message);
    }

    note(message, tone = "") {
        this.markStale([this.result], false);
        this.firstRows.replaceChildren();
        this.result.replaceChildren(tone ? screens.note(message, tone) : screens.element("p", { class: "d-muted" }, message));
    }

    show({ count, columns, rows, left_out: leftOut = [] }) {
        const leftOutNote = `Not calculated in this preview, because no condition uses ${leftOut.length === 1 ? "it" : "them"}: ${leftOut.join(", ")}.`;
        this.markStale([this.result, this.firstRows], false);
        this.firstRows.replaceChildren(...(rows.length ? [screens.table(columns, rows), ...(leftOut.length ? [screens.element("p", { class: "d-muted" }, leftOutNote)] : [])] : []));
        if (count === undefined) return this.result.replaceChildren(screens.element("p", { class: "d-muted" }, rows.length ? "First rows:" : "The model has no rows."));
        const share = this.total ? ` of ${this.total.toLocaleString("en")} (${this.percent(count)})` : "";
        const figure = screens.element("span", { class: "d-figure", "data-segment-count": "" }, count.toLocaleString("en"));
        this.result.replaceChildren(screens.element("p", {}, figure, ` ${count === 1 ? "row" : "rows"}${share}`));
    }

    percent(count) {
        const share = (100 * count) / this.total;
        return `${share > 0 && share < 1 ? "under 1" : share.toFixed(share < 10 && share % 1 ? 1 : 0)}%`;
    }

    async copy(button) {
        await navigator.clipboard.writeText(this.sql.querySelector("code").textContent);
        const label = button.lastChild;
        label.textContent = "Copied";
        setTimeout(() => { label.textContent = "Copy"; }, 1500);
    }
}
