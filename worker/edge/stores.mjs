// Stores, timers and log of one request, as `src/platform.rs` declares them. Nothing here throws:
// an error is a reply of status 0 whose body is the reason.

import { logError, logWarning } from "./log.mjs";

export class Platform {
  /** `requestId` is absent for deferred tasks. */
  constructor(env, requestId) {
    this.env = env;
    this.requestId = requestId;
  }

  logError(message) {
    logError(message, this.requestId);
  }

  logWarning(message) {
    logWarning(message, this.requestId);
  }

  variable(name) {
    return this.env[name];
  }

  replica(name, cacheTtl, millis) {
    return withTimeout(millis, async () => {
      const value = await this.env.KEYS.get(name, { type: "arrayBuffer", cacheTtl });
      return value === null ? reply(404) : reply(200, value);
    });
  }

  vault(path, body, millis) {
    return withTimeout(millis, async (signal) => {
      const method = body ? "POST" : "GET";
      const headers = this.requestId ? { "request-id": this.requestId } : {};
      const response = await this.env.VAULT.fetch(`https://vault${path}`, { method, headers, body, signal });
      return reply(response.status, await response.arrayBuffer());
    });
  }

  sleep(millis) {
    return new Promise((resolve) => setTimeout(resolve, millis));
  }
}

function reply(status, body = new ArrayBuffer()) {
  return { status, body: new Uint8Array(body) };
}

/** Returns the result of `request`, or aborts it after a timeout of `millis`. */
async function withTimeout(millis, request) {
  const controller = new AbortController();
  let timer;
  const timeout = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no response within ${millis} ms`));
      controller.abort();
    }, millis);
  });
  try {
    return await Promise.race([request(controller.signal), timeout]);
  } catch (error) {
    return reply(0, new TextEncoder().encode(String(error)));
  } finally {
    clearTimeout(timer);
  }
}
