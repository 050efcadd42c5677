// What the reader has set: one record that all views share. It is in the address behind '#', which no browser sends to a server,
// so that a link shows somebody else the same; and its past is kept for undo.

import { debounce } from "./dom.js";

const defaults = {
  view: "write", mode: "text", prompt: "", system: "", turns: [], strength: 1, seed: 1, max_tokens: 120,
  temperature: "", top_p: "", top_k: "", min_p: "", repetition_penalty: "", stop: "", ignore_eos: false,
  schedule: "", steps: "0: 0, 24: 2", ramp_start: 0, ramp_end: 2, ramp_tokens: 60,
  columns: [0, 0.5, 1, 2], pinned: 0, samples: 1, shade: "kl",
  curve_from: 0, curve_to: 3, curve_step: 0.5, curve_samples: 4, curve_prompts: "", beta: "",
};

const kept = 100;

/** The settings now. Change them with `set`. */
export const settings = { ...defaults };

const listeners = [];
// Some browsers refuse addresses that change with every letter.
const writeSoon = debounce(write, 150);

let past = [];
let future = [];
let present = null;

/** Calls with the names of what has changed, and whether undo has brought it back. */
export const onSettings = listener => listeners.push(listener);

/** Changes some of them. */
export function set(changes) {
  const names = Object.keys(changes).filter(name => !same(settings[name], changes[name]));
  if (names.length === 0) return;
  for (const name of names) settings[name] = changes[name];
  writeSoon();
  for (const listener of listeners) listener(names, null);
}

/** What was there before this moment can be had back with undo. `output` is what the view shows for these settings. */
export function remember(output) {
  const state = stateNow();
  if (present && present.state !== state) {
    past = [...past.slice(1 - kept), present];
    future = [];
  }
  present = { state, output: { ...present?.output, ...output } };
  for (const listener of listeners) listener([], null);
}

export const canUndo = () => past.length > 0 || isChanged();
export const canRedo = () => future.length > 0;

/** Goes one step back: first to what was shown last, where something has been set since. */
export function undo() {
  if (!canUndo()) return;
  if (isChanged()) {
    future.push({ state: stateNow(), output: null });
    restore(present);
  } else {
    future.push(present);
    restore(past.pop());
  }
}

/** Takes an undo back. */
export function redo() {
  if (!canRedo()) return;
  past.push(present);
  restore(future.pop());
}

/** Which view is open is no deed that anybody wants undone. */
const stateNow = () => JSON.stringify({ ...settings, view: undefined });

const isChanged = () => present !== null && present.state !== stateNow();

function restore(state) {
  present = state;
  const old = JSON.parse(state.state);
  const names = Object.keys(old).filter(name => !same(settings[name], old[name]));
  for (const name of names) settings[name] = old[name];
  write();
  for (const listener of listeners) listener(names, { output: state.output });
}

/** Reads them from the address. True where it holds a prompt. */
export function readAddress() {
  const [view, query] = location.hash.slice(1).split("?");
  const said = new URLSearchParams(query);
  for (const [name, standard] of Object.entries(defaults)) settings[name] = said.has(name) ? parse(said.get(name), standard) : standard;
  if (view) settings.view = view;
  return said.has("prompt") || said.has("turns");
}

/** What of another type than expected stands in an address is not taken. */
function parse(text, standard) {
  if (typeof standard === "string") return text;
  try {
    const value = JSON.parse(text);
    return typeof value === typeof standard && Array.isArray(value) === Array.isArray(standard) && value !== null ? value : standard;
  } catch {
    return standard;
  }
}

function write() {
  const query = new URLSearchParams();
  for (const [name, standard] of Object.entries(defaults))
    if (name !== "view" && !same(settings[name], standard))
      query.set(name, typeof standard === "string" ? settings[name] : JSON.stringify(settings[name]));
  history.replaceState(null, "", `#${settings.view}${query.size ? `?${query}` : ""}`);
}

const same = (one, other) => JSON.stringify(one) === JSON.stringify(other);
