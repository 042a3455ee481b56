// How the network does, on one page: totals, throughput, latency, the newest messages, chains and costs.

import { read } from "../api.js";
import { timeChart } from "../charts.js";
import { h, icon } from "../dom.js";
import { count, duration, fee, plural } from "../format.js";
import { MessageList } from "../message_list.js";
import { messageRow, messageTable } from "../message_row.js";
import { badge, empty, failure, foreign, loading, route, section, table } from "../parts.js";
import { hash } from "../router.js";
import { APPS, chainState } from "../states.js";

const NEWEST = 8;
const REREAD_MS = 15_000;
const WINDOWS = { "1h": "Hour", "24h": "Day", "7d": "Week" };

export async function overviewView({ root, stream, tokens, signal }) {
  const headline = h("p", { class: "headline" });
  const tiles = h("div", { class: "tiles" });
  const charts = h("div", { class: "charts" });
  const newest = h("div", {}, loading("the newest messages"));
  const chains = h("div", {}, loading("the chains"));
  const books = h("div", { class: "two" });
  root.append(
    h("div", { class: "page-head" }, h("h1", {}, "Overview"), headline),
    tiles,
    section("Traffic", { aside: windowChoice((chosen) => drawCharts(chosen)) }, charts),
    h("div", { class: "wide-and-narrow" }, section("Newest messages", { aside: h("a", { href: "#/messages" }, "All messages") }, newest), section("Chains", { aside: h("a", { href: "#/chains" }, "All about them") }, chains)),
    books,
  );

  let known = [];
  let shown = "1h";
  let totals = null;

  function drawSums() {
    const kinds = new Map(known.map((chain) => [chain.name, chain.kind]));
    if (totals) books.replaceChildren(routesCard(totals.routes), costsCard(totals.costs, kinds));
    if (known.length > 0) headline.replaceChildren(...sentence(known, totals));
  }

  async function drawCharts(chosen) {
    shown = chosen;
    const series = await read("series", { window: chosen }, signal).catch(fail(charts));
    if (series && shown === chosen) replaceKeepingOpen(charts, trafficCharts(series));
  }

  async function drawTotals() {
    totals = await read("totals", {}, signal).catch(fail(tiles));
    if (!totals) return;
    tiles.replaceChildren(...totalTiles(totals.messages));
    drawSums();
  }

  function drawChains(items) {
    known = items;
    chains.replaceChildren(h("ul", { class: "chain-list" }, items.map((chain) => h("li", {}, h("b", {}, foreign(chain.name, 40)), badge(chainState(chain))))));
    drawSums();
  }

  const list = new MessageList({}, signal, () => drawNewest());
  const rows = new Map();
  function drawNewest() {
    if (list.items.length === 0) return newest.replaceChildren(empty("No message yet. The first one appears here as soon as it is sent."));
    const body = h("tbody", { role: "rowgroup", class: "whole" });
    for (const item of list.items.slice(0, NEWEST)) {
      const before = rows.get(item.id) ?? null;
      rows.set(item.id, item);
      body.append(messageRow(item, tokens, { before: before === item ? null : before }));
    }
    const focused = document.activeElement?.closest(".messages tr")?.dataset.id;
    newest.replaceChildren(messageTable("Newest messages", body));
    if (focused) newest.querySelector(`tr[data-id="${CSS.escape(focused)}"] a`)?.focus({ preventScroll: true });
  }

  stream.addEventListener("message", ({ detail }) => list.apply(detail), { signal });
  stream.addEventListener("reset", () => list.restart().catch(() => null), { signal });
  stream.addEventListener("chains", ({ detail }) => drawChains(detail.items), { signal });
  const timer = setInterval(() => !document.hidden && Promise.all([drawTotals(), drawCharts(shown)]), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));

  const readChains = async () => {
    const answer = await read("chains", {}, signal).catch(fail(chains));
    if (answer) drawChains(answer.items);
  };
  await Promise.all([tokens.ready(), drawTotals(), list.more().catch(fail(newest)), readChains(), drawCharts(shown)]);
}

// One part that cannot be read says so in its place; the others stand.
function fail(place) {
  return (error) => {
    if (error.name !== "AbortError") place.replaceChildren(failure(error));
    return null;
  };
}

function sentence(chains, totals) {
  const troubled = chains.filter((chain) => chainState(chain).tone !== "ok");
  const words = troubled.length === 0 ? `All ${plural(chains.length, "chain")} are running.` : `${troubled.length} of ${plural(chains.length, "chain")} ${troubled.length === 1 ? "needs" : "need"} a look.`;
  const dead = totals?.messages.dead ?? 0;
  return [
    badge(troubled.length === 0 && dead === 0 ? { words: "All well", icon: "check", tone: "ok" } : { words: "Look here", icon: "warning", tone: "waiting" }),
    h("span", {}, words, dead > 0 && [" ", h("a", { href: "#/stuck" }, `${plural(dead, "message")} given up.`)]),
  ];
}

function totalTiles(messages) {
  const done = messages.acknowledged + messages.refused + messages.timed_out;
  const share = done === 0 ? "" : `${((100 * messages.acknowledged) / done).toFixed(messages.acknowledged === done ? 0 : 1)} % of what has ended`;
  // Tokens were given back, plain messages were not: the totals are of both.
  const undelivered = messages.refused + messages.timed_out;
  return [
    tile("Messages", messages.total, "since this ledger began", "#/messages", "message"),
    tile("Delivered", messages.acknowledged, share, hash("/messages", { state: "acknowledged" }), "check"),
    tile("On the way", messages.open, "sent and not settled yet", hash("/messages", { state: "open" }), "moving"),
    tile("Not delivered", undelivered, `${count(messages.timed_out)} late, ${count(messages.refused)} refused`, hash("/messages", { state: messages.refused > messages.timed_out ? "refused" : "timed_out" }), "back"),
    tile("Given up", messages.dead, messages.dead === 0 ? "nothing needs an operator" : "an operator must look", "#/stuck", "stop"),
  ];
}

function tile(name, number, words, href, symbol) {
  return h("a", { class: "tile", href }, h("span", { class: "tile-name" }, icon(symbol), name), h("span", { class: "tile-number" }, count(number)), h("span", { class: "tile-words" }, words));
}

function windowChoice(choose) {
  const buttons = Object.entries(WINDOWS).map(([value, words]) => h("button", { type: "button", "aria-pressed": value === "1h", onclick: (event) => press(event.currentTarget, value) }, words));
  const press = (pressed, value) => {
    for (const button of buttons) button.setAttribute("aria-pressed", button === pressed);
    choose(value);
  };
  return h("div", { class: "segments", role: "group", "aria-label": "Time that the charts show" }, buttons);
}

function trafficCharts({ items, bucket_s }) {
  const starts = items.map((item) => item.start);
  const of = (name) => items.map((item) => item[name]);
  const sum = (name) => items.reduce((total, item) => total + item[name], 0);
  const known = of("p50_s").filter((value) => value !== null);
  const middle = known.length === 0 ? "nothing was settled" : `the median ran from ${duration(Math.min(...known))} to ${duration(Math.max(...known))}`;
  return [
    timeChart({
      title: `Messages in each ${duration(bucket_s)}`,
      summary: `${plural(sum("sent"), "message")} sent and ${count(sum("settled"))} settled in this time.`,
      starts,
      series: [
        { name: "Sent", look: "first", mark: "bar", values: of("sent") },
        { name: "Settled", look: "second", mark: "line", values: of("settled") },
      ],
      say: (value) => count(Math.round(value * 10) / 10),
    }),
    timeChart({
      title: "Seconds from sending to settled",
      summary: `From the block that sent a message to the block that settled it: ${middle}.`,
      starts,
      series: [
        { name: "Median", look: "second", mark: "line", values: of("p50_s") },
        { name: "95 % are quicker than", look: "third", mark: "line", values: of("p95_s") },
      ],
      say: (value) => duration(value),
    }),
  ];
}

// A table that the reader has opened stays open when the figures are read again.
function replaceKeepingOpen(place, figures) {
  const open = [...place.querySelectorAll("details")].map((details) => details.open);
  place.replaceChildren(...figures);
  for (const [index, details] of [...place.querySelectorAll("details")].entries()) details.open = open[index] ?? false;
}

/** One row a route, with a column for each kind of message that was sent. */
function routesCard(routes) {
  if (routes.length === 0) return section("Routes", {}, empty("Nothing was sent yet."));
  const apps = Object.keys(APPS).filter((app) => routes.some((one) => one.app === app));
  const ways = Map.groupBy(routes, (one) => JSON.stringify([one.source, one.destination]));
  const rows = [...ways.values()].map((kinds) => {
    const [{ source, destination }] = kinds;
    const total = (app) => kinds.find((one) => one.app === app)?.total ?? 0;
    const open = kinds.reduce((sum, one) => sum + one.open, 0);
    return [h("a", { href: hash("/messages", { source, destination }) }, route(source, destination)), ...apps.map((app) => count(total(app))), count(open)];
  });
  const columns = ["Route", ...apps.map((app) => `${APPS[app]}s`), "On the way"];
  return section("Routes", {}, table("Routes", columns, rows, { numeric: columns.map((_, index) => index).slice(1) }));
}

function costsCard(costs, kinds) {
  if (costs.length === 0) return section("What relaying cost", {}, empty("Nothing was paid yet."));
  const rows = costs.map((cost) => [
    foreign(cost.chain, 40),
    count(cost.deliveries),
    [count(cost.transactions), cost.reverted > 0 && h("span", { class: "muted" }, `, ${count(cost.reverted)} failed`)],
    count(cost.gas_used),
    fee(cost.fee_wei, kinds.get(cost.chain)),
  ]);
  return section("What relaying cost", {}, table("Costs by chain", ["Chain", "Deliveries", "Transactions", "Gas", "Fees, own coin"], rows, { numeric: [1, 2, 3, 4] }));
}
