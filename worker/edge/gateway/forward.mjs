// Forwards a request to the Ownchat services and their response to the caller. Bodies are streamed
// both ways and never looked at. A failure is the code of a problem, of those in `src/gateway.rs`.

import { watchConnection } from "./connect.mjs";
import { Deadline, transfer } from "./deadline.mjs";
import { forCaller, forService, rewriteUrls } from "./headers.mjs";

/** The failure of a request whose caller is gone: nobody sees the answer. */
export const CALLER_LEFT = "caller_left";

/** Statuses without a body (Fetch standard, "null body status"). */
const WITHOUT_BODY = [204, 205, 304];

/**
 * Sends `request` to `target` with the headers `own`. Resolves to the `response` of the service, or
 * to the code of a `failure` and its `error`. `limits` are milliseconds, `hidden` the headers that
 * do not pass.
 */
export async function forward(request, target, own, { limits, hidden }, context) {
  const { method } = request;
  const deadline = new Deadline();
  const signal = AbortSignal.any([request.signal, deadline.signal]);
  let isAnswered = false;
  const sent = () => (isAnswered ? deadline.stop() : deadline.start("upstream_timeout", limits.firstByte));
  const headers = forService(request.headers, hidden.fromCaller, own);
  // A body of GET or HEAD has no meaning (RFC 9110, section 9.3.1), and the platform would refuse
  // to send it.
  let body = method === "GET" || method === "HEAD" ? null : request.body;
  if (body === null) {
    headers.delete("content-length");
    sent();
  } else {
    const idle = { read: ["request_timeout", limits.caller], write: ["upstream_idle_timeout", limits.idle] };
    body = transfer(body, lengthOf(headers), deadline, idle, context, sent);
  }
  const stopWatching = watchConnection(target, limits.connect, signal, () => deadline.fail("upstream_connect_timeout"));
  try {
    const init = { method, headers, body, redirect: "manual", signal, encodeResponseBody: "manual" };
    const response = await fetch(target, init);
    isAnswered = true;
    if (body === null) deadline.stop();
    return { response };
  } catch (error) {
    deadline.stop();
    if (request.signal.aborted) return { failure: CALLER_LEFT };
    return { failure: deadline.failure ?? "upstream_unavailable", error };
  } finally {
    stopWatching();
  }
}

/**
 * Makes the response for the caller of the service's, with the headers `own`. Returns it as
 * `response`, or the code of a `failure`.
 */
export function passOn(response, request, target, own, { limits, hidden }, context) {
  const { status, statusText, body } = response;
  const fail = (failure) => {
    context.waitUntil(Promise.resolve(body?.cancel()).catch(() => {}));
    return { failure, error: `status ${status}` };
  };
  if (status < 200 || status > 599) return fail("upstream_invalid");
  const headers = forCaller(response.headers, hidden.fromService, own);
  rewriteUrls(headers, target, request.url);
  const isRedirect = status >= 300 && status < 400;
  if (isRedirect && isForeign(headers.get("location"), request.url)) return fail("upstream_redirect");
  const init = { status, statusText, headers, encodeBody: "manual" };
  if (body === null || request.method === "HEAD" || WITHOUT_BODY.includes(status)) {
    return { response: new Response(null, init) };
  }
  const deadline = new Deadline();
  const idle = ["upstream_idle_timeout", limits.idle];
  const passed = transfer(body, lengthOf(headers), deadline, { read: idle, write: idle }, context, () => deadline.stop());
  return { response: new Response(passed, init) };
}

/**
 * Programs follow such a redirect and send the key along (the reason why browsers drop
 * `Authorization` there).
 */
function isForeign(location, url) {
  return location !== null && URL.parse(location, url)?.origin !== new URL(url).origin;
}

function lengthOf(headers) {
  const length = headers.get("content-length");
  return length === null ? null : Number(length);
}
