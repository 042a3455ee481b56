// The chains, the light clients that they hold of each other, and the paths between them.

import { announce } from "../announce.js";
import { read } from "../api.js";
import { ago, countdown } from "../clock.js";
import { h } from "../dom.js";
import { count } from "../format.js";
import { badge, copyable, empty, failure, foreign, loading, section, table } from "../parts.js";
import { chainState, clientState } from "../states.js";

const KINDS = { evm: "EVM chain", hub: "Hub", cosmos: "Cosmos chain" };
const REREAD_MS = 10_000;
// A client that will be refreshed in time never comes near this share of its trusting period.
const SOON = 0.2;

export async function chainsView({ root, stream, signal }) {
  const cards = h("div", { class: "chain-cards" }, loading("the chains"));
  const clients = h("div", {}, loading("the light clients"));
  const paths = h("div", {}, loading("the paths"));
  root.append(
    h("div", { class: "page-head" }, h("h1", {}, "Chains"), h("p", { class: "muted" }, "A light client that is not refreshed within its trusting period expires, and then nothing of that chain can be believed any more.")),
    cards,
    section("Light clients", {}, clients),
    section("Paths, and what waits on them", {}, paths),
  );
  let before = new Map();

  function drawChains(items) {
    cards.replaceChildren(...(items.length > 0 ? items.map(chainCard) : [empty("No chain is configured.")]));
    for (const chain of items) {
      const { words } = chainState(chain);
      if (before.has(chain.name) && before.get(chain.name) !== words) announce(`chain ${chain.name}`, `${chain.name}: ${words}.`);
    }
    before = new Map(items.map((chain) => [chain.name, chainState(chain).words]));
  }

  const part = async (path, place, draw) => {
    try {
      draw((await read(path, {}, signal)).items);
    } catch (error) {
      if (error.name !== "AbortError") place.replaceChildren(failure(error));
    }
  };
  const slow = () => Promise.all([part("clients", clients, (items) => clients.replaceChildren(clientTable(items))), part("paths", paths, (items) => paths.replaceChildren(pathTable(items)))]);
  stream.addEventListener("chains", ({ detail }) => drawChains(detail.items), { signal });
  const timer = setInterval(() => !document.hidden && slow(), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  await Promise.all([part("chains", cards, drawChains), slow()]);
}

function chainCard(chain) {
  const pair = (name, value) => h("div", {}, h("dt", {}, name), h("dd", {}, value));
  const contract = (name, text) => text !== null && pair(name, copyable(text, `the address of ${name} on ${chain.name}`));
  return h(
    "section",
    { class: "card chain-card", "aria-label": `Chain ${chain.name}` },
    h("div", { class: "card-head" }, h("h2", {}, foreign(chain.name, 40)), badge(chainState(chain))),
    h("p", { class: "muted" }, KINDS[chain.kind] ?? foreign(chain.kind), " ", h("code", {}, foreign(chain.chain_id, 60))),
    h("p", { class: "height" }, h("span", {}, chain.height === null ? "no height" : count(chain.height)), h("span", { class: "muted" }, chain.time === null ? " not reached" : [" newest block ", ago(chain.time)])),
    chain.error !== null && h("p", { class: "reason bad" }, foreign(chain.error, 400)),
    h("dl", { class: "pairs tight" }, contract("Router", chain.router), contract("Transfer", chain.apps.transfer), contract("Mailbox", chain.apps.mailbox)),
  );
}

function clientTable(items) {
  if (items.length === 0) return empty("No light client is configured.");
  const rows = items.map((client) => [
    [foreign(client.chain, 40), " holds ", h("code", {}, foreign(client.client, 64))],
    [foreign(client.follows.chain, 40), h("span", { class: "muted" }, " ", foreign(client.follows.chain_id, 60))],
    client.client_type === null ? "not known" : h("code", {}, foreign(client.client_type, 40)),
    [badge(clientState(client)), client.error !== null && h("p", { class: "reason bad" }, foreign(client.error, 400))],
    client.latest_height === null ? "not known" : [foreign(client.latest_height), client.latest_time !== null && h("span", { class: "muted" }, " from ", ago(client.latest_time))],
    expiry(client),
  ]);
  return table("Light clients", ["Where", "Follows", "Kind", "State", "Newest header", "Expires in"], rows);
}

function expiry(client) {
  if (client.expires_at === null) return "not known";
  if (client.seconds_to_expiry <= 0) return ["expired ", ago(client.expires_at)];
  const left = Math.max(0, Math.min(1, client.seconds_to_expiry / client.trusting_period_s));
  const bar = h("span", { class: `meter ${left < SOON ? "low" : ""}`, "aria-hidden": "true" }, h("span", {}));
  bar.firstChild.style.width = `${100 * left}%`;
  return [h("span", {}, countdown(client.expires_at)), left < SOON && h("b", { class: "soon" }, " soon"), bar];
}

function pathTable(items) {
  if (items.length === 0) return empty("No path is configured.");
  const end = ({ chain, client }) => [h("b", {}, foreign(chain, 40)), " ", h("code", {}, foreign(client, 64))];
  const rows = items.flatMap(({ a, b, a_to_b, b_to_a }) => [
    [end(a), end(b), ...waits(a_to_b)],
    [end(b), end(a), ...waits(b_to_a)],
  ]);
  return table("Paths", ["From", "To", "On the way", "Waits for"], rows, { numeric: [2] });
}

function waits(state) {
  if (state.waiting === null) return [count(state.open), h("span", { class: "muted" }, "nothing")];
  return [
    count(state.open),
    [badge({ words: "Waits", icon: "waiting", tone: "waiting" }), " ", foreign(state.waiting, 400), state.since !== null && h("span", { class: "muted" }, " since ", ago(state.since)), state.do !== null && h("p", { class: "do" }, h("b", {}, "What to do: "), foreign(state.do, 400))],
  ];
}
