// Schedules: presets, the inputs that a kind needs, the sentence, and the next runs in both time zones.
"use strict";

const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const SCHEDULE_INPUTS = {
    interval: ["every", "unit"],
    cron: ["cron", "timezone"],
    weekly: ["days", "at", "timezone"],
    after: ["after"],
    data_changed: ["every", "unit", "watch_column"],
};
const SCHEDULE_VALUES = ["purpose", "kind", "every", "unit", "cron", "at", "after", "watch_column", "timezone", "starts_at", "ends_at"];

function timeIn(zone, text) {
    const options = { timeZone: zone, weekday: "short", day: "numeric", month: "short", hour: "2-digit", minute: "2-digit", hour12: false };
    return new Intl.DateTimeFormat("en-GB", options).format(new Date(text));
}

class Schedules {
    constructor(editor) {
        this.editor = editor;
        this.list = editor.place.querySelector("[data-schedules]");
        this.template = editor.place.querySelector("[data-template=schedules]");
        this.total = editor.form.elements["schedules-TOTAL_FORMS"];
        this.latest = new WeakMap();
        for (const row of this.list.children) this.prepare(row);
        for (const button of editor.place.querySelectorAll("[data-preset]")) button.addEventListener("click", () => this.choose(button.dataset));
        editor.place.querySelector("[data-add-schedule]").addEventListener("click", () => this.add({ preset: "interval" }));
        this.refreshNote();
    }

    get present() {
        return [...this.list.children].filter((row) => !row.hidden);
    }

    input(row, name) {
        return row.querySelector(`[name$="-${name}"]`);
    }

    // With one schedule, a preset is a different answer to the same question. With several, it is one more.
    choose(preset) {
        const [only, ...more] = this.present;
        if (!only || more.length) return this.add(preset);
        this.fill(only, preset);
        this.refresh(only);
        this.editor.changed();
        this.input(only, "kind").focus();
    }

    add(preset) {
        const place = Number(this.total.value);
        const holder = document.createElement("ul");
        holder.innerHTML = this.template.innerHTML.replaceAll("__prefix__", String(place));
        const row = holder.firstElementChild;
        this.total.value = String(place + 1);
        this.list.append(row);
        this.fill(row, preset);
        this.prepare(row);
        this.editor.changed();
        this.input(row, "kind").focus();
    }

    fill(row, { preset, every = "", unit = "minutes", days = "", at = "" }) {
        Object.entries({ kind: preset, every, unit, at }).forEach(([name, value]) => { this.input(row, name).value = value; });
        const wanted = days.split(" ");
        for (const box of row.querySelectorAll("[name$='-days']")) box.checked = wanted.includes(box.value);
        const zone = this.input(row, "timezone");
        if ([...zone.options].some(({ value }) => value === viewerZone)) zone.value = viewerZone;
    }

    remove(row) {
        this.input(row, "DELETE").checked = true;
        row.hidden = true;
        this.refreshNote();
        this.editor.changed();
        this.editor.place.querySelector("[data-preset]").focus();
    }

    prepare(row) {
        if (this.input(row, "DELETE")?.checked) row.hidden = true;
        row.querySelector("[data-remove]").addEventListener("click", () => this.remove(row));
        for (const kind of ["input", "change"]) row.addEventListener(kind, () => this.refresh(row));
        row.querySelector("[data-bounds]").addEventListener("toggle", () => this.showInputs(row));
        this.refresh(row);
        this.refreshNote();
    }

    refreshNote() {
        const count = this.present.length;
        this.editor.place.querySelector("[data-no-schedule]").hidden = count > 0;
        this.editor.place.querySelector("[data-add-schedule]").hidden = !count;
        this.editor.place.querySelector("[data-replaces]").hidden = count !== 1;
    }

    values(row) {
        const days = [...row.querySelectorAll("[name$='-days']:checked")].map((input) => input.value);
        return { ...Object.fromEntries(SCHEDULE_VALUES.map((name) => [name, this.input(row, name).value])), days };
    }

    // The time zone is also that of the start and the end.
    showInputs(row) {
        const bounds = row.querySelector("[data-bounds]");
        const shown = [...SCHEDULE_INPUTS[this.input(row, "kind").value], "purpose", "kind", "starts_at", "ends_at", ...(bounds.open ? ["timezone"] : [])];
        for (const field of row.querySelectorAll("[data-field]")) field.hidden = !shown.includes(field.dataset.field);
    }

    async refresh(row) {
        const values = this.values(row);
        this.showInputs(row);
        const number = (this.latest.get(row) || 0) + 1;
        this.latest.set(row, number);
        const entered = { interval: values.every, cron: values.cron, weekly: values.days.length && values.at, after: values.after, data_changed: values.every };
        let [text, next, bad] = ["", [], false];
        if (entered[values.kind]) {
            try {
                const answer = await screens.request("/api/schedules/words/", values);
                [text, next] = [`${answer.words}.`, this.next(answer)];
            } catch (error) {
                [text, bad] = [error.message, true];
            }
        }
        if (number !== this.latest.get(row)) return;
        const words = row.querySelector("[data-words]");
        words.textContent = text;
        words.classList.toggle("d-problem", bad);
        row.querySelector("[data-next]").replaceChildren(...next);
        row.dataset.sentence = bad ? "" : text;
        this.editor.steps?.refresh();
    }

    // The next runs, each in the schedule's time zone, and in the viewer's if that differs.
    next({ times, next, timezone, note }) {
        const heading = document.createElement("p");
        heading.textContent = times.length ? `Next runs (${timezone}):` : note;
        const list = document.createElement("ol");
        list.className = "d-next-runs";
        const differs = timezone !== viewerZone;
        times.forEach((time, place) => {
            const item = document.createElement("li");
            item.textContent = next[place] + (differs ? ` (${timeIn(viewerZone, time)} in ${viewerZone})` : "");
            list.append(item);
        });
        const hint = document.createElement("p");
        hint.textContent = times.length ? note : "";
        return times.length ? [heading, list, ...(note ? [hint] : [])] : note ? [heading] : [];
    }

    get sentence() {
        return this.present.map((row) => row.dataset.sentence).filter(Boolean).join(" ") || "No schedule: you start it yourself.";
    }
}
