// Puts a Worker on a clock that runs FACTOR times as fast as the real one and was put forward by SKIPPED: what it reads of the time, how long it
// waits, and when the alarms of its Durable Objects go off. Imported before the Worker itself.

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

/** The class of a Durable Object whose alarms go off by this clock. */
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
