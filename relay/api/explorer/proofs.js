// The proofs of a message, each with its predicates; the bundle, and how to judge it without this relay.

import { address, messagePath, read } from "./api.js";
import { ago } from "./clock.js";
import { h, icon } from "./dom.js";
import { plural, visible } from "./format.js";
import { badge, command, copyable, empty, failure, foreign, loading, section } from "./parts.js";

const KINDS = { receive: "Delivery", acknowledge: "Confirmation", timeout: "Timeout" };
const VALID = { words: "Valid", icon: "check", tone: "ok" };
const REFUSED = { words: "Refused", icon: "stop", tone: "bad" };

/** Read the proofs of `message` and show them in `place`. */
export async function proofSection(place, message, settled, signal) {
  const list = h("div", { class: "proofs" }, loading("the proofs and judging them again"));
  place.replaceChildren(section("Proofs", {}, intro(), list), bundle(message, settled));
  try {
    const { items } = await read(`${messagePath(message.id)}/proofs`, {}, signal);
    list.replaceChildren(...(items.length > 0 ? items.toSorted(byWay).map(proof) : [empty("No proof is kept yet: the first one comes with the first delivery.")]));
  } catch (error) {
    if (error.name === "AbortError") return;
    list.replaceChildren(failure(error, () => proofSection(place, message, settled, signal)));
  }
}

// In the order of the way: out over the legs, and home.
function byWay(one, other) {
  const place = ({ kind, leg }) => (kind === "receive" ? leg : 10 - leg);
  return place(one) - place(other);
}

function intro() {
  return h("p", { class: "muted" }, "A light client on each chain believed nothing but these. The relay has judged the kept evidence again just now; each line is one rule.");
}

function proof(one) {
  return h(
    "details",
    { class: "proof" },
    h(
      "summary",
      {},
      badge(one.valid ? VALID : REFUSED),
      h("span", { class: "proof-title" }, `${KINDS[one.kind] ?? visible(one.kind)}: ${chain(one.source_chain)} proven on ${chain(one.destination_chain)}`),
      h("span", { class: "muted" }, plural(one.predicates.length, "rule")),
    ),
    h(
      "dl",
      { class: "pairs" },
      pair("Packet", foreign(one.packet_id)),
      one.client !== null && pair("Light client", [foreign(one.client), ` on ${chain(one.destination_chain)}`, one.client_type !== null && ` (${visible(one.client_type)})`]),
      one.proof_height !== null && pair("Proven at height", visible(one.proof_height)),
      pair("Headers brought along", String(one.headers)),
      one.transaction !== null && pair("Transaction", copyable(one.transaction, "the transaction's hash")),
      one.verified_at !== null && pair("Judged", ago(one.verified_at)),
    ),
    h("ul", { class: "predicates" }, one.predicates.map(predicate)),
  );
}

// Evidence that is damaged does not say where it is from.
function chain(name) {
  return name === null ? "an unknown chain" : visible(name);
}

function predicate({ name, valid, error }) {
  return h(
    "li",
    { class: valid ? "ok" : "bad" },
    icon(valid ? "check" : "stop"),
    h("span", { class: "hidden" }, valid ? "held: " : "failed: "),
    h("code", {}, foreign(name)),
    error !== null && h("p", {}, foreign(error, 600)),
  );
}

function pair(name, value) {
  return h("div", {}, h("dt", {}, name), h("dd", {}, value));
}

function bundle(message, settled) {
  if (!settled) return section("Take the proof home", {}, empty("The bundle can be downloaded when the message is settled: it then holds the proof of its end too."));
  const file = `${message.id.replaceAll("/", "-")}.bundle.json`;
  const chains = [...new Set([message.source.chain, message.via, message.destination.chain].filter((chain) => chain !== null))];
  const [first] = chains;
  const checkpoints = chains.map((chain) => `--checkpoint ${chain}.checkpoint.json`).join(" ");
  return section(
    "Take the proof home",
    {},
    h("p", {}, "The bundle holds everything that is needed to judge this message again, offline, with nothing but checkpoints that you trust."),
    h("p", {}, h("a", { class: "button main", href: address(`${messagePath(message.id)}/bundle`), download: file }, icon("download"), "Download the bundle")),
    h("p", {}, "Judge it with checkpoints from before the message was sent. Exit code 0 says that every rule held:"),
    command(`hutong audit verify ${file} ${checkpoints}`, "Command that verifies the bundle"),
    h(
      "details",
      {},
      h("summary", {}, "Where checkpoints come from, and what to do with newer ones"),
      h("p", {}, "A checkpoint is a block that you trust, best from a node of your own:"),
      command(`hutong audit checkpoint --config relay.toml --chain ${first} --output ${first}.checkpoint.json`, "Command that makes a checkpoint"),
      h("p", {}, "From checkpoints that are newer than the message, a bundle is proven backwards, for ever. Make that one yourself:"),
      command(`hutong audit export ${message.id} --config relay.toml --output ${file} ${checkpoints}`, "Command that makes a bundle for newer checkpoints"),
    ),
  );
}
