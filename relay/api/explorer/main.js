// Starts the page: one line of changes, one clock, and the view that the address names.

import { read } from "./api.js";
import { setClock, startClock } from "./clock.js";
import { h } from "./dom.js";
import { empty, failure } from "./parts.js";
import { hash, match } from "./router.js";
import { Stream } from "./stream.js";
import { TokenRegistry } from "./tokens.js";
import { casesView } from "./views/cases.js";
import { chainsView } from "./views/chains.js";
import { messageView } from "./views/message.js";
import { messagesView } from "./views/messages.js";
import { observationsView } from "./views/observations.js";
import { organisationView } from "./views/organisation.js";
import { organisationsView } from "./views/organisations.js";
import { overviewView } from "./views/overview.js";
import { searchView } from "./views/search.js";
import { stuckView } from "./views/stuck.js";
import { tokensView } from "./views/tokens.js";

const ROUTES = [
  [/^\/$/, overviewView],
  [/^\/messages$/, messagesView],
  [/^\/message\/([^/]+)\/([^/]+)\/([^/]+)$/, messageView],
  [/^\/chains$/, chainsView],
  [/^\/stuck$/, stuckView],
  [/^\/tokens$/, tokensView],
  [/^\/observations$/, observationsView],
  [/^\/identity$/, organisationsView],
  [/^\/identity\/([^/]+)$/, organisationView],
  [/^\/cases$/, casesView],
  [/^\/search$/, searchView],
];
const STANDINGS = { connecting: "Connecting", live: "Live", reconnecting: "Reconnecting", paused: "Paused" };

const root = document.getElementById("main");
const stream = new Stream();
const tokens = new TokenRegistry();
let leave = null;

/** Show what the address names. A view gets what it needs and draws into `root` until `signal` aborts. */
async function navigate({ focus }) {
  leave?.abort();
  leave = new AbortController();
  const { signal } = leave;
  const filter = document.activeElement?.closest(".filters") ? document.activeElement.name : null;
  root.replaceChildren();
  const found = match(location.hash, ROUTES);
  if (found === null) {
    root.append(h("h1", {}, "No such page"), empty("This address names nothing here. ", h("a", { href: "#/" }, "Go to the overview")));
    settle(focus);
    return;
  }
  scrollTo(0, 0);
  const drawn = found.view({ root, parts: found.parts, query: found.query, stream, tokens, signal });
  const sameFilter = filter === null ? null : root.querySelector(`.filters [name="${filter}"]`);
  settle(focus && sameFilter === null);
  sameFilter?.focus();
  try {
    await drawn;
  } catch (error) {
    if (error.name === "AbortError") return;
    for (const wait of root.querySelectorAll(".loading")) wait.remove();
    root.append(failure(error, () => navigate({ focus: false })));
  }
}

// A new view is announced by its heading, as a page load would be.
function settle(focus) {
  const heading = root.querySelector("h1");
  const words = [...heading.childNodes].filter((node) => node.nodeName !== "BUTTON").map((node) => node.textContent);
  document.title = `${words.join("")} · hutong explorer`;
  if (focus) {
    heading.tabIndex = -1;
    heading.focus({ preventScroll: true });
  }
  const page = location.hash.replace(/^#/, "").split("?")[0] || "/";
  for (const link of document.querySelectorAll("nav a")) {
    const current = link.hash === `#${page}` || (link.hash === "#/messages" && page.startsWith("/message")) || (link.hash === "#/identity" && page.startsWith("/identity/"));
    if (current) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
}

function setUpStanding() {
  const shown = document.getElementById("standing");
  stream.addEventListener("standing", ({ detail }) => {
    if (shown.dataset.standing === detail) return;
    shown.dataset.standing = detail;
    shown.querySelector(".words").textContent = STANDINGS[detail];
  });
}

function setUpSearch() {
  const form = document.querySelector("form.search");
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const wanted = form.q.value.trim();
    if (wanted) location.hash = hash("/search", { q: wanted });
  });
  addEventListener("keydown", (event) => {
    const typing = event.target.closest?.("input, select, textarea");
    if (event.key === "/" && !typing && !event.ctrlKey && !event.metaKey && !event.altKey) {
      event.preventDefault();
      form.q.focus();
      form.q.select();
    }
    if (event.key === "Escape" && event.target === form.q) form.q.blur();
  });
}

function setUpTheme() {
  const button = document.getElementById("theme");
  const system = matchMedia("(prefers-color-scheme: dark)");
  const dark = () => (document.documentElement.dataset.theme ?? (system.matches ? "dark" : "light")) === "dark";
  const name = () => {
    button.title = dark() ? "Use the light colours" : "Use the dark colours";
    button.querySelector("span").textContent = button.title;
  };
  button.addEventListener("click", () => {
    const chosen = dark() ? "light" : "dark";
    document.documentElement.dataset.theme = chosen;
    localStorage.setItem("theme", chosen);
    name();
  });
  system.addEventListener("change", name);
  name();
}

function setUpSkipLink() {
  document.querySelector(".skip").addEventListener("click", (event) => {
    event.preventDefault();
    root.focus();
  });
}

setUpStanding();
setUpSearch();
setUpTheme();
setUpSkipLink();
startClock();
addEventListener("hashchange", () => navigate({ focus: true }));
const [status] = await Promise.all([read("status").catch(() => null), stream.start()]);
if (status !== null) {
  setClock(status.time);
  document.getElementById("about").prepend(`${status.name} ${status.version}. `);
}
navigate({ focus: false });
