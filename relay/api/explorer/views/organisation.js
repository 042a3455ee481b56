// One organisation: keys, accreditations, lists, and its history, each entry with the proof to download.

import { read } from "../api.js";
import { ago } from "../clock.js";
import { h } from "../dom.js";
import { count, plural } from "../format.js";
import { badge, command, copyable, empty, foreign, identifier, loading, section, table } from "../parts.js";
import { listCells, organisationLink, proof, standing } from "./organisations.js";

const REREAD_MS = 10_000;
const STATES = {
  active: { words: "Active", icon: "check", tone: "ok" },
  retired: { words: "Retired", icon: "done", tone: "idle" },
  compromised: { words: "Compromised", icon: "warning", tone: "bad" },
};
const GONE = { words: "Deactivated", icon: "warning", tone: "bad" };
const NO_END = "9999";

export async function organisationView({ root, parts, query, signal }) {
  const [did] = parts;
  const place = h("div", {}, loading("the organisation"));
  root.append(h("div", { class: "page-head" }, h("p", {}, h("a", { href: "#/identity" }, "Identity")), h("h1", {}, "Organisation"), copyable(did, "the DID", { head: 40, tail: 12 })), place);
  let drawn = null;

  async function refresh() {
    const found = await read(`identity/organisations/${encodeURIComponent(did)}`, query, signal);
    const seen = JSON.stringify(found);
    if (seen === drawn) return;
    drawn = seen;
    place.replaceChildren(about(found), keyTable(found), accreditationTable(found), listTable(found), historyTable(found));
  }

  // One that fails is tried again; what was read stands.
  const timer = setInterval(() => !document.hidden && refresh().catch(() => null), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  await refresh();
}

function about({ organisation: one, epoch }) {
  const name = one.did.slice(-16);
  return section(
    "Its records",
    { aside: badge(one.active ? STATES.active : GONE) },
    h("p", {}, `${plural(one.keys, "key")}, of which ${count(one.active_keys)} may be used; ${plural(one.lists, "list")}; epoch ${count(epoch)}; ${plural(one.operations, "operation")} of its controllers. Registered `, ago(one.registered), ", changed ", ago(one.changed), "."),
    h("p", {}, "All of it in one file, in which no key can be left out: ", proof(one.bundle, name, "all records of the organisation")),
    command(`hutong identity check ${one.did} ${name}.record.json --checkpoint hub.checkpoint.json`, "the command that judges it"),
  );
}

function keyTable({ keys }) {
  const rows = keys.map((one) => [
    [identifier(one.thumbprint), h("div", { class: "muted" }, foreign(one.algorithm, 20))],
    one.purposes.join(", "),
    badge(STATES[one.state]),
    ago(one.valid_from),
    one.valid_until.startsWith(NO_END) ? "no end" : ago(one.valid_until),
    one.ended === null ? h("span", { class: "muted" }, "not ended") : ago(one.ended),
  ]);
  return section("Keys", {}, table("Keys", ["Thumbprint", "For", "State", "From", "Until", "Ended"], rows));
}

function accreditationTable({ accreditations }) {
  if (accreditations.length === 0) return section("Accreditations", {}, empty("Nobody accredited it."));
  const rows = accreditations.map((one) => [
    one.schema === null ? "all schemas" : identifier(one.schema),
    one.accreditor === null ? "the hub's governance" : organisationLink(one.accreditor),
    badge(standing(one)),
    String(one.depth),
    ago(one.granted),
    one.valid_until.startsWith(NO_END) ? "no end" : ago(one.valid_until),
    proof(one.bundle, one.subject.slice(-16), "this accreditation, with every level above it"),
  ]);
  return section("Accreditations", {}, table("Accreditations", ["Schema", "By", "State", "Levels below", "Granted", "Until", "Proof"], rows, { numeric: [3] }));
}

function listTable({ lists }) {
  if (lists.length === 0) return section("Status lists", {}, empty("It opened no list."));
  return section("Status lists", {}, table("Status lists", ["Number", "State", "Statuses", "Last update", "Epoch", "Token", "Proof"], lists.map(listCells), { numeric: [0, 2] }));
}

function historyTable({ history }) {
  const rows = history.map((one) => [
    ago(one.time),
    one.height === null ? h("span", { class: "muted unbroken" }, "by its time") : String(one.height),
    h("span", { class: "unbroken" }, foreign(one.what, 40)),
    foreign(one.detail, 56),
    proof(one.bundle, "history", `"${one.what}"`),
  ]);
  return section(
    "History",
    {},
    h("p", { class: "muted" }, "What its records say happened, newest first. A record that was overwritten says what came last; every operation stands in the hub's blocks."),
    table("History", ["When", "Block", "What", "More", "Proof"], rows, { numeric: [1] }),
  );
}
