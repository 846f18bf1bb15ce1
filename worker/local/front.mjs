// Local stand-in for Cloudflare's network in front of the Workers. Limits connections, rejects
// malformed HTTP, and sets the client's IP address. Delivers every response, even to a client that
// is still sending its body.
//
// Runs as a separate process, so that it can end without the Workers. The first message of the
// parent process is the configuration: others on this machine can read command lines.
//   { door, secret, docs, bodyLimit, listen: [{ port, worker }] }

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request as send, STATUS_CODES } from "node:http";

const HOST = "127.0.0.1";
/** Maximum concurrent connections per port. */
const CONNECTIONS = 1_000;
/**
 * Timeout for the headers of a request, in milliseconds. `bodyLimit` is the idle timeout for its
 * body.
 */
const HEADERS_LIMIT = 10_000;
/**
 * Maximum bytes of a body that are read and discarded after the response, so that the client gets
 * it.
 */
const DROPPED = 64 * 1024 * 1024;
/** Larger bodies wait for the Worker's 100 (Continue), so that none delays a refusal. In bytes. */
const SMALL = 64 * 1024;
/** Idle timeout for connections to the Workers, in milliseconds; shorter than the Workers' own. */
const IDLE = 2_000;

/** Hop-by-hop headers (RFC 9110, section 7.6.1), and headers that only the network may set. */
const DROPPED_HEADERS = ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "expect"];
const OWN_HEADERS = ["cf-connecting-ip", "ownchat-door"];

/** Refusals by the front, by code: status and title as in the catalogue, and detail. */
const PROBLEMS = {
  invalid_request: [
    400,
    "This is not a valid HTTP/1.1 request",
    "Send the request as HTTP/1.1 says: a path, one Host, and no control characters.",
  ],
  request_timeout: [408, "The request did not arrive in time", "The request began and then stopped for too long. Send it again."],
  headers_too_large: [431, "The headers are too large", "The headers may have 16 KiB together."],
  expectation_failed: [
    417,
    "The expectation cannot be met",
    "The only expectation that is known here is 100-continue. Send the request without the header Expect.",
  ],
  method_not_allowed: [
    405,
    "Method not allowed",
    "Methods are written in capitals: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS.",
  ],
  UNAVAILABLE: [
    503,
    "A store is not available",
    "The deployment is starting again. Try again after the seconds in Retry-After.",
  ],
};

const [config] = await once(process, "message");
const agent = new Agent({ keepAlive: true, timeout: IDLE });

/**
 * Renders a problem (RFC 9457) as status, headers and body. Logs server errors. `detail` replaces
 * the text of the table.
 */
function problem(code, { detail = PROBLEMS[code][2], error } = {}) {
  const [status, title] = PROBLEMS[code];
  const id = randomBytes(16).toString("hex");
  if (status >= 500) {
    const message = `responded ${status}: ${error ?? ""}`;
    console.error(JSON.stringify({ level: "error", worker: "front", message, request_id: id, code }));
  }
  const type = `${config.docs}#${code}`;
  const body = JSON.stringify({ type, title, status, detail, instance: id, code });
  const headers = {
    "Content-Type": "application/problem+json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Content-Security-Policy": "default-src 'none'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'",
    "Referrer-Policy": "same-origin",
    "Strict-Transport-Security": "max-age=63072000; includeSubDomains; preload",
    "Access-Control-Allow-Origin": "*",
    "Request-Id": id,
    ...(status === 503 && { "Retry-After": "1" }),
    ...(status === 405 && { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }),
    Connection: "close",
  };
  return { status, headers, body };
}

function refuse(response, code, more) {
  // A refusal already sent survives a failure of the request to the Worker. A client that has
  // disconnected gets none.
  if (response.writableEnded || response.destroyed) return;
  if (response.headersSent) return response.destroy();
  const { status, headers, body } = problem(code, more);
  response.writeHead(status, headers).end(body);
}

/** Refuses a request that could not be parsed, on the raw socket. */
function refuseRaw(socket, code, more) {
  if (!socket.writable) return socket.destroy();
  const { status, headers, body } = problem(code, more);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}

/** Maps an error of Node's HTTP parser to a problem code. */
function reason({ code }) {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  if (code === "HPE_HEADER_OVERFLOW") return "headers_too_large";
  return code === "HPE_INVALID_METHOD" ? "method_not_allowed" : "invalid_request";
}

/** Describes the target of a request line that the parser has refused. */
function unread({ code, rawPacket }) {
  if (code !== "HPE_INVALID_URL") return {};
  const [, target] = /^[A-Z]+ (.*) HTTP\/1\.[01]\r?$/m.exec(rawPacket?.toString("latin1") ?? "") ?? [];
  return forbidden(target);
}

/** Yields the pairs of a flat list of names and values. */
function* pairs(list) {
  for (let at = 0; at < list.length; at += 2) yield [list[at], list[at + 1]];
}

/**
 * Removes hop-by-hop headers, including those that `Connection` names. Keeps `Upgrade`, for the
 * Worker to refuse.
 */
function passing(raw, connection) {
  const named = (connection ?? "").toLowerCase().split(",").map((name) => name.trim());
  const dropped = [...DROPPED_HEADERS, ...OWN_HEADERS, ...named.filter((name) => name !== "upgrade")];
  return [...pairs(raw)].filter(([name]) => !dropped.includes(name.toLowerCase())).flat();
}

/**
 * Joins several `Cookie` lines with a semicolon (RFC 9113, section 8.2.3); the Workers would use a
 * comma.
 */
function withOneCookie(raw) {
  const isCookie = ([name]) => name.toLowerCase() === "cookie";
  const cookies = [...pairs(raw)].filter(isCookie).map(([, value]) => value);
  if (cookies.length < 2) return raw;
  return [...[...pairs(raw)].filter((pair) => !isCookie(pair)).flat(), "Cookie", cookies.join("; ")];
}

/** A host name or IP address, and a port: other characters would end up in the URL's path. */
const HOST_HEADER = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
/** Characters that may not stand in a URL (RFC 3986), and that the Workers runtime rejects. */
const FORBIDDEN = /["<>`]|[^!-~]/;

/**
 * Describes the first forbidden character of a target. Node reads a request byte by byte, so a
 * character beyond ASCII is decoded first.
 */
function forbidden(target = "") {
  const text = Buffer.from(target, "latin1").toString("utf8");
  const character = FORBIDDEN.exec(text) && [...text].find((one) => FORBIDDEN.test(one));
  if (!character) return {};
  const code = character.codePointAt(0).toString(16).toUpperCase().padStart(4, "0");
  const isShown = /[\p{L}\p{N}\p{P}\p{S}]/u.test(character) && character !== "\ufffd";
  const encoded = character === "\ufffd" ? "percent-encoded UTF-8" : encodeURIComponent(character);
  const name = isShown ? `${character} (U+${code})` : `U+${code}`;
  return { detail: `The address holds the character ${name}, which no URL may hold. Write it as ${encoded}.` };
}

/** Methods that Node parses and the Workers runtime answers by itself, in plain text. */
const UNKNOWN_METHODS = ["BIND", "LINK", "M-SEARCH", "MKCALENDAR", "QUERY", "REBIND", "SOURCE", "UNBIND", "UNLINK"];

function isWellFormed(request) {
  const hosts = [...pairs(request.rawHeaders)].filter(([name]) => name.toLowerCase() === "host");
  if (hosts.length !== 1 || !request.url.startsWith("/") || FORBIDDEN.test(request.url)) return false;
  const [[, host]] = hosts;
  return HOST_HEADER.test(host) && URL.canParse(`http://${host}`);
}

/** Proxies a request to a Worker and its response back. `ask` tells the client to send the body. */
function pass(worker, request, response, ask) {
  if (!isWellFormed(request)) return refuse(response, "invalid_request", forbidden(request.url));
  if (UNKNOWN_METHODS.includes(request.method)) return refuse(response, "method_not_allowed");
  const { headers: given, rawHeaders } = request;
  const isChunked = given["transfer-encoding"] !== undefined;
  const length = Number(given["content-length"] ?? 0);
  const hasBody = isChunked || length > 0;
  const headers = withOneCookie(passing(rawHeaders, given.connection));
  headers.push("CF-Connecting-IP", request.socket.remoteAddress.replace(/^::ffff:/, ""));
  headers.push("Ownchat-Door", `${config.secret} ${worker}`);
  if (isChunked) headers.push("Transfer-Encoding", "chunked");
  if (given.upgrade) headers.push("Connection", "upgrade");
  const waits = ask !== undefined || isChunked || length > SMALL;
  if (waits && hasBody) headers.push("Expect", "100-continue");
  const { method, url } = request;
  const inner = send({ host: HOST, port: config.door, agent, method, path: url, headers, setHost: false });

  let timer;
  const clear = () => clearTimeout(timer);
  const start = () => {
    clear();
    timer = setTimeout(() => {
      inner.destroy();
      refuse(response, "request_timeout");
      request.socket.destroySoon();
    }, config.bodyLimit);
  };
  // The first 64 KiB, the whole of a small body, share one timeout even if they drip. After that
  // each pause is limited.
  let received = 0;
  const sendBody = () => {
    ask?.();
    start();
    request.on("data", (chunk) => {
      received += chunk.length;
      if (inner.write(chunk)) return received > SMALL ? start() : undefined;
      // Back-pressure: while the Worker does not read, the client cannot send, so no timeout runs.
      clear();
      request.pause();
      inner.once("drain", () => (start(), request.resume()));
    });
    request.on("end", () => (clear(), inner.end()));
  };
  if (!hasBody) inner.end();
  else if (waits) inner.once("continue", sendBody);
  else sendBody();

  inner.on("response", (answer) => {
    response.writeHead(answer.statusCode, answer.statusMessage, passing(answer.rawHeaders, answer.headers.connection));
    answer.pipe(response);
    answer.on("error", () => response.destroy());
    if (!request.complete) dropRest(request, response, clear);
  });
  inner.on("error", (error) => {
    clear();
    refuse(response, "UNAVAILABLE", { error });
  });
  response.on("close", () => {
    clear();
    // Only a reset tells the Worker that the client has disconnected. A FIN could merely end the
    // request.
    if (!response.writableFinished) inner.socket?.resetAndDestroy();
  });
}

/**
 * Reads and discards the rest of a body, up to a limit. Resetting the connection instead could lose
 * the response.
 */
function dropRest(request, response, clear) {
  clear();
  let dropped = 0;
  request.removeAllListeners("data");
  request.on("data", (chunk) => {
    dropped += chunk.length;
    if (dropped > DROPPED) request.socket.destroy();
  });
  request.resume();
  response.on("finish", () => setTimeout(() => request.complete || request.socket.destroy(), HEADERS_LIMIT).unref());
}

function open({ port, worker }) {
  const options = { headersTimeout: HEADERS_LIMIT, requestTimeout: 0, requireHostHeader: false, connectionsCheckingInterval: 1_000 };
  const server = createServer({ ...options, keepAliveTimeout: 60_000 });
  server.maxConnections = CONNECTIONS;
  server.on("request", (request, response) => pass(worker, request, response));
  server.on("checkContinue", (request, response) => pass(worker, request, response, () => response.writeContinue()));
  server.on("checkExpectation", (_, response) => refuse(response, "expectation_failed"));
  server.on("connect", (_, socket) => refuseRaw(socket, "method_not_allowed"));
  server.on("clientError", (error, socket) => refuseRaw(socket, reason(error), unread(error)));
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, HOST, resolve);
  });
}

// The parent process holds the other end of the pipe.
process.stdin.resume().on("end", () => process.exit(0));
await Promise.all(config.listen.map(open));
process.send("ready");
