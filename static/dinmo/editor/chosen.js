// The logo of what is chosen, and the row that a link to the editor asks for.
"use strict";

class ChosenLogos {
    constructor(editor) {
        this.slugs = JSON.parse(document.getElementById("editor-logos").textContent);
        for (const [name, select] of [["records", editor.data], ["destination", editor.destination]]) {
            select.addEventListener("change", () => this.show(name, select));
            this.show(name, select);
        }
    }

    show(name, select) {
        const slug = this.slugs[name][select.value];
        for (const logo of select.closest("[data-field]").querySelectorAll("[data-logo]")) logo.hidden = logo.dataset.logo !== slug;
    }
}

// Focuses the row of the attribute in the address, once the attributes are there. Only once, and in no refused form.
function focusWanted(editor) {
    const name = new URLSearchParams(location.search).get("field");
    if (!name || !editor.fields || !editor.columns || editor.wanted === name || editor.steps.errors.size) return;
    editor.wanted = name;
    if (editor.steps.current !== "mapping") return;
    const row = editor.rows.present.find((each) => editor.rows.input(each, "target").value === name);
    const match = editor.matchField.value === name ? editor.place.querySelector(".d-match") : null;
    const place = row || match;
    if (!place) return;
    place.classList.add("d-wanted");
    const inputs = [...place.querySelectorAll("[name$=-column], [name$=-fixed], [name$=-template], #id_match_column")];
    inputs.find((input) => input.getClientRects().length > 0)?.focus({ preventScroll: true });
    place.scrollIntoView({ block: "center" });
}
