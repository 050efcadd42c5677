// A request as code, for what people have at hand. The key is never in it.

import { hasKey } from "./api.js";
import { byId, h } from "./dom.js";
import { pathOf } from "./requests.js";

/** What OpenAI's Python client has parameters for; the rest goes in its extra_body. */
const known = ["model", "messages", "prompt", "max_tokens", "seed", "temperature", "top_p", "stop", "n"];

const languages = { curl, Python: python, "C#": csharp, JavaScript: javascript };

let dialog = null;

/** Shows a request as code, to be copied. */
export function showCode(request) {
  dialog?.remove();
  const code = h("pre", { tabindex: 0, "aria-label": "Code" });
  const said = h("span", { role: "status", class: "said" });
  const choose = language => {
    code.textContent = languages[language](request, new URL(pathOf(request), document.baseURI).href);
    said.textContent = "";
    for (const tab of tabs) tab.setAttribute("aria-pressed", tab.textContent === language);
  };
  const tabs = Object.keys(languages).map(name => h("button", { type: "button", onclick: () => choose(name) }, name));
  const copy = h("button", { type: "button", class: "primary", onclick: async () => {
    said.textContent = await copied(code) ? "Copied." : "Selected: copy it with Ctrl+C.";
  } }, "Copy");
  dialog = h("dialog", { class: "code", "aria-label": "This request as code" },
    h("div", { class: "segments", role: "group", "aria-label": "Language" }, tabs), code,
    h("div", { class: "row end" }, said, copy, h("button", { type: "button", onclick: () => dialog.close() }, "Close")));
  byId("main").append(dialog);
  choose("curl");
  dialog.showModal();
}

/** Copies the text of an element; where the browser does not let it, selects it. */
async function copied(element) {
  try {
    await navigator.clipboard.writeText(element.textContent);
    return true;
  } catch {
    getSelection().selectAllChildren(element);
    return false;
  }
}

function curl(request, address) {
  const key = hasKey() ? " \\\n  -H \"authorization: Bearer $DERA_API_KEY\"" : "";
  return `curl -sN ${address} -H 'content-type: application/json'${key} \\\n  -d '${
    JSON.stringify({ ...request, stream: true }, null, 2).replaceAll("'", "'\\''")}'`;
}

function python(request, address) {
  const entries = Object.entries({ model: "", ...request });
  const own = entries.filter(([name]) => known.includes(name)).map(([name, value]) => `    ${name}=${pythonValue(value)},\n`);
  const extra = Object.fromEntries(entries.filter(([name]) => !known.includes(name)));
  const isChat = "messages" in request;
  return `import os
from openai import OpenAI

client = OpenAI(base_url="${new URL(".", address.replace(/\/chat\/completions$/, "/completions")).href.slice(0, -1)}", `
    + `api_key=${hasKey() ? "os.environ[\"DERA_API_KEY\"]" : "os.environ.get(\"DERA_API_KEY\", \"none\")"})
stream = client.${isChat ? "chat.completions" : "completions"}.create(
${own.join("")}    stream=True,
    extra_body=${pythonValue(extra)},
)
for chunk in stream:
    if chunk.choices:
        print(${isChat ? "chunk.choices[0].delta.content or \"\"" : "chunk.choices[0].text"}, end="", flush=True)`;
}

/** JSON is Python but for three words, which are nowhere else outside of strings. */
function pythonValue(value) {
  if (value === true) return "True";
  if (value === false) return "False";
  if (value === null) return "None";
  if (Array.isArray(value)) return `[${value.map(pythonValue).join(", ")}]`;
  if (typeof value === "object")
    return `{${Object.entries(value).map(([name, part]) => `${JSON.stringify(name)}: ${pythonValue(part)}`).join(", ")}}`;
  return JSON.stringify(value);
}

function csharp(request, address) {
  const key = hasKey() ? `
http.DefaultRequestHeaders.Authorization = new("Bearer", Environment.GetEnvironmentVariable("DERA_API_KEY"));` : "";
  return `using System.Text;
using System.Text.Json.Nodes;

using var http = new HttpClient();${key}
var request = new StringContent("""
${JSON.stringify(request, null, 2)}
""", Encoding.UTF8, "application/json");
using var response = await http.PostAsync("${address}", request);
var body = JsonNode.Parse(await response.EnsureSuccessStatusCode().Content.ReadAsStringAsync())!;
Console.WriteLine(body["choices"]![0]!${"messages" in request ? "[\"message\"]![\"content\"]" : "[\"text\"]"});`;
}

function javascript(request, address) {
  const key = hasKey() ? ", authorization: `Bearer ${process.env.DERA_API_KEY}`" : "";
  return `const response = await fetch("${address}", {
  method: "POST",
  headers: { "content-type": "application/json"${key} },
  body: JSON.stringify(${JSON.stringify({ ...request, stream: true }, null, 2).replaceAll("\n", "\n  ")}),
});
let text = "";
for await (const chunk of response.body.pipeThrough(new TextDecoderStream())) {
  text += chunk;
  for (let end; (end = text.indexOf("\\n\\n")) >= 0; text = text.slice(end + 2)) {
    const data = text.slice("data: ".length, end);
    if (data !== "[DONE]") process.stdout.write(JSON.parse(data).choices[0]?.${
      "messages" in request ? "delta.content" : "text"} ?? "");
  }
}`;
}
