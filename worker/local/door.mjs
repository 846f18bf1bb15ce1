// Authenticates requests to the local Workers. Other programs on this machine can reach its port.
// Admits only requests from the front, which has set the client's IP address.

const HEADER = "ownchat-door";

export default {
  fetch(request, env) {
    const [secret, worker] = (request.headers.get(HEADER) ?? "").split(" ");
    if (secret !== env.SECRET) return new Response(null, { status: 403 });
    const headers = new Headers(request.headers);
    headers.delete(HEADER);
    return env[worker].fetch(new Request(request, { headers, redirect: "manual" }));
  },
};
