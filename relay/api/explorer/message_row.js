// One message as a row, the same in every list.

import { ago } from "./clock.js";
import { h, icon } from "./dom.js";
import { foreign, identifier, messageAddress, messageLink, badge, route } from "./parts.js";
import { APPS, messageState } from "./states.js";

const COLUMNS = ["State", "What", "Route", "Sender", "Sent", "Packet"];

/** A table of messages with an empty body. Roles are said outright: narrow screens lay rows out as cards. */
export function messageTable(label, body) {
  return h(
    "table",
    { class: "messages", role: "table", "aria-label": label, "aria-rowcount": -1 },
    h("thead", { role: "rowgroup" }, h("tr", { role: "row", "aria-rowindex": 1 }, COLUMNS.map((name) => h("th", { role: "columnheader", scope: "col" }, name)))),
    body,
  );
}

/** `before` is what the row showed until now; null for a new one. */
export function messageRow(message, tokens, { before = null, fresh = false } = {}) {
  const changed = fresh || (before !== null && (before.state !== message.state || before.stage !== message.stage));
  return h(
    "tr",
    { role: "row", class: changed ? "changed" : null, "data-id": message.id, onclick: openRow },
    cell("state", badge(messageState(message))),
    cell("what", what(message, tokens)),
    cell("way", route(message.source.chain, message.destination.chain)),
    cell("sender", message.sender === null ? h("span", { class: "muted" }, "not known") : identifier(message.sender)),
    cell("sent", ago(message.sent_at ?? message.updated_at)),
    cell("packet", messageLink(message.id, h("bdi", {}, message.id))),
  );
}

/** What a message carries: an amount, or the kind of packet. */
export function what(message, tokens) {
  const carried = message.token === null ? foreign(APPS[message.app] ?? message.app) : tokens.amount(message);
  return h("span", { class: "carried" }, icon(message.app in APPS ? message.app : "other"), carried);
}

function cell(name, ...children) {
  return h("td", { role: "cell", class: name }, ...children);
}

// The link in the row serves keyboards and screen readers; a click anywhere else on the row is a convenience.
function openRow(event) {
  if (event.target.closest("a, button") || getSelection().toString()) return;
  location.hash = messageAddress(event.currentTarget.dataset.id);
}
