// The way of a message drawn over its chains: a lane for each chain, an arrow for each milestone, words beside it.

import { ago } from "./clock.js";
import { h, s } from "./dom.js";
import { absolute, count, duration, fee, timeOfDay, visible } from "./format.js";
import { badge, copyable, foreign } from "./parts.js";
import { lanes, milestones, STEP_WORDS } from "./timeline.js";

const LANE_PX = { wide: 72, narrow: 54 };
const NARROW = "(max-width: 720px)";
const ARROW_HEIGHT_PX = 44;
const STANDINGS = {
  done: { words: "Done", icon: "check", tone: "ok" },
  moving: { words: "Next", icon: "moving", tone: "moving" },
  waiting: { words: "Waits", icon: "waiting", tone: "waiting" },
  failed: { words: "Failed", icon: "stop", tone: "bad" },
  ahead: { words: "To come", icon: "elsewhere", tone: "idle" },
};
const NOTICED = "When this relay noticed it: it does not know the block";
const OWN_CLOCK = "Earlier than the step before: each chain has its own clock";

/** `kinds` maps names of chains to their kind, for fees. `opened` holds titles of the step lists that are open. */
export function wayDrawing(message, kinds, opened) {
  const chains = lanes(message);
  const lane = matchMedia(NARROW).matches ? LANE_PX.narrow : LANE_PX.wide;
  const list = h("ol", { class: "way" }, milestones(message).map((one, index, all) => milestone(one, { chains, lane, kinds, before: all[index - 1] ?? null, opened })));
  const heads = h("div", { class: "lane-heads", "aria-hidden": "true" }, chains.map((chain) => h("span", {}, foreign(chain, 24))));
  heads.style.width = `${chains.length * lane}px`;
  return h("div", { class: "way-box" }, heads, list);
}

function milestone(one, { chains, lane, kinds, before, opened }) {
  const drawn = h("div", { class: "lanes", "aria-hidden": "true" }, chains.map((_, index) => laneLine(index, lane)), arrow(one, chains, lane));
  drawn.style.width = `${chains.length * lane}px`;
  return h(
    "li",
    { class: `milestone ${one.standing}` },
    drawn,
    h(
      "div",
      { class: "milestone-words" },
      h("div", { class: "milestone-head" }, h("h3", {}, visible(one.title)), badge(STANDINGS[one.standing])),
      facts(one, kinds, before),
      one.reason !== null && h("p", { class: "reason" }, foreign(one.reason, 600)),
      one.steps.length > 0 && stepList(one, opened),
    ),
  );
}

function facts(one, kinds, before) {
  if (one.at === null) return null;
  const since = before?.at ? (Date.parse(one.at) - Date.parse(before.at)) / 1_000 : null;
  return h(
    "ul",
    { class: "facts" },
    h("li", {}, h("span", { title: absolute(one.at) }, timeOfDay(one.at)), " · ", ago(one.at), one.standing === "done" && one.ofBlock && since > 0 && ` · ${duration(since)} later`),
    one.byOwnClock && h("li", {}, OWN_CLOCK),
    one.standing === "done" && !one.ofBlock && h("li", {}, NOTICED),
    one.height !== null && h("li", {}, `Block ${count(one.height)}`),
    one.transaction !== null && h("li", {}, "Transaction ", copyable(one.transaction, "the transaction's hash")),
    one.fee_wei !== null && h("li", {}, `Fee ${fee(one.fee_wei, kinds.get(one.to))}`, one.gas_used !== null && ` (${count(one.gas_used)} gas)`),
  );
}

function stepList(one, opened) {
  const details = h(
    "details",
    { open: opened.has(one.title) },
    h("summary", {}, `What the relay did (${one.steps.length})`),
    h("ol", { class: "steps" }, one.steps.map(step)),
  );
  details.addEventListener("toggle", () => (details.open ? opened.add(one.title) : opened.delete(one.title)));
  return details;
}

function step(event) {
  return h(
    "li",
    {},
    h("time", { datetime: event.at, title: absolute(event.at) }, timeOfDay(event.at)),
    h("span", {}, STEP_WORDS[event.step] ?? visible(event.step), event.count > 1 && ` (${event.count} times, first at ${timeOfDay(event.first_at)})`, event.reason !== null && [": ", foreign(event.reason, 600)]),
  );
}

function laneLine(index, lane) {
  const line = h("span", { class: "lane" });
  line.style.left = `${(index + 0.5) * lane}px`;
  return line;
}

function arrow(one, chains, lane) {
  const middle = (chain) => (chains.indexOf(chain) + 0.5) * lane;
  const [from, to] = [middle(one.from), middle(one.to)];
  const half = ARROW_HEIGHT_PX / 2;
  const width = chains.length * lane;
  const drawing = s("svg", { width, height: ARROW_HEIGHT_PX, viewBox: `0 0 ${width} ${ARROW_HEIGHT_PX}` });
  if (from !== to) {
    const side = Math.sign(to - from);
    const tip = to - side * 3;
    drawing.append(
      s("circle", { class: "start", cx: from, cy: half, r: 3 }),
      s("path", { class: "shaft", d: `M${from + side * 5} ${half}H${tip - side * 2}` }),
      s("path", { class: "head", d: `M${tip - side * 7} ${half - 5}L${tip} ${half}L${tip - side * 7} ${half + 5}` }),
    );
  }
  drawing.append(s("circle", { class: "end", cx: to, cy: half, r: from === to ? 7 : 6 }));
  return drawing;
}
