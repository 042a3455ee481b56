// Changes as the relay sends them (`/v1/events`), over a line that heals.

import { address } from "./api.js";

const FIRST_RETRY_MS = 1_000;
const LAST_RETRY_MS = 15_000;
// Heads move every few seconds, so a line that says nothing for this long is taken for dead.
const SILENCE_MS = 60_000;
const FIRST_OPEN_MS = 1_000;

/**
 * Dispatches `message` and `chains` (CustomEvents whose `detail` is the data), `reset` (read everything again) and
 * `standing` (`detail`: connecting, live, reconnecting or paused).
 *
 * EventSource reconnects by itself after a lost line, but not after an answer that is no stream (a proxy's 502 while
 * the relay restarts): then it is made anew, later each time. In a hidden page the line is given back.
 */
export class Stream extends EventTarget {
  #source = null;
  #last = null;
  #started = false;
  #retry_ms = FIRST_RETRY_MS;
  #timer = null;
  #silence = null;

  /** Resolves when the line is open, or does not open soon: what is read after it misses no change. */
  async start() {
    const opened = new Promise((resolve) => this.addEventListener("standing", ({ detail }) => detail === "live" && resolve()));
    document.addEventListener("visibilitychange", () => (document.hidden ? this.#pause() : this.#connect("connecting")));
    if (!document.hidden) this.#connect("connecting");
    await Promise.race([opened, new Promise((resolve) => setTimeout(resolve, FIRST_OPEN_MS))]);
    this.#started = true;
  }

  #connect(standing) {
    this.#close();
    this.#say(standing);
    const source = new EventSource(address("events", { after: this.#last }));
    this.#source = source;
    source.addEventListener("open", () => this.#open());
    source.addEventListener("error", () => this.#lost());
    source.addEventListener("reset", (event) => {
      this.#heard(event);
      this.dispatchEvent(new CustomEvent("reset"));
    });
    for (const name of ["message", "chains"]) {
      source.addEventListener(name, (event) => {
        this.#heard(event);
        this.dispatchEvent(new CustomEvent(name, { detail: JSON.parse(event.data) }));
      });
    }
    this.#watchSilence();
  }

  #open() {
    this.#retry_ms = FIRST_RETRY_MS;
    this.#say("live");
    // Without an id to go on from, what happened while the line was not open is unknown.
    if (this.#started && this.#last === null) this.dispatchEvent(new CustomEvent("reset"));
  }

  #lost() {
    this.#say("reconnecting");
    if (this.#source?.readyState !== EventSource.CLOSED) return;
    this.#close();
    this.#timer = setTimeout(() => this.#connect("reconnecting"), this.#retry_ms);
    this.#retry_ms = Math.min(2 * this.#retry_ms, LAST_RETRY_MS);
  }

  #heard(event) {
    if (event.lastEventId) this.#last = event.lastEventId;
    this.#watchSilence();
  }

  #watchSilence() {
    clearTimeout(this.#silence);
    this.#silence = setTimeout(() => this.#connect("reconnecting"), SILENCE_MS);
  }

  #pause() {
    this.#close();
    this.#say("paused");
  }

  #close() {
    clearTimeout(this.#timer);
    clearTimeout(this.#silence);
    this.#source?.close();
    this.#source = null;
  }

  #say(standing) {
    this.dispatchEvent(new CustomEvent("standing", { detail: standing }));
  }
}
