// A table body of any length of which only what is near the screen is in the document.

import { h } from "./dom.js";

const OVERSCAN = 12;

/**
 * `body` is a `<tbody>` whose rows are all `--row` high (a CSS length in px on it); `rowOf(item)` makes one. Items have
 * an `id`, and a changed item is another object. `nearEnd` is called when the last rows come near.
 */
export class WindowedRows {
  #body;
  #rowOf;
  #nearEnd;
  #items = [];
  #rows = new Map();
  #before = spacer();
  #after = spacer();
  #frame = null;

  constructor(body, rowOf, nearEnd, signal) {
    this.#body = body;
    this.#rowOf = rowOf;
    this.#nearEnd = nearEnd;
    body.append(this.#before, this.#after);
    const later = () => (this.#frame ??= requestAnimationFrame(() => this.#draw()));
    addEventListener("scroll", later, { signal, passive: true });
    addEventListener("resize", later, { signal, passive: true });
    body.addEventListener("keydown", (event) => this.#moveFocus(event), { signal });
  }

  show(items) {
    this.#items = items;
    this.#draw();
  }

  get rowHeight() {
    return Number.parseFloat(getComputedStyle(this.#body).getPropertyValue("--row"));
  }

  #draw() {
    cancelAnimationFrame(this.#frame);
    this.#frame = null;
    const height = this.rowHeight;
    const above = -this.#body.getBoundingClientRect().top;
    const first = clamp(Math.floor(above / height) - OVERSCAN, 0, this.#items.length);
    const last = clamp(Math.ceil((above + innerHeight) / height) + OVERSCAN, first, this.#items.length);
    this.#place(first, last);
    this.#before.firstChild.style.height = `${first * height}px`;
    this.#after.firstChild.style.height = `${(this.#items.length - last) * height}px`;
    if (last > this.#items.length - 2 * OVERSCAN) this.#nearEnd();
  }

  #place(first, last) {
    const wanted = this.#items.slice(first, last);
    const ids = new Set(wanted.map((item) => item.id));
    for (const [id, { row }] of this.#rows) {
      if (ids.has(id)) continue;
      row.remove();
      this.#rows.delete(id);
    }
    let previous = this.#before;
    for (const [offset, item] of wanted.entries()) {
      const row = this.#rowFor(item);
      row.setAttribute("aria-rowindex", first + offset + 2);
      if (previous.nextSibling !== row) previous.after(row);
      previous = row;
    }
  }

  #rowFor(item) {
    const known = this.#rows.get(item.id);
    if (known?.item === item) return known.row;
    const row = this.#rowOf(item, known?.item ?? null);
    if (known !== undefined) {
      const focused = known.row.contains(document.activeElement);
      known.row.replaceWith(row);
      if (focused) row.querySelector("a").focus({ preventScroll: true });
    }
    this.#rows.set(item.id, { item, row });
    return row;
  }

  #moveFocus(event) {
    const step = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const from = event.target.closest("tr");
    if (step === undefined || from === null || event.altKey || event.ctrlKey || event.metaKey) return;
    const index = Number(from.getAttribute("aria-rowindex")) - 2 + step;
    const item = this.#items[index];
    if (item === undefined) return;
    event.preventDefault();
    this.#rowFor(item).querySelector("a").focus({ preventScroll: true });
    this.#rowFor(item).scrollIntoView({ block: "nearest" });
  }
}

function spacer() {
  return h("tr", { "aria-hidden": "true", class: "spacer" }, h("td", {}));
}

function clamp(value, least, most) {
  return Math.max(least, Math.min(value, most));
}
