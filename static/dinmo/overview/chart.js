// The chart of records per day: created, updated and not accepted, stacked, in the colors of the theme.
"use strict";

const SERIES = [["created", "Created"], ["updated", "Updated"], ["not_sent", "Not accepted"]];

function colorsOf(element) {
    const style = getComputedStyle(element);
    return Object.fromEntries([...SERIES.map(([name]) => name), "text"].map((name) => [name, style.getPropertyValue(`--d-${name}`).trim()]));
}

function drawDays(canvas, days) {
    const colors = colorsOf(canvas);
    const grid = { color: "rgba(128, 128, 128, .15)" };
    const ticks = { display: true, color: colors.text };
    const datasets = SERIES.map(([name, label]) => ({ label, data: days[name], backgroundColor: colors[name], maxBarThickness: 18 }));
    return new Chart(canvas, {
        type: "bar",
        data: { labels: days.labels, datasets },
        options: {
            maintainAspectRatio: false,
            animation: false,
            interaction: { mode: "index", intersect: false },
            plugins: { legend: { display: false } },
            scales: {
                x: { display: true, stacked: true, grid: { display: false }, ticks: { ...ticks, maxRotation: 0, autoSkipPadding: 12 } },
                y: { display: true, stacked: true, beginAtZero: true, grid, ticks: { ...ticks, precision: 0 } },
            },
        },
    });
}

document.addEventListener("DOMContentLoaded", () => {
    const canvas = document.querySelector("canvas[data-days]");
    if (!canvas) return;
    const days = JSON.parse(document.getElementById("records-per-day").textContent);
    let chart = drawDays(canvas, days);
    // Chart.js takes its colors once, so they are taken again if the theme changes.
    const watch = new MutationObserver(() => {
        chart.destroy();
        chart = drawDays(canvas, days);
    });
    watch.observe(document.documentElement, { attributeFilter: ["class"] });
});
