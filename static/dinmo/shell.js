// What Unfold leaves out, and no block of its templates can add: names of icons and of scrolled parts, and the system's theme.
"use strict";

// The content security policy refuses htmx's own style element, and no page has attributes that htmx would evaluate.
htmx.config.includeIndicatorStyles = false;
htmx.config.allowEval = false;

document.addEventListener("DOMContentLoaded", () => {
    hideIcons();
    nameScrolled();
    nameColumns();
    nameLinks();
    letScroll();
});

// Unfold looks at the system's theme only while a page is loaded. Setting the same theme again makes it look again.
matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
    const shell = Alpine.$data(document.documentElement);
    if (shell.adminTheme !== "auto") return;
    shell.adminTheme = "";
    shell.adminTheme = "auto";
});

// An icon is a word in a special font. Without this, a screen reader says “chevron right”.
function hideIcons(root = document) {
    for (const icon of root.querySelectorAll(".material-symbols-outlined:not([aria-hidden])")) {
        icon.setAttribute("aria-hidden", "true");
        const control = icon.closest("a, button");
        if (control && control.title && !control.hasAttribute("aria-label")) control.setAttribute("aria-label", control.title);
    }
}

// SimpleBar calls each part that it scrolls “scrollable content”. Landmarks of one name can't be told apart.
function nameScrolled() {
    const names = { "changelist-filter": "Filters", changelist: "Table" };
    const counted = {};
    for (const part of document.querySelectorAll("[data-simplebar]")) {
        const known = Object.keys(names).find((id) => part.closest(`#${id}`));
        const name = known ? names[known] : "Scrolled content";
        counted[name] = (counted[name] || 0) + 1;
        part.dataset.simplebarAriaLabel = counted[name] > 1 ? `${name} ${counted[name]}` : name;
    }
}

// The column of the buttons that delete a row has no title.
function nameColumns() {
    // On narrow screens, the title of its column stands before each value.
    for (const cell of document.querySelectorAll(".result-list [data-label]")) cell.dataset.label = cell.dataset.label.replace(/^./, (letter) => letter.toUpperCase());
    for (const head of document.querySelectorAll("thead th")) {
        if (!head.textContent.trim() && !head.querySelector("input")) {
            head.append(Object.assign(document.createElement("span"), { className: "d-hidden", textContent: "Actions" }));
        }
    }
}

// Links that open a menu of actions on a narrow screen have an icon only.
function nameLinks() {
    for (const link of document.querySelectorAll("a[href='#']")) {
        const words = link.cloneNode(true);
        for (const icon of words.querySelectorAll(".material-symbols-outlined")) icon.remove();
        if (!words.textContent.trim() && !link.hasAttribute("aria-label")) link.setAttribute("aria-label", "More actions");
    }
}

// A table that is wider than the screen scrolls by keyboard too. Some tables arrive after the page.
function letScroll() {
    const mark = () => {
        for (const frame of document.querySelectorAll(".d-scroll")) {
            if (frame.scrollWidth > frame.clientWidth) frame.tabIndex = 0;
            else if (!frame.hasAttribute("role")) frame.removeAttribute("tabindex");
        }
    };
    let asked = 0;
    const later = () => { cancelAnimationFrame(asked); asked = requestAnimationFrame(mark); };
    window.addEventListener("resize", later);
    new MutationObserver(later).observe(document.getElementById("main") || document.body, { childList: true, subtree: true });
    mark();
}
