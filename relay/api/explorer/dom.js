// Elements from values. Every string becomes a text node or an attribute: nothing is ever parsed as HTML.

const SVG_NAMESPACE = "http://www.w3.org/2000/svg";

/** An HTML element. `attributes` whose names begin with `on` are listeners; null, undefined and false are left out. */
export function h(name, attributes, ...children) {
  return filled(document.createElement(name), attributes, children);
}

/** An SVG element, as `h`. */
export function s(name, attributes, ...children) {
  return filled(document.createElementNS(SVG_NAMESPACE, name), attributes, children);
}

/** A symbol of icons.svg. It is decoration: words beside it say the same. */
export function icon(name) {
  return s("svg", { class: "icon", "aria-hidden": "true" }, s("use", { href: `icons.svg#${name}` }));
}

function filled(element, attributes, children) {
  for (const [name, value] of Object.entries(attributes ?? {})) {
    // An ARIA state that is false is said; any other attribute that is false is absent.
    if (value === null || value === undefined || (value === false && !name.startsWith("aria-"))) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true && !name.startsWith("aria-") ? "" : String(value));
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}
