// The headers that pass the gateway, in each direction.

/** The headers of a request for the service, with the edge's own instead of the caller's. */
export function forService(headers, { names, beginnings }, own) {
  return new Headers([...passing(headers, names, beginnings), ...own]);
}

/**
 * The headers of the service's response for the caller, with the edge's own instead of the
 * service's.
 */
export function forCaller(headers, { names, beginnings }, own) {
  const passed = new Headers([...passing(headers, names, beginnings)]);
  for (const [name, value] of own) passed.set(name, value);
  return passed;
}

/**
 * The headers that are not hidden and that `Connection` does not name (RFC 9110, section 7.6.1).
 */
function* passing(headers, names, beginnings) {
  const ofConnection = (headers.get("connection") ?? "").toLowerCase().split(",").map((name) => name.trim());
  for (const [name, value] of headers) {
    // Some servers take "a_b" for "a-b", as CGI does for all but letters and digits (RFC 3875,
    // section 4.1.18).
    const plain = name.replaceAll(/[^a-z0-9]/g, "-");
    const isHidden = names.includes(plain) || beginnings.some((beginning) => plain.startsWith(beginning));
    if (!isHidden && !ofConnection.includes(name)) yield [name, value];
  }
}

/** The headers of a response that hold URLs: the whole value, or the parts that a pattern finds. */
const URLS = { location: null, "content-location": null, link: /(?<=<)[^>]*(?=>)/g, refresh: /(?<=url\s*=\s*["']?)[^\s"']+/gi };

/**
 * Turns URLs of the service's origin in a response to the request for `url` into URLs of the
 * edge's.
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
