// Where texts differ.

/** How many characters two texts have in common at their beginning, whole words only. */
export function commonLength(one, other) {
  const most = Math.min(one.length, other.length);
  let length = 0;
  while (length < most && one[length] === other[length]) length++;
  if (length === one.length || length === other.length) return length;
  while (length > 0 && !/\s/.test(one[length]) && !/\s/.test(one[length - 1])) length--;
  return length;
}

/** More words than this are not compared: what follows the first difference is then all new. */
const mostWords = 700;

/**
 * Parts of `text` as [part, kind]: "same", "first" (the first word that is not in `base` at its place) and "new" (later words that
 * `base` has not in this order). A `base` that is still being written is compared as far as it goes.
 */
export function partsAgainst(base, text, isBaseWhole) {
  const common = commonLength(base, text);
  const parts = [[text.slice(0, common), "same"]];
  if (common === text.length) return parts;
  if (common === base.length && !isBaseWhole) return [...parts, [text.slice(common), "same"]];
  const [old, rest] = [words(base.slice(common)), words(text.slice(common))];
  const kept = old.length > mostWords || rest.length > mostWords ? new Set() : commonWords(old, rest);
  rest.forEach((word, index) => {
    const kind = index === 0 ? "first" : kept.has(index) ? "same" : "new";
    const last = parts.at(-1);
    if (last[1] === kind && kind !== "first") last[0] += word;
    else parts.push([word, kind]);
  });
  return parts.filter(([part]) => part);
}

/** Words with the space before them. */
const words = text => text.match(/\s*\S+|\s+$/g) ?? [];

/** Places of `rest` whose words are part of the longest common subsequence with `old`. */
function commonWords(old, rest) {
  const width = rest.length + 1;
  const lengths = new Uint16Array((old.length + 1) * width);
  for (let i = old.length - 1; i >= 0; i--)
    for (let j = rest.length - 1; j >= 0; j--)
      lengths[i * width + j] = old[i].trim() === rest[j].trim() ? lengths[(i + 1) * width + j + 1] + 1
        : Math.max(lengths[(i + 1) * width + j], lengths[i * width + j + 1]);
  const kept = new Set();
  for (let i = 0, j = 0; i < old.length && j < rest.length;) {
    if (old[i].trim() === rest[j].trim()) {
      kept.add(j++);
      i++;
    } else if (lengths[(i + 1) * width + j] >= lengths[i * width + j + 1]) i++;
    else j++;
  }
  return kept;
}
