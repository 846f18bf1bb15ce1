// Key check as a good engineer would write it in JavaScript, by the same design as the edge's own.
// It uses the same keys and the same feed, and gives the same responses.
//
// Every call does these steps:
// * Reads the body or the headers, and hashes the service's token with SHA-256.
// * Parses the key, and checks its CRC-32 and the HMAC tag of its locator.
// * Gets the cached record, and checks its lifetime.
// * Checks that the feed was read within 5 s, and allows the versions of key and workspace.
// * Hashes the secret with SHA-256, and compares its HMAC with the pepper in constant time
//   (WebCrypto).
// * Checks suspended, deleted, active, begun, expired, secret ended, networks, scopes as bits,
//   channel.
// * Sets the same header fields, and reads the feed again once a second after a response.
//
// A cache miss costs one KV read and the check of the record's seal in addition. With `TAGS` as
// "once" the tag of a cached locator is not verified again.
//
// The edge does CRC-32, tag and digest once for a cached key, and recognises it by the SHA-256 of
// its text. Here every call does them, as the goal of the comparison demands.
//
// Optimisations: derived keys are imported once. The response to a good call is built when its
// record is cached, not for each call. One Headers object serves all of these responses. The body
// is read as text. Nothing is awaited without need.
//
// Parts of the edge that are missing here:
// * Limits, usage counts and the gateway.
// * The request to the vault for a secret that does not match.
// * Callers that authenticate with a key.
// * Any response while feed or KV is down.
// * The capacity of the cache.
//
// Records lie in its KV as JSON behind an HMAC (`j/<locator>`), since JavaScript reads JSON best.

import { ok, problem, refused } from "./verify/answers.mjs";
import { check, refusal } from "./verify/check.mjs";
import { address } from "./verify/networks.mjs";
import { isService, prepare, setUp } from "./verify/setup.mjs";

const BODY_MAX = 64 * 1024;
const COST_MAX = 10_000;
const PLAIN = { low: 0, high: 0, names: [] };

const FIELDS = new Set(["key", "scopes", "channel", "address", "cost"]);
const field = (name) => problem("validation_failed", `${name}: This is not what is expected here.`);

function scopeSet(names) {
  const set = { low: 0, high: 0, names };
  for (const name of names) {
    const scope = setUp.byName.get(name);
    if (scope === undefined) return undefined;
    set.low |= scope.low;
    set.high |= scope.high;
  }
  return set;
}

async function verify(request, env, context) {
  const caller = bearer(request.headers.get("Authorization"));
  if (caller === undefined) return problem("MISSING_CREDENTIAL", "Only a known caller may ask about an API key.");
  if (!(await isService(caller))) return problem("INVALID_CREDENTIAL", "The caller is not known.");
  const text = await request.text();
  if (text.length > BODY_MAX) return problem("body_too_large", "The body is larger than 64 KiB.");
  let asked;
  try {
    asked = JSON.parse(text);
  } catch {
    return problem("invalid_json", "The body is not JSON.");
  }
  if (asked === null || typeof asked !== "object" || Array.isArray(asked)) {
    return problem("invalid_json", "The body is not an object.");
  }
  for (const name in asked) if (!FIELDS.has(name)) return field(name);
  const { key, scopes, channel = null, address: from = null, cost = 1 } = asked;
  if (typeof key !== "string") return field("key");
  if (channel !== null && typeof channel !== "string") return field("channel");
  if (from !== null && (typeof from !== "string" || address(from) === null)) return field("address");
  if (cost !== null && !(Number.isInteger(cost) && cost >= 0 && cost <= COST_MAX)) return field("cost");
  if (scopes !== undefined && !Array.isArray(scopes)) return field("scopes");
  const required = scopes === undefined || scopes.length === 0 ? PLAIN : scopeSet(scopes);
  if (required === undefined) return field("scopes");
  if (key === "") return refused(refusal("MISSING_KEY", MISSING));
  const outcome = await check(env, context, key, required, channel, from);
  return outcome.code === undefined ? ok(outcome.good) : refused(outcome);
}

const MISSING = 'Send the API key as "Authorization: Bearer KEY" or "X-API-Key: KEY".';

/** Extracts the credential of `Authorization`, if its scheme is Bearer. */
function bearer(authorization) {
  const found = authorization === null ? null : /^\s*bearer(?: +(.*))?$/i.exec(authorization);
  return found === null ? undefined : (found[1] ?? "").trim();
}

async function ownKey(request, env, context) {
  const authorization = request.headers.get("Authorization");
  const other = request.headers.get("X-API-Key")?.trim();
  const own = bearer(authorization);
  const key = own ?? other;
  if ((own !== undefined && other !== undefined) || key?.includes(",")) return problem("ambiguous_key", "More than one key came.");
  if (key === undefined || key === "") return problem("MISSING_KEY", MISSING);
  const outcome = await check(env, context, key, PLAIN, null, request.headers.get("CF-Connecting-IP"));
  return outcome.code === undefined ? ok(outcome.good) : problem(outcome.code, outcome.detail);
}

export default {
  async fetch(request, env, context) {
    if (setUp === undefined) await prepare(env);
    const { url, method } = request;
    const path = url.slice(url.indexOf("/", 8));
    if (path === "/v1/verify") {
      return method === "POST" ? verify(request, env, context) : problem("method_not_allowed", "This address takes POST.");
    }
    if (path === "/v1/key") {
      return method === "GET" ? ownKey(request, env, context) : problem("method_not_allowed", "This address takes GET.");
    }
    return problem("not_found", "There is no such address in the Ownchat API.");
  },
};
