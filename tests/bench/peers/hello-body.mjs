// Hello-world that reads the body before it responds, as any server of a POST request must.

const INIT = { headers: { "Content-Type": "application/json" } };

export default {
  async fetch(request) {
    const text = await request.text();
    return new Response(text === "" ? '{"hello":"nobody"}' : '{"hello":"world"}', INIT);
  },
};
