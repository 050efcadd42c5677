// The Curve view: rewards, KL and length against strength, point by point as they come, or from a saved sweep.

import { post, Gone } from "./api.js";
import { chart } from "./chart.js";
import { back, lost } from "./connection.js";
import { h, number, onceAFrame } from "./dom.js";
import { messages, pathOf, samplingOptions } from "./requests.js";
import { bestOf, pointOf, readSweep } from "./results.js";
import { onSettings, set, settings } from "./settings.js";

const mostStrengths = 32;
const mostRewards = 16;

/** Of a chart and between charts, in pixels, as in the style sheet. */
const [leastWidth, gap, padding] = [300, 20, 32];

/** Requests under way at once: while one is on its way to a far server another one is computed. */
const atOnce = 2;

/** Makes the view in its section. */
export function curveView(section, info, report) {
  let [points, range, ended, asked, source] = [[], null, null, 0, null];
  const rewards = info.rewards.slice(0, mostRewards);
  const fields = [["curve_from", "From λ", 0.1], ["curve_to", "to", 0.1], ["curve_step", "by", 0.1], ["curve_samples", "Samples", 1]];
  const inputs = Object.fromEntries(fields.map(([name, , step]) => [name, numberField(name, step)]));
  inputs.beta = h("input", { type: "number", id: "beta", min: 0, step: "any", placeholder: "unknown",
    oninput: () => set({ beta: inputs.beta.value }) });
  const prompts = h("textarea", { id: "curve-prompts", rows: 3, placeholder: "one a line; none: the prompt above or beside",
    oninput: () => set({ curve_prompts: prompts.value }) });
  const start = h("button", { type: "button", class: "primary", onclick: () => run() }, "Measure");
  const stop = h("button", { type: "button", onclick: () => ended.abort(), hidden: true }, "Stop");
  const file = h("input", { type: "file", id: "sweep-file", class: "hidden", accept: ".jsonl,.csv", onchange: open });
  const said = h("p", { class: "said", role: "status" });
  const best = h("div", { class: "best" });
  const charts = h("div", { class: "charts" });
  const table = h("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Points" });
  section.append(
    h("div", { class: "bar" },
      h("div", { class: "row fields" }, fields.map(([name, label]) => h("div", {}, h("label", { for: name }, label), inputs[name])),
        h("div", {}, h("label", { for: "beta" }, "β of training"), inputs.beta)),
      h("label", { for: "curve-prompts" }, "Prompts"), prompts,
      h("div", { class: "row" }, start, stop, file, h("label", { for: "sweep-file", class: "button" }, "Open a sweep…")),
      rewards.length === 0 && h("p", { class: "legend" }, "This server has no rewards to measure (option --rewards): "
        + "what is drawn is the implicit reward, which knows no best strength.")),
    said, best, charts, table);
  const draw = onceAFrame(show);
  new ResizeObserver(draw).observe(charts);
  onSettings(names => names.length > 0 && showFields());

  function numberField(name, step) {
    const input = h("input", { type: "number", id: name, step, oninput: () => input.value !== "" && set({ [name]: Number(input.value) }) });
    return input;
  }

  function showFields() {
    for (const [name, input] of Object.entries(inputs))
      if (input !== document.activeElement) input.value = settings[name];
    if (prompts !== document.activeElement) prompts.value = settings.curve_prompts;
    if (settings.beta === "" && info.options.beta !== null && inputs.beta !== document.activeElement) inputs.beta.value = info.options.beta;
    draw();
  }

  function strengths() {
    const { curve_from: from, curve_to: to, curve_step: step } = settings;
    const [least, most] = [info.limits.min_strength, info.limits.max_strength];
    if (!(from >= least && to <= most && from < to)) throw new RangeError(`Strengths must rise and be from ${least} to ${most}.`);
    if (!(step > 0)) throw new RangeError("The step from strength to strength must be more than 0.");
    if (!(settings.curve_samples >= 1 && settings.curve_samples <= 32)) throw new RangeError("Samples must be from 1 to 32.");
    const count = Math.floor((to - from) / step + 1e-9) + 1;
    if (count > mostStrengths) throw new RangeError(`These are ${count} strengths; there may be ${mostStrengths}. Take a larger step.`);
    return Array.from({ length: count }, (_, index) => Number((from + index * step).toFixed(6)));
  }

  async function run() {
    let all;
    try {
      all = strengths();
    } catch (fault) {
      return report(fault);
    }
    report(null);
    const mine = ended = new AbortController();
    [points, range, asked, source] = [[], [all[0], all.at(-1)], all.length, null];
    draw();
    const left = [...all];
    const worker = async () => {
      while (left.length > 0) await measure(left.shift(), mine.signal);
    };
    try {
      await Promise.all(Array.from({ length: atOnce }, worker));
    } catch (fault) {
      mine.abort();
      if (fault.name !== "AbortError" && ended === mine) report(fault);
    }
    if (ended === mine) ended = null;
    draw();
  }

  async function measure(strength, signal) {
    const lines = settings.curve_prompts.split("\n").filter(line => line.trim());
    const conversations = lines.length > 0 ? lines.map(line => [{ role: "user", content: line }]) : [messages()];
    const bodies = settings.mode === "chat" ? conversations.map(one => ({ messages: one }))
      : [{ prompt: lines.length > 0 ? lines : settings.prompt }];
    const completions = [];
    for (const body of bodies) {
      const request = { ...body, max_tokens: settings.max_tokens, seed: settings.seed, n: settings.curve_samples, ...samplingOptions(),
        alignment_strength: strength, measures: true, ...(rewards.length > 0 ? { rewards } : {}) };
      const { choices } = await patiently(() => post(pathOf(request), request, signal), signal);
      completions.push(...choices.map(choice => ({
        kl: choice.measures.kl_sequence, tokens: choice.measures.tokens.length,
        rewards: rewards.length > 0 ? choice.rewards
          : { "implicit reward": choice.measures.implicit_reward ?? choice.measures.implicit_rewards?.[info.aligned[0]] },
      })));
    }
    if (signal.aborted) return;
    points = [...points, pointOf(strength, completions)].sort((one, other) => one.strength - other.strength);
    draw();
  }

  async function patiently(call, signal) {
    for (;;) {
      try {
        return await call();
      } catch (fault) {
        if (!(fault instanceof Gone)) throw fault;
        lost(fault.message);
        await back(signal);
      }
    }
  }

  async function open() {
    const [chosen] = file.files;
    if (!chosen) return;
    ended?.abort();
    try {
      points = readSweep(chosen.name, await chosen.text());
      [range, asked, source] = [[points[0].strength, points.at(-1).strength], points.length, chosen.name];
      report(null);
    } catch (fault) {
      report(fault);
    }
    file.value = "";
    draw();
  }

  function show() {
    const isRunning = ended !== null;
    const hadFocus = [start, stop].includes(document.activeElement);
    start.hidden = isRunning;
    stop.hidden = !isRunning;
    if (hadFocus) (isRunning ? stop : start).focus();
    section.setAttribute("aria-busy", isRunning);
    const names = [...new Set(points.flatMap(point => Object.keys(point.rewards)))];
    const isRanked = rewards.length > 0 || source !== null;
    const top = isRanked && names.length > 0 ? bestOf(points, names[0]) : null;
    said.textContent = points.length === 0 && !isRunning ? "" : isRunning ? `${points.length} of ${asked} strengths`
      : source ? `${source}: ${asked} strengths` : `${points.length} strengths measured`;
    best.replaceChildren(...(top && points.length > 1 ? recommendation(top, names[0], isRunning) : []));
    const columns = Math.max(1, Math.floor((charts.clientWidth + gap) / (leastWidth + gap)));
    charts.style.setProperty("--columns", columns);
    const width = Math.max(200, Math.floor((charts.clientWidth - (columns - 1) * gap) / columns) - padding);
    const drawn = points.length === 0 ? [] : [
      ...names.map(name => [name, "", point => point.rewards[name], isRanked ? bestOf(points, name)?.strength ?? null : null]),
      ["KL to the reference", "nats a text", point => point.kl, top?.strength ?? null],
      ["Length", "tokens", point => point.tokens, top?.strength ?? null],
    ];
    charts.replaceChildren(...drawn.map(([title, note, value, marked]) =>
      chart(title, note, points.map(point => ({ strength: point.strength, at: value(point) })), range, marked, width)));
    table.hidden = points.length === 0;
    table.replaceChildren(tableOf(points, names));
  }

  function recommendation(top, name, isRunning) {
    const beta = Number(inputs.beta.value);
    return [
      h("p", { class: "big" }, h("span", { class: "lambda" }, "λ"), ` ${number(top.strength)}`),
      h("p", {}, `${name} is highest there${isRunning ? " so far" : ""}: ${number(top.rewards[name].mean, 3)} `,
        h("small", {}, `(95 % interval ${number(top.rewards[name].low, 3)} to ${number(top.rewards[name].high, 3)})`)),
      beta > 0 && top.strength > 0 && h("p", {}, "To have that as one model, train once more at ",
        h("strong", {}, `β/λ = ${number(beta / top.strength, 4)}`)),
    ].filter(Boolean);
  }

  showFields();
  return { run, stop: () => ended?.abort(), opened: () => draw() };
}

function tableOf(points, names) {
  const cell = value => h("td", {}, value ? number(value.mean, 3) : "");
  return h("table", {}, h("thead", {}, h("tr", {}, ["λ", ...names, "KL", "tokens", "texts"].map(name => h("th", { scope: "col" }, name)))),
    h("tbody", {}, points.map(point => h("tr", {}, h("th", { scope: "row" }, number(point.strength)),
      names.map(name => cell(point.rewards[name])), cell(point.kl), cell(point.tokens), h("td", {}, point.completions)))));
}
