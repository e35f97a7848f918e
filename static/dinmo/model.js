// The model form: tables of the chosen source, columns of the chosen table or query.
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
    let asked = 0;
    let stop = () => {};
    const say = (message) => {
        problem.textContent = message;
        problem.hidden = !message;
    };
    const rowOf = (input) => input.closest(".form-row, .field-row") || input.closest(".grow").parentElement;

    function show() {
        rowOf(table).hidden = shape() !== "table";
        rowOf(sql).hidden = shape() !== "sql";
        rowOf(shape() === "table" ? table : sql).after(below);
    }

    // Shows that the source is working, where the sample will stand. Returns the number of the question: only the newest is of interest.
    function wait() {
        stop();
        stop = screens.waiting(sample);
        sample.replaceChildren();
        return ++asked;
    }

    async function loadTables() {
        const mine = wait();
        const found = sourceId() ? await ask("tables") : { tables: [] };
        if (mine !== asked) return;
        if (found.tables) screens.fill(table, found.tables.map((name) => ({ value: name, label: name })));
        loadColumns();
        if (found.problem) say(found.problem);
    }

    async function loadColumns() {
        const wanted = shape() === "table" ? { table: table.value } : { sql: sql.value.trim() };
        const mine = wait();
        say("");
        if (!sourceId() || !Object.values(wanted)[0]) return stop();
        const [rows, columns] = await Promise.all([ask("rows", wanted), key ? loadKey(wanted, mine) : {}]);
        if (mine !== asked) return;
        stop();
        say(columns.problem || rows.problem || "");
        if (rows.rows) sample.replaceChildren(...firstRows(rows));
    }

    async function loadKey(wanted, mine) {
        const found = await ask("columns", wanted);
        if (found.columns && mine === asked) fillKey(found.columns);
        return found;
    }

    async function ask(what, wanted) {
        return screens.ask(`/api/sources/${sourceId()}/${what}/`, wanted).catch((error) => ({ problem: error.message }));
    }

    function firstRows({ columns, rows }) {
        const said = screens.element("p", { class: "d-muted" }, rows.length ? "The first rows:" : "It has no rows.");
        return rows.length ? [said, screens.table(columns, rows)] : [said];
    }

    function fillKey(columns) {
        screens.fill(key, columns.map(({ name, type }) => ({ value: name, label: `${name} (${type})` })));
        const usual = columns.find(({ name }) => name.toLowerCase() === "id");
        if (!key.value && usual) key.value = usual.name;
    }

    source?.addEventListener("change", loadTables);
    table.addEventListener("change", loadColumns);
    sql.addEventListener("change", loadColumns);
    shapes.forEach((input) => input.addEventListener("change", () => { show(); loadColumns(); }));
    show();
    loadTables();
});

// A relation points at a column of the model that is chosen in its row: the primary key, until another one is chosen.
document.addEventListener("DOMContentLoaded", () => {
    const listed = document.getElementById("columns-of-others");
    if (!listed) return;
    const columns = JSON.parse(listed.textContent);
    const models = "select[name^=relations-][name$=-to_model]";

    function offer(model, present) {
        const column = document.getElementsByName(model.name.replace(/to_model$/, "to_column"))[0];
        const names = columns[model.value] || [];
        screens.fill(column, names.map((name) => ({ value: name, label: name })), present ?? column.value);
    }

    for (const model of document.querySelectorAll(models)) offer(model);
    document.addEventListener("change", ({ target }) => { if (target.matches(models)) offer(target, columns[target.value]?.[0] || ""); });
});
