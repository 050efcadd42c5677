// The Tokens view: what each model and the mixture say of each token, and what would follow another one.

import { post } from "./api.js";
import { branch, drawTree, tokensWith } from "./branches.js";
import { debounce, h, number, onceAFrame, roving } from "./dom.js";
import { Generation } from "./generation.js";
import { messages, samplingOptions, scheduleOf } from "./requests.js";
import { onSettings, set, settings } from "./settings.js";
import { strengthSlider } from "./slider.js";
import { alternatives } from "./alternatives.js";

const listed = 5;

/** Shades are of this at least: texts in which the models agree stay light. */
const leastScale = { kl: 0.25, reward: 0.5 };

/** Makes the view in its section. */
export function tokensView(section, info, report) {
  let [root, shown, generation, prompt] = [null, null, null, null];
  // The token whose lists are shown, and whether it stays while the pointer is elsewhere.
  let [place, isHeld] = [null, false];
  const slider = strengthSlider("tokens-strength", info.limits, settings.strength, strength => {
    set({ strength, schedule: "" });
    again();
  });
  const start = h("button", { type: "button", class: "primary", onclick: () => run() }, "Stream");
  const stop = h("button", { type: "button", onclick: () => generation.stop(), hidden: true }, "Stop");
  const shades = [["kl", "KL to the reference"], ["reward", "implicit reward"]].map(([value, name]) =>
    h("label", {}, h("input", { type: "radio", name: "shade", value, onchange: () => set({ shade: value }) }), h("span", {}, name)));
  const scaleSaid = h("p", { class: "legend" });
  const paper = h("div", { class: "paper tokens", role: "group", "aria-label": "Tokens: arrow keys move among them" });
  const lists = h("aside", { class: "lists", "aria-label": "What the models say" });
  const tree = h("nav", { class: "branches", "aria-label": "Branches", hidden: true });
  const said = h("p", { class: "said", role: "status" });
  section.append(
    h("div", { class: "bar" }, slider.element, h("div", { class: "row" }, start, stop,
      h("fieldset", { class: "switch" }, h("legend", { class: "hidden" }, "Shade by"), shades)), scaleSaid),
    h("div", { class: "beside" }, h("div", {}, paper, said, tree), lists));
  const draw = onceAFrame(show);
  const again = debounce(() => root && run(), 400);

  roving(paper, ".token");
  for (const kind of ["mouseover", "focusin"]) paper.addEventListener(kind, event => point(event, kind === "focusin"));
  paper.addEventListener("click", event => hold(event));
  paper.addEventListener("keydown", event => (event.key === "Enter" || event.key === " ") && (event.preventDefault(), hold(event)));
  onSettings(names => {
    if (names.includes("strength")) slider.show(settings.strength);
    if (names.length > 0) draw();
  });

  function point(event, isFocus) {
    const at = placeOf(event.target);
    if (at === null || isHeld && !isFocus) return;
    // The focus comes back to a token whenever the text is drawn anew.
    if (at !== place) isHeld = false;
    place = at;
    showLists();
  }

  function hold(event) {
    const at = placeOf(event.target);
    if (at === null) return;
    isHeld = !(isHeld && place === at);
    place = at;
    showLists();
    if (event.type === "keydown") lists.querySelector("button")?.focus();
  }

  async function run() {
    again.cancel();
    generation?.stop();
    report(null);
    try {
      scheduleOf();
      prompt = (await post("tokenize", settings.mode === "chat" ? { messages: messages() } : { prompt: settings.prompt })).tokens;
    } catch (fault) {
      return report(fault);
    }
    root = branch(null, 0, [], settings.strength);
    [place, isHeld] = [null, false];
    await grow(root, []);
  }

  /** Streams what follows a branch's tokens, which are sent as they are: no text is encoded anew. */
  async function grow(node, before) {
    shown = node;
    const schedule = node === root ? scheduleOf() : null;
    const mine = new Generation({
      prompt: [...prompt, ...before.map(token => token.id)], max_tokens: Math.max(1, settings.max_tokens - before.length),
      seed: settings.seed, ...samplingOptions(), measures: { top: listed },
      ...(schedule ? { alignment_schedule: schedule } : { alignment_strength: node.strength }),
    }, () => {
      if (generation !== mine) return;
      node.tokens = [...before, ...(mine.choices[0]?.pieces.flatMap(piece => piece.tokens ?? []) ?? []).map(flat)];
      draw();
    });
    generation = mine;
    draw();
    try {
      await mine.run();
    } catch (fault) {
      if (generation === mine) report(fault);
    }
  }

  /** With several aligned models what the first of them says. */
  function flat(token) {
    const first = info.aligned[0];
    return token.tops_aligned ? { ...token, top_aligned: token.tops_aligned[first], logprob_aligned: token.logprobs_aligned[first],
      implicit_reward: token.implicit_rewards[first] } : token;
  }

  function goOn(at, alternative) {
    generation?.stop();
    const before = tokensWith(shown.tokens, at, alternative);
    const node = branch(shown, at, before, settings.strength);
    shown.children.push(node);
    [place, isHeld] = [at, true];
    report(null);
    grow(node, before);
    paper.querySelectorAll(".token")[at]?.focus();
  }

  function show() {
    const isRunning = generation?.isRunning ?? false;
    const hadFocus = [start, stop].includes(document.activeElement);
    start.hidden = isRunning;
    stop.hidden = !isRunning;
    if (hadFocus) (isRunning ? stop : start).focus();
    section.setAttribute("aria-busy", isRunning);
    for (const label of shades) label.firstChild.checked = label.firstChild.value === settings.shade;
    const tokens = shown?.tokens ?? [];
    const focused = paper.contains(document.activeElement) ? placeOf(document.activeElement) : null;
    const values = tokens.map(token => shadeOf(token) ?? 0);
    const scale = Math.max(leastScale[settings.shade], ...values.map(Math.abs));
    paper.replaceChildren(h("span", { class: "given" }, settings.mode === "chat" ? `${settings.prompt}\n\n` : settings.prompt),
      ...tokens.flatMap((token, at) => tokenSpan(token, at, values[at] / scale, at === (focused ?? place ?? 0))),
      isRunning ? h("span", { class: "cursor" }) : shown ? "" : h("span", { class: "hint" }, " Stream it, then point at a token."));
    if (focused !== null) paper.querySelectorAll(".token")[focused]?.focus();
    scaleSaid.replaceChildren(...legend(scale));
    tree.hidden = !root || root.children.length === 0;
    if (root) tree.replaceChildren(h("h2", {}, "Branches"), drawTree(root, shown, node => {
      [shown, place, isHeld] = [node, node.parent ? node.at : null, false];
      draw();
    }));
    said.textContent = !generation ? "" : generation.waits ? `${generation.waits} The text goes on once it is back.`
      : isRunning ? `Streaming, ${tokens.length} tokens`
      : `${tokens.length} tokens · KL to the reference ${number(sum(tokens, "kl_to_reference"))} nats · implicit reward ${
        number(sum(tokens, "implicit_reward"))}`;
    showLists();
  }

  /** A token, with the space before it outside. */
  function tokenSpan(token, at, weight, isTabStop) {
    const text = token.token.replaceAll("\n", "⏎\n");
    const word = text.trim() === "" ? text : text.replace(/^ +/, "");
    return [text.slice(0, text.length - word.length), h("span", {
      class: ["token", weight < 0 && "less", token.isChosen && "chosen"].filter(Boolean).join(" "), role: "button",
      tabindex: isTabStop ? 0 : -1, "data-at": at, vars: { weight: Math.sqrt(Math.abs(weight)).toFixed(3) },
      "aria-label": `${token.token.trim() || "line break"}, ${settings.shade === "kl" ? "KL" : "reward"} ${said3(shadeOf(token))}`,
    }, word)];
  }

  function showLists() {
    for (const token of paper.querySelectorAll(".token.shown")) token.classList.remove("shown");
    const token = place === null ? null : shown?.tokens[place];
    lists.replaceChildren(...alternatives(token, place, isHeld, info.options.beta !== null, alternative => goOn(place, alternative)));
    if (token) paper.querySelectorAll(".token")[place]?.classList.add("shown");
  }

  function legend(scale) {
    if (settings.shade === "kl") return ["0 ", h("span", { class: "ramp", "aria-hidden": "true" }), ` ${number(scale)} nats a token`];
    return [`−${number(scale)}: the aligned model likes it less `, h("span", { class: "ramp both", "aria-hidden": "true" }),
      ` ${number(scale)}: more`];
  }

  show();
  return { run, stop: () => generation?.stop() };
}

const shadeOf = token => settings.shade === "kl" ? token.kl_to_reference : token.implicit_reward;
const said3 = value => value === null || value === undefined ? "unknown" : number(value, 3);
const sum = (tokens, name) => tokens.reduce((total, token) => total + (token[name] ?? 0), 0);
const placeOf = element => element.closest?.(".token") ? Number(element.closest(".token").dataset.at) : null;
