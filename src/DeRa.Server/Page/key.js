// Asks for an API key, once, however many calls need one.

import { setKeyPrompt, tryKey, Gone } from "./api.js";
import { byId } from "./dom.js";

let asking = null;

/** Lets calls that need a key ask for it. */
export function setUpKeyDialog() {
  setKeyPrompt(wasRefused => asking ??= ask(wasRefused).finally(() => asking = null));
}

function ask(wasRefused) {
  const [dialog, form, input, wrong] = [byId("key-dialog"), byId("key-form"), byId("key"), byId("key-wrong")];
  wrong.textContent = wasRefused ? "The key that was given before is not accepted any more." : "";
  input.value = "";
  dialog.showModal();
  input.focus();
  return new Promise(resolve => {
    const leave = new AbortController();
    const end = given => {
      leave.abort();
      dialog.close();
      resolve(given);
    };
    form.addEventListener("submit", async event => {
      event.preventDefault();
      wrong.textContent = "";
      try {
        if (await tryKey(input.value.trim())) return end(true);
        wrong.textContent = "The server does not accept this key.";
      } catch (fault) {
        if (!(fault instanceof Gone)) throw fault;
        wrong.textContent = fault.message;
      }
      input.setAttribute("aria-invalid", "true");
      input.select();
    }, { signal: leave.signal });
    byId("key-cancel").addEventListener("click", () => end(false), { signal: leave.signal });
    dialog.addEventListener("cancel", () => end(false), { signal: leave.signal });
  });
}
