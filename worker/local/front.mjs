// Stands where Cloudflare's network stands in front of a Worker: it tells the Worker the caller's
// address, and overwrites whatever the caller claims in that header.

export default {
  fetch(request, env) {
    const headers = new Headers(request.headers);
    headers.set("CF-Connecting-IP", address(request.cf.clientIp));
    return env.WORKER.fetch(new Request(request, { headers, redirect: "manual" }));
  },
};

/** The address of "192.0.2.1:50000" or "[2001:db8::1]:50000". */
function address(socket) {
  return socket.replace(/:\d+$/, "").replace(/^\[(.*)\]$/, "$1");
}
