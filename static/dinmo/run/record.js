// The page of a record: copies a request or a response to the clipboard.

const COPIED_MS = 2000;

async function copy(button) {
    const text = document.getElementById(button.dataset.copy).textContent;
    const status = document.querySelector("[data-copied]");
    try {
        await navigator.clipboard.writeText(text);
        button.textContent = "Copied";
        status.textContent = "Copied.";
    } catch {
        button.textContent = "Select the text to copy it";
        status.textContent = "Your browser doesn't allow copying. Select the text instead.";
    }
    setTimeout(() => { button.textContent = "Copy"; status.textContent = ""; }, COPIED_MS);
}

for (const button of document.querySelectorAll("[data-copy]")) {
    button.addEventListener("click", () => copy(button));
}
