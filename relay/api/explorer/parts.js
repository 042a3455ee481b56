// Pieces that more than one view shows.

import { h, icon } from "./dom.js";
import { shortened, visible } from "./format.js";

const COPIED_MS = 1_500;
// What a cell shows of a text from outside; the whole of it is on hover and in the copy.
const SHOWN_CHARACTERS = 160;

export function badge({ words, icon: name, tone }) {
  return h("span", { class: `badge ${tone}` }, icon(name), h("span", {}, words));
}

/** Text from outside: isolated from the direction of what stands around it, and cut at a bound. */
export function foreign(text, most = SHOWN_CHARACTERS) {
  const safe = visible(text);
  return h("bdi", { title: safe.length > most ? safe.slice(0, 2_000) : null }, safe.length > most ? `${safe.slice(0, most)}…` : safe);
}

/** An address, hash or identifier, shortened in its middle. */
export function identifier(text, { head = 8, tail = 6 } = {}) {
  const safe = visible(text);
  return h("code", { class: "identifier", title: safe.slice(0, 2_000) }, h("bdi", {}, shortened(safe, head, tail)));
}

/** A button that copies `text`; `what` names it for those who do not see where it stands. */
export function copyButton(text, what) {
  const words = h("span", { class: "hidden" }, `Copy ${what}`);
  const button = h("button", { type: "button", class: "plain copy", title: `Copy ${what}` }, icon("copy"), words);
  button.addEventListener("click", async (event) => {
    event.stopPropagation();
    const copied = await navigator.clipboard.writeText(text).then(() => true, () => false);
    words.textContent = copied ? "Copied" : "This browser does not allow copying here";
    button.classList.toggle("copied", copied);
    button.replaceChildren(icon(copied ? "done" : "warning"), words);
    setTimeout(() => {
      words.textContent = `Copy ${what}`;
      button.classList.remove("copied");
      button.replaceChildren(icon("copy"), words);
    }, COPIED_MS);
  });
  return button;
}

export function copyable(text, what, options) {
  return h("span", { class: "copyable" }, identifier(text, options), copyButton(text, what));
}

/** A command to run, whole, with a button that copies it. */
export function command(text, what) {
  return h("div", { class: "command" }, h("code", { tabindex: 0, role: "group", "aria-label": what }, h("bdi", {}, visible(text))), copyButton(text, what));
}

export function messageLink(id, ...children) {
  return h("a", { href: messageAddress(id) }, ...children);
}

export function messageAddress(id) {
  return `#/message/${id.split("/").map(encodeURIComponent).join("/")}`;
}

/** `alpha → beta`, read as "alpha to beta". */
export function route(source, destination) {
  return h(
    "span",
    { class: "route" },
    h("span", { class: "chain" }, foreign(source)),
    h("span", { class: "arrow", "aria-hidden": "true" }, "→"),
    h("span", { class: "hidden" }, " to "),
    h("span", { class: "chain" }, foreign(destination)),
  );
}

/** A failure, as the sentence that the API gave, with a way to try again. */
export function failure(error, retry) {
  return h(
    "div",
    { class: "note bad", role: "alert" },
    icon("warning"),
    h("p", {}, visible(error.message)),
    retry && h("button", { type: "button", onclick: retry }, "Try again"),
  );
}

export function empty(...children) {
  return h("p", { class: "empty" }, ...children);
}

export function loading(what) {
  return h("p", { class: "loading", role: "status" }, `Reading ${what}…`);
}

/** A table in a box that scrolls sideways where it must. `columns` are headings, `rows` lists of cells. */
export function table(caption, columns, rows, { numeric = [] } = {}) {
  const kind = (index) => (numeric.includes(index) ? "number" : null);
  return h(
    "div",
    { class: "table-box", role: "region", "aria-label": caption, tabindex: 0 },
    h(
      "table",
      {},
      h("caption", { class: "hidden" }, caption),
      h("thead", {}, h("tr", {}, columns.map((name, index) => h("th", { scope: "col", class: kind(index) }, name)))),
      h("tbody", {}, rows.map((cells) => h("tr", {}, cells.map((cell, index) => h("td", { class: kind(index) }, cell))))),
    ),
  );
}

/** A section with a heading; `aside` stands at the right of it. */
export function section(heading, { aside = null, level = "h2" } = {}, ...children) {
  const title = h(level, {}, heading);
  return h("section", { class: "card" }, aside === null ? title : h("div", { class: "card-head" }, title, aside), ...children);
}
