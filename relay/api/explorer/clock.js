// Times that stay true while the page is open.

import { h } from "./dom.js";
import { absolute, duration, relative } from "./format.js";

let ahead_ms = 0;

/** The relay's clock: the reader's own may be wrong. */
export function setClock(iso) {
  ahead_ms = Date.parse(iso) - Date.now();
}

export function now() {
  return Date.now() + ahead_ms;
}

/** `3 min ago`, with the date and time on hover; kept up to date. */
export function ago(iso) {
  return timed(iso, "ago");
}

/** `13 d 23 h`, down to `0 s`; kept up to date. */
export function countdown(iso) {
  return timed(iso, "countdown");
}

/** Rewrite every time on the page, once a second. */
export function startClock() {
  setInterval(() => {
    for (const element of document.querySelectorAll("time[data-shown]")) {
      const text = said(element.dateTime, element.dataset.shown);
      if (element.textContent !== text) element.textContent = text;
    }
  }, 1_000);
}

function timed(iso, shown) {
  return h("time", { datetime: iso, title: absolute(iso), "data-shown": shown }, said(iso, shown));
}

function said(iso, shown) {
  const seconds = (Date.parse(iso) - now()) / 1_000;
  // A clock that is a second behind its chain is no news from the future.
  return shown === "ago" ? relative(Math.abs(seconds) < 2 ? 0 : seconds) : duration(Math.max(0, Math.floor(seconds)));
}
