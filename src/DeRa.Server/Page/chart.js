// Line charts with intervals, as SVG that is drawn anew at each width.

import { h, number, svg } from "./dom.js";

const height = 210;
const margin = { top: 14, right: 14, bottom: 28, left: 44 };

/** A chart of one quantity against strength. `marked` is the strength to mark, or null. */
export function chart(title, note, points, range, marked, width) {
  const known = points.filter(point => point.at);
  const figure = h("figure", { class: "chart" },
    h("figcaption", {}, h("strong", {}, title), note && h("span", { class: "said" }, ` ${note}`)));
  const values = known.flatMap(({ at }) => [at.low, at.high, at.mean]);
  const [low, high] = padded(Math.min(...values), Math.max(...values));
  const x = scale(range[0], range[1], margin.left, width - margin.right);
  const y = scale(low, high, height - margin.bottom, margin.top);
  const steps = ticks(low, high, 4);
  figure.append(svg("svg", { viewBox: `0 0 ${width} ${height}`, width, height, role: "img", "aria-label": `${title}: ${spoken(known)}` },
    ...steps.map(value => [
      svg("line", { class: "grid", x1: margin.left, x2: width - margin.right, y1: y(value), y2: y(value) }),
      svg("text", { class: "tick", x: margin.left - 7, y: y(value) + 4, "text-anchor": "end" }, number(value, 3))]).flat(),
    ...ticks(range[0], range[1], Math.max(3, Math.floor(width / 70))).map(value =>
      svg("text", { class: "tick", x: x(value), y: height - 9, "text-anchor": "middle" }, number(value))),
    svg("text", { class: "tick axis", x: margin.left - 16, y: height - 9, "text-anchor": "end" }, "λ"),
    ...(known.length === 0 ? [] : lines(known, x, y)),
    ...(marked === null || !known.some(point => point.strength === marked) ? [] : mark(marked, x(marked), width))));
  return figure;
}

function lines(points, x, y) {
  const along = name => points.map(({ strength, at }) => `${x(strength).toFixed(1)},${y(at[name]).toFixed(1)}`);
  return [
    points.length > 1 && svg("path", { class: "band", d: `M${[...along("low"), ...along("high").reverse()].join("L")}Z` }),
    points.length > 1 && svg("path", { class: "line", d: `M${along("mean").join("L")}` }),
    ...points.map(({ strength, at }) => svg("circle", { class: "dot", cx: x(strength), cy: y(at.mean), r: 3.5 },
      svg("title", {}, `λ ${number(strength)}: ${number(at.mean, 3)}`))),
  ];
}

function mark(strength, at, width) {
  const isLeft = at > width / 2;
  return [
    svg("line", { class: "mark", x1: at, x2: at, y1: margin.top, y2: height - margin.bottom }),
    svg("text", { class: "mark-text", x: at + (isLeft ? -6 : 6), y: margin.top + 10, "text-anchor": isLeft ? "end" : "start" },
      `best: λ ${number(strength)}`),
  ];
}

/** A line of the last values, without axes. */
export function sparkline(values, title, width = 240, tall = 48) {
  const [most, count] = [Math.max(...values, 1), Math.max(values.length - 1, 1)];
  const points = values.map((value, index) => `${(index / count * width).toFixed(1)},${(tall - 3 - value / most * (tall - 6)).toFixed(1)}`);
  return svg("svg", { class: "spark", viewBox: `0 0 ${width} ${tall}`, preserveAspectRatio: "none", role: "img", "aria-label": title },
    values.length > 1 && svg("path", { class: "band", d: `M0,${tall}L${points.join("L")}L${width},${tall}Z` }),
    values.length > 1 && svg("path", { class: "line", d: `M${points.join("L")}` }));
}

const scale = (from, to, start, end) => value => start + (value - from) / (to - from || 1) * (end - start);

/** A little room above and below; a line that is level, too, gets some. */
function padded(low, high) {
  if (!Number.isFinite(low)) return [0, 1];
  const room = (high - low) * 0.08 || Math.abs(high) * 0.1 || 1;
  return [low >= 0 && low - room < 0 ? 0 : low - room, high + room];
}

/** Round numbers from low to high, about so many. */
function ticks(low, high, about) {
  const rough = (high - low) / about || 1;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 2.5, 5, 10].map(factor => factor * power).find(size => size >= rough);
  const found = [];
  for (let value = Math.ceil(low / step - 1e-9) * step; value <= high + step * 1e-9; value += step) found.push(value);
  return found;
}

const spoken = points => points.map(({ strength, at }) => `${number(at.mean, 3)} at λ ${number(strength)}`).join(", ") || "no points yet";
