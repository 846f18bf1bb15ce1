// The least that a Worker can do: it looks at nothing and answers a small JSON.

const INIT = { headers: { "Content-Type": "application/json" } };

export default {
  fetch: () => new Response('{"hello":"world"}', INIT),
};
