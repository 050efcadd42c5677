// The strength slider: from a little before the reference model to well beyond the aligned one.

import { h, number } from "./dom.js";

const marks = [[0, "reference"], [1, "aligned"], [2, ""], [3, ""]];

/** Makes one. `moved` is called with each new strength; `range` holds the server's limits. */
export function strengthSlider(id, range, strength, moved) {
  const [min, max] = [Math.max(-0.5, range.min_strength), Math.min(3, range.max_strength)];
  const at = value => `${(Math.min(max, Math.max(min, value)) - min) / (max - min) * 100}%`;
  const input = h("input", { type: "range", id, min, max, step: 0.05,
    oninput: () => { show(Number(input.value)); moved(Number(input.value)); } });
  const output = h("span", { class: "strength", "aria-hidden": "true" });
  const track = h("div", { class: "track" }, input,
    h("div", { class: "marks", "aria-hidden": "true" }, marks.filter(([value]) => value >= min && value <= max).map(([value, name]) =>
      h("span", { vars: { at: at(value) }, class: name && "named" }, number(value), name && h("small", {}, name)))));
  const element = h("div", { class: "slider" },
    h("label", { for: id }, h("span", { class: "lambda" }, "λ"), h("span", { class: "hidden" }, " strength")), output, track);

  function show(value) {
    input.value = value;
    output.textContent = number(value);
    input.setAttribute("aria-valuetext", `${number(value)}, ${meaning(value)}`);
    track.style.setProperty("--value", at(value));
    track.style.setProperty("--zero", at(0));
  }
  show(strength);
  return { element, input, show };
}

/** What a strength does, in a few words. */
export function meaning(strength) {
  if (strength < 0) return "away from the aligned model";
  if (strength === 0) return "the reference model";
  if (strength < 1) return "between the models";
  if (strength === 1) return "the aligned model";
  return "beyond the aligned model";
}
