//! Page of a key: its facts.

use ownchat_domain::environment::Environment;

pub const STATUS: &str = "Status";
pub const KEY: &str = "Key";
pub const ENVIRONMENT: &str = "Environment";
pub const CREATED: &str = "Created";
pub const LAST_CHANGED: &str = "Last changed";

pub fn created(at: &str) -> String {
    format!("{at} by @")
}

pub const fn environment(environment: Environment) -> &'static str {
    match environment {
        Environment::Live => "Live",
        Environment::Test => "Test",
    }
}
