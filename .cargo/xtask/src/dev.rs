//! `cargo xtask dev`: builds everything, starts it, and keeps it running until Ctrl-C.

mod http;
mod options;
mod process;
mod secrets;
mod watch;

use crate::{
    build,
    failure::Failure,
    place::root,
    setup::{self, Tools},
    step::now,
};
use options::Options;
use process::Process;
use secrets::Secrets;
use serde_json::json;
use std::{
    fs,
    net::TcpListener,
    process::Command,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread::sleep,
    time::{Duration, SystemTime, UNIX_EPOCH},
};

/// How long starting may take.
const START_LIMIT: Duration = Duration::from_mins(1);

/// What runs, and how to start it again.
struct Running {
    services: Process,
    workers: Process,
}

/// Runs until it is stopped, or until something that it started ends.
pub fn run(words: &[&str]) -> Result<(), Failure> {
    let options = Options::read(words)?;
    for (what, port) in options.ports() {
        TcpListener::bind(("127.0.0.1", port)).map_err(|error| {
            Failure::new(
                format!("look whether port {port} is free for the {what}"),
                error.to_string(),
                format!("stop what uses it, or choose another port with {}_PORT", what.to_uppercase()),
            )
        })?;
    }
    let tools = setup::tools()?;
    if options.build {
        build::all(&tools, options.mode)?;
    }
    if options.fresh && options.data.exists() {
        fs::remove_dir_all(&options.data)
            .map_err(|error| Failure::new("forget the old state", error.to_string(), "remove the folder by hand"))?;
    }
    let secrets = Secrets::read_or_make(&options.data)?;
    let stop = stop_sign()?;
    let mut running = start(&tools, &options, &secrets)?;
    announce(&options)?;
    let mut watch = options.watch.then(|| watch::Watch::new(&root()));
    while !stop.load(Ordering::Relaxed) {
        sleep(Duration::from_millis(100));
        for process in [&mut running.services, &mut running.workers] {
            process.must_run()?;
        }
        let changes = watch.as_mut().map(watch::Watch::changes).unwrap_or_default();
        if !changes.is_empty() {
            let rebuilt = changes.iter().try_for_each(|part| part.build_if_changed(&tools, options.mode));
            match rebuilt {
                Ok(()) => {
                    drop(running);
                    running = start(&tools, &options, &secrets)?;
                    println!("\nreload the page");
                }
                // The old state goes on running until the code compiles again.
                Err(failure) => eprintln!("{failure}"),
            }
        }
    }
    println!("\nstopping");
    drop(running);
    // Whoever reads it would find nobody there.
    let _ = fs::remove_file(&options.ready_file);
    Ok(())
}

/// Becomes true when Ctrl-C is pressed or the process is asked to end. Before this is called, while
/// building, either ends the process at once.
fn stop_sign() -> Result<Arc<AtomicBool>, Failure> {
    let stop = Arc::new(AtomicBool::new(false));
    let sign = Arc::clone(&stop);
    ctrlc::set_handler(move || sign.store(true, Ordering::Relaxed))
        .map_err(|error| Failure::new("listen for Ctrl-C", error.to_string(), "start again"))?;
    Ok(stop)
}

fn start(tools: &Tools, options: &Options, secrets: &Secrets) -> Result<Running, Failure> {
    let services = Process::start(
        "the demo services",
        Command::new(build::services_program())
            .env("PORT", options.upstream.to_string())
            .env("PRINCIPAL_KEY", &secrets.principal_key),
        None,
    )?;
    let config = json!({
        "data": options.data.join("store"),
        "site": build::site(),
        "console": { "port": options.console },
        "edge": { "port": options.edge },
        "upstream": origin(options.upstream),
        "setupToken": options.setup_token,
        "startedAt": millis().to_string(),
        "masterKeys": secrets.master_keys,
        "principalKey": secrets.principal_key,
    });
    let workers = Process::start(
        "the Workers",
        Command::new(tools.npm("node")).current_dir(root().join("worker")).arg("local/start.mjs"),
        Some(&config.to_string()),
    )?;
    let mut running = Running { services, workers };
    let begin = now();
    let waits = [(options.edge, "/v1/health"), (options.console, "/health"), (options.upstream, "/health")];
    for (port, path) in waits {
        while http::status(port, path) != Some(200) {
            for process in [&mut running.services, &mut running.workers] {
                process.must_run()?;
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

/// Writes `ready.json` and prints the same for people.
fn announce(options: &Options) -> Result<(), Failure> {
    let (console, edge, upstream) = (origin(options.console), origin(options.edge), origin(options.upstream));
    let setup_url = format!("{console}/setup?token={}", options.setup_token);
    let ready = json!({
        "console": console,
        "edge": edge,
        "upstream": upstream,
        "setup_url": setup_url,
        "setup_token": options.setup_token,
    });
    let write = || {
        fs::create_dir_all(options.ready_file.parent().unwrap_or(&options.ready_file))?;
        fs::write(&options.ready_file, format!("{ready:#}\n"))
    };
    write().map_err(|error| Failure::new("write ready.json", error.to_string(), "see whether the disk is full"))?;
    let first = if http::status(options.console, &format!("/setup?token={}", options.setup_token)) == Some(200) {
        format!("set up    {setup_url}   (15 minutes)")
    } else {
        format!("sign in   {console}/sign-in")
    };
    println!("\nconsole   {console}\nedge      {edge}\nservices  {upstream}\n{first}\n\nCtrl-C stops all of it.");
    Ok(())
}

fn origin(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}

#[allow(clippy::disallowed_methods, reason = "this is not a Worker")]
fn millis() -> u128 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_millis()
}
