// Application cases of the city with their last run: outcome, each check by its name, and the evidence to download.

import { read } from "../api.js";
import { ago } from "../clock.js";
import { h, icon } from "../dom.js";
import { count, plural } from "../format.js";
import { badge, command, empty, foreign, loading, section, table } from "../parts.js";

const REREAD_MS = 10_000;
const HELD = { words: "Held", icon: "check", tone: "ok" };
const FAILED = { words: "Failed", icon: "warning", tone: "bad" };
const ABSENT = "not_found";

export async function casesView({ root, signal }) {
  const place = h("div", {}, loading("the cases"));
  root.append(
    h("div", { class: "page-head" }, h("h1", {}, "Cases"), h("p", { class: "muted" }, "Small applications on the chains of this city, each with its last run. Outcomes are the word of the program that ran them; the evidence is a file that anyone re-checks offline.")),
    place,
  );
  let drawn = null;

  async function refresh() {
    const page = await served(signal);
    const seen = JSON.stringify(page);
    if (seen === drawn) return;
    drawn = seen;
    if (page === null) place.replaceChildren(empty("This relay serves no cases: its configuration has no api.cases_folder."));
    else if (page.items.length === 0) place.replaceChildren(empty("No case was run yet. Run them with hutong city test."));
    else place.replaceChildren(summary(page.items), ...page.items.map(caseCard));
  }

  // One that fails is tried again; what was read stands.
  const timer = setInterval(() => !document.hidden && refresh().catch(() => null), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  await refresh();
}

async function served(signal) {
  try {
    return await read("cases", {}, signal);
  } catch (error) {
    if (error.code !== ABSENT) throw error;
    return null;
  }
}

function summary(items) {
  const rows = items.map((one) => [
    h("span", {}, `${one.number} `, foreign(one.name, 64)),
    badge(one.good ? HELD : FAILED),
    h("span", {}, `${count(one.size)} `, foreign(one.unit, 40)),
    ago(one.time),
    `${one.duration_s} s`,
    count(one.messages),
    count(one.transactions),
    count(one.gas),
    count(one.proof_bytes),
  ]);
  const columns = ["Case", "Outcome", "Size", "Last run", "Took", "Messages", "Transactions", "Gas", "Bytes of proofs"];
  return section("Last runs", {}, table("Cases with their last run", columns, rows, { numeric: [4, 5, 6, 7, 8] }));
}

function caseCard(one) {
  const failed = one.checks.filter((check) => !check.held).length;
  const words = failed === 0 ? `${plural(one.checks.length, "check")} held` : `${failed} of ${plural(one.checks.length, "check")} failed`;
  return section(
    `${one.number}. ${one.name}`,
    { aside: badge(one.good ? HELD : FAILED) },
    h("p", {}, foreign(one.title, 400)),
    one.failure === "" ? null : h("p", { class: "note bad" }, icon("warning"), h("span", {}, "It broke off: ", foreign(one.failure, 400))),
    h("p", { class: "muted" }, words),
    checkTable(one),
    evidence(one),
  );
}

function checkTable(one) {
  const rows = one.checks.map((check) => [foreign(check.name, 200), check.negative ? "had to be refused" : "had to hold", badge(check.held ? HELD : FAILED), foreign(check.said, 200)]);
  return table(`Checks of ${one.name}`, ["Check", "Kind", "Outcome", "Found"], rows);
}

function evidence(one) {
  if (one.evidence === null) return h("p", { class: "muted" }, "It left no evidence.");
  const said = one.judged === null ? "Its evidence was not judged after the run." : `After the run its evidence was judged offline: ${one.judged ? "it held" : "it was refused"}.`;
  const link = h("a", { href: one.evidence.replace(/^\//, ""), download: `${one.name}.evidence.json` }, icon("download"), h("span", {}, "Download the evidence"), h("span", { class: "hidden" }, ` of ${one.name}`));
  const judge = `hutong audit case ${one.name}.evidence.json --checkpoint city/checkpoints --trust city/evidence/${one.name}.trust.json`;
  return h("div", {}, h("p", {}, `${said} `, link), command(judge, "the command that judges it"));
}
