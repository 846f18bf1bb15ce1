// Simulated clock of a Worker: FACTOR times as fast as the real clock, put forward by SKIPPED.
// Replaces `Date`, the timers, and the alarms of Durable Objects. Must be imported before the
// Worker.

import { FACTOR, ORIGIN, SKIPPED } from "./clock-settings.mjs";

const RealDate = Date;
const realSetTimeout = setTimeout;
const realTimeout = AbortSignal.timeout.bind(AbortSignal);
const realWait = scheduler.wait.bind(scheduler);

const simulated = (real) => Math.floor(ORIGIN + (real - ORIGIN) * FACTOR + SKIPPED);
const real = (simulated) => Math.ceil(ORIGIN + (simulated - SKIPPED - ORIGIN) / FACTOR);
const shorter = (millis) => Math.ceil((Number(millis) || 0) / FACTOR);

globalThis.Date = class Date extends RealDate {
  constructor(...parts) {
    if (parts.length === 0) super(simulated(RealDate.now()));
    else super(...parts);
  }
  static now() {
    return simulated(RealDate.now());
  }
};
globalThis.setTimeout = (callback, millis, ...parts) => realSetTimeout(callback, shorter(millis), ...parts);
AbortSignal.timeout = (millis) => realTimeout(shorter(millis));
scheduler.wait = (millis, options) => realWait(shorter(millis), options);

const known = new WeakSet();

/** Wraps the class of a Durable Object so that its alarms follow the simulated clock. */
export function onTheClock(object) {
  return new Proxy(object, {
    construct(target, parts, newTarget) {
      setAlarms(Object.getPrototypeOf(parts[0].storage));
      return Reflect.construct(target, parts, newTarget);
    },
  });
}

function setAlarms(storage) {
  if (known.has(storage)) return;
  known.add(storage);
  const { getAlarm, setAlarm } = storage;
  storage.setAlarm = function (time, options) {
    return setAlarm.call(this, real(Number(time)), options);
  };
  storage.getAlarm = async function (options) {
    const time = await getAlarm.call(this, options);
    return time === null ? null : simulated(time);
  };
}
