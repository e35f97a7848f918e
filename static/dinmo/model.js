// The model form: lists the tables of the selected source and the columns of the selected table or query.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const role = (name) => document.querySelector(`[data-role=${name}]`);
    const [source, table, key] = [role("source"), role("table"), role("primary-key")];
    const sql = document.getElementById("id_sql");
    if (!table) return;
    const shapes = [...document.querySelectorAll("input[name=shape]")];
    const shape = () => shapes.find((input) => input.checked)?.value || "table";
    const sourceId = () => source?.value || table.dataset.source || "";
    const problem = screens.element("div", { class: "d-note d-note-bad", hidden: true, role: "alert" });
    const sample = screens.element("div", { "aria-live": "polite", "data-sample": "" });
    const below = screens.element("div", { class: "d-below" }, problem, sample);
    let lastRequest = 0;
    let stop = () => {};
    const showProblem = (message) => {
        problem.textContent = message;
        problem.hidden = !message;
    };
    const rowOf = (input) => input.closest(".form-row, .field-row") || input.closest(".grow").parentElement;

    function showShape() {
        rowOf(table).hidden = shape() !== "table";
        rowOf(sql).hidden = shape() !== "sql";
        rowOf(shape() === "table" ? table : sql).after(below);
    }

    // Shows that the source is working, in place of the sample. Returns the number of the request, so that only the response to
    // the latest one is used.
    function startRequest() {
        stop();
        stop = screens.showWaiting(sample);
        sample.replaceChildren();
        return ++lastRequest;
    }

    async function loadTables() {
        const thisRequest = startRequest();
        const response = sourceId() ? await request("tables") : { tables: [] };
        if (thisRequest !== lastRequest) return;
        if (response.tables) screens.fill(table, response.tables.map((name) => ({ value: name, label: name })));
        loadColumns();
        if (response.problem) showProblem(response.problem);
    }

    async function loadColumns() {
        const wanted = shape() === "table" ? { table: table.value } : { sql: sql.value.trim() };
        const thisRequest = startRequest();
        showProblem("");
        if (!sourceId() || !Object.values(wanted)[0]) return stop();
        const [rows, columns] = await Promise.all([request("rows", wanted), key ? loadKey(wanted, thisRequest) : {}]);
        if (thisRequest !== lastRequest) return;
        stop();
        showProblem(columns.problem || rows.problem || "");
        if (rows.rows) sample.replaceChildren(...firstRows(rows));
    }

    async function loadKey(wanted, thisRequest) {
        const response = await request("columns", wanted);
        if (response.columns && thisRequest === lastRequest) fillKey(response.columns);
        return response;
    }

    async function request(endpoint, wanted) {
        return screens.request(`/api/sources/${sourceId()}/${endpoint}/`, wanted).catch((error) => ({ problem: error.message }));
    }

    function firstRows({ columns, rows }) {
        const summary = screens.element("p", { class: "d-muted" }, rows.length ? "First rows:" : "No rows.");
        return rows.length ? [summary, screens.table(columns, rows)] : [summary];
    }

    function fillKey(columns) {
        screens.fill(key, columns.map(({ name, type }) => ({ value: name, label: `${name} (${type})` })));
        const likelyKey = columns.find(({ name }) => name.toLowerCase() === "id");
        if (!key.value && likelyKey) key.value = likelyKey.name;
    }

    source?.addEventListener("change", loadTables);
    table.addEventListener("change", loadColumns);
    sql.addEventListener("change", loadColumns);
    shapes.forEach((input) => input.addEventListener("change", () => { showShape(); loadColumns(); }));
    showShape();
    loadTables();
});

// A relation points to a column of the model selected in its row. The primary key is preselected.
document.addEventListener("DOMContentLoaded", () => {
    const data = document.getElementById("columns-of-others");
    if (!data) return;
    const columns = JSON.parse(data.textContent);
    const models = "select[name^=relations-][name$=-to_model]";

    function fillColumns(model, current) {
        const column = document.getElementsByName(model.name.replace(/to_model$/, "to_column"))[0];
        const names = columns[model.value] || [];
        screens.fill(column, names.map((name) => ({ value: name, label: name })), current ?? column.value);
    }

    for (const model of document.querySelectorAll(models)) fillColumns(model);
    document.addEventListener("change", ({ target }) => { if (target.matches(models)) fillColumns(target, columns[target.value]?.[0] || ""); });
});
