// Tables as text.

/** Rows of a CSV file with a header, as objects; fields may be quoted. */
export function parseCsv(text) {
  const [header, ...rows] = text.replace(/^\uFEFF/, "").split(/\r?\n/).filter(row => row.trim()).map(fields);
  return rows.map(row => Object.fromEntries(header.map((name, index) => [name, row[index] ?? ""])));
}

const fields = row => [...row.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)].filter(match => match[0] || match.index === 0)
  .map(match => match[1].startsWith("\"") ? match[1].slice(1, -1).replaceAll("\"\"", "\"") : match[1]);
