// The live list of messages, with its filters.

import { announce } from "../announce.js";
import { read } from "../api.js";
import { h, icon } from "../dom.js";
import { count, plural } from "../format.js";
import { FILTERS, MessageList } from "../message_list.js";
import { messageRow, messageTable } from "../message_row.js";
import { empty, failure, foreign, loading } from "../parts.js";
import { hash } from "../router.js";
import { APPS, STATE_FILTER } from "../states.js";
import { WindowedRows } from "../windowed_rows.js";

const MOST_RESTORED = 3_000;

// Where the reader was when they opened a message: they come back to it.
let left = null;

export async function messagesView({ root, query, stream, tokens, signal }) {
  const filter = Object.fromEntries(FILTERS.filter((name) => query[name]).map((name) => [name, query[name]]));
  const newer = newerButton();
  const counted = h("p", { class: "muted", id: "counted" });
  const body = h("tbody", { role: "rowgroup" });
  const table = messageTable("Messages, newest first", body);
  const end = h("div", { class: "list-end" }, loading("messages"));
  const filters = filterForm(filter);
  root.append(h("div", { class: "page-head" }, h("h1", {}, "Messages"), counted), filters.form, ...otherFilters(filter), newer.button, table, end);

  const fresh = new Set();
  const list = new MessageList(filter, signal, () => draw());
  const rows = new WindowedRows(body, (item, before) => messageRow(item, tokens, { before, fresh: fresh.delete(item.id) }), () => more(), signal);

  function draw() {
    table.hidden = list.items.length === 0;
    table.setAttribute("aria-rowcount", list.complete ? list.items.length + 1 : -1);
    counted.textContent = `${count(list.items.length)}${list.complete ? "" : "+"} ${list.items.length === 1 ? "message" : "messages"}`;
    rows.show(list.items);
  }

  async function more() {
    if (list.complete) return;
    try {
      await list.more();
      end.replaceChildren(...(list.complete ? [endOf(list, filter)] : [loading("more messages")]));
    } catch (error) {
      if (error.name !== "AbortError") end.replaceChildren(failure(error, more));
    }
  }

  stream.addEventListener("message", ({ detail }) => {
    const scrolled = table.getBoundingClientRect().top < 0;
    fresh.add(detail.id);
    const change = list.apply(detail);
    if (change !== "added") {
      fresh.delete(detail.id);
      return;
    }
    if (list.complete) end.replaceChildren(endOf(list, filter));
    if (scrolled) {
      // What the reader looks at stays where it is.
      scrollBy(0, rows.rowHeight);
      newer.add();
    }
    announce("list", `New message from ${detail.source.chain} to ${detail.destination.chain}.`);
  }, { signal });
  stream.addEventListener("reset", () => list.restart().catch(() => null), { signal });
  addEventListener("scroll", () => table.getBoundingClientRect().top > 0 && newer.clear(), { signal, passive: true });

  const key = JSON.stringify(filter);
  const back = left?.key === key ? left : null;
  left = null;
  signal.addEventListener("abort", () => {
    const opened = location.hash.startsWith("#/message/");
    left = opened ? { key, hash: location.hash, count: Math.min(list.items.length, MOST_RESTORED), scroll: scrollY } : null;
  });

  await Promise.all([tokens.ready(), filters.ready(signal)]);
  await more();
  if (back === null) return;
  while (list.items.length < back.count && !list.complete) await list.more();
  scrollTo(0, back.scroll);
  rows.show(list.items);
  body.querySelector(`a[href="${CSS.escape(back.hash)}"]`)?.focus({ preventScroll: true });
}

function endOf(list, filter) {
  if (list.items.length > 0) return h("p", { class: "muted" }, "This is the first message that the relay knows.");
  return Object.keys(filter).length > 0
    ? empty("No message is like that. ", h("a", { href: "#/messages" }, "Show all messages"))
    : empty("No message yet. The first one appears here as soon as it is sent.");
}

/** "3 newer messages": shown while the reader has scrolled away from the top. */
function newerButton() {
  let newer = 0;
  const words = h("span", {});
  const button = h("button", { type: "button", class: "newer", hidden: true, onclick: () => scrollTo({ top: 0 }) }, icon("up"), words);
  const show = (number) => {
    newer = number;
    button.hidden = newer === 0;
    words.textContent = plural(newer, "newer message");
  };
  return { button, add: () => show(newer + 1), clear: () => show(0) };
}

function filterForm(filter) {
  const source = choice("source", "From", { "": "Any chain" }, filter.source);
  const destination = choice("destination", "To", { "": "Any chain" }, filter.destination);
  const form = h(
    "form",
    { class: "filters", "aria-label": "Filter the messages" },
    choice("state", "State", { "": "Any state", ...STATE_FILTER }, filter.state),
    choice("app", "Kind", { "": "Any kind", ...APPS }, filter.app),
    source,
    destination,
    Object.keys(filter).length > 0 && h("a", { class: "button", href: "#/messages" }, "Clear"),
  );
  form.addEventListener("submit", (event) => event.preventDefault());
  form.addEventListener("change", () => {
    location.hash = hash("/messages", { ...filter, ...Object.fromEntries(new FormData(form)) });
  });
  const ready = async (signal) => {
    const names = (await read("chains", {}, signal)).items.map((chain) => chain.name);
    for (const [label, chosen] of [[source, filter.source], [destination, filter.destination]]) {
      const select = label.querySelector("select");
      select.append(...names.filter((name) => name !== chosen).map((name) => h("option", { value: name }, name)));
    }
  };
  return { form, ready };
}

function choice(name, words, options, chosen = "") {
  const known = chosen in options ? options : { ...options, [chosen]: chosen };
  return h(
    "label",
    {},
    h("span", {}, words),
    h("select", { name }, Object.entries(known).map(([value, text]) => h("option", { value, selected: value === chosen }, text))),
  );
}

// Filters that come by a link (a sender, a transaction) and have no field of their own.
function otherFilters(filter) {
  return Object.entries(filter)
    .filter(([name]) => !["state", "app", "source", "destination"].includes(name))
    .map(([name, value]) => h("p", { class: "muted" }, `Only with ${name.replaceAll("_", " ")} `, h("code", {}, foreign(value))));
}
