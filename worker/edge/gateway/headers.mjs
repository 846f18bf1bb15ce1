// Filters the headers that pass the gateway, in each direction, and rewrites URLs in them.

/** Returns the headers of a request for the service. The edge's own replace the caller's. */
export function forService(headers, { names, prefixes }, own) {
  return new Headers([...passing(headers, names, prefixes), ...own]);
}

/**
 * Returns the headers of the service's response for the caller. The edge's own replace the
 * service's.
 */
export function forCaller(headers, { names, prefixes }, own) {
  const passed = new Headers([...passing(headers, names, prefixes)]);
  for (const [name, value] of own) passed.set(name, value);
  return passed;
}

/**
 * Yields the headers that are neither blocked nor named by `Connection` (RFC 9110, section 7.6.1).
 */
function* passing(headers, names, prefixes) {
  const hopByHop = (headers.get("connection") ?? "").toLowerCase().split(",").map((name) => name.trim());
  for (const [name, value] of headers) {
    // Some servers read "a_b" as "a-b", as CGI does with all but letters and digits (RFC 3875,
    // section 4.1.18).
    const plain = name.replaceAll(/[^a-z0-9]/g, "-");
    const isBlocked = names.includes(plain) || prefixes.some((prefix) => plain.startsWith(prefix));
    if (!isBlocked && !hopByHop.includes(name)) yield [name, value];
  }
}

/** Response headers that hold URLs: the whole value, or the parts that the pattern matches. */
const URLS = { location: null, "content-location": null, link: /(?<=<)[^>]*(?=>)/g, refresh: /(?<=url\s*=\s*["']?)[^\s"']+/gi };

/**
 * Rewrites URLs of the service's origin, in the response to a request for `url`, to the edge's
 * origin.
 */
export function rewriteUrls(headers, target, url) {
  const service = new URL(target);
  const edge = new URL(url).origin;
  const rewrite = (text) => {
    const parsed = URL.parse(text, service);
    return parsed?.origin === service.origin ? edge + parsed.pathname + parsed.search + parsed.hash : text;
  };
  for (const [name, pattern] of Object.entries(URLS)) {
    const value = headers.get(name);
    if (value !== null) headers.set(name, pattern ? value.replaceAll(pattern, rewrite) : rewrite(value));
  }
}
