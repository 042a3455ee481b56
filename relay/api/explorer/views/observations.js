// What the hub observes of other chains: place, value, age, who stands for it, and the proof to download.

import { read } from "../api.js";
import { ago } from "../clock.js";
import { h, icon } from "../dom.js";
import { count } from "../format.js";
import { badge, copyable, empty, foreign, loading, table } from "../parts.js";

const REREAD_MS = 10_000;
// A page of the API; whoever wants all of more uses the SDK.
const MOST = 100;
const FIELDS = { nonce: "Nonce", balance: "Balance", code_hash: "Code hash", storage_root: "Storage root" };
const NUMBERS = ["nonce", "balance"];
const READABLE = { words: "Readable", icon: "check", tone: "ok" };
const CLOSED = { words: "Not readable", icon: "warning", tone: "bad" };

export async function observationsView({ root, signal }) {
  const place = h("div", {}, loading("what is observed"));
  root.append(
    h("div", { class: "page-head" }, h("h1", {}, "Observations"), h("p", { class: "muted" }, "Values of other chains' state that the hub's light clients were shown. This table is the node's word; each proof is a file that anyone re-checks offline with hutong audit record.")),
    place,
  );
  let shown = null;

  async function refresh() {
    const page = await known(signal);
    // The age grows by itself; the rest is drawn again only where it changed, so that a focus stays where it is.
    const seen = JSON.stringify({ ...page, items: page.items.map((item) => ({ ...item, age_s: 0 })) });
    if (seen === shown) return;
    shown = seen;
    const more = page.more ? [h("p", { class: "muted" }, `The first ${count(page.items.length)} are here; the API lists the others.`)] : [];
    const none = page.hubs === 0 ? "No hub is configured here: observations are kept by hubs." : "Nothing is observed yet. A named writer opens the first key.";
    place.replaceChildren(...more, page.items.length > 0 ? observationTable(page.items) : empty(none));
  }

  // One that fails is tried again; what was read stands.
  const timer = setInterval(() => !document.hidden && refresh().catch(() => null), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  await refresh();
}

// Of every hub, one after the other. A hub of earlier rules keeps none, which is no failure.
async function known(signal) {
  const hubs = (await read("chains", {}, signal)).items.filter((item) => item.kind === "hub");
  const pages = await Promise.all(hubs.map((item) => read("observations", { hub: item.name, limit: MOST }, signal).catch(unless("not_supported"))));
  return { items: pages.flatMap((page) => page.items), more: pages.some((page) => page.next !== null), hubs: hubs.length };
}

function unless(code) {
  return (error) => {
    if (error.code !== code) throw error;
    return { items: [], next: null };
  };
}

function observationTable(items) {
  return table("Observations", ["Client", "Place", "Value", "Source block", "Trust", "Epoch", "Proof"], items.map(row));
}

function row(one) {
  return [
    [h("b", {}, one.chain === null ? "chain not configured" : foreign(one.chain, 40)), h("div", {}, h("code", {}, foreign(one.client, 64)))],
    placeCell(one.place),
    valueCell(one),
    [h("span", {}, foreign(one.height, 44)), h("div", { class: "muted" }, ago(one.time))],
    trust(one),
    [h("span", {}, String(one.epoch)), h("div", {}, badge(one.current ? READABLE : CLOSED))],
    h("a", { href: one.bundle.replace(/^\//, ""), download: `${one.client}.record.json` }, icon("download"), h("span", {}, "Download"), h("span", { class: "hidden" }, ` the proof of ${said(one.place)} over ${one.client}`)),
  ];
}

function said({ kind, field }) {
  if (kind === "slot") return "a slot";
  return kind === "account" ? (FIELDS[field] ?? field) : "a store key";
}

function placeCell(place) {
  if (place.kind === "store") return [h("div", {}, "Store key"), copyable(place.store_hash, "the hash of the store key", { head: 10, tail: 6 })];
  const what = place.kind === "slot" ? copyable(place.slot, "the slot", { head: 10, tail: 6 }) : h("div", {}, FIELDS[place.field] ?? foreign(place.field, 40));
  return [what, h("div", { class: "muted" }, "of ", copyable(place.account, "the account", { head: 10, tail: 6 }))];
}

function valueCell({ value, place }) {
  if (value === null) return h("span", { class: "muted" }, "nothing");
  if (place.kind === "account" && NUMBERS.includes(place.field)) return copyable(BigInt(value).toString(), "the value", { head: 24, tail: 6 });
  return copyable(value, "the value", { head: 14, tail: 8 });
}

function trust({ trust: kind, threshold, attestors }) {
  if (kind === "proven") return [h("b", {}, "Proven"), h("div", { class: "muted" }, "by the chain's consensus")];
  return [h("b", {}, "Attested"), h("div", { class: "muted" }, `by ${threshold} of ${attestors}`)];
}
