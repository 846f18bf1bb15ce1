// The one way into the Workers on this machine. It lets in what the front sends, which has set the
// caller's address, and nobody else: other programs on this machine can reach its port.

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
