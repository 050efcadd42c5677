// Texts that go on from one another: each branch is another's beginning, one other token, and what follows it.

import { h } from "./dom.js";

/** Makes a branch. `at` is how many tokens it has from its parent; the token there is its own. */
export const branch = (parent, at, tokens, strength) => ({ parent, at, tokens, strength, children: [] });

/** The tokens of a branch that goes on with another token at a place. */
export function tokensWith(tokens, at, alternative) {
  const old = tokens[at];
  const told = name => old[name]?.find(other => other.id === alternative.id)?.logprob ?? null;
  const [reference, aligned] = [told("top_reference"), told("top_aligned")];
  const scale = old.logprob_aligned === old.logprob_reference ? 1 : old.implicit_reward / (old.logprob_aligned - old.logprob_reference);
  return [...tokens.slice(0, at), {
    ...old, token: alternative.token, id: alternative.id, logprob: told("top_mixture"), logprob_reference: reference,
    logprob_aligned: aligned, implicit_reward: reference === null || aligned === null ? null : (aligned - reference) * scale,
    isChosen: true,
  }];
}

/** The tree of branches as nested lists of buttons. */
export function drawTree(root, shown, choose) {
  const item = node => h("li", {},
    h("button", { type: "button", class: "node", "aria-current": node === shown ? "true" : null, onclick: () => choose(node) },
      node.parent ? [`token ${node.at + 1}: `, h("q", {}, node.tokens[node.at].token.trim() || "⏎"), ` for `,
        h("q", {}, node.parent.tokens[node.at].token.trim() || "⏎")] : "first text"),
    node.children.length > 0 && h("ul", {}, node.children.map(item)));
  return h("ul", { class: "tree" }, item(root));
}
