// Puts the page together.

import { getJson, Gone, Refused, hasKey } from "./api.js";
import { compareView } from "./compare.js";
import { setUpComposer } from "./composer.js";
import { back, onConnection, watchConnection } from "./connection.js";
import { curveView } from "./curve.js";
import { byId, h, roving } from "./dom.js";
import { setUpKeyDialog } from "./key.js";
import { pairView } from "./pair.js";
import { canRedo, canUndo, onSettings, readAddress, redo, remember, set, settings, undo } from "./settings.js";
import { tokensView } from "./tokens.js";
import { writeView } from "./write.js";

const tabs = [...document.querySelectorAll("[role=tab]")];
const views = {};

function report(fault) {
  const notice = byId("notice");
  notice.hidden = !fault;
  if (!fault) return;
  if (!(fault instanceof Refused || fault instanceof Gone || fault instanceof RangeError)) {
    console.error(fault);
    notice.textContent = `The page has a fault: ${fault.message}`;
    return;
  }
  const again = fault.retryAfter ? ` Try again in ${fault.retryAfter} s.` : "";
  notice.textContent = fault.message + again;
}

function showView() {
  if (!tabs.some(tab => tab.dataset.view === settings.view)) settings.view = "write";
  for (const tab of tabs) {
    const isOpen = tab.dataset.view === settings.view;
    tab.setAttribute("aria-selected", isOpen);
    tab.tabIndex = isOpen ? 0 : -1;
    byId(tab.dataset.view).hidden = !isOpen;
  }
  document.body.dataset.view = settings.view;
  for (const [name, view] of Object.entries(views)) view.opened?.(name === settings.view);
}

function showConnection(here, why, changed) {
  const place = byId("connection");
  place.className = `connection ${here ? "here" : "away"}`;
  place.textContent = here ? "Connected" : "Away";
  if (!here) report(new Gone(`${why} What is here stays, and goes on once the server is back.`));
  else if (changed) report(null);
}

function setUpKeys() {
  document.addEventListener("keydown", event => {
    const isTyping = event.target.matches("textarea, input:not([type=range], [type=checkbox], [type=radio])");
    if (event.key === "Escape" && !document.querySelector("dialog[open]")) views[settings.view]?.stop?.();
    if (isTyping || !(event.ctrlKey || event.metaKey) || event.key.toLowerCase() !== "z") return;
    event.preventDefault();
    if (event.shiftKey) redo();
    else undo();
  });
}

function showUndo() {
  byId("undo").disabled = !canUndo();
  byId("redo").disabled = !canRedo();
}

/** What the server says of itself, once it is there and, where it has keys, has been given one. */
async function readInfo() {
  for (;;) {
    try {
      return await getJson("info");
    } catch (fault) {
      if (fault instanceof Gone) await back();
      else if (fault instanceof Refused && fault.status === 401) await keyWanted();
      else throw fault;
    }
  }
}

/** Whoever has closed the dialog is asked again by a button. */
const keyWanted = () => new Promise(resolve => {
  const button = h("button", { type: "button", onclick: () => (byId("notice").hidden = true, resolve()) }, "Give a key");
  byId("notice").replaceChildren("This server needs an API key. ", button);
  byId("notice").hidden = false;
});

async function begin() {
  setUpKeyDialog();
  onConnection(showConnection);
  watchConnection();
  const isLinked = readAddress();
  showView();
  setUpComposer(() => views[settings.view]?.run?.());
  const info = await readInfo();
  byId("served").replaceChildren(h("strong", {}, info.pair), `${info.aligned.length > 1 ? `${info.aligned.length} aligned models` : ""}`,
    hasKey() ? "" : h("a", { href: "docs" }, "API reference"));
  if (!isLinked && info.pair === "stories") set({ prompt: "Lily lost her toy." });
  views.write = writeView(byId("write"), info.limits, report);
  views.compare = compareView(byId("compare"), info.limits, report);
  views.tokens = tokensView(byId("tokens"), info, report);
  views.curve = curveView(byId("curve"), info, report);
  views.pair = pairView(byId("pair"), info, report);
  showView();
  remember({});
  onSettings((names, restored) => {
    if (restored) report(null);
    if (names.includes("view")) showView();
    showUndo();
  });
  document.body.dataset.ready = "";
}

for (const tab of tabs) tab.addEventListener("click", () => set({ view: tab.dataset.view }));
roving(document.querySelector("[role=tablist]"), "[role=tab]");
document.querySelector("[role=tablist]").addEventListener("focusin", event => settings.view !== event.target.dataset.view
  && event.target.matches(":focus-visible") && event.target.click());
document.querySelector(".skip").addEventListener("click", event => {
  event.preventDefault();
  byId("main").focus();
});
byId("undo").addEventListener("click", undo);
byId("redo").addEventListener("click", redo);
window.addEventListener("hashchange", () => {
  // Somebody else's link, or one of the reader's own from before.
  location.reload();
});
setUpKeys();
begin().catch(report);
