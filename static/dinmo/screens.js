// Shared behavior of all screens: requests, DOM helpers, confirmations and previews.
"use strict";

const screens = {
    // Fetches JSON. On failure, throws an Error with the message from the server.
    async request(url, body) {
        const options = { headers: { Accept: "application/json" }, credentials: "same-origin" };
        if (body !== undefined) {
            options.method = "POST";
            options.headers["Content-Type"] = "application/json";
            options.headers["X-CSRFToken"] = document.querySelector("[name=csrfmiddlewaretoken]").value;
            options.body = JSON.stringify(body);
        }
        let response;
        try {
            response = await fetch(url, options);
        } catch {
            throw new Error("Can't reach the server. Try again.");
        }
        const data = await response.json().catch(() => ({}));
        if (!response.ok) throw new Error(data.message || data.detail || "The request failed. Try again.");
        return data;
    },

    element(tag, attributes = {}, ...children) {
        const created = document.createElement(tag);
        for (const [name, value] of Object.entries(attributes)) {
            if (name in created && typeof value !== "string") created[name] = value;
            else created.setAttribute(name, value);
        }
        created.append(...children);
        return created;
    },

    // Fills a select. A current value that is not among the options stays selectable, marked as missing.
    fill(select, options, current = select.value, missing = "missing", currentLabel = current) {
        const placeholders = [...select.options].filter((option) => option.value === "");
        const known = new Set(options.map((option) => option.value));
        select.replaceChildren(...placeholders);
        for (const { value, label, disabled, title } of options) {
            const option = this.element("option", { value }, label);
            if (title) option.title = title;
            option.disabled = Boolean(disabled) && value !== current;
            select.append(option);
        }
        if (current && !known.has(current)) select.append(this.element("option", { value: current }, `${currentLabel} (${missing})`));
        select.value = current || "";
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

    // Shows how long the source has been working. Screen readers skip the counter, or they would announce every second.
    // Returns a function that removes the display.
    showWaiting(place, ...more) {
        const started = performance.now();
        const seconds = this.element("span", { "aria-hidden": "true" });
        const spin = this.element("span", { class: "d-spin", "aria-hidden": "true" });
        const bar = this.element("div", { class: "d-waiting" }, spin, "Reading from the source… ", seconds, ...more);
        const delay = setTimeout(() => { place.classList.remove("d-stale"); place.replaceChildren(bar); }, 300);
        const tick = setInterval(() => { seconds.textContent = `${Math.round((performance.now() - started) / 1000)} s`; }, 1000);
        return () => { clearTimeout(delay); clearInterval(tick); bar.remove(); };
    },

    note(message, tone) {
        return this.element("div", { class: `d-note d-note-${tone}`, role: "alert" }, message);
    },
};

// The server shows times in this zone.
{
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    if (zone && !document.cookie.split("; ").includes(`time_zone=${zone}`)) {
        document.cookie = `time_zone=${zone}; path=/; max-age=31536000; samesite=lax`;
    }
}

// Buttons act on the saved object, so they ask for confirmation if the form has unsaved changes.
let edited = false;
for (const kind of ["input", "change"]) {
    document.addEventListener(kind, (event) => {
        if (event.isTrusted && event.target.closest("form[id$=_form]")) edited = true;
    });
}

document.addEventListener("submit", (event) => {
    const question = event.target.dataset.confirm;
    if (question && !window.confirm(question)) event.preventDefault();
    const isAction = event.target.closest(".d-buttons");
    if (isAction && edited && !event.defaultPrevented && !window.confirm("Your unsaved changes on this page will be lost. Continue with the last saved version?")) event.preventDefault();
});

document.addEventListener("DOMContentLoaded", () => {
    for (const place of document.querySelectorAll("[data-preview]")) preparePreview(place);
    const services = document.querySelector("[data-services]");
    if (services) prepareServices(services);
});

// The preview button of a saved model.
function preparePreview(place) {
    const [button, result] = [place.querySelector("button"), place.querySelector("[data-result]")];
    button.addEventListener("click", async () => {
        button.disabled = true;
        result.replaceChildren(screens.element("p", { class: "d-muted" }, "Reading from the source…"));
        try {
            const { columns, rows } = await screens.request(place.dataset.preview);
            const summary = rows.length ? `First ${rows.length} rows:` : "No rows.";
            result.replaceChildren(screens.element("p", { class: "d-muted" }, summary), screens.table(columns, rows));
        } catch (error) {
            result.replaceChildren(screens.note(error.message, "bad"));
        }
        button.disabled = false;
    });
}

// A destination offers only the services of its connection's platform.
function prepareServices(services) {
    const connection = document.getElementById("id_connection");
    const load = async () => {
        if (!connection.value) return;
        try {
            const response = await screens.request(`/api/connections/${connection.value}/services/`);
            const options = response.services.map(({ service, label }) => ({ value: service, label }));
            const isValid = options.some(({ value }) => value === services.value);
            screens.fill(services, options, isValid ? services.value : options.length === 1 ? options[0].value : "");
        } catch {
            // Keep the list of all services. The server rejects one that does not match the connection.
        }
    };
    connection.addEventListener("change", load);
    load();
}
