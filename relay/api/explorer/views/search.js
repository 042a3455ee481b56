// What a search found. One exact answer is opened at once.

import { announce } from "../announce.js";
import { read } from "../api.js";
import { h } from "../dom.js";
import { plural } from "../format.js";
import { messageRow, messageTable } from "../message_row.js";
import { empty, foreign, loading, messageAddress } from "../parts.js";
import { hash } from "../router.js";

const EXACT = ["packet", "message_id", "transaction"];
const FOUND_AS = {
  packet: "the packet",
  message_id: "the message",
  transaction: "the transaction",
  address: "the sender or receiver",
  chain: "the chain",
};

export async function searchView({ root, query, tokens, stream, signal }) {
  const wanted = query.q ?? "";
  const wait = loading("what was found");
  root.append(h("div", { class: "page-head" }, h("h1", {}, "Search")), wait);
  document.getElementById("search").value = wanted;
  const [found] = await Promise.all([read("search", { q: wanted }, signal), tokens.ready()]);
  wait.remove();
  if (found.items.length === 1 && EXACT.includes(found.kind)) {
    location.replace(messageAddress(found.items[0].id));
    return;
  }
  const shown = h("bdi", { class: "wanted" }, foreign(wanted));
  if (found.items.length === 0) {
    root.append(empty("Nothing is known of ", shown, ". Search takes whole packet ids, message ids, transaction hashes, addresses and names of chains."));
    announce("search", "Nothing found.");
    return;
  }
  const all = found.kind === "chain" && [" ", h("a", { href: hash("/messages", { source: wanted }) }, "All messages from it")];
  const summary = plural(found.items.length, "message");
  const body = h("tbody", { role: "rowgroup", class: "whole" }, found.items.map((item) => messageRow(item, tokens)));
  root.append(h("p", {}, `${summary} of ${FOUND_AS[found.kind] ?? "that name"} `, shown, all), messageTable("Messages found", body));
  announce("search", `${summary} found.`);
  stream.addEventListener("message", ({ detail }) => {
    for (const row of body.rows) if (row.dataset.id === detail.id) row.replaceWith(messageRow(detail, tokens));
  }, { signal });
}
