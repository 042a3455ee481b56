// What changed, said to screen readers: politely, and at most once in some seconds.

const PAUSE_MS = 5_000;

const waiting = new Map();
let timer = null;

/** `topic` names what the sentence is about: a newer one on the same topic replaces it before it is said. */
export function announce(topic, sentence) {
  waiting.set(topic, sentence);
  timer ??= setTimeout(say, PAUSE_MS);
}

function say() {
  timer = null;
  document.getElementById("announcements").textContent = [...waiting.values()].join(" ");
  waiting.clear();
}
