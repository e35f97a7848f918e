// The page of a run: keeps opened details open while it is refreshed, and opens a record by a click on its row.

const opened = new Set();

document.addEventListener("toggle", (event) => {
    const name = event.target.dataset?.keepOpen;
    if (!name) return;
    if (event.target.open) opened.add(name);
    else if (event.target.isConnected) opened.delete(name);
}, true);

document.addEventListener("htmx:afterSwap", () => {
    for (const details of document.querySelectorAll("[data-keep-open]")) {
        if (opened.has(details.dataset.keepOpen)) details.open = true;
    }
});

document.addEventListener("click", (event) => {
    const row = event.target.closest("tr[data-page]");
    if (!row || event.target.closest("a, button") || window.getSelection()?.toString()) return;
    window.location.assign(row.dataset.page);
});
