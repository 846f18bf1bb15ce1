// Stands where Cloudflare's network stands in front of the Workers: takes connections within
// limits, refuses what is no HTTP, tells the caller's address, and loses no response to a caller
// who is still sending.
//
// A process of its own, so that it can end without the Workers. The parent's first message is the
// configuration, since others on this machine can read arguments:
//   { door, secret, docs, bodyLimit, listen: [{ port, worker }] }

import { randomBytes } from "node:crypto";
import { once } from "node:events";
import { Agent, createServer, request as send, STATUS_CODES } from "node:http";

const HOST = "127.0.0.1";
/** Most connections at once, for each port. */
const CONNECTIONS = 1_000;
/**
 * How long the headers of a request may take, in milliseconds. `bodyLimit` is that of each pause in
 * its body.
 */
const HEADERS_LIMIT = 10_000;
/** Bytes of a body that are read and dropped after the response, so that the caller sees it. */
const DROPPED = 64 * 1024 * 1024;
/**
 * A body of more bytes is sent once the Worker asks for it, so that none is in the way of a
 * refusal.
 */
const SMALL = 64 * 1024;
/** Connections to the Workers are closed after so many idle milliseconds, before the Workers do. */
const IDLE = 2_000;

/** Headers of one connection (RFC 9110, section 7.6.1), and those that only the network may set. */
const DROPPED_HEADERS = ["connection", "keep-alive", "proxy-connection", "te", "transfer-encoding", "expect"];
const OWN_HEADERS = ["cf-connecting-ip", "ownchat-door"];

/**
 * Refusals of the front: status and advice by code. The codes stand in the catalogue of problems.
 */
const PROBLEMS = {
  invalid_request: [400, "Send the request as HTTP/1.1 says: a path, one Host, and no control characters."],
  request_timeout: [408, "The request began and then stopped for too long. Send it again."],
  headers_too_large: [431, "The headers may have 16 KiB together."],
  method_not_allowed: [405, "Methods are written in capitals: GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS."],
  UNAVAILABLE: [503, "The deployment is starting again. Try again after the seconds in Retry-After."],
};

const [config] = await once(process, "message");
const agent = new Agent({ keepAlive: true, timeout: IDLE });

/** A problem (RFC 9457), as the headers of a response and its body. A failure of ours is logged. */
function problem(code, error) {
  const [status, detail] = PROBLEMS[code];
  const id = randomBytes(16).toString("hex");
  if (status >= 500) console.error(JSON.stringify({ request_id: id, code, error: String(error ?? "") }));
  const type = `${config.docs}#${code}`;
  const body = JSON.stringify({ type, title: STATUS_CODES[status], status, detail, instance: id, code });
  const headers = {
    "Content-Type": "application/problem+json",
    "Content-Length": Buffer.byteLength(body),
    "Cache-Control": "no-store",
    "X-Content-Type-Options": "nosniff",
    "Access-Control-Allow-Origin": "*",
    "Request-Id": id,
    ...(status === 503 && { "Retry-After": "1" }),
    ...(status === 405 && { Allow: "GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS" }),
    Connection: "close",
  };
  return { status, headers, body };
}

function refuse(response, code, error) {
  // A refusal that is on its way is not cut off by the end of the request to the Worker. Nobody
  // reads the response to a caller who has left.
  if (response.writableEnded || response.destroyed) return;
  if (response.headersSent) return response.destroy();
  const { status, headers, body } = problem(code, error);
  response.writeHead(status, headers).end(body);
}

/** The same on a connection whose request could not be read. */
function refuseRaw(socket, code) {
  if (!socket.writable) return socket.destroy();
  const { status, headers, body } = problem(code);
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  socket.end(`HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${lines.join("")}\r\n${body}`);
}

/** Why Node could not read a request. */
function reason({ code }) {
  if (code === "ERR_HTTP_REQUEST_TIMEOUT") return "request_timeout";
  if (code === "HPE_HEADER_OVERFLOW") return "headers_too_large";
  return code === "HPE_INVALID_METHOD" ? "method_not_allowed" : "invalid_request";
}

/** The pairs of a flat list of names and values. */
function* pairs(list) {
  for (let at = 0; at < list.length; at += 2) yield [list[at], list[at + 1]];
}

/**
 * Headers without those of one connection and those that `Connection` names. `Upgrade` is for the
 * Worker to refuse.
 */
function passing(raw, connection) {
  const named = (connection ?? "").toLowerCase().split(",").map((name) => name.trim());
  const dropped = [...DROPPED_HEADERS, ...OWN_HEADERS, ...named.filter((name) => name !== "upgrade")];
  return [...pairs(raw)].filter(([name]) => !dropped.includes(name.toLowerCase())).flat();
}

/**
 * Lines of `Cookie` are one list (RFC 9113, section 8.2.3); the Workers would join them with a
 * comma.
 */
function withOneCookie(raw) {
  const isCookie = ([name]) => name.toLowerCase() === "cookie";
  const cookies = [...pairs(raw)].filter(isCookie).map(([, value]) => value);
  if (cookies.length < 2) return raw;
  return [...[...pairs(raw)].filter((pair) => !isCookie(pair)).flat(), "Cookie", cookies.join("; ")];
}

/** A name or an address, and a port: other characters would end up in the path of the URL. */
const HOST_HEADER = /^([\w.-]+|\[[\da-f:.]+\])(:\d{1,5})?$/i;
/** A path and a query without the characters that the Workers' runtime takes for no URL. */
const TARGET = /^\/[^"<>`]*$/;

function isWellFormed(request) {
  const hosts = [...pairs(request.rawHeaders)].filter(([name]) => name.toLowerCase() === "host");
  if (hosts.length !== 1 || !TARGET.test(request.url)) return false;
  const [[, host]] = hosts;
  return HOST_HEADER.test(host) && URL.canParse(`http://${host}`);
}

/** Passes a request to a Worker, and its response back. `ask` tells the caller to send the body. */
function pass(worker, request, response, ask) {
  if (!isWellFormed(request)) return refuse(response, "invalid_request");
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
  // The first bytes, which are all of a small body, come within the limit, however they drip; the
  // rest never pauses for longer.
  let received = 0;
  const sendBody = () => {
    ask?.();
    start();
    request.on("data", (chunk) => {
      received += chunk.length;
      if (inner.write(chunk)) return received > SMALL ? start() : undefined;
      // While the Worker does not read, the caller cannot send.
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
    refuse(response, "UNAVAILABLE", error);
  });
  response.on("close", () => {
    clear();
    // The Worker learns that the caller has left by a reset alone: an end could be that of the
    // request.
    if (!response.writableFinished) inner.socket?.resetAndDestroy();
  });
}

/**
 * Reads the rest of a body that nobody wants, up to a limit: a reset connection could take the
 * response with it.
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
  server.on("checkExpectation", (_, response) => refuse(response, "invalid_request"));
  server.on("connect", (_, socket) => refuseRaw(socket, "method_not_allowed"));
  server.on("clientError", (error, socket) => refuseRaw(socket, reason(error)));
  return new Promise((resolve, reject) => {
    server.on("error", reject);
    server.listen(port, HOST, resolve);
  });
}

// The parent holds the other end.
process.stdin.resume().on("end", () => process.exit(0));
await Promise.all(config.listen.map(open));
process.send("ready");
