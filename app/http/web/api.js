// The service, as this page uses it.
import { eventsOf } from "./events.js";
import { askForKey, keyHeaders } from "./key.js";

const NOT_READY = "urn:loccit:problem:not-ready";
const PATIENCE_MS = 1500;
const UNAUTHORIZED = 401;

/** What went wrong, in the service's own sentence. */
export class Problem extends Error {
  constructor({ type = "about:blank", title = "Something went wrong", detail = "" }) {
    super(detail || title);
    this.type = type;
    this.title = title;
  }

  get isNotReady() {
    return this.type === NOT_READY;
  }
}

/**
 * The response to a request. `onStage(name, data)` is called as the stages are done.
 * Throws a Problem, or an AbortError when the signal says so.
 */
export async function answer(request, { signal, onStage }) {
  const response = await reach("answer/stream", {
    method: "POST",
    headers: { "Content-Type": "application/json", Accept: "text/event-stream" },
    body: JSON.stringify(request),
    signal,
  });
  for await (const { event, data } of eventsOf(response.body)) {
    if (event === "error") throw new Problem(data);
    if (event === "response") return data;
    onStage(event, data);
  }
  throw new Problem({ title: "The answer broke off", detail: "The service stopped before the answer was there." });
}

/** A stored document. */
export async function storedDocument(id, { signal }) {
  const response = await reach(`documents/${encodeURIComponent(id)}`, { signal });
  return response.json().catch((error) => {
    passedOver(error);
    throw new Problem({ title: "The document broke off", detail: "The service stopped before the document was there." });
  });
}

/** Returns when the models have loaded. */
export async function ready({ signal }) {
  for (;;) {
    const response = await fetch("health/ready", { signal }).catch(passedOver);
    if (response?.ok) return;
    await new Promise((resolve) => setTimeout(resolve, PATIENCE_MS));
    signal.throwIfAborted();
  }
}

async function reach(path, options) {
  const headers = { ...options.headers, ...keyHeaders() };
  const response = await fetch(path, { ...options, headers }).catch((error) => {
    passedOver(error);
    throw new Problem({ title: "No connection", detail: "The service cannot be reached; is it still running?" });
  });
  if (response.ok) return response;
  const said = await response.json().catch(() => ({}));
  if (response.status === UNAUTHORIZED && (await askForKey(said.detail))) return reach(path, options);
  throw new Problem({ title: `The service answered with status ${response.status}`, ...said });
}

function passedOver(error) {
  if (error.name === "AbortError") throw error;
}
