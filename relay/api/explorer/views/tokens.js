// The tokens that were seen: each by its home, with every voucher of it, and look-alikes marked.

import { read } from "../api.js";
import { h, icon } from "../dom.js";
import { plural } from "../format.js";
import { copyable, empty, foreign, loading, table } from "../parts.js";

const REREAD_MS = 10_000;

export async function tokensView({ root, signal }) {
  const place = h("div", {}, loading("the tokens"));
  root.append(h("div", { class: "page-head" }, h("h1", {}, "Tokens"), h("p", { class: "muted" }, "A token is its address at home. Anyone may give a token any name, so where two look alike, compare addresses.")), place);
  let shown = null;

  async function refresh() {
    const answer = await read("tokens", {}, signal);
    const { items, complete } = answer;
    const said = JSON.stringify(answer);
    // Opened vouchers stay open while nothing is new.
    if (said === shown) return;
    shown = said;
    const missing = complete === false ? [h("p", { class: "muted" }, "Not every token is listed or named yet: one without a mark may still look like one that is missing.")] : [];
    place.replaceChildren(...missing, items.length > 0 ? tokenTable(items) : empty("No token was seen yet."));
  }

  // One that fails is tried again; what was read stands.
  const timer = setInterval(() => !document.hidden && refresh().catch(() => null), REREAD_MS);
  signal.addEventListener("abort", () => clearInterval(timer));
  await refresh();
}

function tokenTable(items) {
  return table("Tokens", ["Token", "Home", "Address or denomination", "Decimals", "Vouchers elsewhere"], items.map(row), { numeric: [3] });
}

function row(token) {
  return [
    [
      h("b", {}, token.symbol ? foreign(token.symbol, 24) : "no symbol"),
      h("div", { class: "muted" }, token.name ? foreign(token.name, 60) : "no name"),
      token.look_alike && h("span", { class: "badge bad" }, icon("warning"), h("span", {}, "Looks like another")),
    ],
    foreign(token.chain, 40),
    copyable(token.denom, `the address of ${token.symbol ?? "this token"}`, { head: 12, tail: 8 }),
    token.decimals === null ? "not known" : String(token.decimals),
    token.held.length === 0 ? h("span", { class: "muted" }, "none seen") : vouchers(token),
  ];
}

function vouchers({ held }) {
  return h(
    "details",
    {},
    h("summary", {}, plural(held.length, "voucher")),
    h(
      "ul",
      { class: "vouchers" },
      held.map((one) => h("li", {}, h("b", {}, foreign(one.chain, 40)), one.symbol ? [" as ", foreign(one.symbol, 24)] : null, copyable(one.denom, `the denomination on ${one.chain}`, { head: 24, tail: 10 }), one.address !== null && copyable(one.address, `the address on ${one.chain}`))),
    ),
  );
}
