// Organisations of a hub: who is registered, who accredited whom as a tree, and the lists of issuers with age and epoch.

import { read } from "../api.js";
import { ago } from "../clock.js";
import { h, icon } from "../dom.js";
import { count, plural } from "../format.js";
import { badge, empty, foreign, identifier, loading, section, table } from "../parts.js";

const REREAD_MS = 10_000;
// A page of the API; whoever wants all of more uses the SDK.
const MOST = 100;
const ACTIVE = { words: "Active", icon: "check", tone: "ok" };
const GONE = { words: "Deactivated", icon: "warning", tone: "bad" };
const REVOKED = { words: "Revoked", icon: "warning", tone: "bad" };
const OVER = { words: "Not in its window", icon: "warning", tone: "bad" };
const OPEN = { words: "Open", icon: "check", tone: "ok" };
const SEALED = { words: "Sealed", icon: "done", tone: "idle" };
const UNSUPPORTED = "not_supported";

export async function organisationsView({ root, signal }) {
  const place = h("div", {}, loading("the organisations"));
  root.append(
    h("div", { class: "page-head" }, h("h1", {}, "Identity"), h("p", { class: "muted" }, "Organisations that keep their keys, accreditations and status lists on a hub. This page is the node's word; each proof is a file that anyone re-checks offline. Persons are not listed here.")),
    place,
  );
  let drawn = null;

  async function refresh() {
    const found = await known(signal);
    const seen = JSON.stringify(found);
    if (seen === drawn) return;
    drawn = seen;
    if (found.hubs === 0) place.replaceChildren(empty("No hub is configured here: identity is kept by hubs."));
    else if (found.organisations.length === 0) place.replaceChildren(empty("No organisation is registered yet."));
    else place.replaceChildren(...[found.more ? h("p", { class: "muted" }, `The first ${count(MOST)} of each are here; the API lists the others.`) : null, organisationTable(found), tree(found), listTable(found)].filter((part) => part !== null));
  }

  // One that fails is tried again; what was read stands.
  const timer = setInterval(() => !document.hidden && refresh().catch(() => null), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  await refresh();
}

// Of every hub. A hub of earlier rules keeps none, which is no failure.
async function known(signal) {
  const hubs = (await read("chains", {}, signal)).items.filter((item) => item.kind === "hub");
  const all = (path) => Promise.all(hubs.map((item) => read(path, { hub: item.name, limit: MOST }, signal).catch(unless(UNSUPPORTED))));
  const [organisations, accreditations, lists] = await Promise.all(["identity/organisations", "identity/accreditations", "identity/lists"].map(all));
  const items = (pages) => pages.flatMap((page) => page.items);
  return {
    hubs: hubs.length,
    organisations: items(organisations),
    accreditations: items(accreditations),
    lists: items(lists),
    more: [organisations, accreditations, lists].some((pages) => pages.some((page) => page.next !== null)),
  };
}

function unless(code) {
  return (error) => {
    if (error.code !== code) throw error;
    return { items: [], next: null };
  };
}

/** A link to the page of one organisation; its DID is shortened, and whole on hover. */
export function organisationLink(did) {
  return h("a", { class: "unbroken", href: `#/identity/${encodeURIComponent(did)}` }, identifier(did, { head: 26, tail: 6 }));
}

/** A link that downloads a bundle; `what` is said to those who do not see where it stands. */
export function proof(bundle, name, what) {
  return h("a", { href: bundle.replace(/^\//, ""), download: `${name}.record.json` }, icon("download"), h("span", {}, "Proof"), h("span", { class: "hidden" }, ` of ${what}`));
}

function organisationTable({ organisations }) {
  const rows = organisations.map((one) => [
    organisationLink(one.did),
    badge(one.active ? ACTIVE : GONE),
    `${count(one.active_keys)} of ${count(one.keys)}`,
    count(one.lists),
    ago(one.registered),
    ago(one.changed),
    proof(one.bundle, one.did.slice(-16), one.did),
  ]);
  return section("Organisations", {}, table("Organisations", ["DID", "State", "Keys that count", "Lists", "Registered", "Changed", "Proof"], rows, { numeric: [2, 3] }));
}

/** How an accreditation stands now. That every level above it stands too is what the bundle shows. */
export function standing(one) {
  if (one.state === "revoked") return REVOKED;
  const now = Date.now();
  return Date.parse(one.valid_from) <= now && now < Date.parse(one.valid_until) ? ACTIVE : OVER;
}

function tree({ accreditations }) {
  if (accreditations.length === 0) return section("Accreditations", {}, empty("Nobody is accredited yet."));
  const below = new Map();
  for (const one of accreditations) below.set(one.accreditor, [...(below.get(one.accreditor) ?? []), one]);
  const subjects = accreditations.map((one) => one.subject);
  // What hangs on nobody that is shown here begins a branch of its own, so that nothing is left out.
  const roots = [...below.keys()].filter((did) => did === null || !subjects.includes(did));
  return section(
    "Accreditations",
    {},
    h("p", { class: "muted" }, "Who lets whom issue, from the hub's governance down. An organisation counts while every level above it does."),
    ...roots.map((did) => h("div", { class: "tree" }, h("p", {}, did === null ? h("b", {}, "The hub's governance") : organisationLink(did)), branch(did, below, []))),
  );
}

function branch(did, below, above) {
  const children = below.get(did) ?? [];
  return h(
    "ul",
    {},
    children.map((one) =>
      h(
        "li",
        {},
        h(
          "div",
          { class: "tree-row" },
          organisationLink(one.subject),
          badge(standing(one)),
          h("span", {}, one.schema === null ? "for all schemas" : ["for the schema ", identifier(one.schema)]),
          h("span", { class: "muted" }, one.depth === 0 ? "issues, and accredits nobody" : `${plural(one.depth, "more level")} may follow`),
          h("span", { class: "muted" }, "granted ", ago(one.granted)),
          proof(one.bundle, one.subject.slice(-16), `the accreditations of ${one.subject}`),
        ),
        // depths fall on the way down, so this ends; a node that says otherwise does not lead us in circles
        above.includes(one.subject) || !below.has(one.subject) ? null : branch(one.subject, below, [...above, one.subject]),
      ),
    ),
  );
}

function listTable({ lists }) {
  if (lists.length === 0) return section("Status lists", {}, empty("No list was opened yet."));
  return section("Status lists", {}, table("Status lists", LIST_COLUMNS, lists.map((one) => [organisationLink(one.issuer), ...listCells(one)]), { numeric: [1, 3] }));
}

const LIST_COLUMNS = ["Issuer", "Number", "State", "Statuses", "Last update", "Epoch", "Token", "Proof"];

/** The cells of a list after its issuer. */
export function listCells(one) {
  return [
    String(one.number),
    badge(one.sealed === null ? OPEN : SEALED),
    [h("span", {}, count(one.size)), h("div", { class: "muted" }, `of ${one.bits} ${one.bits === 1 ? "bit" : "bits"}`)],
    [ago(one.changed), h("div", { class: "muted" }, "update ", foreign(String(one.updates)))],
    [h("span", {}, String(one.epoch)), h("div", { class: "muted" }, "raised ", ago(one.epoch_raised))],
    one.token_hash === null ? h("span", { class: "muted" }, "none") : identifier(one.token_hash),
    proof(one.bundle, `list-${one.number}`, `list ${one.number} of ${one.issuer}`),
  ];
}
