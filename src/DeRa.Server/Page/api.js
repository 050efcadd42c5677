// Calls the server's API. The key lives here and in the tab's session storage; it is in no address.

const storageName = "dera-key";
let key = sessionStorage.getItem(storageName);
let askForKey = null;

/** The server refused a request. */
export class Refused extends Error {
  constructor(status, error, retryAfter) {
    super(error?.message ?? `The server responded with status ${status}.`);
    this.status = status;
    this.param = error?.param ?? null;
    this.retryAfter = retryAfter;
  }
}

/** The server cannot be reached, is loading, or went away in the middle of a response. */
export class Gone extends Error {}

export const hasKey = () => key !== null;

/** Says what asks for a key: called with whether one was refused, resolves with one, or null. */
export const setKeyPrompt = prompt => askForKey = prompt;

/** Whether the server takes a key; it is kept where it does. */
export async function tryKey(candidate) {
  // Of what cannot be in a header no server has ever made a key.
  if (!/^[\x21-\x7e]+$/.test(candidate)) return false;
  const response = await send("v1/models", { headers: { authorization: `Bearer ${candidate}` } });
  if (response.status === 401) return false;
  key = candidate;
  sessionStorage.setItem(storageName, key);
  return true;
}

async function send(path, options) {
  try {
    return await fetch(new URL(path, document.baseURI), { cache: "no-store", ...options });
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Gone("The server cannot be reached.");
  }
}

async function call(path, options) {
  for (;;) {
    const headers = { ...options.headers };
    if (key !== null) headers.authorization = `Bearer ${key}`;
    const used = key;
    const response = await send(path, { ...options, headers });
    if (response.ok) return response;
    const error = await response.json().then(body => body.error, () => null);
    if (response.status === 401 && askForKey) {
      // Another call may have asked meanwhile.
      if (key !== used || await askForKey(used !== null)) continue;
    }
    const again = Number(response.headers.get("retry-after")) || null;
    if (response.status === 503) throw new Gone(error?.message ?? "The server takes no requests now.");
    throw new Refused(response.status, error, again);
  }
}

/** GET, as JSON. */
export const getJson = async path => (await call(path, {})).json();

/** GET, as text. */
export const getText = async path => (await call(path, {})).text();

/** POST of JSON. */
export const post = async (path, body, signal) => (await call(path, jsonRequest(body, signal))).json();

const jsonRequest = (body, signal) =>
  ({ method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(body), signal });

/** POST of JSON whose response streams; each event is given to `take`. Throws `Gone` where it breaks off. */
export async function stream(path, body, signal, take) {
  const response = await call(path, jsonRequest({ ...body, stream: true }, signal));
  const reader = response.body.pipeThrough(new TextDecoderStream()).getReader();
  let text = "";
  for (;;) {
    const { value, done } = await read(reader);
    if (done) throw new Gone("The server went away in the middle of the text.");
    text += value;
    let end;
    while ((end = text.indexOf("\n\n")) >= 0) {
      const data = text.slice("data: ".length, end);
      text = text.slice(end + 2);
      if (data === "[DONE]") return;
      take(checked(JSON.parse(data)));
    }
  }
}

async function read(reader) {
  try {
    return await reader.read();
  } catch (fault) {
    if (fault.name === "AbortError") throw fault;
    throw new Gone("The server went away in the middle of the text.");
  }
}

/** A stream that has begun can only say in an event that it fails; a server that stops says so of all of them. */
function checked(event) {
  if (!event.error) return event;
  if (event.error.type === "overloaded_error")
    throw new Gone(event.error.message);
  throw new Refused(500, event.error, null);
}
