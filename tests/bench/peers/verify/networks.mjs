// Allowed and denied networks of a key.

/** Parses an IP address to [family, number]. IPv4 mapped to IPv6 is IPv4. Null if it is invalid. */
export function address(text) {
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

export function network(text) {
  const [base, prefix] = text.split("/");
  const [family, number] = address(base);
  const bits = family === 4 ? 32 : 128;
  return { family, shift: BigInt(bits - Number(prefix ?? bits)), number };
}

export function permits(entry, text) {
  const from = text === null ? null : address(text);
  if (from === null) return false;
  const inside = ({ family, shift, number }) => family === from[0] && number >> shift === from[1] >> shift;
  return !entry.deny.some(inside) && (entry.allow.length === 0 || entry.allow.some(inside));
}
