// Amounts as their token counts them: the registry (`/v1/tokens`) is read once, and again where it does not know a token yet.

import { read } from "./api.js";
import { h, icon } from "./dom.js";
import { large, units } from "./format.js";
import { foreign, identifier } from "./parts.js";

const LEAST_BETWEEN_READS_MS = 10_000;

/** Canonical tokens by `chain denomination`, for the home chain and for each chain where a voucher was seen. */
export class TokenRegistry {
  #byDenomination = new Map();
  #shown = new WeakMap();
  #readAt = -Infinity;
  #reading = null;

  /** Resolves when the registry was read, at least once; a failure leaves amounts in their smallest units. */
  async ready() {
    if (performance.now() - this.#readAt < LEAST_BETWEEN_READS_MS) return;
    this.#reading ??= this.#read().finally(() => (this.#reading = null));
    await this.#reading;
  }

  async #read() {
    this.#readAt = performance.now();
    const answer = await read("tokens").catch(() => ({ items: [] }));
    for (const token of answer.items) {
      this.#byDenomination.set(`${token.chain} ${token.denom}`, token);
      for (const held of token.held) {
        this.#byDenomination.set(`${held.chain} ${held.denom}`, token);
        if (held.address) this.#byDenomination.set(`${held.chain} ${held.address}`, token);
      }
    }
    for (const amount of document.querySelectorAll(".amount")) amount.replaceWith(this.amount(...this.#shown.get(amount)));
  }

  #find(chain, denom) {
    const token = this.#byDenomination.get(`${chain} ${denom}`) ?? null;
    // The relay asks a token for its decimals in its own time.
    if (token === null || token.decimals === null) this.ready();
    return token;
  }

  /** `12.5 DEMO`, with a mark where the name is also another token's; it follows what the registry learns. In a list it may be cut. */
  amount(message, exact = false) {
    const { denom, amount } = message.token;
    const token = this.#find(message.source.chain, denom);
    const known = token !== null && token.decimals !== null;
    const shown = h(
      "span",
      { class: exact ? "amount exact" : "amount", title: `${amount} of the smallest unit` },
      h("b", {}, known ? units(amount, token.decimals, { exact }) : exact ? units(amount, 0) : large(amount)),
      token?.symbol ? foreign(token.symbol, 16) : identifier(denom, { head: 6, tail: 4 }),
      token?.look_alike && lookAlikeMark(),
    );
    this.#shown.set(shown, [message, exact]);
    return shown;
  }
}

function lookAlikeMark() {
  return h(
    "span",
    { class: "look-alike", title: "Another token has the same name or symbol: compare the address" },
    icon("warning"),
    h("span", { class: "hidden" }, "look-alike"),
  );
}
