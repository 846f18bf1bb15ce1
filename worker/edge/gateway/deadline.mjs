// Deadlines of a forwarded request, and the transfer of bodies with idle timeouts.

import { logWarning } from "../log.mjs";

/** Maximum bytes of one chunk. */
const CHUNK = 64 * 1024;

/** Aborts a request that makes no progress. `failure` is the code of the deadline that passed. */
export class Deadline {
  failure = null;
  #controller = new AbortController();
  #timer;

  /** `requestId` names the request in the log. */
  constructor(requestId) {
    this.requestId = requestId;
  }

  get signal() {
    return this.#controller.signal;
  }

  /** Starts a deadline, which replaces the previous one. */
  start(code, millis) {
    clearTimeout(this.#timer);
    this.#timer = setTimeout(() => this.fail(code), millis);
  }

  stop() {
    clearTimeout(this.#timer);
  }

  fail(code) {
    clearTimeout(this.#timer);
    this.failure ??= code;
    this.#controller.abort(new Error(code));
  }
}

/**
 * Returns a stream of the bytes of `body`, with their length if it is known. Each read and each
 * write has its own timeout, a [code, milliseconds] of `timeouts`. `finished` runs after the last
 * byte.
 */
export function transfer(body, length, deadline, timeouts, context, finished) {
  const { readable, writable } = length === null ? new IdentityTransformStream() : new FixedLengthStream(length);
  context.waitUntil(move(body, writable, deadline, timeouts, finished));
  return readable;
}

async function move(body, writable, deadline, timeouts, finished) {
  const reader = body.getReader({ mode: "byob" });
  const writer = writable.getWriter();
  const { signal } = deadline;
  let isBroken = false;
  // Both never settle while the peer hangs.
  const abort = () => {
    reader.cancel(signal.reason).catch(() => {});
    writer.abort(signal.reason).catch(() => {});
  };
  signal.addEventListener("abort", abort);
  try {
    for (let buffer = new Uint8Array(CHUNK); ; ) {
      deadline.start(...timeouts.read);
      const { done, value } = await reader.read(buffer).catch((error) => {
        isBroken = deadline.failure === null && timeouts.broken !== undefined;
        if (isBroken) deadline.failure = timeouts.broken;
        throw error;
      });
      if (done) break;
      deadline.start(...timeouts.write);
      await writer.write(value);
      buffer = new Uint8Array(value.buffer);
    }
    await writer.close();
    finished();
  } catch (error) {
    deadline.stop();
    if (deadline.failure && !isBroken) logWarning(`gateway: ${deadline.failure}`, deadline.requestId);
    await Promise.allSettled([reader.cancel(error), writer.abort(error)]);
  } finally {
    signal.removeEventListener("abort", abort);
  }
}
