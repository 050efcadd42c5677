// What is known of each strength: means and intervals of completions, from requests or from a sweep's files.

import { parseCsv } from "./tables.js";

/** The 95 % interval of a normal distribution, in standard deviations. */
const width = 1.96;

/** A mean with its 95 % interval; null where there is nothing. */
export function interval(values) {
  const known = values.filter(Number.isFinite);
  if (known.length === 0) return null;
  const mean = known.reduce((sum, value) => sum + value, 0) / known.length;
  const variance = known.length < 2 ? 0 : known.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (known.length - 1);
  const error = width * Math.sqrt(variance / known.length);
  return { mean, low: mean - error, high: mean + error };
}

/** A point of the curve from completions at one strength, each `{rewards, kl, tokens}`. */
export function pointOf(strength, completions) {
  const names = [...new Set(completions.flatMap(completion => Object.keys(completion.rewards ?? {})))];
  return {
    strength,
    completions: completions.length,
    rewards: Object.fromEntries(names.map(name => [name, interval(completions.map(({ rewards }) => rewards?.[name] ?? NaN))])),
    kl: interval(completions.map(completion => completion.kl ?? NaN)),
    tokens: interval(completions.map(completion => completion.tokens ?? NaN)),
  };
}

/** Points of a saved sweep, by strength. Throws where a file is neither results.jsonl nor strengths.csv. */
export function readSweep(name, text) {
  const points = text.trimStart().startsWith("{") ? fromLines(name, text) : fromTable(name, text);
  return points.sort((one, other) => one.strength - other.strength);
}

function fromLines(name, text) {
  const byStrength = new Map();
  text.split("\n").filter(row => row.trim()).forEach((row, index) => {
    let completion;
    try {
      completion = JSON.parse(row);
    } catch {
      throw new RangeError(`${name}, line ${index + 1}, is not JSON.`);
    }
    if (!Number.isFinite(completion.alignment_strength))
      throw new RangeError(`${name}, line ${index + 1}, has no number alignment_strength: it is no line of a sweep's results.`);
    const { alignment_strength: strength, rewards, kl_to_reference: kl, tokens } = completion;
    if (!byStrength.has(strength)) byStrength.set(strength, []);
    byStrength.get(strength).push({ rewards, kl, tokens });
  });
  return [...byStrength].map(([strength, completions]) => pointOf(strength, completions));
}

/** A column `NAME` with `NAME_low` is a reward; differences from a strength (`…_above_…`) are not shown. */
function fromTable(name, text) {
  const rows = parseCsv(text);
  if (rows.length === 0 || !("alignment_strength" in rows[0]))
    throw new RangeError(`${name} is neither results.jsonl nor strengths.csv of a sweep: it has no column alignment_strength.`);
  const rewards = Object.keys(rows[0]).filter(column => !column.includes("_above_") && `${column}_low` in rows[0]);
  const value = (row, column) => row[column] === "" || row[column] === undefined ? NaN : Number(row[column]);
  const between = (row, column, low = `${column}_low`, high = `${column}_high`) => Number.isFinite(value(row, column))
    ? { mean: value(row, column), low: value(row, low), high: value(row, high) } : null;
  return rows.map(row => ({
    strength: value(row, "alignment_strength"),
    completions: value(row, "completions"),
    rewards: Object.fromEntries(rewards.map(reward => [reward, between(row, reward)])),
    kl: between(row, "kl_to_reference", "kl_low", "kl_high"),
    tokens: between(row, "tokens", "tokens", "tokens"),
  }));
}

/** The point whose reward is highest, or null. */
export const bestOf = (points, reward) => points.filter(point => point.rewards[reward])
  .reduce((best, point) => !best || point.rewards[reward].mean > best.rewards[reward].mean ? point : best, null);
