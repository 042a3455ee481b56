// One message: where it is and why, its way over the chains, what it cost, and its proofs.

import { announce } from "../announce.js";
import { messagePath, read } from "../api.js";
import { ago } from "../clock.js";
import { h } from "../dom.js";
import { absolute, count, fee, units } from "../format.js";
import { badge, copyable, copyButton, foreign, identifier, loading, route, section, table } from "../parts.js";
import { proofSection } from "../proofs.js";
import { hash } from "../router.js";
import { APPS, messageSentence, messageState } from "../states.js";
import { wayDrawing } from "../way_drawing.js";

// Ages in the reason ("waits since 6 min") are the server's words.
const REREAD_OPEN_MS = 10_000;

export async function messageView({ root, parts, stream, tokens, signal }) {
  const id = parts.join("/");
  const head = h("div", {}, loading("the message"));
  const way = h("div", {});
  const proofs = h("div", {});
  root.append(h("h1", {}, "Message ", h("bdi", { class: "id" }, id), copyButton(id, "the packet id")), head, way, proofs);

  const opened = new Set();
  let kinds = new Map();
  let shown = null;

  async function refresh() {
    const message = await read(messagePath(id), {}, signal);
    const before = shown;
    shown = message;
    head.replaceChildren(verdict(message));
    way.replaceChildren(section("The way", {}, wayDrawing(message, kinds, opened)), factsCard(message, tokens), costs(message, kinds));
    if (before === null || proven(before) !== proven(message) || isSettled(before) !== isSettled(message)) {
      await proofSection(proofs, message, isSettled(message), signal);
    }
    if (before !== null && messageState(before).words !== messageState(message).words) announce("message", messageSentence(message));
  }

  const chains = read("chains", {}, signal).then((answer) => (kinds = new Map(answer.items.map((chain) => [chain.name, chain.kind]))));
  await Promise.all([tokens.ready(), chains.catch(() => null)]);
  await refresh();
  const again = oneAtATime(() => refresh().catch((error) => error.name !== "AbortError" && announce("message", error.message)));
  stream.addEventListener("message", ({ detail }) => detail.id === shown.id && again(), { signal });
  stream.addEventListener("reset", again, { signal });
  const timer = setInterval(() => !document.hidden && shown.state === "open" && again(), REREAD_OPEN_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
}

function isSettled(message) {
  return !["open", "dead"].includes(message.state);
}

function proven(message) {
  return message.timeline.filter((event) => event.step === "included").length;
}

// While one call runs, further ones become a single one after it.
function oneAtATime(call) {
  let running = false;
  let wanted = false;
  return async function again() {
    wanted = true;
    if (running) return;
    running = true;
    while (wanted) {
      wanted = false;
      await call();
    }
    running = false;
  };
}

function verdict(message) {
  const state = messageState(message);
  return h(
    "section",
    { class: `card verdict ${state.tone}`, "aria-label": "Where it is" },
    h("div", { class: "verdict-head" }, badge(state), route(message.source.chain, message.destination.chain), message.via !== null && h("span", { class: "muted" }, "through ", foreign(message.via))),
    h("p", { class: "sentence" }, messageSentence(message)),
    // Of a settled message the first half is what happened: who refused it, and the receiver's own reason.
    h("p", { class: "why" }, h("b", {}, "Why: "), foreign(closed(message.why.waits_for), 1_000)),
    message.why.do !== null && message.why.do !== "nothing to do" && h("p", { class: "why" }, h("b", {}, "What to do: "), foreign(closed(message.why.do), 1_000)),
  );
}

// A reason out of a node or a contract may end with a point of its own.
function closed(sentence) {
  return /[.!?…]$/.test(sentence) ? sentence : `${sentence}.`;
}

function factsCard(message, tokens) {
  return section("Facts", {}, h("dl", { class: "pairs" }, facts(message, tokens).map(([name, value]) => h("div", {}, h("dt", {}, name), h("dd", {}, value)))));
}

function facts(message, tokens) {
  const person = (name, text) => [
    name,
    text === null ? "not known" : [h("a", { href: hash("/messages", { [name.toLowerCase()]: text }) }, identifier(text, { head: 12, tail: 8 })), copyButton(text, `the ${name.toLowerCase()}`)],
  ];
  const when = (iso) => [h("span", {}, absolute(iso)), h("span", { class: "muted" }, " ", ago(iso))];
  return [
    ["Kind", APPS[message.app] ?? foreign(message.app)],
    message.token !== null && ["Amount", tokens.amount(message, true)],
    message.token !== null && ["Token", copyable(message.token.denom, "the token", { head: 20, tail: 10 })],
    // null: the chain that may hold something did not say so now.
    ...(message.held ?? []).map((one) => heldFact(one, when)),
    person("Sender", message.sender),
    person("Receiver", message.receiver),
    message.message_id !== null && ["Message id", copyable(message.message_id, "the message id", { head: 12, tail: 8 })],
    message.sent_transaction !== null && ["Sent in", copyable(message.sent_transaction, "the sending transaction", { head: 12, tail: 8 })],
    ["Packets", message.legs.flatMap((leg, index) => [index > 0 && h("br"), foreign(leg), copyButton(leg, `the id of leg ${index + 1}`)])],
    message.sent_at !== null && ["Sent", when(message.sent_at)],
    message.settled_at === null ? ["Gives up waiting", when(message.timeout_at)] : ["Settled", when(message.settled_at)],
  ].filter((fact) => fact !== false);
}

function heldFact(one, when) {
  const what = [h("span", {}, units(one.amount, 0), " of "), identifier(one.token, { head: 8, tail: 6 }), h("span", {}, " on "), foreign(one.chain)];
  return [one.kind === "refund" ? "Refund held" : "Held", [what, h("span", {}, ", to be paid from "), when(one.releasable_at), h("span", {}, " on")]];
}

function costs(message, kinds) {
  if (message.costs.length === 0) return "";
  const rows = message.costs.map((cost) => [foreign(cost.chain), count(cost.transactions), count(cost.gas_used), fee(cost.fee_wei, kinds.get(cost.chain))]);
  return section("What it cost the relay", {}, table("Costs by chain", ["Chain", "Transactions", "Gas", "Fees, in the chain's own coin"], rows, { numeric: [1, 2, 3] }));
}
