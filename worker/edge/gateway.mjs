// Passes a call on to the Ownchat services, without its key and with a signed principal, and their answer back. Bodies are
// streamed both ways and never looked at.

/**
 * Calls `target`, and gives the service's response; nothing if there is none. `hidden` names the headers that are passed on in
 * neither direction: whole names, and beginnings of names. `more` are headers of the request.
 */
export async function forward(request, target, hidden, more) {
  const { method } = request;
  // A body of GET or HEAD has no meaning (RFC 9110, section 9.3.1), and the platform would refuse to send it.
  const body = method === "GET" || method === "HEAD" ? null : request.body;
  const headers = new Headers(request.headers);
  hide(headers, hidden);
  if (body === null) headers.delete("content-length");
  for (const [name, value] of more) headers.set(name, value);
  try {
    return await fetch(target, { method, headers, body, redirect: "manual" });
  } catch (error) {
    console.error(`upstream: ${error}`);
    return undefined;
  }
}

/** The service's answer, with the edge's own headers over it. */
export function passOn(response, hidden, more) {
  const headers = new Headers(response.headers);
  hide(headers, hidden);
  hide(headers, { names: ["set-cookie"], beginnings: ["access-control-"] });
  for (const [name, value] of more) headers.set(name, value);
  const { status, statusText } = response;
  return new Response(response.body, { status, statusText, headers });
}

function hide(headers, { names, beginnings }) {
  for (const name of names) headers.delete(name);
  for (const name of [...headers.keys()]) {
    if (beginnings.some((beginning) => name.startsWith(beginning))) headers.delete(name);
  }
}
