//! `cargo xtask dev`: builds and runs a local deployment until Ctrl-C.
//! Rebuilds and restarts it on changes with `--watch`.

mod http;
mod options;
mod process;
mod ready;
mod secrets;
mod state;
mod watch;

use crate::{
    build,
    failure::Failure,
    paths::root,
    setup::{self, Tools},
    step::{Steps, now},
    stop,
};
use options::{Options, origin};
use process::Process;
use ready::Ready;
use secrets::Secrets;
use serde_json::json;
use state::State;
use std::{
    net::TcpListener,
    process::Command,
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// Start-up timeout.
const START_LIMIT: Duration = Duration::from_mins(1);

/// The processes of a running deployment.
struct Running {
    services: Option<Process>,
    workers: Process,
}

impl Running {
    /// Fails if a process has ended.
    fn must_run(&mut self) -> Result<(), Failure> {
        self.services.as_mut().map_or(Ok(()), Process::must_run)?;
        self.workers.must_run()
    }
}

/// Runs until a stop is requested, or until one of its processes ends.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let options = Options::read(words)?;
    if options.temporary {
        stop::at_end_of_input();
    }
    look_for_busy_ports(&options)?;
    let state = State::take(&options.data)?;
    let ready = Ready::not_yet(&options);
    let tools = setup::tools()?;
    // Watch before the first build, so that changes during it cause another.
    let mut watch = options.watch.then(|| watch::Watch::new(&root()));
    if options.build {
        build::all(&tools, options.mode, Steps::Sequential)?;
        build::forget_old_sites(options.mode)?;
    }
    if options.fresh {
        state.forget()?;
    }
    let secrets = Secrets::read_or_make(state.folder())?;
    let mut running = start(&tools, &options, &secrets)?;
    greet(&options, &secrets.service_token);
    ready.announce(&options, &secrets.service_token)?;
    while !stop::requested() {
        sleep(Duration::from_millis(100));
        if let Err(failure) = running.must_run() {
            ready.remove();
            return Err(failure);
        }
        if watch.as_mut().is_some_and(watch::Watch::changed) {
            match build::all(&tools, options.mode, Steps::Sequential) {
                Ok(true) => {
                    ready.remove();
                    drop(running);
                    running = start(&tools, &options, &secrets)?;
                    ready.announce(&options, &secrets.service_token)?;
                    println!("\nreload the page");
                }
                Ok(false) => {}
                // Keep the previous build running until the code compiles again.
                Err(failure) => eprintln!("{failure}"),
            }
        }
    }
    println!("\nstopping");
    ready.remove();
    drop(running);
    if options.temporary { state.remove() } else { Ok(()) }
}

fn look_for_busy_ports(options: &Options) -> Result<(), Failure> {
    // Hold every port until all are checked, so that two of ours cannot share one.
    let mut held = Vec::new();
    for (what, port) in options.ports() {
        let listener = TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            Failure::new(
                format!("look whether port {port} is free for the {what}"),
                error.to_string(),
                format!("stop what uses it, or choose another port with {}_PORT", what.to_uppercase()),
            )
        })?;
        held.push(listener);
    }
    Ok(())
}

fn start(tools: &Tools, options: &Options, secrets: &Secrets) -> Result<Running, Failure> {
    let services = match options.upstream_url {
        Some(_) => None,
        None => Some(Process::start(
            "the demo services",
            Command::new(build::services_program())
                .env("PORT", options.upstream.to_string())
                .env("PRINCIPAL_KEY", &secrets.principal_key),
            None,
        )?),
    };
    let config = json!({
        "built": options.mode.folder(),
        "data": options.data.join("store"),
        "site": build::site(options.mode),
        "siteVersion": build::site_version(options.mode)?,
        "console": { "port": options.console },
        "edge": { "port": options.edge },
        "upstream": options.upstream_origin(),
        "limits": options.limits,
        "setupToken": options.setup_token,
        "startedAt": millis().to_string(),
        "masterKeys": secrets.master_keys,
        "principalKey": secrets.principal_key,
        "serviceTokens": secrets.service_tokens(),
    });
    let workers = Process::start(
        "the Workers",
        Command::new(tools.node()).current_dir(root().join("worker")).arg("local/start.mjs"),
        Some(&config.to_string()),
    )?;
    let mut running = Running { services, workers };
    let begin = now();
    let waits =
        options.ports().into_iter().map(|(what, port)| (port, if what == "edge" { "/v1/health" } else { "/health" }));
    for (port, path) in waits {
        while http::status(port, path) != Some(200) {
            running.must_run()?;
            if stop::requested() {
                return Err(Failure::new("start", "it was stopped", "start again when you are ready"));
            }
            if begin.elapsed() > START_LIMIT {
                let why = format!("{}{path} does not answer", origin(port));
                return Err(Failure::new("start", why, "see what was printed above"));
            }
            sleep(Duration::from_millis(50));
        }
    }
    Ok(running)
}

/// Prints the URLs, and the first steps for a person.
fn greet(options: &Options, service_token: &str) {
    let [console, edge] = [options.console, options.edge].map(origin);
    let upstream = options.upstream_origin();
    let setup_url = options.setup_url();
    let path = setup_url.strip_prefix(&console).unwrap_or_default();
    let first = if http::status(options.console, path) == Some(200) {
        format!("set up    {setup_url}   (15 minutes)")
    } else {
        format!("sign in   {console}/sign-in")
    };
    println!("\nconsole   {console}\nedge      {edge}\nservices  {upstream}\n{first}");
    println!("verify    Authorization: Bearer {service_token}\n\nCtrl-C stops all of it.");
}

#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
fn millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
