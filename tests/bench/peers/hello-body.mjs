// A hello-world that reads the body of the call before it answers: whoever is asked by POST must do that much.

const INIT = { headers: { "Content-Type": "application/json" } };

export default {
  async fetch(request) {
    const text = await request.text();
    return new Response(text === "" ? '{"hello":"nobody"}' : '{"hello":"world"}', INIT);
  },
};
