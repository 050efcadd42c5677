// The Pair view: what is served and how it does, live.

import { getJson, getText, Gone } from "./api.js";
import { sparkline } from "./chart.js";
import { lost } from "./connection.js";
import { h, number } from "./dom.js";
import { parseMetrics, share, total } from "./metrics.js";

const pollMilliseconds = 2000;
const shownRates = 60;

/** Makes the view in its section; it asks the server only while it is open. */
export function pairView(section, info, report) {
  let [timer, last, rates, isOpen] = [0, null, [], false];
  const live = h("div", { class: "tiles", role: "group", "aria-label": "Live figures" });
  const about = h("div", {});
  section.append(h("h2", {}, info.pair), about, h("h3", {}, "Now"), live);

  async function ask() {
    clearTimeout(timer);
    try {
      const samples = parseMetrics(await getText("metrics"));
      // A server that was started again may serve something else.
      if (last && total(samples, "vllm:generation_tokens_total") < last.tokens) showAbout(info = await getJson("info"));
      if (isOpen) showLive(samples, performance.now());
    } catch (fault) {
      if (fault instanceof Gone) lost(fault.message);
      else report(fault);
    }
    clearTimeout(timer);
    if (isOpen) timer = setTimeout(ask, pollMilliseconds);
  }

  function showAbout() {
    const weights = info.members.reduce((sum, member) => sum + member.weight_bytes, 0);
    const cache = info.members.reduce((sum, member) => sum + member.cache_bytes, 0);
    about.replaceChildren(
      h("div", { class: "table", tabindex: 0, role: "region", "aria-label": "Models" }, h("table", {},
        h("thead", {}, h("tr", {}, ["Model", "Device", "Numbers", "Weights", "Cache"].map(name => h("th", { scope: "col" }, name)))),
        h("tbody", {}, info.members.map(member => h("tr", {}, h("th", { scope: "row" }, member.name), h("td", {}, member.device),
          h("td", {}, member.dtype), h("td", {}, size(member.weight_bytes)), h("td", {}, size(member.cache_bytes))))))),
      h("dl", { class: "facts" }, [
        ["Memory", size(weights + cache)], ["Context", `${info.context_tokens} tokens`], ["Vocabulary", `${info.vocabulary_size} tokens`],
        ["Strengths", `${number(info.limits.min_strength)} to ${number(info.limits.max_strength)}`],
        ["β of training", info.options.beta ?? "not given"], ["Rewards", info.rewards.join(", ") || "none"],
        ["Speculation", info.options.speculation], ["Version", info.version.split("+")[0]],
      ].map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
  }

  function showLive(samples, now) {
    const tokens = total(samples, "vllm:generation_tokens_total");
    if (last && tokens >= last.tokens) rates = [...rates.slice(1 - shownRates), (tokens - last.tokens) / ((now - last.at) / 1000)];
    last = { tokens, at: now };
    const cache = total(samples, "vllm:kv_cache_usage_perc");
    const hits = share(total(samples, "vllm:prefix_cache_hits_total"), total(samples, "vllm:prefix_cache_queries_total"));
    const passes = share(total(samples, "dera_passes_per_token_sum"), total(samples, "dera_passes_per_token_count"));
    const right = share(total(samples, "vllm:spec_decode_num_accepted_tokens_total"),
      total(samples, "vllm:spec_decode_num_draft_tokens_total"));
    const first = share(total(samples, "vllm:time_to_first_token_seconds_sum"), total(samples, "vllm:time_to_first_token_seconds_count"));
    const rate = rates.at(-1) ?? 0;
    live.replaceChildren(
      tile("Tokens a second", number(rate, rate < 10 ? 1 : 0), `${tokens} in all`,
        sparkline(rates, `Tokens a second in the last ${rates.length * pollMilliseconds / 1000} seconds`)),
      tile("Running", number(total(samples, "vllm:num_requests_running")), `${total(samples, "vllm:num_requests_waiting")} waiting`),
      tile("Texts", number(total(samples, "vllm:request_success_total")), "generated so far"),
      tile("Cache in use", percent(cache), `of ${info.cache_tokens} tokens`, bar(cache)),
      tile("Prompts found in the cache", percent(hits), "of their tokens", bar(hits)),
      tile("Passes a token", passes === null ? "–" : number(passes), "over a model's weights"),
      tile("Right guesses", percent(right), "of the tokens guessed ahead", bar(right)),
      tile("First token after", first === null ? "–" : `${number(first * 1000, 0)} ms`, "on average"),
      tile("Back in the queue", number(total(samples, "vllm:num_preemptions_total")), "for lack of cache"));
  }

  showAbout();
  return {
    opened(open) {
      if (open === isOpen) return;
      isOpen = open;
      if (isOpen) ask();
      else clearTimeout(timer);
    },
  };
}

const tile = (name, value, note, drawing) =>
  h("div", { class: "tile" }, h("h4", {}, name), h("p", { class: "big" }, value), h("p", { class: "said" }, note), drawing);

const bar = part => h("div", { class: "meter", "aria-hidden": "true", vars: { part: `${(part ?? 0) * 100}%` } });

const percent = part => part === null ? "–" : `${number(part * 100, part < 0.1 ? 1 : 0)} %`;

/** Bytes in words. */
const size = bytes => bytes >= 2 ** 30 ? `${number(bytes / 2 ** 30)} GiB` : `${number(bytes / 2 ** 20, 1)} MiB`;
