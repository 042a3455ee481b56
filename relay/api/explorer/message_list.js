// The messages that a list holds: pages of the API with live changes merged in. No DOM.

import { read } from "./api.js";

const PAGE = 100;

/** Which messages are wanted; every field is exact and may be absent, as in the API. */
export const FILTERS = ["state", "app", "source", "destination", "sender", "receiver", "message_id", "transaction", "since", "until"];

/** Newest first. `onchange` is called after each change of `items`. */
export class MessageList {
  items = [];
  complete = false;
  #filter;
  #signal;
  #cursor = null;
  #loading = null;
  #onchange;

  constructor(filter, signal, onchange) {
    this.#filter = filter;
    this.#signal = signal;
    this.#onchange = onchange;
  }

  /** Read the next page, once at a time. */
  more() {
    if (this.complete) return Promise.resolve();
    this.#loading ??= this.#readPage().finally(() => (this.#loading = null));
    return this.#loading;
  }

  /** Read from the newest on again. */
  async restart() {
    await this.#loading?.catch(() => null);
    this.#cursor = null;
    this.complete = false;
    this.items = [];
    await this.more();
  }

  async #readPage() {
    const page = await read("messages", { ...this.#filter, limit: PAGE, cursor: this.#cursor }, this.#signal);
    const known = new Set(this.items.map((item) => item.id));
    this.items.push(...page.items.filter((item) => !known.has(item.id)));
    this.#cursor = page.next;
    this.complete = page.next === null;
    this.#onchange();
  }

  /** Merge a change from the stream: "added", "changed", "removed" or null where it does not concern this list. */
  apply(message) {
    const index = this.items.findIndex((item) => item.id === message.id);
    const wanted = matches(this.#filter, message);
    if (index < 0) return wanted && this.#insert(message) ? "added" : null;
    if (wanted) this.items[index] = message;
    else this.items.splice(index, 1);
    this.#onchange();
    return wanted ? "changed" : "removed";
  }

  #insert(message) {
    const place = this.items.findIndex((item) => sentAt(item) < sentAt(message));
    // Older than everything that was read: it comes with its page.
    if (place < 0 && !this.complete) return false;
    this.items.splice(place < 0 ? this.items.length : place, 0, message);
    this.#onchange();
    return true;
  }
}

function sentAt(message) {
  return message.sent_at ?? message.updated_at;
}

function matches(filter, message) {
  return (
    ["state", "app", "sender", "receiver", "message_id"].every((name) => !filter[name] || filter[name] === message[name]) &&
    ["source", "destination"].every((name) => !filter[name] || filter[name] === message[name].chain) &&
    (!filter.transaction || filter.transaction === message.sent_transaction) &&
    (!filter.since || sentAt(message) >= filter.since) &&
    (!filter.until || sentAt(message) < filter.until)
  );
}
