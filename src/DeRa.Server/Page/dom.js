// Makes and finds elements. No markup is ever parsed from text: what models write is text to the page.

const svgNamespace = "http://www.w3.org/2000/svg";

/** The element of that id. */
export const byId = id => document.getElementById(id);

/** Makes an element: `on…` are listeners, `vars` are CSS variables, the rest are attributes (false and null: none). */
export function h(tag, properties = {}, ...children) {
  return fill(document.createElement(tag), properties, children);
}

/** The same for SVG. */
export function svg(tag, properties = {}, ...children) {
  return fill(document.createElementNS(svgNamespace, tag), properties, children);
}

function fill(element, properties, children) {
  for (const [name, value] of Object.entries(properties)) {
    if (value === null || value === undefined || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else if (name === "vars") for (const [key, of] of Object.entries(value)) element.style.setProperty(`--${key}`, of);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat().filter(child => child !== null && child !== undefined && child !== false));
  return element;
}

/** A number with so many digits behind the point, none of them a trailing zero. */
export const number = (value, digits = 2) => String(Number(value.toFixed(digits))).replace("-", "−");

/** Calls once nothing has called for a while. */
export function debounce(call, milliseconds) {
  let timer = 0;
  const later = (...values) => {
    clearTimeout(timer);
    timer = setTimeout(() => call(...values), milliseconds);
  };
  later.cancel = () => clearTimeout(timer);
  return later;
}

/** Calls at most once a frame; hidden pages draw nothing, so that a timer stands in for frames there. */
export function onceAFrame(call) {
  let waits = false;
  return () => {
    if (waits) return;
    waits = true;
    const run = () => {
      waits = false;
      call();
    };
    if (document.hidden) setTimeout(run, 100);
    else requestAnimationFrame(run);
  };
}

/** Moves the focus among the children of an element with arrow keys: one of them is in the tab order. */
export function roving(container, selector) {
  container.addEventListener("keydown", event => {
    const items = [...container.querySelectorAll(selector)];
    const at = items.indexOf(event.target);
    if (at < 0) return;
    const to = { ArrowRight: at + 1, ArrowDown: at + 1, ArrowLeft: at - 1, ArrowUp: at - 1, Home: 0, End: items.length - 1 }[event.key];
    if (to === undefined || !items[to]) return;
    event.preventDefault();
    for (const item of items) item.tabIndex = -1;
    items[to].tabIndex = 0;
    items[to].focus();
  });
}
