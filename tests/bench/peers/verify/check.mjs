// Decision about a key: its shape, its record, the feed, its restrictions.

import { feedAllows, feedOf, readFeed } from "./feed.mjs";
import { MISTYPED, SHAPE, checkFits, open, wrongShape } from "./key.mjs";
import { permits } from "./networks.mjs";
import { find, recall } from "./records.mjs";
import { setUp } from "./setup.mjs";

const FRESH_FOR = 5_000;
const READ_EVERY = 1_000;
const RECORD_LIFE = 24 * 3_600_000;

const encoder = new TextEncoder();

export const refusal = (code, detail, entry, more) => ({ code, detail, entry, ...more });
const UNKNOWN = refusal("UNKNOWN_KEY", "There is no such API key; it may have been deleted. Create one in Settings, API Keys.");
const FORGED = refusal("MALFORMED_KEY", "This key was not issued by Ownchat. Check that it belongs to this deployment.");
const malformed = (why) => refusal("MALFORMED_KEY", `${why} Copy it again, whole and without spaces.`);

/** Returns the cache entry of the key if the call may pass, and a refusal otherwise. */
export async function check(env, context, key, required, channel, from) {
  const parts = SHAPE.exec(key);
  if (parts === null) return malformed(wrongShape(key));
  if (!checkFits(key)) return malformed(MISTYPED);
  const [, environment, locator, secret] = parts;
  let entry = recall(locator);
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
    const detail = `This API key lacks ${missing.join(", ")}. An admin can grant that in Settings, API Keys.`;
    return refusal("SCOPE_MISSING", detail, entry, { missing });
  }
  if (channel !== null && entry.channels.length > 0 && !entry.channels.includes(channel)) {
    const detail = "This API key may not be used for this channel. An admin can change its channels.";
    return refusal("CHANNEL_FORBIDDEN", detail, entry);
  }
  return entry;
}
