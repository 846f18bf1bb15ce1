// Forwards a request to the upstream service and its response to the caller. Bodies are streamed
// both ways, never inspected. A failure is the code of a problem in `src/gateway.rs`.

import { watchConnection } from "./connect.mjs";
import { Deadline, transfer } from "./deadline.mjs";
import { forCaller, forService, rewriteUrls } from "./headers.mjs";

/** The failure of a request whose caller disconnected: nobody sees the response. */
export const CALLER_LEFT = "caller_left";

/** Statuses without a body (Fetch standard, "null body status"). */
const WITHOUT_BODY = [204, 205, 304];

/**
 * Sends `request` with this id to `target` with the headers `own`. Resolves to the `response` of
 * the service, or to the code of a `failure` and its `error`. `timeouts` are milliseconds;
 * `blocked` names the headers that do not pass.
 */
export async function forward(request, target, id, own, { timeouts, blocked }, context) {
  const { method } = request;
  const deadline = new Deadline(id);
  const signal = AbortSignal.any([request.signal, deadline.signal]);
  let hasResponse = false;
  const sent = () => (hasResponse ? deadline.stop() : deadline.start("upstream_timeout", timeouts.firstByte));
  const headers = forService(request.headers, blocked.fromCaller, own);
  // A body of GET or HEAD has no meaning (RFC 9110, section 9.3.1), and the platform refuses to
  // send it.
  let body = method === "GET" || method === "HEAD" ? null : request.body;
  if (body === null) {
    headers.delete("content-length");
    sent();
  } else {
    const idle = {
      read: ["request_timeout", timeouts.caller],
      write: ["upstream_idle_timeout", timeouts.idle],
      // The client has left, or its body broke off.
      broken: "request_timeout",
    };
    body = transfer(body, lengthOf(headers), deadline, idle, context, sent);
  }
  const stopWatching = watchConnection(target, timeouts.connect, signal, () => deadline.fail("upstream_connect_timeout"));
  try {
    const init = { method, headers, body, redirect: "manual", signal, encodeResponseBody: "manual" };
    const response = await fetch(target, init);
    hasResponse = true;
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
 * Turns the response of the service into one for the caller, with the headers `own`. Returns it as
 * `response`, or the code of a `failure`.
 */
export function passOn(response, request, target, id, own, { timeouts, blocked }, context) {
  const { status, statusText, body } = response;
  const fail = (failure) => {
    context.waitUntil(Promise.resolve(body?.cancel()).catch(() => {}));
    return { failure, error: `status ${status}` };
  };
  if (status < 200 || status > 599) return fail("upstream_invalid");
  const headers = forCaller(response.headers, blocked.fromService, own);
  rewriteUrls(headers, target, request.url);
  const isRedirect = status >= 300 && status < 400;
  if (isRedirect && isForeign(headers.get("location"), request.url)) return fail("upstream_redirect");
  const init = { status, statusText, headers, encodeBody: "manual" };
  if (body === null || request.method === "HEAD" || WITHOUT_BODY.includes(status)) {
    return { response: new Response(null, init) };
  }
  const deadline = new Deadline(id);
  const idle = ["upstream_idle_timeout", timeouts.idle];
  const passed = transfer(body, lengthOf(headers), deadline, { read: idle, write: idle }, context, () => deadline.stop());
  return { response: new Response(passed, init) };
}

/**
 * Returns true for a redirect to another origin. Programs follow it and send the key along, which
 * is why browsers drop `Authorization` there.
 */
function isForeign(location, url) {
  return location !== null && URL.parse(location, url)?.origin !== new URL(url).origin;
}

function lengthOf(headers) {
  const length = headers.get("content-length");
  return length === null ? null : Number(length);
}
