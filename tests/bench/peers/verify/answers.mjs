// Responses: JSON, problems, and their header fields.

import { setUp } from "./setup.mjs";

const COMMON = {
  "Cache-Control": "no-store",
  "X-Content-Type-Options": "nosniff",
  "Content-Security-Policy": "default-src 'none'",
  "Referrer-Policy": "no-referrer",
  "Strict-Transport-Security": "max-age=63072000; includeSubDomains",
  "Access-Control-Allow-Origin": "*",
  "Access-Control-Expose-Headers": "*",
};
/** Shared by all responses, since `new Response` copies it. */
const headers = new Headers({ "Content-Type": "application/json", ...COMMON });
const init = { headers };

export function ok(body) {
  headers.set("Request-Id", crypto.randomUUID());
  return new Response(body, init);
}

const STATUS = {
  ADDRESS_FORBIDDEN: 403,
  SCOPE_MISSING: 403,
  CHANNEL_FORBIDDEN: 403,
  WORKSPACE_SUSPENDED: 403,
  ambiguous_key: 400,
  not_found: 404,
  method_not_allowed: 405,
  body_too_large: 413,
  invalid_json: 400,
  validation_failed: 422,
};

export function problem(code, detail, more) {
  const status = STATUS[code] ?? 401;
  const instance = crypto.randomUUID();
  const body = { type: setUp.page + code, title: code, status, detail, instance, code, ...more };
  const own = { ...COMMON, "Content-Type": "application/problem+json", "Request-Id": instance };
  if (status === 401 || status === 403) own["WWW-Authenticate"] = 'Bearer realm="Ownchat"';
  return new Response(JSON.stringify(body), { status, headers: own });
}

/** Response to a service for a key that it must refuse. */
export function refused({ code, detail, entry, missing }) {
  return ok(JSON.stringify({ valid: false, code, detail, key_id: entry?.about.key_id, missing }));
}
