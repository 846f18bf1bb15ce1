// Counts what the edge asks of its compiled code, and stands in for the services, which answer at once. Imported before the
// edge itself.

/** Calls, and how many of them were given a promise; calls of `decide`, and how many of them it decided; calls of `look_up`. */
export const counts = { calls: 0, promised: 0, asked: 0, decided: 0, lookedUp: 0 };

const Instance = WebAssembly.Instance;

WebAssembly.Instance = class {
  constructor(module, imports) {
    const { exports } = new Instance(module, imports);
    this.exports = {
      ...exports,
      decide(...call) {
        counts.asked++;
        const said = exports.decide(...call);
        if (said !== 0) counts.decided++;
        return said;
      },
      look_up(...call) {
        counts.lookedUp++;
        return exports.look_up(...call);
      },
    };
  }
};

globalThis.fetch = async () => Response.json({ code: "SERVED" });
