// The Compare view: one prompt at several strengths with the same draws, in step, and where the texts part.

import { partsAgainst } from "./difference.js";
import { debounce, h, number, onceAFrame } from "./dom.js";
import { Generation } from "./generation.js";
import { baseRequest } from "./requests.js";
import { onSettings, remember, set, settings } from "./settings.js";

const mostColumns = 8;

/** Makes the view in its section. */
export function compareView(section, limits, report) {
  let generation = null;
  let columns = [];
  const start = h("button", { type: "button", class: "primary", onclick: () => run() }, "Stream");
  const stop = h("button", { type: "button", onclick: () => generation.stop(), hidden: true }, "Stop");
  const add = h("button", { type: "button", onclick: addColumn }, "Add a column");
  const samples = h("select", { id: "samples", onchange: () => set({ samples: Number(samples.value) }) },
    [1, 2, 3, 4].map(count => h("option", { value: count }, count)));
  const said = h("p", { class: "said", role: "status" });
  const row = h("div", { class: "columns", role: "region", "aria-label": "Columns", tabindex: 0 });
  section.append(
    h("div", { class: "bar" }, h("div", { class: "row" }, start, stop, add,
      h("span", { class: "inline" }, h("label", { for: "samples" }, "Samples a column"), samples)),
    h("p", { class: "legend" }, "Same draws in every column. ", h("span", { class: "first" }, "First difference"),
      " from the pinned column, ", h("span", { class: "new" }, "what else is new"), ".")),
    row, said);
  const draw = onceAFrame(show);
  const again = debounce(() => generation && run(), 400);

  onSettings((names, restored) => {
    if (names.includes("columns") || names.includes("samples") || names.includes("pinned")) layOut();
    if (names.includes("columns") || names.includes("samples")) again();
    if (restored?.output?.compare) [generation, restored] = [restored.output.compare, null];
    draw();
  });

  function addColumn() {
    const last = Math.max(...settings.columns);
    const next = [0, 0.5, 1, 1.5, 2, 2.5, 3].find(strength => !settings.columns.includes(strength)) ?? last + 0.5;
    set({ columns: [...settings.columns, Math.min(next, limits.max_strength)] });
    columns.at(-1).strength.focus();
  }

  function removeColumn(index) {
    const pinned = index < settings.pinned ? settings.pinned - 1 : index === settings.pinned ? 0 : settings.pinned;
    set({ columns: settings.columns.filter((_, other) => other !== index), pinned });
    columns[Math.min(index, columns.length - 1)].strength.focus();
  }

  function layOut() {
    const focused = columns.findIndex(column => column.strength === document.activeElement);
    columns = settings.columns.map((strength, index) => column(strength, index));
    // The pinned one stands first and stays where the others scroll by.
    const pinned = columns[settings.pinned] ?? columns[0];
    row.replaceChildren(pinned.element, ...columns.filter(other => other !== pinned).map(other => other.element));
    if (focused >= 0) columns[focused]?.strength.focus();
    add.disabled = settings.columns.length >= mostColumns;
    samples.value = settings.samples;
  }

  function column(strength, index) {
    const name = `Column ${index + 1}`;
    const isPinned = index === settings.pinned;
    const input = h("input", { type: "number", value: strength, step: 0.05, min: limits.min_strength, max: limits.max_strength,
      "aria-label": `${name}: strength`, onchange: () => input.value !== "" && input.checkValidity()
        && set({ columns: settings.columns.map((old, other) => other === index ? Number(input.value) : old) }) });
    const texts = Array.from({ length: settings.samples }, () => h("div", { class: "text" }));
    const pin = h("button", { type: "button", class: "plain", "aria-pressed": isPinned, "aria-label": `${name}: pin`,
      title: "Compare the others with this one", onclick: () => set({ pinned: index }) }, isPinned ? "◆" : "◇");
    const remove = settings.columns.length > 1 && h("button", { type: "button", class: "plain", "aria-label": `${name}: remove`,
      title: "Remove", onclick: () => removeColumn(index) }, "✕");
    const element = h("article", { class: isPinned ? "column pinned" : "column", "aria-label": `${name}, strength ${number(strength)}` },
      h("header", {}, h("span", { class: "lambda", "aria-hidden": "true" }, "λ"), input, pin, remove), texts);
    return { element, strength: input, texts };
  }

  async function run() {
    again.cancel();
    const mine = new Generation({ ...baseRequest(), n: settings.samples, alignment_sweep: settings.columns },
      () => generation === mine && draw());
    generation?.stop();
    generation = mine;
    report(null);
    draw();
    try {
      await mine.run();
    } catch (fault) {
      if (generation === mine) report(fault);
    }
    if (generation === mine) remember({ compare: mine });
  }

  function show() {
    const isRunning = generation?.isRunning ?? false;
    const hadFocus = [start, stop].includes(document.activeElement);
    start.hidden = isRunning;
    stop.hidden = !isRunning;
    if (hadFocus) (isRunning ? stop : start).focus();
    section.setAttribute("aria-busy", isRunning);
    const count = settings.samples;
    columns.forEach((column, index) => column.texts.forEach((place, sample) => {
      const choice = generation?.choices[index * count + sample];
      const text = generation?.textOf(index * count + sample) ?? "";
      const base = settings.pinned * count + sample;
      const parts = index === settings.pinned ? [[text, "same"]]
        : partsAgainst(generation?.textOf(base) ?? "", text, Boolean(generation?.choices[base]?.finish));
      place.replaceChildren(...parts.flatMap(([part, kind], at) => marked(at === 0 ? part.trimStart() : part, kind)),
        choice && !choice.finish && isRunning ? h("span", { class: "cursor" }) : "");
    }));
    said.textContent = !generation ? "Stream to see the columns write." : generation.waits
      ? `${generation.waits} The texts go on once it is back.` : isRunning ? "Streaming" : differences();
  }

  function differences() {
    const count = settings.samples;
    const apart = settings.columns.filter((_, index) => generation.textOf(index * count) !== generation.textOf(settings.pinned * count));
    return `Done, seed ${generation.seed}: ${apart.length} of ${settings.columns.length - 1} columns differ from the pinned one.`;
  }

  layOut();
  show();
  return { run, stop: () => generation?.stop() };
}

/** The space before what is marked is not. */
function marked(part, kind) {
  if (kind === "same") return [part];
  const text = part.trimStart();
  return [part.slice(0, part.length - text.length), h("span", { class: kind }, text)];
}
