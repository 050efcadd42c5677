// Reads Prometheus' text format.

const line = /^([a-zA-Z_:][\w:]*)(?:\{(.*)\})? (\S+)/;
const label = /(\w+)="((?:[^"\\]|\\.)*)"/g;

/** All samples, by name. */
export function parseMetrics(text) {
  const samples = new Map();
  for (const row of text.split("\n")) {
    const parts = row[0] === "#" ? null : line.exec(row);
    if (!parts) continue;
    const labels = Object.fromEntries([...(parts[2] ?? "").matchAll(label)].map(([, name, value]) => [name, value]));
    if (!samples.has(parts[1])) samples.set(parts[1], []);
    samples.get(parts[1]).push({ labels, value: Number(parts[3]) });
  }
  return samples;
}

/** The sum of a name's samples, of those that pass. */
export const total = (samples, name, passes = () => true) =>
  (samples.get(name) ?? []).filter(({ labels }) => passes(labels)).reduce((sum, { value }) => sum + value, 0);

/** A quotient, or null where there is nothing to divide by. */
export const share = (part, whole) => whole > 0 ? part / whole : null;
