// Format of a key in plain text, and the tag of its locator.

import { setUp } from "./setup.mjs";

const encoder = new TextEncoder();

const DIGITS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
export const SHAPE = /^oc_(live|test)_([0-9A-Za-z]{16})_([0-9A-Za-z]{24})[0-9A-Za-z]{6}$/;
const CHECKED = 49;

const CRC = Uint32Array.from({ length: 256 }, (_, byte) => {
  let crc = byte;
  for (let bit = 0; bit < 8; bit += 1) crc = crc & 1 ? (crc >>> 1) ^ 0xedb88320 : crc >>> 1;
  return crc;
});
const VALUES = new Int8Array(128).fill(-1);
for (let value = 0; value < DIGITS.length; value += 1) VALUES[DIGITS.charCodeAt(value)] = value;

/** Returns true if the last six digits are the CRC-32 of the text before them. */
export function checkFits(key) {
  let crc = 0xffffffff;
  for (let at = 0; at < CHECKED; at += 1) crc = CRC[(crc ^ key.charCodeAt(at)) & 0xff] ^ (crc >>> 8);
  let told = 0;
  for (let at = CHECKED; at < key.length; at += 1) told = told * 62 + VALUES[key.charCodeAt(at)];
  return told === (crc ^ 0xffffffff) >>> 0;
}

/** Returns the workspace that a locator names, or -1 if no master secret of ours has tagged it. */
export async function open(locator, environment) {
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

export function wrongShape(key) {
  if (!key.startsWith("oc_")) return "An Ownchat API key begins with oc_live_ or oc_test_.";
  const [, environment, locator, tail, ...more] = key.split("_");
  if (locator === undefined) return length(key);
  if (environment !== "live" && environment !== "test") return "After oc_ an Ownchat API key says live or test.";
  if (tail === undefined) return length(key);
  if (!/^[0-9A-Za-z_]*$/.test(locator + tail + more.join("_"))) {
    return "The key holds a character that no Ownchat API key has.";
  }
  return length(key);
}
const length = (key) => `This key has ${[...key].length} characters; an Ownchat API key has 55.`;
export const MISTYPED = "The key was mistyped or cut: its last six characters do not fit the others.";
