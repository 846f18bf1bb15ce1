// What the platform calls. It carries; `src/lib.rs` decides.
//
// A plain object that calls the compiled functions directly: the class that worker-build exports would make an
// object and two proxies for each call. What is made anew for each call is what differs from call to call.

import Edge from "./build/index.js";

const { decide, answer, chores, constants } = Edge.prototype;
const { headers: COMMON, media: MEDIA, requestId: REQUEST_ID, address: ADDRESS, bodyMax: BODY_MAX } = JSON.parse(constants());
const VERIFY = "/v1/verify";

/** The headers of every answer, by the letter of its media type. */
const HEADERS = Object.fromEntries(
  Object.entries(MEDIA).map(([letter, media]) => {
    const headers = new Headers(COMMON);
    if (media) headers.set("Content-Type", media);
    return [letter, headers];
  }),
);

export default {
  fetch(request, env, context) {
    const path = pathOf(request.url);
    if (path === VERIFY && request.method === "POST") return withBody(request, env, context, path);
    return handle(request, env, context, path);
  },
};

async function withBody(request, env, context, path) {
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
  return handle(request, env, context, path, body);
}

function handle(request, env, context, path, body) {
  const { headers } = request;
  const [authorization, apiKey, address] = [headers.get("authorization"), headers.get("x-api-key"), headers.get(ADDRESS)];
  let text;
  try {
    text = decide(request.method, path, authorization, apiKey, address, body);
  } catch (error) {
    // The instance is beyond repair, and the next call gets a new one.
    console.error(error);
  }
  return text === undefined ? slowly(request, env, context, body) : respond(text, env, context);
}

async function slowly(request, env, context, body) {
  try {
    const answered = await answer(request, env, body);
    if (typeof answered === "string") return respond(answered, env, context);
    context.waitUntil(chores(env));
    return answered;
  } catch (error) {
    console.error(error);
    const problem = { title: "Something went wrong on our side", status: 500, code: "internal" };
    return new Response(JSON.stringify(problem), { status: 500, headers: HEADERS.p });
  }
}

/** The response of a text that `Answer::text` has written. */
function respond(text, env, context) {
  if (text[0] === "1") context.waitUntil(chores(env));
  const status = Number(text.slice(2, 5));
  let headers = HEADERS[text[1]];
  let at = 37;
  if (text[at] !== "\n") {
    headers = new Headers(headers);
    do {
      const colon = text.indexOf(":", at);
      const end = text.indexOf("\n", colon);
      headers.set(text.slice(at, colon), text.slice(colon + 1, end));
      at = end + 1;
    } while (text[at] !== "\n");
  }
  // A response takes a copy of the headers when it is made.
  headers.set(REQUEST_ID, text.slice(5, 37));
  return new Response(status === 204 ? null : text.slice(at + 1), { status, headers });
}

/** The path of an absolute URL, without a query. */
function pathOf(url) {
  const begin = url.indexOf("/", url.indexOf("://") + 3);
  const query = url.indexOf("?", begin);
  return query < 0 ? url.slice(begin) : url.slice(begin, query);
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
