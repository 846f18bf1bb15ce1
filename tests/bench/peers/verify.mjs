// The check of a key as a good engineer would write it in JavaScript, by the same design as the edge's own, on
// the same keys and the same feed, with the same answers.
//
// What it does for every call, as the edge does: reads the body or the headers; takes the key apart; CRC-32; the
// locator's tag by HMAC; finds the remembered record; whether the feed was read within 5 s, and allows the versions of key and workspace;
// whether the record has outlived itself; SHA-256 of the secret, HMAC with the pepper, compared in constant time
// (WebCrypto); suspended, deleted, active, begun, expired, secret ended, networks, scopes as bits, channel; the
// same header fields; the feed again once a second after an answer. For a key that it does not remember: one KV
// read, the record's seal. With `TAGS` as "once" the tag of a remembered locator is not looked at again: a little
// less work than the edge does, and a little quicker.
//
// What makes it quick: derived keys are imported once; the answer to a good call is put together when its record
// is remembered, not for each call; one Headers object serves all of these answers; the body is read as text; nothing
// is awaited that need not be.
//
// What it leaves out, though the edge has it: limits, the question to the vault about a secret that does not fit,
// any answer when feed or KV are away, the bound on what is remembered, counting, the gateway. Records lie in its KV
// as JSON behind an HMAC (`j/<locator>`), since that is what JavaScript reads best.

const FRESH_FOR = 5_000;
const READ_EVERY = 1_000;
const RECORD_LIFE = 24 * 3_600_000;
const SHARDS = 16;
const BODY_MAX = 64 * 1024;
const TWO_32 = 2 ** 32;

const encoder = new TextEncoder();
const decoder = new TextDecoder();

// ── what is kept while the isolate lives

/** Set up by the first call: derived keys by master id, and scopes by name. */
let setUp;
/** Entries by locator. */
const memory = new Map();
/** Readers of the feed by shard. */
const feeds = new Map();

/** RFC 5869 with the labels of the product, from `MASTER_KEYS`. */
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

async function prepare(env) {
  const scopes = JSON.parse(env.SCOPES).map(({ name, bit, gives }) => ({ name, gives, ...halves(2 ** bit) }));
  const byName = new Map(scopes.map((scope) => [scope.name, scope]));
  const page = `${env.CONSOLE_URL}/docs/errors#`;
  setUp = { masters: await derive(env.MASTER_KEYS), scopes, byName, page, tagsOnce: env.TAGS === "once" };
}

/** Bits beyond 32 are out of reach of JavaScript's operators, so a set is two numbers. */
const halves = (bits) => ({ low: bits % TWO_32 | 0, high: Math.floor(bits / TWO_32) });

// ── the key

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
const SHAPE = /^oc_(live|test)_([0-9A-Za-z]{16})_([0-9A-Za-z]{24})[0-9A-Za-z]{6}$/;
const CHECKED = 49;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < DIGITS.length; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

/** Whether the last six digits are the CRC-32 of what stands before them. */
function checkFits(key) {
  let crc = 0xffffffff;
  for (let at = 0; at < CHECKED; at += 1) crc = CRC[(crc ^ key.charCodeAt(at)) & 0xff] ^ (crc >>> 8);
  let told = 0;
  for (let at = CHECKED; at < key.length; at += 1) told = told * 62 + VALUES[key.charCodeAt(at)];
  return told === (crc ^ 0xffffffff) >>> 0;
}

/** The workspace that a locator names, or -1 if no master secret of ours has tagged it. */
async function open(locator, environment) {
  let number = 0n;
  for (let at = 0; at < locator.length; at += 1) number = number * 62n + BigInt(VALUES[locator.charCodeAt(at)]);
  if (number >> 95n !== 0n) return -1;
  const tag = Number(number & 0x7fffffffn);
  const world = environment === "live" ? 1 : 2;
  const mask = new DataView(new ArrayBuffer(9));
  encoder.encodeInto("mask", new Uint8Array(mask.buffer));
  mask.setUint8(4, world);
  mask.setUint32(5, tag);
  for (const master of setUp.masters.values()) {
    const masked = new DataView(await crypto.subtle.sign("HMAC", master.locator, mask.buffer)).getBigUint64(0);
    const numbers = (number >> 31n) ^ masked;
    const told = new DataView(new ArrayBuffer(12));
    encoder.encodeInto("tag", new Uint8Array(told.buffer));
    told.setUint8(3, world);
    told.setBigUint64(4, numbers);
    const mac = new DataView(await crypto.subtle.sign("HMAC", master.locator, told.buffer));
    if ((mac.getUint32(0) & 0x7fffffff) === tag) return Number(numbers >> 32n);
  }
  return -1;
}

function wrongShape(key) {
  if (!key.startsWith("oc_")) return "An Ownchat API key begins with oc_live_ or oc_test_.";
  const [, environment, locator, tail, ...more] = key.split("_");
  if (locator === undefined) return LENGTH;
  if (environment !== "live" && environment !== "test") return "After oc_ an Ownchat API key says live or test.";
  if (tail === undefined) return LENGTH;
  if (!/^[0-9A-Za-z_]*$/.test(locator + tail + more.join("_"))) {
    return "The key holds a character that no Ownchat API key has.";
  }
  return LENGTH;
}
const LENGTH = "The key is incomplete or too long: it has 55 characters.";
const MISTYPED = "The key was mistyped or cut: its last six characters do not fit the others.";

// ── the feed (`app/domain/src/feed.rs`): layout 1, then postcard

function readPage(bytes) {
  let at = 1;
  const varint = () => {
    let [value, scale] = [0, 1];
    for (;;) {
      const byte = bytes[at++];
      value += (byte & 0x7f) * scale;
      if (byte < 0x80) return value;
      scale *= 128;
    }
  };
  const big = () => {
    let [value, shift] = [0n, 0n];
    for (;;) {
      const byte = bytes[at++];
      value |= BigInt(byte & 0x7f) << shift;
      if (byte < 0x80) return value;
      shift += 7n;
    }
  };
  const text = () => {
    const length = varint();
    at += length;
    return decoder.decode(bytes.subarray(at - length, at));
  };
  const page = { incarnation: big(), born: varint() / 2, position: big(), more: bytes[at++] === 1, entries: [] };
  for (let left = varint(); left > 0; left -= 1) {
    page.entries.push({ subject: varint() === 0 ? text() : varint(), version: varint() });
  }
  return page;
}

function feedOf(workspace) {
  const shard = workspace % SHARDS;
  let feed = feeds.get(shard);
  if (feed === undefined) {
    feed = { shard, incarnation: 0n, position: 0n, born: 0, readAt: -Infinity, reading: false, floors: new Map() };
    feeds.set(shard, feed);
  }
  return feed;
}

async function readFeed(env, feed) {
  feed.reading = true;
  try {
    for (let more = true; more; ) {
      const askedAt = Date.now();
      const url = `https://vault/feed/${feed.shard}/since/${feed.incarnation}/${feed.position}`;
      const page = readPage(new Uint8Array(await (await env.VAULT.fetch(url)).arrayBuffer()));
      for (const { subject, version } of page.entries) {
        feed.floors.set(subject, Math.max(version, feed.floors.get(subject) ?? 0));
        if (typeof subject === "string") memory.delete(subject);
        else for (const [id, entry] of memory) if (entry.workspace === subject) memory.delete(id);
      }
      feed.incarnation = page.incarnation;
      feed.position = page.position;
      feed.born = page.born;
      more = page.more;
      if (!more) feed.readAt = askedAt;
    }
  } finally {
    feed.reading = false;
  }
}

const feedAllows = (feed, entry) =>
  entry.sealedAt >= feed.born &&
  (feed.floors.size === 0 ||
    (entry.version >= (feed.floors.get(entry.locator) ?? 0) &&
      entry.workspaceVersion >= (feed.floors.get(entry.workspace) ?? 0)));

// ── records

/** Looks a key up and remembers it. Undefined if there is none. */
async function find(env, locator, environment) {
  const bytes = await env.KEYS.get(`j/${locator}`, { type: "arrayBuffer", cacheTtl: 300 });
  if (bytes === null) return undefined;
  const record = new Uint8Array(bytes, 32);
  let sealed = false;
  for (const { seal } of setUp.masters.values()) {
    sealed ||= await crypto.subtle.verify("HMAC", seal, new Uint8Array(bytes, 0, 32), record);
  }
  if (!sealed) return undefined;
  const entry = remember(JSON.parse(decoder.decode(record)));
  if (entry.locator !== locator || entry.environment !== environment) return undefined;
  memory.set(locator, entry);
  return entry;
}

/** What the checks need of a record, in the form in which they need it. */
function remember(record) {
  const time = (text) => (text === null ? null : Date.parse(text));
  const { low, high } = halves(record.scopes);
  const named = setUp.scopes.filter((scope) => scope.low & low || scope.high & high);
  // What `write` gives is `read` on the same resource.
  const given = named.map((scope) => setUp.byName.get(scope.gives) ?? scope).concat(named);
  const about = {
    key_id: record.locator,
    name: record.name,
    workspace: record.workspace.number,
    environment: record.environment,
    scopes: named.map((scope) => scope.name),
  };
  const late = {
    expires_at: record.expires_at ?? undefined,
    metadata: record.metadata.length > 0 ? Object.fromEntries(record.metadata.toSorted()) : undefined,
  };
  return {
    locator: record.locator,
    locatorBytes: encoder.encode(record.locator),
    environment: record.environment,
    workspace: record.workspace.number,
    workspaceVersion: record.workspace.version,
    suspended: record.workspace.suspended,
    version: record.version,
    sealedAt: time(record.sealed_at),
    deleted: record.deleted,
    active: record.active,
    notBefore: time(record.not_before) ?? -Infinity,
    begins: record.not_before,
    expiresAt: time(record.expires_at) ?? Infinity,
    secrets: record.secrets.map((secret) => ({
      pepper: setUp.masters.get(secret.master)?.pepper,
      digest: new Uint8Array(secret.digest),
      endsAt: time(secret.ends_at) ?? Infinity,
    })),
    anywhere: record.networks.allow.length + record.networks.deny.length === 0,
    allow: record.networks.allow.map(network),
    deny: record.networks.deny.map(network),
    low: given.reduce((bits, scope) => bits | scope.low, 0),
    high: given.reduce((bits, scope) => bits | scope.high, 0),
    channels: record.channels,
    about,
    late,
    good: JSON.stringify({ valid: true, code: "VALID", detail: "The key is good.", ...about, ...late }),
  };
}

// ── networks

/** An address as [family, number]; IPv4 that is written as IPv6 is IPv4. Null if it is none. */
function address(text) {
  if (/^\d+(\.\d+){3}$/.test(text)) {
    const parts = text.split(".").map(Number);
    return parts.some((part) => part > 255) ? null : [4, BigInt(parts.reduce((sum, part) => sum * 256 + part, 0))];
  }
  const mapped = /^(.*:)(\d+\.\d+\.\d+\.\d+)$/.exec(text);
  if (mapped) {
    const four = address(mapped[2]);
    return four && address(`${mapped[1]}${(four[1] >> 16n).toString(16)}:${(four[1] & 0xffffn).toString(16)}`);
  }
  if (!/^[0-9a-f:]+$/i.test(text) || text.split("::").length > 2) return null;
  const [left, right] = text.split("::").map((half) => half.split(":").filter((group) => group !== ""));
  const missing = 8 - left.length - (right?.length ?? 0);
  if (right === undefined ? missing !== 0 : missing < 1) return null;
  const groups = [...left, ...Array(missing).fill("0"), ...(right ?? [])];
  if (groups.some((group) => group.length > 4)) return null;
  const number = groups.reduce((sum, group) => (sum << 16n) + BigInt(`0x${group}`), 0n);
  return number >> 32n === 0xffffn ? [4, number & 0xffffffffn] : [6, number];
}

function network(text) {
  const [base, prefix] = text.split("/");
  const [family, number] = address(base);
  const bits = family === 4 ? 32 : 128;
  return { family, shift: BigInt(bits - Number(prefix ?? bits)), number };
}

function permits(entry, text) {
  const from = text === null ? null : address(text);
  if (from === null) return false;
  const inside = ({ family, shift, number }) => family === from[0] && number >> shift === from[1] >> shift;
  return !entry.deny.some(inside) && (entry.allow.length === 0 || entry.allow.some(inside));
}

// ── the decision

const refusal = (code, detail, entry, more) => ({ code, detail, entry, ...more });
const UNKNOWN = refusal("UNKNOWN_KEY", "There is no such API key; it may have been deleted. Create one in Settings, API Keys.");
const FORGED = refusal("MALFORMED_KEY", "This key was not issued by Ownchat. Check that it belongs to this deployment.");
const malformed = (why) => refusal("MALFORMED_KEY", `${why} Copy it again, whole and without spaces.`);
const PLAIN = { low: 0, high: 0, names: [] };

/** The entry of the key if the call may pass, a refusal otherwise. */
async function check(env, context, key, required, channel, from) {
  const parts = SHAPE.exec(key);
  if (parts === null) return malformed(wrongShape(key));
  if (!checkFits(key)) return malformed(MISTYPED);
  const [, environment, locator, secret] = parts;
  let entry = memory.get(locator);
  if (entry?.environment !== environment) entry = undefined;
  const workspace = entry && setUp.tagsOnce ? entry.workspace : await open(locator, environment);
  if (workspace < 0) return FORGED;
  if (entry === undefined) {
    const feed = feedOf(workspace);
    if (Date.now() - feed.readAt >= FRESH_FOR) await readFeed(env, feed);
    entry = await find(env, locator, environment);
    if (entry === undefined) return UNKNOWN;
  }
  const feed = feedOf(workspace);
  let age = Date.now() - feed.readAt;
  if (age >= FRESH_FOR) {
    await readFeed(env, feed);
    age = 0;
  } else if (age >= READ_EVERY && !feed.reading) {
    context.waitUntil(readFeed(env, feed));
  }
  const now = Date.now();
  if (!feedAllows(feed, entry) || now - entry.sealedAt >= RECORD_LIFE) return UNKNOWN;
  const message = new Uint8Array(48);
  message.set(entry.locatorBytes);
  message.set(new Uint8Array(await crypto.subtle.digest("SHA-256", encoder.encode(secret))), 16);
  let fits;
  for (const candidate of entry.secrets) {
    if (await crypto.subtle.verify("HMAC", candidate.pepper, candidate.digest, message)) fits = candidate;
  }
  if (fits === undefined) return UNKNOWN;
  if (entry.suspended) {
    const detail = "The workspace is suspended, and all its API keys with it. Ask its owner.";
    return refusal("WORKSPACE_SUSPENDED", detail, entry);
  }
  if (entry.deleted) return UNKNOWN;
  if (!entry.active) {
    const detail = "This API key has been deactivated. An admin can activate it in Settings, API Keys.";
    return refusal("INACTIVE", detail, entry);
  }
  if (now < entry.notBefore) return refusal("NOT_YET_VALID", `This API key works from ${entry.begins} on.`, entry);
  if (now >= entry.expiresAt) {
    const detail = "This API key has expired. An admin can change its expiry or create a new one.";
    return refusal("EXPIRED", detail, entry);
  }
  if (now >= fits.endsAt) {
    const detail = "This API key was rotated and its old secret has ended. Use the new one.";
    return refusal("EXPIRED", detail, entry);
  }
  if (!entry.anywhere && !permits(entry, from)) {
    const detail =
      from === null
        ? "This API key may only be used from certain networks, and the caller's address is not known."
        : `This API key may not be used from ${from}. An admin can change its networks.`;
    return refusal("ADDRESS_FORBIDDEN", detail, entry);
  }
  if (required.low & ~entry.low || required.high & ~entry.high) {
    const missing = setUp.scopes
      .filter((scope) => required.names.includes(scope.name))
      .filter((scope) => scope.low & ~entry.low || scope.high & ~entry.high)
      .map((scope) => scope.name);
    const detail = `This API key lacks the scope ${missing.join(", ")}. An admin can grant it in Settings, API Keys.`;
    return refusal("SCOPE_MISSING", detail, entry, { missing });
  }
  if (channel !== null && entry.channels.length > 0 && !entry.channels.includes(channel)) {
    const detail = "This API key may not be used for this channel. An admin can change its channels.";
    return refusal("CHANNEL_FORBIDDEN", detail, entry);
  }
  return entry;
}

// ── answers

const COMMON = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers":
    "Request-Id, Retry-After, RateLimit, RateLimit-Policy, WWW-Authenticate, ETag, Location",
};
/** `new Response` copies it, so one serves all. */
const headers = new Headers({ "Content-Type": "application/json", ...COMMON });
const init = { headers };

function ok(body) {
  headers.set("Request-Id", crypto.randomUUID());
  return new Response(body, init);
}

const STATUS = {
  ADDRESS_FORBIDDEN: 403,
  SCOPE_MISSING: 403,
  CHANNEL_FORBIDDEN: 403,
  WORKSPACE_SUSPENDED: 403,
  ambiguous_key: 400,
  not_found: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  invalid_json: 400,
  validation_failed: 422,
};

function problem(code, detail, more) {
  const status = STATUS[code] ?? 401;
  const instance = crypto.randomUUID();
  const body = { type: setUp.page + code, title: code, status, detail, instance, code, ...more };
  const own = { ...COMMON, "Content-Type": "application/problem+json", "Request-Id": instance };
  if (status === 401 || status === 403) own["WWW-Authenticate"] = 'Bearer realm="Ownchat"';
  return new Response(JSON.stringify(body), { status, headers: own });
}

/** What a service is told of a key that it may not let pass. */
function refused({ code, detail, entry, missing }) {
  return ok(JSON.stringify({ valid: false, code, detail, ...entry?.about, missing, ...entry?.late }));
}

// ── calls

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
  if (cost !== null && !(Number.isInteger(cost) && cost >= 0 && cost < TWO_32)) return field("cost");
  if (scopes !== undefined && !Array.isArray(scopes)) return field("scopes");
  const required = scopes === undefined || scopes.length === 0 ? PLAIN : scopeSet(scopes);
  if (required === undefined) return field("scopes");
  if (key === "") return refused(refusal("MISSING_KEY", MISSING));
  const outcome = await check(env, context, key, required, channel, from);
  return outcome.code === undefined ? ok(outcome.good) : refused(outcome);
}

const MISSING = 'Send the API key as "Authorization: Bearer KEY" or "X-API-Key: KEY".';

async function ownKey(request, env, context) {
  const authorization = request.headers.get("Authorization");
  const other = request.headers.get("X-API-Key")?.trim();
  const bearer = authorization === null ? undefined : /^\s*bearer(?: +(.*))?$/i.exec(authorization);
  const key = bearer ? (bearer[1] ?? "").trim() : other;
  if ((bearer && other !== undefined) || key?.includes(",")) return problem("ambiguous_key", "More than one key came.");
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
