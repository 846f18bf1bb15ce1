// Tells a server that cannot be connected to from one that is slow to answer.

/** After so many milliseconds without a response a connection is tried. */
const SLOW = 1_000;

/**
 * Calls `late` if no connection to the server of `url` opens within `millis`. `fetch` does not say
 * whether it is connected, so a second connection is tried while it waits. One that is refused
 * proves nothing: some platforms allow `fetch` alone.
 */
export function watchConnection(url, millis, signal, late) {
  const wait = Math.min(SLOW, millis / 2);
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
    if (isLate) late();
  }, wait);
  return () => clearTimeout(timer);
}
