// Minimal Worker: ignores the request, and returns a small JSON body.

const INIT = { headers: { "Content-Type": "application/json" } };

export default {
  fetch: () => new Response('{"hello":"world"}', INIT),
};
