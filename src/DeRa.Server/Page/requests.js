// Makes requests of the settings: what is sent to the server and what snippets show are the same.

import { settings } from "./settings.js";

const sampling = ["temperature", "top_p", "top_k", "min_p", "repetition_penalty"];

/** The path that serves a prompt of the kind that is set. */
export const pathOf = body => body.messages ? "v1/chat/completions" : "v1/completions";

/** A request without a strength: prompt, length, seed, sampling. */
export function baseRequest() {
  const body = settings.mode === "chat" ? { messages: messages() } : { prompt: settings.prompt };
  body.max_tokens = settings.max_tokens;
  body.seed = settings.seed;
  return { ...body, ...samplingOptions() };
}

/** The sampling options that are set; those that are not are the server's. */
export function samplingOptions() {
  const options = {};
  for (const name of sampling) if (settings[name] !== "") options[name] = Number(settings[name]);
  if (settings.stop) options.stop = settings.stop.replaceAll("\\n", "\n");
  if (settings.ignore_eos) options.ignore_eos = true;
  return options;
}

/** The request of the Write view: at the strength that is set, or by the schedule. */
export function writeRequest() {
  const schedule = scheduleOf();
  return { ...baseRequest(), ...(schedule ? { alignment_schedule: schedule } : { alignment_strength: settings.strength }) };
}

/** The schedule that is set, or null. Throws where it cannot be read. */
export function scheduleOf() {
  if (!settings.schedule) return null;
  if (settings.schedule !== "steps")
    return { start: settings.ramp_start, end: settings.ramp_end, tokens: settings.ramp_tokens, shape: settings.schedule };
  return settings.steps.split(",").filter(part => part.trim()).map(part => {
    const [token, strength] = part.split(":").map(text => text.trim() === "" ? NaN : Number(text));
    if (!Number.isInteger(token) || !Number.isFinite(strength))
      throw new RangeError(`The schedule has '${part.trim()}'; each part must be a token's number and a strength, such as 24: 2.`);
    return [token, strength];
  });
}

/** The conversation that the next answer is for. */
export function messages() {
  return [
    ...(settings.system ? [{ role: "system", content: settings.system }] : []),
    ...settings.turns,
    ...(settings.prompt ? [{ role: "user", content: settings.prompt }] : []),
  ];
}
