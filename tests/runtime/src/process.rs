//! Process of the runtime: start, log, CPU time, memory, graceful stop and kill.

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

/// Shell command of the runtime. The first argument is the program, the second its configuration.
/// Control messages go to file descriptor 3, our pipe; output of the Workers goes to the log.
const START: &str = "exec \"$0\" serve --control-fd=3 \"$1\" 3>&1 1>&2";

/// Clock ticks of `/proc` in one second, the same on every Linux machine.
const TICKS: u64 = 100;

/// A running `workerd`.
#[derive(Debug)]
pub struct Process {
    /// Process id, outside the mutex.
    id: u32,
    child: Mutex<Child>,
    ports: HashMap<String, u16>,
    log: PathBuf,
}

impl Process {
    /// Starts a process with these Workers, and waits until all of them listen.
    ///
    /// The folder holds configuration, log and storage of Durable Objects. A new process resumes
    /// with the storage of an earlier one.
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

    /// Address of one of its Workers.
    pub fn address(&self, worker: &str) -> SocketAddr {
        SocketAddr::from((Ipv4Addr::LOCALHOST, self.ports[worker]))
    }

    /// Process id.
    pub fn id(&self) -> u32 {
        self.id
    }

    /// Output of its Workers.
    pub fn log(&self) -> String {
        fs::read(&self.log).map(|bytes| String::from_utf8_lossy(&bytes).into_owned()).unwrap_or_default()
    }

    /// CPU time so far, user and system, with a resolution of 10 ms.
    pub fn cpu(&self) -> Duration {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).unwrap();
        // Field 2 is the name, in brackets; user and system time are fields 14 and 15 (proc(5)).
        let fields: Vec<&str> = stat.rsplit_once(')').unwrap().1.split_ascii_whitespace().collect();
        let ticks: u64 = fields[11].parse::<u64>().unwrap() + fields[12].parse::<u64>().unwrap();
        Duration::from_millis(ticks * (1_000 / TICKS))
    }

    /// Resident memory, in bytes.
    pub fn memory(&self) -> u64 {
        let status = fs::read_to_string(format!("/proc/{}/status", self.id())).unwrap();
        let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:")).unwrap();
        line.trim().strip_suffix("kB").unwrap().trim().parse::<u64>().unwrap() * 1_024
    }

    /// Returns true if the process still runs.
    pub fn runs(&self) -> bool {
        matches!(self.child.lock().unwrap().try_wait(), Ok(None))
    }

    /// Kills the process (`SIGKILL`), as a crash does: no more writes, no notice to any peer.
    pub fn crash(&self) {
        let mut child = self.child.lock().unwrap();
        child.kill().unwrap();
        child.wait().unwrap();
    }

    /// Asks the process to end (`SIGTERM`), and waits until it has.
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
