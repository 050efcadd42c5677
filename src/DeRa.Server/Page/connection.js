// Whether the server is there. It is asked now and then, more often while it is away; who lost it waits here until it is back.

const calmMilliseconds = 10000;
const awayMilliseconds = 1000;

let isHere = true;
let timer = 0;
let waiting = [];
const listeners = [];

/** Calls with whether the server is there, and in words what it is doing, at every change. */
export const onConnection = listener => listeners.push(listener);

/** Begins to ask. */
export function watchConnection() {
  document.addEventListener("visibilitychange", () => document.hidden || ask());
  window.addEventListener("online", ask);
  ask();
}

/** A call has found that the server is not there. */
export function lost(why) {
  say(false, why);
  clearTimeout(timer);
  timer = setTimeout(ask, awayMilliseconds);
}

/** Resolves once the server is there; rejects as an aborted call where the signal says so. */
export function back(signal) {
  if (isHere) return Promise.resolve();
  return new Promise((resolve, reject) => {
    waiting.push(resolve);
    signal?.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
}

async function ask() {
  clearTimeout(timer);
  try {
    const response = await fetch(new URL("readyz", document.baseURI), { cache: "no-store" });
    if (response.ok) say(true, "");
    else say(false, waitingFor(await response.json()));
  } catch {
    say(false, "The server cannot be reached.");
  }
  clearTimeout(timer);
  timer = setTimeout(ask, isHere ? calmMilliseconds : awayMilliseconds);
}

function waitingFor(state) {
  if (state.status !== "loading") return `The server is not ready: ${state.status}.`;
  const loaded = Object.entries(state.loaded ?? {}).map(([model, part]) => `${model} ${Math.round(part * 100)} %`);
  return `The server is loading ${loaded.join(", ") || "its models"}.`;
}

function say(here, why) {
  const changed = here !== isHere;
  isHere = here;
  for (const listener of listeners) listener(here, why, changed);
  if (!here) return;
  const those = waiting;
  waiting = [];
  for (const resolve of those) resolve();
}
