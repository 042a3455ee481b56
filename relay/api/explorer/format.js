// Values of the API as people read them. Pure functions.

const UNSEEN = /[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu;
const UNITS = [
  [86_400, "d"],
  [3_600, "h"],
  [60, "min"],
];

/** Text from outside, with what hides or turns other text (control, zero-width and direction marks) written out. */
export function visible(text) {
  return text.replace(UNSEEN, (mark) => `\\u${mark.codePointAt(0).toString(16).padStart(4, "0")}`);
}

/** `0x1234abcd…9876`; text that is short enough stays whole. */
export function shortened(text, head = 8, tail = 6) {
  return text.length <= head + tail + 1 ? text : `${text.slice(0, head)}…${text.slice(-tail)}`;
}

export function count(number) {
  return number.toLocaleString("en");
}

export function plural(number, one, many = `${one}s`) {
  return `${count(number)} ${number === 1 ? one : many}`;
}

/** `3 min ago`, `in 2 h`. */
export function relative(seconds) {
  if (Math.abs(seconds) < 1) return "just now";
  return seconds < 0 ? `${roughly(-seconds)} ago` : `in ${roughly(seconds)}`;
}

/** A duration in its largest unit. */
function roughly(seconds) {
  for (const [size, unit] of UNITS) if (seconds >= size) return `${Math.floor(seconds / size)} ${unit}`;
  return `${Math.floor(seconds)} s`;
}

/** A duration in its two largest units: `13 d 23 h`, `4 min 10 s`, `2.5 s`. */
export function duration(seconds) {
  if (seconds < 10) return `${Math.max(0, Number(seconds.toFixed(1)))} s`;
  const parts = [];
  let rest = Math.floor(seconds);
  for (const [size, unit] of [...UNITS, [1, "s"]]) {
    const whole = Math.floor(rest / size);
    rest -= whole * size;
    if (whole) parts.push(`${whole} ${unit}`);
    else if (parts.length) break;
    if (parts.length === 2) break;
  }
  return parts.join(" ");
}

/** The reader's own date, time and zone. */
export function absolute(iso) {
  return new Date(iso).toLocaleString("en-GB", { dateStyle: "medium", timeStyle: "long" });
}

export function timeOfDay(iso) {
  return new Date(iso).toLocaleTimeString("en-GB");
}

/** A whole number of smallest units as a decimal with `decimals` digits after the point: at most six, never rounded to zero. */
export function units(amount, decimals, { exact = false } = {}) {
  const digits = amount.padStart(decimals + 1, "0");
  const whole = BigInt(digits.slice(0, digits.length - decimals)).toLocaleString("en");
  const fraction = digits.slice(digits.length - decimals).replace(/0+$/, "");
  if (fraction === "") return whole;
  const leading = fraction.length - fraction.replace(/^0+/, "").length;
  const shown = exact ? fraction.length : whole === "0" ? leading + 4 : 6;
  return `${whole}.${fraction.slice(0, shown)}${fraction.length > shown ? "…" : ""}`;
}

/** A whole number of smallest units whose token is not known: long ones as `8.6×10¹⁹`. */
export function large(amount) {
  if (amount.length <= 9) return units(amount, 0);
  const fraction = amount.slice(1, 4).replace(/0+$/, "");
  const power = [...String(amount.length - 1)].map((digit) => "⁰¹²³⁴⁵⁶⁷⁸⁹"[digit]).join("");
  return `${amount[0]}${fraction && `.${fraction}`}×10${power}`;
}

/** A fee in the chain's own coin: EVM chains and the hub count 10^18 to a coin, of others only the smallest unit is known. */
export function fee(amount, kind) {
  if (amount === "0") return "0";
  return kind === "cosmos" ? `${BigInt(amount).toLocaleString("en")} smallest units` : units(amount, 18);
}
