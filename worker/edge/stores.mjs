// The stores and timers of one call, as `src/platform.rs` asks for them. Nothing here throws: what goes wrong is a reply of
// status 0 that says what it was.

export class Platform {
  constructor(env) {
    this.env = env;
  }

  variable(name) {
    return this.env[name];
  }

  copy(name, cacheTtl, millis) {
    return within(millis, async () => {
      const value = await this.env.KEYS.get(name, { type: "arrayBuffer", cacheTtl });
      return value === null ? reply(404) : reply(200, value);
    });
  }

  vault(path, body, millis) {
    return within(millis, async (signal) => {
      const method = body ? "POST" : "GET";
      const response = await this.env.VAULT.fetch(`https://vault${path}`, { method, body, signal });
      return reply(response.status, await response.arrayBuffer());
    });
  }

  pause(millis) {
    return new Promise((resolve) => setTimeout(resolve, millis));
  }
}

function reply(status, body = new ArrayBuffer()) {
  return { status, body: new Uint8Array(body) };
}

/** What `ask` gives, if it does within so many milliseconds; it is called off otherwise. */
async function within(millis, ask) {
  const controller = new AbortController();
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => {
      reject(new Error(`no answer within ${millis} ms`));
      controller.abort();
    }, millis);
  });
  try {
    return await Promise.race([ask(controller.signal), late]);
  } catch (error) {
    return reply(0, new TextEncoder().encode(String(error)));
  } finally {
    clearTimeout(timer);
  }
}
