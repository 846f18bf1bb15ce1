// Leads what Durable Objects ask the feed over the service WIRE, which lies outside and can fail.

/** Has the name and the ways of the real one. Which object is meant stands in the path of the question. */
class DurableObjectNamespace {
  constructor(wire) {
    this.wire = wire;
  }
  idFromName(name) {
    return name;
  }
  get() {
    return this.wire;
  }
}

/** The class of a Durable Object that asks the feed over the wire. */
export function byWire(object) {
  return new Proxy(object, {
    construct(target, [state, env], newTarget) {
      const FEED = { value: new DurableObjectNamespace(env.WIRE) };
      return Reflect.construct(target, [state, Object.create(env, { FEED })], newTarget);
    },
  });
}
