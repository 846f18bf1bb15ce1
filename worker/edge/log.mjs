// Log of the Worker: one JSON object per line, in the format of `ownchat_domain::log`.

/** Logs a failure that recovers by itself. */
export function logWarning(message, requestId, code) {
  console.warn(line("warning", message, requestId, code));
}

/** Logs a failure that an operator should look into. */
export function logError(message, requestId, code) {
  console.error(line("error", message, requestId, code));
}

function line(level, message, requestId, code) {
  return JSON.stringify({ level, worker: "edge", message: String(message), request_id: requestId, code });
}
