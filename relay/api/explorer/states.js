// The API's words as people say them, each with an icon and a tone (ok, moving, waiting, bad, idle): never colour alone.

const STATES = {
  acknowledged: { words: "Delivered", icon: "check", tone: "ok" },
  refused: { words: "Refused", icon: "back", tone: "bad" },
  timed_out: { words: "Timed out", icon: "back", tone: "idle" },
  settled: { words: "Settled elsewhere", icon: "elsewhere", tone: "idle" },
  dead: { words: "Given up", icon: "stop", tone: "bad" },
};
const STAGES = {
  sent: { words: "Sent", icon: "moving", tone: "moving" },
  at_hub: { words: "At the hub", icon: "moving", tone: "moving" },
  delivered: { words: "Received, confirming", icon: "moving", tone: "moving" },
};
const CLIENT_STATES = {
  active: { words: "Active", icon: "check", tone: "ok" },
  frozen: { words: "Frozen", icon: "frozen", tone: "bad" },
  expired: { words: "Expired", icon: "stop", tone: "bad" },
  unknown: { words: "Not known", icon: "unknown", tone: "idle" },
};
const UNKNOWN = { words: "Not known", icon: "unknown", tone: "idle" };
// Seconds. An EVM chain of a consortium makes a block in 1 to 5 s, the slowest followed ones in some 15 s.
const OLD_HEAD_S = 60;

export const STATE_FILTER = {
  open: "On the way",
  acknowledged: "Delivered",
  refused: "Refused",
  timed_out: "Timed out",
  settled: "Settled elsewhere",
  dead: "Given up",
};
export const APPS = { message: "Message", transfer: "Transfer", other: "Other packet" };

export function messageState(message) {
  const ended = STATES[message.state] ?? UNKNOWN;
  const givenBack = message.app === "transfer" && ["refused", "timed_out"].includes(message.state);
  if (message.state !== "open") return givenBack ? { ...ended, words: `${ended.words}, given back` } : ended;
  const stage = STAGES[message.stage] ?? UNKNOWN;
  return message.waiting === null ? stage : { words: `${stage.words}, waits`, icon: "waiting", tone: "waiting" };
}

/** One sentence for the head of a message's page. */
export function messageSentence(message) {
  const from = message.source.chain;
  const to = message.destination.chain;
  switch (message.state) {
    case "acknowledged":
      if (message.held?.length) return `${message.held[0].chain} has received it, and still holds the tokens for their owner.`;
      return `Delivered to ${to}, and ${from} has the proof that it was.`;
    case "refused":
      return `${refuser(message)} refused it. ${outcome(message, from)}`;
    case "timed_out":
      return `It did not reach ${to} in time. ${outcome(message, from)}`;
    case "settled":
      return `It is settled on ${from}. By whom is not in this relay's ledger.`;
    case "dead":
      return "The relay gave up a step of it. An operator can have it tried again.";
    default:
      return openSentence(message, to, from);
  }
}

// A packet that the hub never sent on was refused by the hub, unless the hub itself says that it was the receiver: then this
// relay knows nothing more of what was sent on.
function refuser(message) {
  const byReceiver = message.waiting?.startsWith("its receiver on ") ?? false;
  return message.via !== null && message.legs.length === 1 && !byReceiver ? message.via : message.destination.chain;
}

function outcome(message, from) {
  return message.app === "transfer" ? `What was sent was given back on ${from}.` : `Its sender on ${from} was told so.`;
}

function openSentence(message, to, from) {
  if (message.stage === "delivered") return `${to} has it. The confirmation is on its way home to ${from}.`;
  if (message.stage === "at_hub") return `The hub has it. Next it is proven on ${to}.`;
  return `Sent on ${from}. Next it is proven on ${message.via ?? to}.`;
}

export function clientState(client) {
  return CLIENT_STATES[client.status] ?? UNKNOWN;
}

export function chainState(chain) {
  if (chain.error !== null) return { words: "No answer", icon: "warning", tone: "bad" };
  if (chain.paused) return { words: "Paused", icon: "pause", tone: "waiting" };
  if (chain.age_s === null) return UNKNOWN;
  if (chain.age_s > OLD_HEAD_S) return { words: "No new blocks", icon: "waiting", tone: "waiting" };
  return { words: "Running", icon: "check", tone: "ok" };
}
