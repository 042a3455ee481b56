// A message's way as milestones: what was done, what is being done, what is still to come. No DOM.

const DONE = ["included", "superseded"];

export const STEP_WORDS = {
  seen: "Seen in the chain's final state",
  queued: "Put into the relay's queue",
  waiting: "Waits",
  submitted: "Sent to the chain in a transaction",
  retried: "Failed, is tried again",
  included: "Done, in a block",
  superseded: "Done by another relay, or before a restart",
  expired: "Not received in time",
  dead: "Given up",
};

/**
 * Milestones in the order of the way: `{title, from, to, standing, at, ofBlock, byOwnClock, height, transaction, gas_used, fee_wei, reason, steps}`.
 * `ofBlock`: its time is that of the block, else it is when the relay noticed. `byOwnClock`: it is a block's, and earlier than
 * that of the newest block before it: each is its own chain's.
 * `from` and `to` are chains (equal for the sending itself), `standing` is done, moving, waiting, failed or ahead, and
 * `steps` the relay's own events. A message that is settled has nothing ahead.
 */
export function milestones(message) {
  const { via, source, destination } = message;
  const first = via ?? destination.chain;
  const settled = !["open", "dead"].includes(message.state);
  const events = (leg, kind) => message.timeline.filter((event) => event.leg === leg && event.kind === kind);
  const legs = [{ leg: 1, from: source.chain, to: first }];
  if (via !== null) legs.push({ leg: 2, from: via, to: destination.chain });

  const forth = legs.map((one) => outward(one, message, events));
  const home = legs.toReversed().map((one) => homeward(one, message, events));
  const ways = [...forth, ...home].filter((one) => one.steps.length > 0 || !settled);
  if (!settled) foresee(ways);
  return inOrder([sending(message), ...ways]);
}

// Clocks of chains differ by seconds: the order is that of the way, and not of the times.
function inOrder(ways) {
  let last = null;
  return ways.map((one) => {
    const byOwnClock = one.ofBlock && last !== null && Date.parse(one.at) < Date.parse(last);
    if (one.ofBlock) last = one.at;
    return { ...one, byOwnClock };
  });
}

/** Chains of the way in order, each once: the lanes of the drawing. */
export function lanes(message) {
  return [...new Set([message.source.chain, message.via, message.destination.chain].filter((chain) => chain !== null))];
}

function sending(message) {
  const { chain } = message.source;
  // Seeing it is the first step of its delivery; the block is that of the sending.
  const height = message.timeline.find((event) => event.leg === 1 && event.step === "seen")?.height ?? null;
  const known = { at: message.sent_at, ofBlock: message.sent_at !== null, transaction: message.sent_transaction, height };
  return { title: `Sent on ${chain}`, from: chain, to: chain, standing: "done", gas_used: null, fee_wei: null, reason: null, steps: [], ...known };
}

function outward(one, message, events) {
  const { from, to } = one;
  const steps = events(one.leg, "receive");
  const timeouts = events(one.leg, "timeout");
  const isAnswered = events(one.leg, "acknowledge").length > 0;
  if (!isAnswered && wasLate(one, message, steps, timeouts)) {
    const leg = slot(from, to, `Not received by ${to} in time`, steps);
    const expired = steps.find((step) => step.step === "expired");
    return { ...leg, standing: "failed", at: lateSince(expired, timeouts) ?? leg.at, ofBlock: false, reason: expired?.reason ?? leg.reason };
  }
  return slot(from, to, to === message.via ? `Received by ${to}, sent on` : `Received on ${to}`, steps);
}

// The relay's own last step need not say it: a try that the chain refused after the timeout stays "retried" for good.
// A timeout that was "superseded" tells nothing by itself: the packet may have been received after all.
function wasLate({ leg }, message, steps, timeouts) {
  if (steps.some((step) => DONE.includes(step.step))) return false;
  if (steps.some((step) => step.step === "expired") || timeouts.some((step) => step.step === "included")) return true;
  return message.state === "timed_out" && leg === message.legs.length;
}

// When it was first known to be late. A try that the chain refused may end after the timeout was proven, and the block that
// proves it may be older than what the relay wrote down: the milestone comes before each of them.
function lateSince(expired, timeouts) {
  const times = timeouts.flatMap((step) => [step.first_at, step.block_time ?? step.at]);
  if (expired !== undefined) times.push(expired.first_at);
  return times.toSorted()[0] ?? null;
}

function homeward(one, message, events) {
  const timeouts = events(one.leg, "timeout");
  const last = one.leg === 1;
  if (timeouts.length > 0) return slot(one.to, one.from, `Timeout proven on ${one.from}${last && message.app === "transfer" ? ", given back" : ""}`, timeouts);
  const failed = ["refused", "timed_out"].includes(message.state);
  const end = failed ? `${undone(message)} on ${one.from}` : `Confirmed on ${one.from}`;
  return slot(one.to, one.from, last ? end : `Answer received by ${one.from}`, events(one.leg, "acknowledge"));
}

// A message carries nothing that could be given back.
function undone(message) {
  return message.app === "transfer" ? "Given back" : "Failure told";
}

function slot(from, to, title, steps) {
  // The relay's own transaction, with block and fee, tells more than that the chain needed nothing more afterwards.
  const end = steps.findLast((step) => step.step === "included") ?? steps.findLast((step) => step.step === "superseded") ?? null;
  const latest = steps.reduce((newest, step) => (newest === null || step.at >= newest.at ? step : newest), null);
  return {
    title,
    from,
    to,
    standing: standing(end, latest),
    at: end === null ? (latest?.at ?? null) : (end.block_time ?? end.first_at),
    ofBlock: Boolean(end?.block_time),
    height: end?.height ?? null,
    // What the relay sent itself is not what did it, where another was first.
    transaction: end === null ? (steps.findLast((step) => step.step === "submitted")?.transaction ?? null) : end.transaction,
    gas_used: end?.gas_used ?? null,
    fee_wei: end?.fee_wei ?? null,
    reason: end === null ? (latest?.reason ?? null) : end.reason,
    steps: steps.toSorted((one, other) => one.at.localeCompare(other.at)),
  };
}

function standing(end, latest) {
  if (end !== null) return "done";
  if (latest === null) return "ahead";
  if (latest.step === "dead" || latest.step === "expired") return "failed";
  return latest.step === "waiting" || latest.step === "retried" ? "waiting" : "moving";
}

// The first milestone that nothing is known of yet comes next, unless another one is under way.
function foresee(ways) {
  if (ways.some((one) => ["moving", "waiting", "failed"].includes(one.standing))) return;
  const next = ways.find((one) => one.standing === "ahead");
  if (next !== undefined) next.standing = "moving";
}
