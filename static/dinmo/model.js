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
    table.closest(".grow")?.append(problem);
    const sample = screens.element("div", { "aria-live": "polite", "data-sample": "" });
    let asked = 0;
    const say = (message) => {
        problem.textContent = message;
        problem.hidden = !message;
    };
    const rowOf = (input) => input.closest(".form-row, .field-row") || input.closest(".grow").parentElement;

    function show() {
        rowOf(table).hidden = shape() !== "table";
        rowOf(sql).hidden = shape() !== "sql";
        rowOf(shape() === "table" ? table : sql).querySelector(".grow")?.append(problem, sample);
    }

    async function loadTables() {
        say("");
        if (!sourceId()) return screens.fill(table, []);
        try {
            const { tables } = await screens.ask(`/api/sources/${sourceId()}/tables/`);
            screens.fill(table, tables.map((name) => ({ value: name, label: name })));
        } catch (error) {
            say(error.message);
        }
        loadColumns();
    }

    async function loadColumns() {
        const wanted = shape() === "table" ? { table: table.value } : { sql: sql.value.trim() };
        sample.replaceChildren();
        if (!sourceId() || !Object.values(wanted)[0]) return;
        say("");
        const mine = ++asked;
        screens.ask(`/api/sources/${sourceId()}/rows/`, wanted).then(
            ({ columns, rows }) => mine === asked && rows.length && sample.replaceChildren(screens.element("p", { class: "d-muted" }, "The first rows:"), screens.table(columns, rows)),
            () => {}, // What is wrong with it is said once, by the question for its columns.
        );
        if (!key) return;
        try {
            const { columns } = await screens.ask(`/api/sources/${sourceId()}/columns/`, wanted);
            screens.fill(key, columns.map(({ name, type }) => ({ value: name, label: `${name} (${type})` })));
            const usual = columns.find(({ name }) => name.toLowerCase() === "id");
            if (!key.value && usual) key.value = usual.name;
        } catch (error) {
            say(error.message);
        }
    }

    source?.addEventListener("change", loadTables);
    table.addEventListener("change", loadColumns);
    sql.addEventListener("change", loadColumns);
    shapes.forEach((input) => input.addEventListener("change", () => { show(); loadColumns(); }));
    show();
    loadTables();
});
