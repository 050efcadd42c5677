// The form beside all views: prompt or conversation, seed, sampling, schedule.

import { byId, h, number } from "./dom.js";
import { samplingOptions } from "./requests.js";
import { onSettings, set, settings } from "./settings.js";

const mostSeed = 1_000_000;

/** Binds the form to the settings, both ways. `submitted` is called on Ctrl+Enter. */
export function setUpComposer(submitted) {
  const form = byId("composer");
  form.addEventListener("input", event => read(event.target));
  form.addEventListener("submit", event => event.preventDefault());
  form.addEventListener("keydown", event => {
    if (event.key !== "Enter" || !(event.ctrlKey || event.metaKey)) return;
    event.preventDefault();
    submitted();
  });
  byId("reseed").addEventListener("click", () => set({ seed: Math.floor(Math.random() * mostSeed) }));
  onSettings(names => show(form, names));
  show(form, Object.keys(settings));
}

function read(field) {
  if (!(field.name in settings)) return;
  const standard = settings[field.name];
  if (field.type === "checkbox") set({ [field.name]: field.checked });
  else if (field.type === "radio") set({ [field.name]: field.value });
  else if (field.type !== "number") set({ [field.name]: field.value });
  else if (field.value === "" && typeof standard === "string") set({ [field.name]: "" });
  // A field that is empty for a moment, or out of range, keeps its last good value: it is outlined meanwhile.
  else if (field.value !== "" && field.checkValidity())
    set({ [field.name]: typeof standard === "string" ? field.value : Number(field.value) });
}

function show(form, names) {
  for (const field of form.elements) {
    if (!names.includes(field.name)) continue;
    const value = settings[field.name];
    if (field.type === "checkbox") field.checked = value;
    else if (field.type === "radio") field.checked = field.value === value;
    else if (field.value !== String(value) && !(field === document.activeElement && Number(field.value) === value)) field.value = value;
  }
  form.dataset.mode = settings.mode;
  byId("steps-fields").hidden = settings.schedule !== "steps";
  byId("ramp-fields").hidden = settings.schedule === "" || settings.schedule === "steps";
  byId("sampling-said").textContent = Object.entries(samplingOptions()).map(([name, value]) =>
    value === true ? "no end" : typeof value === "number" ? `${name.replaceAll("_", " ")} ${number(value)}` : name).join(", ");
  byId("schedule-said").textContent = settings.schedule === "" ? ""
    : settings.schedule === "steps" ? settings.steps : `${settings.ramp_start} → ${settings.ramp_end}`;
  if (names.includes("turns")) showTurns();
}

function showTurns() {
  byId("turns").replaceChildren(...settings.turns.map((turn, index) => h("li", { class: turn.role },
    h("strong", {}, turn.role === "user" ? "User" : "Answer"), h("p", {}, turn.content),
    turn.role === "user" && h("button", { type: "button", class: "plain", "aria-label": `Back to message ${index / 2 + 1}`,
      title: "Back to this message", onclick: () => set({ prompt: turn.content, turns: settings.turns.slice(0, index) }) }, "↩"))));
}
