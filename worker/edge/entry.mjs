// What the platform calls. It carries; `src/lib.rs` decides.
//
// A plain object that calls the compiled functions directly. What is made anew for each call is what differs from call to
// call.

import wasm from "./index_bg.wasm";
import * as edge from "ownchat-edge";
import { CALLER_LEFT, forward, passOn } from "./gateway/forward.mjs";
import { Platform } from "./stores.mjs";

edge.initSync({ module: wasm });
const { headers: COMMON, media: MEDIA, hidden: HIDDEN, requestId: REQUEST_ID, ...NAMES } = JSON.parse(edge.constants());
const { address: ADDRESS, principal: PRINCIPAL, bodyMax: BODY_MAX, received: RECEIVED } = NAMES;
const VERIFY = "/v1/verify";
const STRICT = { fatal: true };
const UTF_8 = new TextDecoder("utf-8", STRICT);
const JSON_MEDIA = /^application\/json *(;|$)/i;

/** The headers of every answer, by the letter of its media type. */
const HEADERS = Object.fromEntries(
  MEDIA.map(([letter, media]) => {
    const headers = new Headers(COMMON);
    if (media) headers.set("Content-Type", media);
    return [letter, headers];
  }),
);

/** Answers by their numbers: what is said anew in each is the call's id, which stands between the pieces of the body. */
const kept = [];

/** What went wrong inside: the compiled code is beyond repair, and the next call gets it anew. */
function renew(error) {
  console.error(error);
  if (error instanceof WebAssembly.RuntimeError) edge.__wbg_reset_state();
}

addEventListener("error", (event) => renew(event.error));

export default {
  fetch(request, env, context) {
    const { url } = request;
    const target = url.slice(url.indexOf("/", url.indexOf("://") + 3));
    const hasBody = request.method === "POST" && target.startsWith(VERIFY);
    return hasBody ? withBody(request, env, context, target) : handle(request, env, context, target, "");
  },
};

async function withBody(request, env, context, target) {
  return handle(request, env, context, target, await bodyOf(request));
}

/** The body of a request after `=`, or a letter for the reason why it is not read: see `Body::read`. */
async function bodyOf(request) {
  const { headers } = request;
  if (!JSON_MEDIA.test(headers.get("content-type")) || headers.has("content-encoding")) return "m";
  try {
    const length = headers.get("content-length");
    // Without a length it is read piece by piece, so that no more of it is than may be.
    if (length === null) return await readUpTo(BODY_MAX, request.body);
    return Number(length) > BODY_MAX ? "" : "=" + UTF_8.decode(await request.arrayBuffer());
  } catch (error) {
    // Callers who have hung up get no answer; others are told that nothing came.
    return error instanceof TypeError ? "u" : "=";
  }
}

function handle(request, env, context, target, body) {
  const { method, headers } = request;
  const id = newId();
  const authorization = optional(headers.get("authorization"));
  const apiKey = optional(headers.get("x-api-key"));
  const address = optional(headers.get(ADDRESS));
  // As `Incoming::read` takes it apart.
  const call = `${id}\n${method}\n${target}\n${authorization}\n${apiKey}\n${address}\n${body}`;
  let said = 0;
  let text;
  try {
    said = edge.decide(call, Date.now());
    if (said === 1) text = edge.told();
  } catch (error) {
    renew(error);
    said = 0;
  }
  if (said === 0) return lookUp(call, id, request, env, context);
  if (said === 1) return respond(text, id, request, env, context);
  if (said & 2) work(env, context);
  const { pieces, init } = kept[said >>> 2];
  init.headers.set(REQUEST_ID, id);
  return new Response(pieces.length === 1 ? pieces[0] : pieces.join(id), init);
}

function optional(text) {
  return text === null ? "" : "=" + text;
}

/** So many digits are drawn at once: the platform's generator takes longer to be asked than to answer. */
const DIGITS = 8192;
const ID_DIGITS = 32;
let drawn = "";
let next = 0;

/** An id for a call: 128 random bits. */
function newId() {
  if (next === drawn.length) {
    drawn = crypto.getRandomValues(new Uint8Array(DIGITS / 2)).toHex();
    next = 0;
  }
  return drawn.slice(next, (next += ID_DIGITS));
}

/** Does what is left for after the answer. */
function work(env, context) {
  context.waitUntil(edge.chores(new Platform(env)));
}

async function lookUp(call, id, request, env, context) {
  let text;
  try {
    const looking = edge.look_up(new Platform(env), call);
    // What was begun is finished, also if the caller hangs up: what a meter was asked for is not lost.
    context.waitUntil(looking);
    text = await looking;
  } catch (error) {
    renew(error);
    const problem = { title: "Something went wrong on our side", status: 500, code: "internal" };
    report(id, problem.status, problem.code, error);
    HEADERS.p.set(REQUEST_ID, id);
    return new Response(JSON.stringify(problem), { status: 500, headers: HEADERS.p });
  }
  return respond(text, id, request, env, context);
}

/** Logs a failure of the edge, once and with the id that the caller is told. */
function report(id, status, code, error) {
  const line = JSON.stringify({ request_id: id, code, error: String(error ?? "") });
  // The caller alone can mend it: the edge does not implement the request.
  if (status === 501) console.warn(line);
  else console.error(line);
}

/**
 * The response of a text that `Answer::text` has written. `error` goes to the log if it is a
 * failure of the edge.
 */
function respond(text, id, request, env, context, error) {
  if (text[0] === "1") work(env, context);
  const letter = text[1];
  const status = Number(text.slice(2, 5));
  let at = text.indexOf("\n");
  const number = Number(text.slice(5, at));
  const isOnward = letter === "o";
  let headers = isOnward ? new Headers(COMMON) : HEADERS[letter];
  if (text[++at] !== "\n") {
    if (!isOnward) headers = new Headers(headers);
    do {
      const colon = text.indexOf(":", at);
      const end = text.indexOf("\n", colon);
      headers.set(text.slice(at, colon), text.slice(colon + 1, end));
      at = end + 1;
    } while (text[at] !== "\n");
  }
  const body = text.slice(at + 1);
  if (isOnward) return goOn(body, id, headers, request, env, context);
  if (status >= 500) report(id, status, JSON.parse(body).code, error);
  const init = { status, headers };
  if (number !== 0) kept[number] = { pieces: body.split(id), init };
  // A response takes a copy of the headers when it is made.
  headers.set(REQUEST_ID, id);
  return new Response(status === 204 ? null : body, init);
}

/** The rules of the gateway; they do not change while an isolate lives. */
let rules;

/** Forwards a request, and tells the compiled code what became of it. */
async function send(target, principal, number, id, request, env, context) {
  let result = { failure: "upgrade_unsupported" };
  try {
    if (request.headers.get("upgrade")?.toLowerCase() !== "websocket") {
      result = await forward(request, target, [[PRINCIPAL, principal], [REQUEST_ID, id]], rules, context);
    }
    return result;
  } finally {
    if (edge.arrived(Number(number), result.failure ?? "", Date.now())) work(env, context);
  }
}

async function goOn(onward, id, headers, request, env, context) {
  const [target, principal, number] = onward.split("\n");
  rules ??= { hidden: HIDDEN, limits: JSON.parse(edge.limits()) };
  const sending = send(target, principal, number, id, request, env, context);
  // When the caller leaves, the platform cancels every promise without `waitUntil`: it would not be
  // counted.
  context.waitUntil(sending);
  let result = await sending;
  if (result.response) {
    const own = [...headers, [REQUEST_ID, id], ["Proxy-Status", RECEIVED + result.response.status]];
    result = passOn(result.response, request, target, own, rules, context);
  }
  if (result.response) return result.response;
  const { failure, error } = result;
  // Nobody sees it.
  if (failure === CALLER_LEFT) return new Response(null, { status: 499 });
  const answer = respond(edge.failed(id, failure), id, request, env, context, error);
  for (const [name, value] of headers) if (name.startsWith("ratelimit")) answer.headers.set(name, value);
  return answer;
}

/** The text of a body after `=`, or nothing if it has more bytes than `most`; no more of it than that is read. */
async function readUpTo(most, body) {
  const decoder = new TextDecoder("utf-8", STRICT);
  let text = "=";
  let size = 0;
  for await (const chunk of body ?? []) {
    size += chunk.length;
    if (size > most) return "";
    text += decoder.decode(chunk, { stream: true });
  }
  return text + decoder.decode();
}
