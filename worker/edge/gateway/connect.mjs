// Connect timeout: tells an unreachable server from one that is slow to respond.

/** Milliseconds without a response after which a second connection is tried. */
const PROBE_AFTER = 1_000;

/**
 * Calls `onTimeout` if no connection to the server of `url` opens within `millis`. `fetch` does not
 * report its connection, so a second connection is tried while it waits. A refused one proves
 * nothing: some platforms allow `fetch` alone.
 */
export function watchConnection(url, millis, signal, onTimeout) {
  const wait = Math.min(PROBE_AFTER, millis / 2);
  const timer = setTimeout(async () => {
    const { hostname, port, protocol } = new URL(url);
    let socket;
    try {
      const { connect } = await import("cloudflare:sockets");
      socket = connect({ hostname, port: Number(port) || (protocol === "https:" ? 443 : 80) });
    } catch {
      return;
    }
    let limit;
    const isLate = await Promise.race([
      socket.opened.then(() => false, () => false),
      new Promise((resolve) => {
        limit = setTimeout(() => resolve(true), millis - wait);
        signal.addEventListener("abort", () => resolve(false));
      }),
    ]);
    clearTimeout(limit);
    socket.close().catch(() => {});
    if (isLate) onTimeout();
  }, wait);
  return () => clearTimeout(timer);
}
