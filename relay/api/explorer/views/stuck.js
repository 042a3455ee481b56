// What does not go on by itself, why, and what to do about it.

import { announce } from "../announce.js";
import { read } from "../api.js";
import { ago } from "../clock.js";
import { h } from "../dom.js";
import { plural } from "../format.js";
import { what } from "../message_row.js";
import { badge, command, empty, failure, foreign, loading, messageLink, route, section } from "../parts.js";
import { hash } from "../router.js";
import { clientState, messageState } from "../states.js";

const REREAD_MS = 10_000;
const MOST_WAITING = 100;

export async function stuckView({ root, stream, tokens, signal }) {
  const summary = h("p", { class: "headline" }, loading("what is stuck"));
  const places = { dead: h("div", {}), routes: h("div", {}), clients: h("div", {}), waiting: h("div", {}) };
  root.append(
    h("div", { class: "page-head" }, h("h1", {}, "Stuck"), summary),
    section("Given up, until an operator has it tried again", {}, places.dead),
    section("Routes that wait", {}, places.routes),
    section("Light clients that are not active", {}, places.clients),
    section("Messages that wait", {}, places.waiting),
  );
  const counts = {};
  const part = async (name, path, query, pick, draw, none) => {
    try {
      const answer = await read(path, query, signal);
      const found = pick(answer.items);
      counts[name] = found.length;
      places[name].replaceChildren(found.length > 0 ? h("ul", { class: "stuck-list" }, found.map(draw)) : empty(none), ...(answer.next ? [h("p", { class: "muted" }, "There are more; these are the newest.")] : []));
    } catch (error) {
      if (error.name !== "AbortError") places[name].replaceChildren(failure(error));
    }
  };
  const refresh = async () => {
    await Promise.all([
      part("dead", "dead-letters", { limit: MOST_WAITING }, (items) => items, (one) => deadLetter(one, tokens), "Nothing was given up."),
      part("routes", "paths", {}, waitingRoutes, waitingRoute, "No route waits."),
      part("clients", "clients", {}, (items) => items.filter((client) => client.status !== "active"), inactiveClient, "All light clients are active."),
      part("waiting", "messages", { state: "open", limit: MOST_WAITING }, (items) => items.filter((message) => message.waiting !== null), (one) => waitingMessage(one, tokens), "No message waits."),
    ]);
    const all = Object.values(counts).reduce((total, number) => total + number, 0);
    const words = all === 0 ? "Nothing is stuck. Everything goes on by itself." : `${plural(all, "thing")} to look at.`;
    if (summary.textContent !== words) announce("stuck", words);
    summary.replaceChildren(words);
  };
  const timer = setInterval(() => !document.hidden && refresh(), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  stream.addEventListener("reset", refresh, { signal });
  await tokens.ready();
  await refresh();
}

function waitingRoutes(paths) {
  return paths
    .flatMap(({ a, b, a_to_b, b_to_a }) => [{ from: a, to: b, ...a_to_b }, { from: b, to: a, ...b_to_a }])
    .filter((one) => one.waiting !== null);
}

function item(head, reason, remedy, ...more) {
  return h(
    "li",
    {},
    h("div", { class: "stuck-head" }, head),
    h("p", { class: "reason" }, h("b", {}, "Why: "), foreign(reason ?? "no reason was recorded", 600)),
    remedy !== null && h("p", { class: "do" }, h("b", {}, "What to do: "), foreign(remedy, 600)),
    more,
  );
}

function deadLetter({ job, message, reason, do: remedy, at }, tokens) {
  const head = [badge(messageState(message)), route(message.source.chain, message.destination.chain), what(message, tokens), messageLink(message.id, h("bdi", {}, message.id)), h("span", { class: "muted" }, ago(at))];
  return item(head, reason, remedy, command(`hutong relay retry ${job}`, `Command that has ${job} tried again`));
}

function waitingRoute({ from, to, waiting, do: remedy, since, open }) {
  const head = [badge({ words: "Waits", icon: "waiting", tone: "waiting" }), route(from.chain, to.chain), h("a", { href: hash("/messages", { state: "open" }) }, `${plural(open, "packet")} on the way`), since !== null && h("span", { class: "muted" }, "since ", ago(since))];
  return item(head, waiting, remedy);
}

function inactiveClient(client) {
  const head = [badge(clientState(client)), h("span", {}, h("b", {}, foreign(client.chain, 40)), "'s client of ", foreign(client.follows.chain, 40)), h("code", {}, foreign(client.client, 64))];
  const reasons = {
    frozen: "It was shown two headers that contradict each other, and believes nothing any more.",
    expired: "It was not refreshed within its trusting period.",
    unknown: client.error ?? "Its chain was not reached.",
  };
  const remedies = {
    frozen: "Find out who signed both; then the chain's admins name a substitute (docs/recovering-clients.md).",
    expired: "The chain's admins name a substitute (docs/recovering-clients.md).",
    unknown: "Look at the chain's endpoints.",
  };
  return item(head, reasons[client.status] ?? client.status, remedies[client.status] ?? null);
}

function waitingMessage(message, tokens) {
  const head = [badge(messageState(message)), route(message.source.chain, message.destination.chain), what(message, tokens), messageLink(message.id, h("bdi", {}, message.id)), h("span", { class: "muted" }, "sent ", ago(message.sent_at ?? message.updated_at))];
  return item(head, message.waiting, null, h("p", { class: "do" }, messageLink(message.id, "What it waits for, and what to do")));
}
