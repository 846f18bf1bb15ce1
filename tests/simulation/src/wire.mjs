// Routes requests of Durable Objects to the feed over the service WIRE, which is outside and can
// fail.

/** A stub with the methods of the real class. The path of a request names the object. */
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

/** Wraps the class of a Durable Object so that it reaches the feed over the wire. */
export function byWire(object) {
  return new Proxy(object, {
    construct(target, [state, env], newTarget) {
      const FEED = { value: new DurableObjectNamespace(env.WIRE) };
      return Reflect.construct(target, [state, Object.create(env, { FEED })], newTarget);
    },
  });
}
