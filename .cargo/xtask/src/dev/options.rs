//! Options of `cargo xtask dev`, from the command line and the environment.

use super::secrets::random_text;
use crate::{build::Mode, failure::Failure, paths::target};
use std::{collections::BTreeMap, env, path::PathBuf};

/// Options of a local deployment.
#[derive(Debug)]
#[allow(clippy::struct_excessive_bools, reason = "each is an option of the command line")]
pub struct Options {
    /// Deletes the state of earlier runs.
    pub fresh: bool,
    /// Rebuilds on changes.
    pub watch: bool,
    /// Stops at the end of standard input, and removes all state.
    pub temporary: bool,
    /// Builds before starting.
    pub build: bool,
    /// The build mode.
    pub mode: Mode,
    /// Port of the console.
    pub console: u16,
    /// Port of the edge.
    pub edge: u16,
    /// Port of the demo services.
    pub upstream: u16,
    /// Origin of another upstream; the demo services do not run then.
    pub upstream_url: Option<String>,
    /// Gateway timeouts that differ from the defaults, in milliseconds, by variable name.
    pub limits: BTreeMap<&'static str, String>,
    /// Folder of the state.
    pub data: PathBuf,
    /// Secret that opens the set-up page for 15 minutes.
    pub setup_token: String,
    /// Path of `ready.json`, which announces a healthy deployment.
    pub ready_file: PathBuf,
}

impl Options {
    /// Reads the command line and the environment.
    pub fn read(words: &[&str]) -> Result<Self, Failure> {
        let mut options = Self {
            fresh: false,
            watch: false,
            temporary: false,
            build: true,
            mode: Mode::Dev,
            console: port("CONSOLE_PORT", 8787)?,
            edge: port("EDGE_PORT", 8788)?,
            upstream: port("UPSTREAM_PORT", 8789)?,
            upstream_url: upstream_url()?,
            limits: limits()?,
            data: folder("DATA_DIR", "dev/data"),
            setup_token: setup_token(&env::var("SETUP_TOKEN").unwrap_or_default())?,
            ready_file: folder("READY_FILE", "dev/ready.json"),
        };
        for word in words {
            match *word {
                "--fresh" => options.fresh = true,
                "--watch" => options.watch = true,
                "--temporary" => options.temporary = true,
                "--release" => options.mode = Mode::Release,
                "--no-build" => options.build = false,
                other => {
                    return Err(Failure::new(
                        "read the command line",
                        format!("there is no option \"{other}\""),
                        "use --fresh, --watch, --release, --no-build or --temporary",
                    ));
                }
            }
        }
        Ok(options)
    }

    /// Returns the URL of the set-up page, with the token.
    pub fn setup_url(&self) -> String {
        format!("{}/setup?token={}", origin(self.console), percent_encoded(&self.setup_token))
    }

    /// Returns the listening ports, with the names of their services.
    pub fn ports(&self) -> Vec<(&'static str, u16)> {
        let mut ports = vec![("console", self.console), ("edge", self.edge)];
        if self.upstream_url.is_none() {
            ports.push(("upstream", self.upstream));
        }
        ports
    }

    /// Returns the origin of the upstream.
    pub fn upstream_origin(&self) -> String {
        self.upstream_url.clone().unwrap_or_else(|| origin(self.upstream))
    }
}

/// Returns the origin of a local port.
pub fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

/// Percent-encodes a query value (RFC 3986, section 2.1). Letters, digits and `-._~` stay as they
/// are.
fn percent_encoded(text: &str) -> String {
    let encode = |byte: u8| match byte {
        b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        _ if byte.is_ascii_alphanumeric() => char::from(byte).to_string(),
        _ => format!("%{byte:02X}"),
    };
    text.bytes().map(encode).collect()
}

/// Variables of the gateway timeouts, in milliseconds. The edge reads them. Validating them here
/// reports a mistake before start-up.
const LIMITS: [&str; 4] = ["UPSTREAM_CONNECT_MS", "UPSTREAM_FIRST_BYTE_MS", "UPSTREAM_IDLE_MS", "REQUEST_IDLE_MS"];

fn limits() -> Result<BTreeMap<&'static str, String>, Failure> {
    let given = |name| Some((name, env::var(name).ok().filter(|text| !text.is_empty())?));
    let is_good = |text: &str| text.parse().is_ok_and(|millis: u32| (1..=3_600_000).contains(&millis));
    let limits: BTreeMap<_, _> = LIMITS.into_iter().filter_map(given).collect();
    match limits.iter().find(|(_, text)| !is_good(text)) {
        None => Ok(limits),
        Some((name, _)) => {
            let why = format!("{name} is not a number of milliseconds");
            Err(Failure::new("read the environment", why, "use 1 to 3600000"))
        }
    }
}

fn upstream_url() -> Result<Option<String>, Failure> {
    let Some(text) = env::var("UPSTREAM_URL").ok().filter(|text| !text.is_empty()) else { return Ok(None) };
    let url = text.trim_end_matches('/');
    let host = ["http://", "https://"].iter().find_map(|scheme| url.strip_prefix(scheme));
    if host.is_some_and(|host| !host.is_empty() && !host.contains(['/', '?', '#', '@', ' '])) {
        return Ok(Some(url.to_owned()));
    }
    Err(Failure::new("read the environment", "UPSTREAM_URL is not an origin", "write it as http://127.0.0.1:9000"))
}

/// Minimum characters of a set-up token: an attacker who guesses it owns the deployment.
const TOKEN_MIN: usize = 16;

fn setup_token(given: &str) -> Result<String, Failure> {
    match given.chars().count() {
        0 => random_text(),
        TOKEN_MIN.. => Ok(given.to_owned()),
        _ => {
            let why = format!("SETUP_TOKEN has fewer than {TOKEN_MIN} characters");
            Err(Failure::new("read the environment", why, "leave it out to have one made, or choose a longer one"))
        }
    }
}

fn port(name: &str, default: u16) -> Result<u16, Failure> {
    match env::var(name) {
        Ok(text) if !text.is_empty() => text.parse().ok().filter(|port| *port > 0).ok_or_else(|| {
            Failure::new("read the environment", format!("{name} is not a port number"), "use 1 to 65535")
        }),
        _ => Ok(default),
    }
}

fn folder(name: &str, default: &str) -> PathBuf {
    match env::var_os(name) {
        Some(folder) if !folder.is_empty() => env::current_dir().unwrap_or_default().join(folder),
        _ => target().join(default),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_understood_and_others_are_named() {
        let options = Options::read(&["--fresh", "--release", "--no-build"]).unwrap();
        assert!(options.fresh && !options.build && options.mode == Mode::Release);
        assert!(Options::read(&["--frsh"]).unwrap_err().why.contains("--frsh"));
    }

    #[test]
    fn any_token_stands_in_a_link() {
        assert_eq!(percent_encoded("a-Z_0.~"), "a-Z_0.~");
        assert_eq!(percent_encoded("a b&c=ä"), "a%20b%26c%3D%C3%A4");
    }

    #[test]
    fn a_set_up_token_is_made_up_when_none_is_given() {
        let token = |words: &[&str]| Options::read(words).unwrap().setup_token;
        assert!(token(&[]).len() >= 22);
        assert_ne!(token(&[]), token(&[]));
        assert!(setup_token("1").is_err() && setup_token(&"x".repeat(TOKEN_MIN)).is_ok());
    }
}
