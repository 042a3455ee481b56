// Amounts as their token counts them: the registry (`/v1/tokens`) is read once and again when a token is new.

import { read } from "./api.js";
import { h, icon } from "./dom.js";
import { units } from "./format.js";
import { foreign, identifier } from "./parts.js";

const LEAST_BETWEEN_READS_MS = 30_000;

/** Canonical tokens by `chain denomination`, for the home chain and for each chain where a voucher was seen. */
export class TokenRegistry {
  #byDenomination = new Map();
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
  }

  find(chain, denom) {
    const token = this.#byDenomination.get(`${chain} ${denom}`);
    if (token === undefined) this.ready();
    return token ?? null;
  }

  /** `12.5 DEMO`, with a mark where the name is also another token's. */
  amount(message) {
    const { denom, amount } = message.token;
    const token = this.find(message.source.chain, denom);
    const known = token !== null && token.decimals !== null;
    return h(
      "span",
      { class: "amount", title: known ? `${amount} of the smallest unit` : null },
      h("b", {}, known ? units(amount, token.decimals) : units(amount, 0)),
      token?.symbol ? foreign(token.symbol, 16) : identifier(denom, { head: 10, tail: 4 }),
      token?.look_alike && lookAlikeMark(),
    );
  }
}

export function lookAlikeMark() {
  return h(
    "span",
    { class: "look-alike", title: "Another token has the same name or symbol: compare the address" },
    icon("warning"),
    h("span", { class: "hidden" }, "look-alike"),
  );
}
