// Local view of the revocation feed (`app/domain/src/feed.rs`: layout 1, then postcard).

import { forget, forgetWorkspace } from "./records.mjs";

const SHARDS = 16;

const decoder = new TextDecoder();
/** Feed readers by shard. */
const feeds = new Map();

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

export function feedOf(workspace) {
  const shard = workspace % SHARDS;
  let feed = feeds.get(shard);
  if (feed === undefined) {
    feed = { shard, incarnation: 0n, position: 0n, born: 0, readAt: -Infinity, reading: false, floors: new Map() };
    feeds.set(shard, feed);
  }
  return feed;
}

export async function readFeed(env, feed) {
  feed.reading = true;
  try {
    for (let more = true; more; ) {
      const askedAt = Date.now();
      const url = `https://vault/feed/${feed.shard}/since/${feed.incarnation}/${feed.position}`;
      const page = readPage(new Uint8Array(await (await env.VAULT.fetch(url)).arrayBuffer()));
      for (const { subject, version } of page.entries) {
        feed.floors.set(subject, Math.max(version, feed.floors.get(subject) ?? 0));
        if (typeof subject === "string") forget(subject);
        else forgetWorkspace(subject);
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

export const feedAllows = (feed, entry) =>
  entry.sealedAt >= feed.born &&
  (feed.floors.size === 0 ||
    (entry.version >= (feed.floors.get(entry.locator) ?? 0) &&
      entry.workspaceVersion >= (feed.floors.get(entry.workspace) ?? 0)));
