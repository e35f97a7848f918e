// A grid of choices with a search field: shows those that contain every word.
"use strict";

document.addEventListener("DOMContentLoaded", () => {
    const search = document.querySelector("[data-picks-search]");
    const picks = [...document.querySelectorAll("[data-picks] > li")];
    const none = document.querySelector("[data-picks-none]");
    if (!search) return;

    const show = () => {
        const words = search.value.toLowerCase().split(/\s+/).filter(Boolean);
        for (const pick of picks) pick.hidden = !words.every((word) => pick.textContent.toLowerCase().includes(word));
        none.hidden = picks.some((pick) => !pick.hidden);
    };
    search.addEventListener("input", show);
    // Something may have been typed before this script was loaded.
    if (search.value) show();
    search.addEventListener("keydown", (event) => {
        const shown = picks.filter((pick) => !pick.hidden);
        if (event.key === "Enter" && shown.length === 1) shown[0].querySelector("a").click();
    });
});
