//! Log of the Worker: lines of JSON with the id of the request.

use ownchat_domain::log::{Level, LogLine};
use worker::{console_error, console_log, console_warn};

/// Logs an event that is no failure.
pub fn info(request_id: &str, message: &str) {
    console_log!("{}", line(Level::Info, request_id, message));
}

/// Logs a failure that recovers by itself.
pub fn warning(request_id: &str, message: &str) {
    console_warn!("{}", line(Level::Warning, request_id, message));
}

/// Logs a failure that an operator should look into.
pub fn error(request_id: &str, message: &str) {
    console_error!("{}", line(Level::Error, request_id, message));
}

/// Logs a response of status 5xx with the code that the caller gets.
pub fn server_error(request_id: &str, status: u16, code: &str) {
    console_error!("{}", line(Level::Error, request_id, &format!("responded {status}")).with_code(code));
}

fn line<'a>(level: Level, request_id: &'a str, message: &'a str) -> LogLine<'a> {
    LogLine::new(level, "console", message).with_request_id(Some(request_id))
}
