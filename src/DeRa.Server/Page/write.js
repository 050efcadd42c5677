// The Write view: a text as it streams, and the strength beside it. Moved in mid-stream, the rest follows; moved afterwards, the text is
// streamed again with the same draws.

import { commonLength } from "./difference.js";
import { debounce, h, number, onceAFrame } from "./dom.js";
import { Generation } from "./generation.js";
import { writeRequest } from "./requests.js";
import { onSettings, remember, set, settings } from "./settings.js";
import { strengthSlider } from "./slider.js";
import { showCode } from "./snippets.js";

/** Keys that follow each other as fast as this are one movement. */
const gestureMilliseconds = 700;

const finishes = { stop: "ended by itself", length: "cut at the most tokens", cancelled: "stopped" };

/** Makes the view in its section. `report` shows what goes wrong. */
export function writeView(section, range, report) {
  let generation = null;
  let old = "";
  let gesture = null;
  const slider = strengthSlider("strength", range, settings.strength, moved);
  const start = h("button", { type: "button", class: "primary", onclick: () => run() }, "Stream");
  const stop = h("button", { type: "button", onclick: () => generation.stop(), hidden: true }, "Stop");
  const keep = h("button", { type: "button", onclick: keepText, disabled: true },
    h("span", { class: "wide" }, "Keep and go on"), h("span", { class: "narrow" }, "Keep"));
  const said = h("p", { class: "said", role: "status" });
  const paper = h("div", { class: "paper", role: "region", "aria-label": "Text" }, h("div"));
  section.append(
    h("div", { class: "bar" }, slider.element,
      h("div", { class: "row" }, start, stop, keep, h("button", { type: "button", class: "plain", onclick: copyCode },
        h("span", { class: "wide" }, "Copy as code"), h("span", { class: "narrow" }, "Code")))),
    paper, said);
  const draw = onceAFrame(() => show());
  const again = debounce(() => run(), 250);

  onSettings((names, restored) => {
    if (names.includes("strength")) slider.show(settings.strength);
    if (restored) {
      generation?.stop();
      again.cancel();
      generation = restored.output?.write ?? null;
      old = generation?.text ?? "";
    }
    if (restored || names.some(name => ["prompt", "mode", "turns", "system"].includes(name))) draw();
  });
  slider.input.addEventListener("pointerdown", () => gesture = { restarts: !generation?.isRunning, isHeld: true, at: 0 });
  slider.input.addEventListener("pointerup", () => gesture = null);

  /** A movement that begins while the text streams changes it; one that begins afterwards makes it anew, even once that has begun. */
  function moved(strength) {
    const now = performance.now();
    if (!gesture || !gesture.isHeld && now - gesture.at > gestureMilliseconds) gesture = { restarts: !generation?.isRunning };
    gesture.at = now;
    gesture.restarts ||= !generation?.isRunning;
    set({ strength, schedule: "" });
    if (!generation) return;
    if (generation.isRunning && !gesture.restarts) generation.change(strength);
    else again();
  }

  async function run() {
    again.cancel();
    let mine;
    try {
      mine = new Generation(writeRequest(), () => generation === mine && draw());
    } catch (fault) {
      return report(fault);
    }
    old = generation?.text ?? "";
    generation?.stop();
    generation = mine;
    report(null);
    draw();
    try {
      await mine.run();
    } catch (fault) {
      if (generation === mine) report(fault);
    }
    if (generation !== mine) return;
    remember({ write: mine });
    if (mine.cameTooLate) again();
  }

  function keepText() {
    const text = generation.text;
    generation = null;
    old = "";
    if (settings.mode === "text") set({ prompt: settings.prompt + text });
    else set({ prompt: "", turns: [...settings.turns, { role: "user", content: settings.prompt }, { role: "assistant", content: text }] });
    remember({ write: null });
    draw();
  }

  function copyCode() {
    try {
      showCode(writeRequest());
    } catch (fault) {
      report(fault);
    }
  }

  function show() {
    const isRunning = generation?.isRunning ?? false;
    // The focus is not lost with the button that had it.
    const hadFocus = [start, stop].includes(document.activeElement);
    start.hidden = isRunning;
    stop.hidden = !isRunning;
    if (hadFocus) (isRunning ? stop : start).focus();
    start.textContent = generation ? "Stream again" : "Stream";
    keep.disabled = isRunning || !generation?.text;
    section.setAttribute("aria-busy", isRunning);
    const given = settings.mode === "chat" ? chatBefore() : [h("span", { class: "given" }, settings.prompt)];
    paper.firstChild.replaceChildren(...given, answer());
    said.textContent = generation ? describe(generation) : "";
  }

  function answer() {
    const text = h(settings.mode === "chat" ? "div" : "span", { class: settings.mode === "chat" ? "message assistant" : "made" });
    if (!generation) {
      if (!settings.prompt && settings.turns.length === 0) text.append(h("span", { class: "hint" }, "Write something to begin with."));
      else text.append(h("span", { class: "hint" }, " Stream it, then move λ: 0 is the reference model, 1 the aligned one."));
      return text;
    }
    const whole = generation.text;
    const same = old ? commonLength(old, whole) : whole.length;
    text.append(...spans(generation, same));
    if (generation.isRunning) text.append(h("span", { class: "cursor" }));
    if (generation.isRunning && old.length > whole.length)
      text.append(h("span", { class: "ghost", "aria-hidden": "true" }, old.slice(whole.length)));
    return text;
  }
  show();
  return { run, stop: () => generation?.stop(), isRunning: () => generation?.isRunning ?? false };
}

/** The text in runs of one strength; what differs from the text before is marked from `same` on. */
function spans({ choices }, same) {
  const all = [];
  let [at, strength, run] = [0, null, null];
  for (const piece of choices[0]?.pieces ?? []) {
    if (strength !== null && piece.strength !== null && Math.abs(piece.strength - strength) >= 0.05) {
      all.push(h("span", { class: "change" }, `λ ${number(piece.strength)}`));
      run = null;
    }
    strength = piece.strength ?? strength;
    const old = Math.max(0, same - at);
    for (const [part, isNew] of [[piece.text.slice(0, old), false], [piece.text.slice(old), true]]) {
      if (!part) continue;
      if (run?.isNew !== isNew) all.push((run = { isNew, element: h("span", { class: isNew && "new" }) }).element);
      run.element.append(part);
    }
    at += piece.text.length;
  }
  return all;
}

function chatBefore() {
  const said = [...settings.turns, ...(settings.prompt ? [{ role: "user", content: settings.prompt }] : [])];
  return said.map(turn => h("div", { class: `message ${turn.role}` }, turn.content));
}

function describe(generation) {
  if (generation.waits) return `${generation.waits} The text goes on once it is back.`;
  const tokens = generation.usage?.completion_tokens ?? generation.choices[0]?.pieces.length ?? 0;
  if (generation.isRunning) return `Streaming, ${tokens} tokens`;
  const seconds = generation.milliseconds / 1000;
  const finish = finishes[generation.choices[0]?.finish] ?? "stopped";
  return `${tokens} tokens in ${number(seconds)} s · ${finish} · seed ${generation.seed ?? "?"}`;
}
