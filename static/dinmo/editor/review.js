// The review page and the test with one record.
"use strict";

const POLL_MILLISECONDS = 700;

function button(text, act, primary = false) {
    const created = screens.element("button", { type: "button", class: `d-button${primary ? " d-primary" : ""}` }, text);
    created.addEventListener("click", async () => {
        created.disabled = true;
        await act();
        created.disabled = false;
    });
    return created;
}

class OneRecord {
    constructor(place) {
        const find = (name) => place.querySelector(`[data-${name}]`);
        Object.assign(this, { place, found: find("found"), preview: find("preview-request"), answered: find("answered"), input: place.querySelector("input[type=search]") });
        find("search").addEventListener("click", () => this.search());
        this.input.addEventListener("keydown", (event) => { if (event.key === "Enter") { event.preventDefault(); this.search(); } });
    }

    clear() {
        for (const part of [this.found, this.preview, this.answered]) part.replaceChildren();
    }

    async search() {
        this.clear();
        const text = this.input.value.trim();
        if (!text) return;
        const done = screens.showWaiting(this.found);
        try {
            const { records } = await screens.request(`${this.place.dataset.oneRecord}?q=${encodeURIComponent(text)}`);
            done();
            const list = records.map((record) => screens.element("li", { class: "d-facts" }, button(record.name || record.key, () => this.show(record)), screens.element("span", { class: "d-muted" }, [record.name ? record.key : "", record.match].filter(Boolean).join(" · "))));
            this.found.replaceChildren(records.length ? screens.element("ul", { class: "d-plainlist" }, ...list) : screens.element("p", { class: "d-muted" }, "No row matches. Try its key, or a part of its name."));
        } catch (error) {
            done();
            this.found.replaceChildren(screens.note(error.message, "bad"));
        }
    }

    async show(record) {
        this.answered.replaceChildren();
        this.preview.replaceChildren(screens.element("p", { class: "d-muted" }, "Preparing the request…"));
        try {
            const request = await screens.request(this.place.dataset.request, { key: record.key });
            const title = screens.element("h3", {}, request.name || record.name || record.key);
            if (!request.is_sent) {
                this.preview.replaceChildren(title, screens.note(`Nothing would be sent. ${request.reason}`, request.outcome === "unchanged" ? "good" : "warn"));
                return;
            }
            const send = button("Send this record", () => this.send(record), true);
            this.preview.replaceChildren(title, screens.element("p", { class: "d-muted" }, "This request would be sent:"), this.code(`${request.method} ${request.url}\n\n${request.body}`), send);
        } catch (error) {
            this.preview.replaceChildren(screens.note(error.message, "bad"));
        }
    }

    code(text) {
        return screens.element("pre", { class: "d-code", tabindex: "0" }, text);
    }

    async send(record) {
        this.answered.replaceChildren(screens.element("p", { class: "d-muted" }, "Sending…"));
        try {
            const { state } = await screens.request(this.place.dataset.send, { key: record.key });
            let answer = await screens.request(state);
            while (answer.live) {
                await new Promise((resolve) => { setTimeout(resolve, POLL_MILLISECONDS); });
                answer = await screens.request(state);
            }
            this.showAnswer(answer);
        } catch (error) {
            this.answered.replaceChildren(screens.note(error.message, "bad"));
        }
    }

    showAnswer({ outcome, is_accepted: accepted, message, web_url: url, page, label, exchange }) {
        const links = [screens.element("a", { class: "d-button", href: page }, "Open the run")];
        if (url) links.unshift(screens.element("a", { class: "d-button", href: url, rel: "noreferrer", target: "_blank" }, `Open in ${this.place.dataset.platform}`));
        const response = exchange ? [screens.element("p", { class: "d-muted" }, `Response: ${exchange.status}`), this.code(exchange.response || "No body.")] : [];
        this.answered.replaceChildren(screens.note([outcome || label, message].filter(Boolean).join(". "), accepted ? "good" : "bad"), ...response, screens.element("div", { class: "d-facts" }, ...links));
    }
}

// How many of the new records exist already is looked up at the destination, once the dry run has ended.
async function splitNew(place) {
    const status = place.querySelector("[data-split]");
    const url = place.dataset.new;
    delete place.dataset.new;
    try {
        const { counts, note } = await screens.request(url, {});
        const tile = ([label, number]) => screens.element("div", {}, screens.element("dt", { class: "d-muted" }, label), screens.element("dd", {}, number.toLocaleString("en-US")));
        for (const old of place.querySelectorAll("[data-replaced]")) old.remove();
        place.querySelector("[data-results]").prepend(...counts.filter(([, number]) => number).map(tile));
        status.textContent = note;
    } catch (error) {
        status.textContent = `${status.textContent} ${error.message}`;
    }
}

function prepareReview() {
    const place = document.querySelector("[data-review-run][data-new]");
    if (place) splitNew(place);
}

document.addEventListener("DOMContentLoaded", () => {
    for (const place of document.querySelectorAll("[data-one-record]")) new OneRecord(place);
    prepareReview();
});
document.addEventListener("htmx:afterSettle", prepareReview);
