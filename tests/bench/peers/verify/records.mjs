// Record cache: looks records up in KV, verifies their seals, and caches them.

import { network } from "./networks.mjs";
import { halves, setUp } from "./setup.mjs";

const encoder = new TextEncoder();
const decoder = new TextDecoder();
/** Cache entries by locator. */
const memory = new Map();

export const recall = (locator) => memory.get(locator);
export const forget = (locator) => memory.delete(locator);

export function forgetWorkspace(number) {
  for (const [locator, entry] of memory) if (entry.workspace === number) memory.delete(locator);
}

/** Looks a key up, and caches it. Returns undefined if there is none. */
export async function find(env, locator, environment) {
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

/** Builds the cache entry of a record, in the form that the checks need. */
function remember(record) {
  const time = (text) => (text === null ? null : Date.parse(text));
  const { low, high } = halves(record.scopes);
  const named = setUp.scopes.filter((scope) => scope.low & low || scope.high & high);
  // A `write` scope implies `read` on the same resource.
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
