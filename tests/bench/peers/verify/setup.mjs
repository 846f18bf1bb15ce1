// One-time set-up of an isolate: derived keys by master id, and the scopes.

const encoder = new TextEncoder();
const TWO_32 = 2 ** 32;

/** Set by `prepare`. */
export let setUp;

/** Derives keys from `MASTER_KEYS` by RFC 5869, with the labels of the product. */
async function derive(list) {
  const hmac = { name: "HMAC", hash: "SHA-256", length: 256 };
  const masters = new Map();
  for (const item of list.split(",")) {
    const [id, secret] = item.trim().split(":");
    const bytes = Uint8Array.from(atob(secret), (character) => character.charCodeAt(0));
    const source = await crypto.subtle.importKey("raw", bytes, "HKDF", false, ["deriveKey"]);
    const key = (label) => {
      const how = { name: "HKDF", hash: "SHA-256", salt: new Uint8Array(), info: encoder.encode(label) };
      return crypto.subtle.deriveKey(how, source, hmac, false, ["sign", "verify"]);
    };
    const [locator, pepper, seal] = await Promise.all(
      ["ownchat/locator/1", "ownchat/pepper/1", "ownchat/seal/1"].map(key),
    );
    masters.set(Number(id), { locator, pepper, seal });
  }
  return masters;
}

export async function prepare(env) {
  const scopes = JSON.parse(env.SCOPES).map(({ name, bit, gives }) => ({ name, gives, ...halves(2 ** bit) }));
  const byName = new Map(scopes.map((scope) => [scope.name, scope]));
  const page = `${env.CONSOLE_URL}/docs/errors#`;
  const masters = await derive(env.MASTER_KEYS);
  const services = env.SERVICE_TOKENS.split(",").map((entry) => Uint8Array.fromHex(entry.split(":")[1]));
  setUp = { masters, services, scopes, byName, page, tagsOnce: env.TAGS === "once" };
}

/** Returns true if this is the token of a service of ours. */
export async function isService(token) {
  const hash = new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(token)));
  return setUp.services.map((service) => crypto.subtle.timingSafeEqual(service, hash)).includes(true);
}

/** Splits a set into two numbers: bits beyond 32 are out of reach of JavaScript's operators. */
export const halves = (bits) => ({ low: bits % TWO_32 | 0, high: Math.floor(bits / TWO_32) });
