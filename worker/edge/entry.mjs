// What the platform calls. It carries; `src/lib.rs` decides.
//
// A plain object that calls the compiled functions directly. What is made anew for each call is what differs from call to
// call.

import wasm from "./index_bg.wasm";
import * as edge from "./build/glue/index.js";
import { forward, passOn } from "./gateway.mjs";
import { Platform } from "./stores.mjs";

edge.initSync({ module: wasm });
const { headers: COMMON, media: MEDIA, hidden: HIDDEN, requestId: REQUEST_ID, ...NAMES } = JSON.parse(edge.constants());
const { address: ADDRESS, principal: PRINCIPAL, bodyMax: BODY_MAX } = NAMES;
const VERIFY = "/v1/verify";

/** The headers of every answer, by the letter of its media type. */
const HEADERS = Object.fromEntries(
  Object.entries(MEDIA).map(([letter, media]) => {
    const headers = new Headers(COMMON);
    if (media) headers.set("Content-Type", media);
    return [letter, headers];
  }),
);

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
    return hasBody ? withBody(request, env, context, target) : handle(request, env, context, target);
  },
};

async function withBody(request, env, context, target) {
  let body;
  try {
    // Without a length it is read piece by piece, so that no more of it is than may be.
    const length = request.headers.get("content-length");
    if (length === null) body = await readUpTo(BODY_MAX, request.body);
    else if (Number(length) <= BODY_MAX) body = await request.text();
  } catch {
    // Whoever has hung up gets no answer, and whoever has not is told that nothing came.
    body = "";
  }
  return handle(request, env, context, target, body);
}

function handle(request, env, context, target, body) {
  const { method, headers } = request;
  const authorization = headers.get("authorization");
  const apiKey = headers.get("x-api-key");
  const address = headers.get(ADDRESS);
  let text;
  try {
    text = edge.decide(method, target, authorization, apiKey, address, body);
  } catch (error) {
    renew(error);
  }
  if (text !== undefined) return respond(text, request, env, context);
  const texts = [method, target, authorization, apiKey, address, body];
  return lookUp(texts, request, env, context);
}

async function lookUp(texts, request, env, context) {
  let text;
  try {
    text = await edge.look_up(new Platform(env), ...texts);
  } catch (error) {
    renew(error);
    const problem = { title: "Something went wrong on our side", status: 500, code: "internal" };
    return new Response(JSON.stringify(problem), { status: 500, headers: HEADERS.p });
  }
  return respond(text, request, env, context);
}

/** The response of a text that `Answer::text` has written. */
function respond(text, request, env, context) {
  if (text[0] === "1") context.waitUntil(edge.chores(new Platform(env)));
  const id = text.slice(5, 37);
  const isOnward = text[1] === "o";
  let headers = isOnward ? new Headers(COMMON) : HEADERS[text[1]];
  let at = 37;
  if (text[at] !== "\n") {
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
  // A response takes a copy of the headers when it is made.
  headers.set(REQUEST_ID, id);
  const status = Number(text.slice(2, 5));
  return new Response(status === 204 ? null : body, { status, headers });
}

async function goOn(onward, id, headers, request, env, context) {
  const [target, principal] = onward.split("\n");
  const said = [[PRINCIPAL, principal], [REQUEST_ID, id]];
  const response = await forward(request, target, HIDDEN, said);
  if (response) return passOn(response, HIDDEN, [...headers, [REQUEST_ID, id]]);
  const own = [...headers].filter(([name]) => name.startsWith("ratelimit"));
  const answer = respond(edge.unreachable(id), request, env, context);
  for (const [name, value] of own) answer.headers.set(name, value);
  return answer;
}

/** The text of a body, or undefined if it has more bytes than `most`; no more of it than that is read. */
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
