// Schedules: presets, the inputs that a kind needs, the sentence, and the next runs in both time zones.
"use strict";

const viewerZone = Intl.DateTimeFormat().resolvedOptions().timeZone || "UTC";
const SCHEDULE_INPUTS = { interval: ["every", "unit"], cron: ["cron", "timezone"], weekly: ["days", "at", "timezone"] };

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
        for (const button of editor.place.querySelectorAll("[data-preset]")) button.addEventListener("click", () => this.add(button.dataset));
        this.refreshNote();
    }

    get present() {
        return [...this.list.children].filter((row) => !row.hidden);
    }

    input(row, name) {
        return row.querySelector(`[name$="-${name}"]`);
    }

    add({ preset, every = "", unit = "minutes", days = "", at = "" }) {
        const place = Number(this.total.value);
        const holder = document.createElement("ul");
        holder.innerHTML = this.template.innerHTML.replaceAll("__prefix__", String(place));
        const row = holder.firstElementChild;
        this.total.value = String(place + 1);
        this.list.append(row);
        Object.entries({ kind: preset, every, unit, at }).forEach(([name, value]) => { this.input(row, name).value = value; });
        const wanted = days.split(" ");
        for (const box of row.querySelectorAll("[name$='-days']")) box.checked = wanted.includes(box.value);
        const zone = this.input(row, "timezone");
        if ([...zone.options].some(({ value }) => value === viewerZone)) zone.value = viewerZone;
        this.prepare(row);
        this.editor.changed();
        this.input(row, "kind").focus();
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
        this.refresh(row);
        this.refreshNote();
    }

    refreshNote() {
        this.editor.place.querySelector("[data-no-schedule]").hidden = this.present.length > 0;
    }

    values(row) {
        const days = [...row.querySelectorAll("[name$='-days']:checked")].map((input) => input.value);
        return { ...Object.fromEntries(["kind", "every", "unit", "cron", "at", "timezone"].map((name) => [name, this.input(row, name).value])), days };
    }

    async refresh(row) {
        const values = this.values(row);
        for (const field of row.querySelectorAll("[data-field]")) {
            if (field.dataset.field !== "kind") field.hidden = !SCHEDULE_INPUTS[values.kind].includes(field.dataset.field);
        }
        const number = (this.latest.get(row) || 0) + 1;
        this.latest.set(row, number);
        const entered = { interval: values.every, cron: values.cron, weekly: values.days.length && values.at };
        let [text, next, bad] = ["", "", false];
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
        row.querySelector("[data-next]").textContent = next;
        row.dataset.sentence = bad ? "" : text;
        this.editor.steps?.refresh();
    }

    next({ times, timezone }) {
        const zone = timezone === "UTC" ? viewerZone : timezone;
        const runs = times.map((time) => timeIn(zone, time)).join(" · ");
        const yours = zone === viewerZone ? "" : ` In your time (${viewerZone}): ${times.map((time) => timeIn(viewerZone, time)).join(" · ")}.`;
        return `Next runs (${zone}): ${runs}.${yours}`;
    }

    get sentence() {
        return this.present.map((row) => row.dataset.sentence).filter(Boolean).join(" ") || "No schedule: you start it yourself.";
    }
}
