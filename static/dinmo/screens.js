// Small behaviour for all screens: questions before harm, the chart of the first page, previews.
"use strict";

const screens = {
    // Fetches JSON; a refusal throws the message that the server gives in words.
    async ask(url, body) {
        const options = { headers: { Accept: "application/json" }, credentials: "same-origin" };
        if (body !== undefined) {
            options.method = "POST";
            options.headers["Content-Type"] = "application/json";
            options.headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
            options.body = JSON.stringify(body);
        }
        let answer;
        try {
            answer = await fetch(url, options);
        } catch {
            throw new Error("The server can't be reached. Try again.");
        }
        const data = await answer.json().catch(() => ({}));
        if (!answer.ok) throw new Error(data.message || data.detail || "That did not work. Try again.");
        return data;
    },

    element(tag, attributes = {}, ...children) {
        const made = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) {
            if (name in made && typeof value !== "string") made[name] = value;
            else made.setAttribute(name, value);
        }
        made.append(...children);
        return made;
    },

    // Fills a select; a present value that is not among the options stays, marked as missing.
    fill(select, options, present = select.value, missing = "missing", shown = present) {
        const first = [...select.options].filter((option) => option.value === "");
        const known = new Set(options.map((option) => option.value));
        select.replaceChildren(...first);
        for (const { value, label, disabled, title } of options) {
            const made = this.element("option", { value }, label);
            if (title) made.title = title;
            made.disabled = Boolean(disabled) && value !== present;
            select.append(made);
        }
        if (present && !known.has(present)) select.append(this.element("option", { value: present }, `${shown} (${missing})`));
        select.value = present || "";
    },

    table(columns, rows) {
        const cell = (value) => {
            if (value === null) return this.element("td", { class: "d-null" }, "empty");
            const text = typeof value === "string" ? value : JSON.stringify(value);
            return this.element("td", { title: text }, text);
        };
        const head = this.element("tr", {}, ...columns.map((name) => this.element("th", {}, name)));
        const body = rows.map((row) => this.element("tr", {}, ...row.map(cell)));
        const table = this.element("table", { class: "d-table" }, this.element("thead", {}, head), this.element("tbody", {}, ...body));
        return this.element("div", { class: "d-scroll" }, table);
    },

    // Shows in a place for how long the source has been working, without a word a second for those who listen. Returns what ends it.
    waiting(place, ...more) {
        const began = performance.now();
        const seconds = this.element("span", { "aria-hidden": "true" });
        const spin = this.element("span", { class: "d-spin", "aria-hidden": "true" });
        const bar = this.element("div", { class: "d-waiting" }, spin, "Reading from the source… ", seconds, ...more);
        const late = setTimeout(() => { place.classList.remove("d-stale"); place.replaceChildren(bar); }, 300);
        const tick = setInterval(() => { seconds.textContent = `${Math.round((performance.now() - began) / 1000)} s`; }, 1000);
        return () => { clearTimeout(late); clearInterval(tick); bar.remove(); };
    },

    note(message, tone) {
        return this.element("div", { class: `d-note d-note-${tone}`, role: "alert" }, message);
    },
};

// A button acts on what is saved: who has changed the form is asked first.
let edited = false;
for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
        if (event.isTrusted && event.target.closest("form[id$=_form]")) edited = true;
    });
}

document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
    const acts = event.target.closest(".d-buttons");
    if (acts && edited && !event.defaultPrevented && !window.confirm("What you changed on this page is not saved and will be lost. Go on with what was saved last?")) event.preventDefault();
});

document.addEventListener("DOMContentLoaded", () => {
    const canvas = document.querySelector("canvas[data-synced]");
    if (canvas) drawSynced(canvas, JSON.parse(document.getElementById("synced-per-day").textContent));
    for (const place of document.querySelectorAll("[data-preview]")) preparePreview(place);
    const services = document.querySelector("[data-services]");
    if (services) prepareServices(services);
});

function drawSynced(canvas, { labels, values }) {
    const style = getComputedStyle(document.documentElement);
    const [bar, text] = [style.getPropertyValue("--color-primary-600"), style.getPropertyValue("--color-base-500")];
    const grid = { color: "rgba(128, 128, 128, .15)" };
    new Chart(canvas, {
        type: "bar",
        data: { labels, datasets: [{ label: "Records accepted", data: values, backgroundColor: bar, borderRadius: 3, maxBarThickness: 18 }] },
        options: {
            maintainAspectRatio: false,
            animation: false,
            plugins: { legend: { display: false } },
            scales: {
                x: { display: true, grid: { display: false }, ticks: { display: true, color: text, maxRotation: 0, autoSkipPadding: 12 } },
                y: { display: true, beginAtZero: true, grid, ticks: { display: true, color: text, precision: 0 } },
            },
        },
    });
}

// A button that shows the first rows of a saved model.
function preparePreview(place) {
    const [button, result] = [place.querySelector("button"), place.querySelector("[data-result]")];
    button.addEventListener("click", async () => {
        button.disabled = true;
        result.replaceChildren(screens.element("p", { class: "d-muted" }, "Reading from the source…"));
        try {
            const { columns, rows } = await screens.ask(place.dataset.preview);
            const said = rows.length ? `The first ${rows.length} rows.` : "It has no rows.";
            result.replaceChildren(screens.element("p", { class: "d-muted" }, said), screens.table(columns, rows));
        } catch (error) {
            result.replaceChildren(screens.note(error.message, "bad"));
        }
        button.disabled = false;
    });
}

// A destination offers the services of its connection's platform only.
function prepareServices(services) {
    const connection = document.getElementById("id_connection");
    const load = async () => {
        if (!connection.value) return;
        try {
            const answer = await screens.ask(`/api/connections/${connection.value}/services/`);
            const offered = answer.services.map(({ service, label }) => ({ value: service, label }));
            const fits = offered.some(({ value }) => value === services.value);
            screens.fill(services, offered, fits ? services.value : offered.length === 1 ? offered[0].value : "");
        } catch {
            // The list of all services stays; the server refuses one that does not fit.
        }
    };
    connection.addEventListener("change", load);
    load();
}
