// Charts over time as SVG, each with a table that says the same.

import { h, s } from "./dom.js";
import { absolute, count } from "./format.js";
import { table } from "./parts.js";

const HEIGHT_PX = 220;
const MARGIN = { top: 12, right: 12, bottom: 26, left: 44 };
const LEAST_WIDTH_PX = 260;
const TICKS = 4;
let charts = 0;

/**
 * A figure. `starts` are ISO times of the buckets, `series` are `{name, look, mark: "bar"|"line", values}` with null for
 * no value, `say(value)` writes one with its unit.
 */
export function timeChart({ title, summary, starts, series, say }) {
  const plot = h("div", { class: "plot" });
  const reading = h("p", { class: "reading", "aria-hidden": "true" });
  const number = (charts += 1);
  const draw = (width) => plot.replaceChildren(drawing({ title, summary, starts, series, say, width, number, reading }));
  new ResizeObserver(([entry]) => draw(Math.max(LEAST_WIDTH_PX, Math.floor(entry.contentRect.width)))).observe(plot);
  const rows = starts.map((start, index) => [absolute(start), ...series.map(({ values }) => (values[index] === null ? "none" : say(values[index])))]);
  return h(
    "figure",
    { class: "chart" },
    h("figcaption", {}, h("h3", {}, title), h("ul", { class: "legend" }, series.map((one) => h("li", {}, h("span", { class: `swatch ${one.look} ${one.mark}` }), one.name)))),
    plot,
    reading,
    h("details", {}, h("summary", {}, "As a table"), table(title, ["From", ...series.map((one) => one.name)], rows.toReversed(), { numeric: series.map((_, index) => index + 1) })),
  );
}

function drawing({ title, summary, starts, series, say, width, number, reading }) {
  const inner = { width: width - MARGIN.left - MARGIN.right, height: HEIGHT_PX - MARGIN.top - MARGIN.bottom };
  const step = inner.width / starts.length;
  const top = niceTop(Math.max(...series.flatMap((one) => one.values.filter((value) => value !== null)), 0));
  const x = (index) => MARGIN.left + index * step;
  const y = (value) => MARGIN.top + inner.height * (1 - value / top);
  const bars = series.filter((one) => one.mark === "bar");
  const cursor = s("rect", { class: "cursor", y: MARGIN.top, height: inner.height, width: step, visibility: "hidden" });
  const svg = s(
    "svg",
    { role: "img", "aria-labelledby": `chart-${number}-title chart-${number}-text`, width, height: HEIGHT_PX, viewBox: `0 0 ${width} ${HEIGHT_PX}` },
    s("title", { id: `chart-${number}-title` }, title),
    s("desc", { id: `chart-${number}-text` }, summary),
    valueAxis(top, y, width),
    timeAxis(starts, x, width),
    cursor,
    bars.map((one, place) => barMarks(one, { x, y, step, place, of: bars.length })),
    series.filter((one) => one.mark === "line").map((one) => s("path", { class: `line ${one.look}`, d: linePath(one.values, x, y, step) })),
  );
  const point = (event) => {
    const index = Math.floor((event.clientX - svg.getBoundingClientRect().left - MARGIN.left) / step);
    const inside = index >= 0 && index < starts.length;
    cursor.setAttribute("visibility", inside ? "visible" : "hidden");
    if (!inside) return reading.replaceChildren();
    cursor.setAttribute("x", x(index));
    reading.textContent = `${axisTime(starts, starts[index])}: ${series.map(({ name, values }) => `${name.toLowerCase()} ${values[index] === null ? "none" : say(values[index])}`).join(", ")}`;
  };
  svg.addEventListener("pointermove", point);
  svg.addEventListener("pointerleave", () => {
    cursor.setAttribute("visibility", "hidden");
    reading.replaceChildren();
  });
  return svg;
}

function valueAxis(top, y, width) {
  const values = Array.from({ length: TICKS + 1 }, (_, index) => (top * index) / TICKS);
  return s(
    "g",
    { class: "axis" },
    values.map((value) => [
      s("line", { x1: MARGIN.left, x2: width - MARGIN.right, y1: y(value), y2: y(value) }),
      s("text", { x: MARGIN.left - 8, y: y(value) + 4, "text-anchor": "end" }, count(value)),
    ]),
  );
}

function timeAxis(starts, x, width) {
  const every = Math.max(1, Math.ceil((starts.length * 76) / (width - MARGIN.left - MARGIN.right)));
  const shown = starts.map((start, index) => [start, index]).filter(([, index]) => index % every === 0 && x(index) < width - 40);
  return s("g", { class: "axis" }, shown.map(([start, index]) => s("text", { x: x(index), y: HEIGHT_PX - 8 }, axisTime(starts, start))));
}

function axisTime(starts, start) {
  const days = Date.parse(starts.at(-1)) - Date.parse(starts[0]) > 2 * 86_400_000;
  const options = days ? { day: "numeric", month: "short" } : { hour: "2-digit", minute: "2-digit" };
  return new Date(start).toLocaleString("en-GB", options);
}

function barMarks({ look, values }, { x, y, step, place, of }) {
  const gap = Math.min(1.5, step * 0.12);
  const width = Math.max(1, (step - 2 * gap) / of);
  const marks = values.map((value, index) => value > 0 && s("rect", { x: x(index) + gap + place * width, y: y(value), width, height: y(0) - y(value) }));
  return s("g", { class: `bars ${look}` }, marks);
}

/** Broken where there is no value; a single value between two gaps is a short dash. */
function linePath(values, x, y, step) {
  let path = "";
  for (const [index, value] of values.entries()) {
    if (value === null) continue;
    const at = `${(x(index) + step / 2).toFixed(1)} ${y(value).toFixed(1)}`;
    const alone = (values[index - 1] ?? null) === null;
    path += alone ? `M${at}` : `L${at}`;
    if (alone && (values[index + 1] ?? null) === null) path += "h4";
  }
  return path;
}

/** The least top of the axis that is not below `value` and whose quarters are short numbers. */
function niceTop(value) {
  const power = 10 ** Math.floor(Math.log10(Math.max(value, 4)));
  return [1, 1.2, 1.6, 2, 2.4, 3.2, 4, 6, 8, 10].map((factor) => factor * power).find((top) => top >= value && top % TICKS === 0);
}
