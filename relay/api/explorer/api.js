// The only place that asks the relay (relay/api, docs/spec/api.md).

/** What went wrong, in a sentence for people. `code` is the API's own where it gave one. */
class ApiError extends Error {
  constructor(sentence, { status = null, code = null } = {}) {
    super(sentence);
    this.status = status;
    this.code = code;
  }
}

/** The JSON at `v1/<path>`. Throws ApiError, or AbortError where `signal` was used. */
export async function read(path, query = {}, signal = undefined) {
  let response;
  try {
    response = await fetch(address(path, query), { signal, headers: { Accept: "application/json" } });
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("The relay does not answer. See whether it runs, and whether this machine reaches it.");
  }
  const body = await response.json().catch(() => null);
  if (!response.ok) throw refusal(response, body);
  if (body === null) throw new ApiError("The relay's answer is not JSON. Is there something between it and this page?");
  return body;
}

/** Address of a resource, relative to the page. Empty values of `query` are left out. */
export function address(path, query = {}) {
  const parameters = new URLSearchParams(Object.entries(query).filter(([, value]) => value));
  return parameters.size ? `v1/${path}?${parameters}` : `v1/${path}`;
}

/** `messages/chain/client/sequence`, each part escaped. */
export function messagePath(id) {
  return `messages/${id.split("/").map(encodeURIComponent).join("/")}`;
}

function refusal(response, body) {
  const { status } = response;
  const sentence = body?.detail || body?.title || `The relay refused this with status ${status}.`;
  if (status !== 429) return new ApiError(sentence, { status, code: body?.code });
  const wait = response.headers.get("Retry-After");
  return new ApiError(`Too many requests from here. Try again in ${wait ?? "a few"} seconds.`, { status, code: body?.code });
}
