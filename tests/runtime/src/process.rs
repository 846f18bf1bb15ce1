//! A process of the runtime: started, watched, asked for its use of the processor, ended kindly or not.

use crate::{config, root, worker::Worker};
use std::{
    collections::HashMap,
    fs,
    fs::File,
    io::{BufRead, BufReader},
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::Mutex,
    thread::sleep,
    time::Duration,
};

/// The first argument is the program, the second its configuration. What the runtime says about itself comes on
/// its third file, which is our pipe; what the Workers print goes to the log.
const START: &str = "exec \"$0\" serve --control-fd=3 \"$1\" 3>&1 1>&2";

/// Clock ticks of `/proc` in one second, as Linux has them on every machine.
const TICKS: u64 = 100;

/// A running `workerd`.
#[derive(Debug)]
pub struct Process {
    /// Its id is known without it.
    id: u32,
    child: Mutex<Child>,
    ports: HashMap<String, u16>,
    log: PathBuf,
}

impl Process {
    /// Starts one with these Workers and waits until it listens. The folder holds configuration, log, and what
    /// Durable Objects have stored; what an earlier process left there is taken up again.
    pub fn start(folder: &Path, workers: &[Worker]) -> Self {
        fs::create_dir_all(folder).unwrap();
        let config = config::write(folder, workers);
        let log = folder.join("log");
        let output = File::options().create(true).append(true).open(&log).unwrap();
        let program = root().join("worker/node_modules/workerd/bin/workerd");
        assert!(program.exists(), "{} is missing; cargo xtask test installs it", program.display());
        let mut command = Command::new("sh");
        command.args(["-c", START]).arg(program).arg(config);
        let mut child =
            command.stdin(Stdio::null()).stdout(Stdio::piped()).stderr(output).spawn().expect("there is a shell");
        let mut ports = HashMap::new();
        let mut told = BufReader::new(child.stdout.take().unwrap());
        while ports.len() < workers.len() {
            let mut line = String::new();
            if told.read_line(&mut line).unwrap_or(0) == 0 {
                let _ = child.wait();
                panic!("the runtime did not start:\n{}", fs::read_to_string(&log).unwrap_or_default());
            }
            let event: serde_json::Value = serde_json::from_str(&line).unwrap_or_default();
            if let (Some(socket), Some(port)) = (event["socket"].as_str(), event["port"].as_u64()) {
                ports.insert(socket.to_owned(), u16::try_from(port).unwrap());
            }
        }
        Self { id: child.id(), child: Mutex::new(child), ports, log }
    }

    /// Where a Worker of it listens.
    pub fn address(&self, worker: &str) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[worker]))
    }

    /// Its id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// What its Workers have printed.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// For how long it has used a processor, for itself and in the system on its behalf. Exact to 10 ms.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        // The second field is the name, in brackets; user and system time are fields 14 and 15 (proc(5)).
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * (1_000 / TICKS))
    }

    /// How much memory it holds now, in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() * 1_024
    }

    /// Whether it still runs.
    pub fn runs(&self) -> bool {
        matches!(self.child.lock().unwrap().try_wait(), Ok(None))
    }

    /// Ends it at once, as a crash would: nothing is written any more, nobody is told (`SIGKILL`).
    pub fn crash(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks it to end, and waits until it has (`SIGTERM`).
    pub fn stop(&self) {
        let sent = Command::new("sh").args(["-c", &format!("kill -TERM {}", self.id())]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal could be sent");
        while self.runs() {
            sleep(Duration::from_millis(5));
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        if let Ok(child) = self.child.get_mut() {
            let _ = child.kill();
            let _ = child.wait();
        }
    }
}
