// Which view an address shows. Addresses stand after `#`, so that any static file server can serve the page.

/** The view of `hash`, with the parts of its path and its query, or null. `routes` are [pattern, view] pairs. */
export function match(hash, routes) {
  const [path, query = ""] = (hash.replace(/^#/, "") || "/").split("?", 2);
  for (const [pattern, view] of routes) {
    const found = pattern.exec(path);
    if (found === null) continue;
    try {
      return { view, parts: found.slice(1).map(decodeURIComponent), query: Object.fromEntries(new URLSearchParams(query)) };
    } catch {
      return null;
    }
  }
  return null;
}

/** `#/messages?state=open`; empty values are left out. */
export function hash(path, query = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return parameters.size ? `#${path}?${parameters}` : `#${path}`;
}
