// What the reference, the mixture and the aligned model say of a place in the text.

import { h, number } from "./dom.js";

/** Elements for a token with its three lists; `chosen` is called with another token to go on with. */
export function alternatives(token, place, isHeld, hasBeta, chosen) {
  if (!token) return [h("p", { class: "hint" },
    "Point at a token, or move among them with the arrow keys, to see the likeliest tokens of both models and the mixture.")];
  const figures = [["KL to reference", token.kl_to_reference, "nats"],
    ["implicit reward", token.implicit_reward, hasBeta ? "" : "nats, β unknown"], ["log-probability", token.logprob, ""]];
  return [
    h("h2", {}, h("span", { class: "number" }, `${place + 1}`), " ", h("q", {}, visible(token.token))),
    h("dl", {}, figures.map(([name, value, unit]) => h("div", {}, h("dt", {}, name),
      h("dd", {}, value === null || value === undefined ? "not known" : `${number(value, 3)} `, value !== null && h("small", {}, unit))))),
    h("p", { class: "hint" }, isHeld ? "Held. Choose a token to go on from there."
      : "Click the token to hold it; choose another to go on from it."),
    ...[["Reference", token.top_reference], ["Mixture", token.top_mixture], ["Aligned", token.top_aligned]].map(([name, list]) =>
      h("section", { class: name === "Mixture" ? "list mixture" : "list" }, h("h3", {}, name),
        h("ol", {}, (list ?? []).map(entry => row(entry, token, chosen))))),
  ];
}

function row(entry, token, chosen) {
  const probability = Math.exp(entry.logprob);
  const percent = probability >= 0.001 ? `${number(probability * 100, 1)} %` : "< 0.1 %";
  return h("li", {}, h("button", { type: "button", class: "alternative", "aria-current": entry.id === token.id ? "true" : null,
    vars: { part: `${probability * 100}%` }, onclick: () => chosen(entry) },
  h("span", {}, visible(entry.token)), h("span", { class: "percent" }, percent)));
}

/** Of white space something is to be seen. */
const visible = text => text.trim() === "" ? text.replaceAll("\n", "⏎").replaceAll(" ", "␣") || "∅" : text.trim();
