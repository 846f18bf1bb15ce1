// Entry point of the Worker. It carries requests and responses; `src/lib.rs` decides.
//
// It is a plain object that calls the compiled functions directly. Only the parts that differ
// between requests are created for each request.

import wasm from "./index_bg.wasm";
import * as edge from "ownchat-edge";
import { CALLER_LEFT, forward, passOn } from "./gateway/forward.mjs";
import { logError, logWarning } from "./log.mjs";
import { Platform } from "./stores.mjs";

edge.initSync({ module: wasm });
const { headers: COMMON_HEADERS, bodyKinds: BODY_KINDS, blocked: BLOCKED, bodyMax: BODY_MAX, ...NAMES } = JSON.parse(edge.constants());
const { requestIdHeader: REQUEST_ID, clientIpHeader: CLIENT_IP, principalHeader: PRINCIPAL, proxyStatusPrefix: PROXY_STATUS } = NAMES;
const VERIFY = "/v1/verify";
/** Bytes that are not UTF-8 are decoded as this character. */
const REPLACEMENT = "\uFFFD";
const JSON_MEDIA = /^application\/json *(;|$)/i;

/** The headers of every response, by the letter of its body kind. */
const HEADERS = Object.fromEntries(
  BODY_KINDS.map(([letter, media]) => {
    const headers = new Headers(COMMON_HEADERS);
    if (media) headers.set("Content-Type", media);
    return [letter, headers];
  }),
);

/**
 * Logs an internal error. After a trap the WASM instance is beyond repair: the next request gets a
 * new one.
 */
function resetAfter(error) {
  logError(error?.stack ?? error);
  if (error instanceof WebAssembly.RuntimeError) edge.__wbg_reset_state();
}

addEventListener("error", (event) => resetAfter(event.error));

export default {
  fetch(request, env, context) {
    const { url } = request;
    const target = url.slice(url.indexOf("/", url.indexOf("://") + 3));
    const hasBody = request.method === "POST" && target.startsWith(VERIFY);
    return hasBody ? withBody(request, env, context, target) : handle(request, env, context, target, "");
  },
};

/** Reads the body and handles the request, in one function: another `await` costs 12 µs. */
async function withBody(request, env, context, target) {
  const { headers } = request;
  const length = headers.get("content-length");
  // `=` and the text, or the letter of the reason for none; see `Body::parse`.
  let body = "=";
  if (!JSON_MEDIA.test(headers.get("content-type")) || headers.has("content-encoding")) body = "m";
  else if (Number(length) > BODY_MAX) body = "";
  else {
    try {
      // Without a length the body is read in chunks, never beyond the maximum.
      const text = length === null ? await readUpTo(BODY_MAX, request.body) : await request.text();
      if (text === undefined) body = "";
      else body = text.includes(REPLACEMENT) ? "u" : "=" + text;
    } catch {
      // The caller hung up and gets no response.
    }
  }
  return handle(request, env, context, target, body);
}

function handle(request, env, context, target, body) {
  const { method, headers } = request;
  const id = newId();
  const authorization = optional(headers.get("authorization"));
  const apiKey = optional(headers.get("x-api-key"));
  const clientIp = optional(headers.get(CLIENT_IP));
  // `Request::parse` reads this format; the table in `src/protocol.rs` describes it.
  const requestText = `${id}\n${method}\n${target}\n${authorization}\n${apiKey}\n${clientIp}\n${body}`;
  let text;
  try {
    text = edge.decide(requestText, Date.now());
  } catch (error) {
    resetAfter(error);
  }
  if (text === undefined) return lookUp(requestText, id, request, env, context);
  return respond(text, id, request, env, context);
}

function optional(text) {
  return text === null ? "" : "=" + text;
}

/** Digits per draw. Each use of the platform's generator costs more than its bytes. */
const DIGITS = 8192;
const ID_DIGITS = 32;
let drawn = "";
let next = 0;

/** Returns a request id: 128 random bits. */
function newId() {
  if (next === drawn.length) {
    drawn = crypto.getRandomValues(new Uint8Array(DIGITS / 2)).toHex();
    next = 0;
  }
  return drawn.slice(next, (next += ID_DIGITS));
}

/** Runs the deferred tasks after the response. */
function runDeferred(env, context) {
  context.waitUntil(edge.run_deferred(new Platform(env)));
}

async function lookUp(requestText, id, request, env, context) {
  let text;
  try {
    const looking = edge.look_up(new Platform(env, id), requestText);
    // A lookup finishes even if the caller hangs up, so a lease from a meter is not lost.
    context.waitUntil(looking);
    text = await looking;
  } catch (error) {
    resetAfter(error);
    const problem = { title: "Something went wrong on our side", status: 500, code: "internal" };
    report(id, problem.status, problem.code, error);
    HEADERS.p.set(REQUEST_ID, id);
    return new Response(JSON.stringify(problem), { status: 500, headers: HEADERS.p });
  }
  return respond(text, id, request, env, context);
}

/** Logs a failure of the edge once, with the request id that the caller sees. */
function report(id, status, code, error) {
  // Only the caller can fix a 501: the edge does not implement the request.
  const log = status === 501 ? logWarning : logError;
  log(`responded ${status}${error ? `: ${error}` : ""}`, id, code);
}

/**
 * Makes a response of the text that `Response::encode` writes. A failure of the edge is logged
 * with its `error`.
 */
function respond(text, id, request, env, context, error) {
  if (text[0] === "1") runDeferred(env, context);
  const letter = text[1];
  const status = Number(text.slice(2, 5));
  let at = 5;
  const isForwarded = letter === "o";
  let headers = isForwarded ? new Headers(COMMON_HEADERS) : HEADERS[letter];
  if (text[++at] !== "\n") {
    if (!isForwarded) headers = new Headers(headers);
    do {
      const colon = text.indexOf(":", at);
      const end = text.indexOf("\n", colon);
      headers.set(text.slice(at, colon), text.slice(colon + 1, end));
      at = end + 1;
    } while (text[at] !== "\n");
  }
  const body = text.slice(at + 1);
  if (isForwarded) return respondFromUpstream(body, id, headers, request, env, context);
  if (status >= 500) report(id, status, JSON.parse(body).code, error);
  const init = { status, headers };
  // A response copies the headers when it is created.
  headers.set(REQUEST_ID, id);
  return new Response(status === 204 ? null : body, init);
}

/** The rules of the gateway; they do not change while an isolate lives. */
let rules;

/** Forwards a request and reports the result to the compiled code. */
async function send(target, principal, number, id, request, env, context) {
  let result = { failure: "upgrade_unsupported" };
  try {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      result = await forward(request, target, id, [[PRINCIPAL, principal], [REQUEST_ID, id]], rules, context);
    }
    return result;
  } finally {
    if (edge.end_forward(Number(number), result.failure ?? "", Date.now())) runDeferred(env, context);
  }
}

async function respondFromUpstream(forwarding, id, headers, request, env, context) {
  const [target, principal, number] = forwarding.split("\n");
  rules ??= { blocked: BLOCKED, timeouts: JSON.parse(edge.timeouts()) };
  const sending = send(target, principal, number, id, request, env, context);
  // When the caller leaves, the platform cancels every promise without `waitUntil`: the request
  // would not be counted.
  context.waitUntil(sending);
  let result = await sending;
  if (result.response) {
    const own = [...headers, [REQUEST_ID, id], ["Proxy-Status", PROXY_STATUS + result.response.status]];
    result = passOn(result.response, request, target, id, own, rules, context);
  }
  if (result.response) return result.response;
  const { failure, error } = result;
  // Nobody sees this response.
  if (failure === CALLER_LEFT) return new Response(null, { status: 499 });
  const response = respond(edge.failure_response(id, failure), id, request, env, context, error);
  for (const [name, value] of headers) if (name.startsWith("ratelimit")) response.headers.set(name, value);
  return response;
}

/** Reads the text of a body, or returns nothing if it exceeds `most` bytes. It reads no further. */
async function readUpTo(most, body) {
  const decoder = new TextDecoder();
  let text = "";
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > most) return undefined;
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
