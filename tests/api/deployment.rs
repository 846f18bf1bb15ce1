//! Starts a deployment for a test with `cargo xtask dev`, on free ports. Its state is in a
//! temporary folder, which is removed at the end.

use crate::client::{ApiClient, OWNER};
use serde_json::{Value, json};
use std::{
    env, fs,
    fs::File,
    iter,
    net::TcpListener,
    ops::Range,
    path::{Path, PathBuf},
    process::{Child, Command, Stdio},
    sync::{
        LazyLock,
        atomic::{AtomicU32, Ordering},
    },
    thread::sleep,
    time::Duration,
};

/// Timeout of every wait, such as for start and stop.
const LIMIT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// The set-up token of every test deployment.
pub const SETUP_TOKEN: &str = "set-up-token-of-the-tests";

/// The file of a deployment's secrets, in its state folder.
const SECRETS: &str = "secrets.json";

/// A local deployment. It may be stopped.
pub struct Deployment {
    folder: PathBuf,
    log: PathBuf,
    ports: [u16; 3],
    process: Option<Child>,
    /// Additional environment variables.
    variables: Vec<(String, String)>,
    /// The owner's session, from the set-up.
    session: Option<String>,
}

/// Returns the deployment shared by all tests, started on first use.
///
/// Its standard input is a pipe from this process. It ends, and removes its state, when the tests
/// end, however they end.
pub fn shared() -> &'static Deployment {
    static SHARED: LazyLock<Deployment> = LazyLock::new(|| {
        let mut deployment = Deployment::idle();
        // Next to the state the log would stay behind. Here it can be read after a failure.
        deployment.log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api.log");
        let _ = fs::remove_file(&deployment.log);
        deployment.resume(&["--temporary"]);
        deployment.make_owner();
        deployment
    });
    &SHARED
}

impl Deployment {
    /// Creates a deployment without starting it.
    pub fn idle() -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let folder = env::temp_dir().join(format!("ownchat-api-{}-{number}", std::process::id()));
        Self {
            log: folder.join("log"),
            folder,
            ports: free_ports(),
            process: None,
            variables: Vec::new(),
            session: None,
        }
    }

    /// Starts a deployment without an owner.
    pub fn start() -> Self {
        let mut deployment = Self::idle();
        deployment.resume(&[]);
        deployment
    }

    /// Starts a deployment and creates its owner.
    pub fn set_up() -> Self {
        let mut deployment = Self::start();
        deployment.make_owner();
        deployment
    }

    /// Starts an empty deployment with the secrets of another, and creates its owner.
    pub fn with_secrets_of(other: &Self) -> Self {
        let mut deployment = Self::idle();
        fs::create_dir_all(deployment.data()).unwrap();
        fs::copy(other.data().join(SECRETS), deployment.data().join(SECRETS)).unwrap();
        deployment.resume(&[]);
        deployment.make_owner();
        deployment
    }

    /// Adds environment variables for the next start.
    pub fn set(&mut self, variables: &[(&str, &str)]) {
        self.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }

    /// Creates the owner.
    pub fn make_owner(&mut self) {
        let setup = json!({
            "token": SETUP_TOKEN, "name": "Ada Owner", "email": OWNER.email, "password": OWNER.password,
            "workspace": "Acme",
        });
        let answer = self.console().post("/api/v1/setup", &setup);
        self.session = answer.expect_status(201).session();
    }

    /// Returns the command that starts it, with these options.
    pub fn command(&self, options: &[&str]) -> Command {
        let mut command = xtask();
        command.arg("dev").args(options);
        // Runs the release builds, unless `OWNCHAT_MODE` is `dev`.
        if env::var("OWNCHAT_MODE").as_deref() != Ok("dev") {
            command.arg("--release");
        }
        for (name, port) in ["CONSOLE_PORT", "EDGE_PORT", "UPSTREAM_PORT"].iter().zip(self.ports) {
            command.env(name, port.to_string());
        }
        command.envs(self.variables.iter().cloned());
        command.env("DATA_DIR", self.data()).env("READY_FILE", self.ready_file()).env("SETUP_TOKEN", SETUP_TOKEN);
        command
    }

    /// Starts it. After [`Deployment::stop`] it resumes with its previous state.
    pub fn resume(&mut self, options: &[&str]) {
        fs::create_dir_all(&self.folder).unwrap();
        let log = File::options().create(true).append(true).open(self.log()).unwrap();
        let mut command = self.command(&["--no-build"]);
        command.args(options).stdin(Stdio::piped()).stdout(log.try_clone().unwrap()).stderr(log);
        let mut child = command.spawn().unwrap();
        wait("starting", || {
            if let Some(status) = child.try_wait().unwrap() {
                let log = fs::read_to_string(self.log()).unwrap_or_default();
                panic!("the deployment ended with {status}:\n{log}");
            }
            self.ready_file().exists()
        });
        self.process = Some(child);
    }

    /// Stops it as Ctrl-C does.
    pub fn stop(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        let sent = Command::new("sh").args(["-c", &format!("kill -INT {}", child.id())]).status();
        assert!(sent.is_ok_and(|status| status.success()), "no signal could be sent");
        wait("stopping", || child.try_wait().is_ok_and(|status| status.is_some()));
    }

    /// Closes its standard input, as the end of this process would.
    pub fn let_go(&mut self) {
        let Some(mut child) = self.process.take() else { return };
        drop(child.stdin.take());
        wait("ending", || child.try_wait().is_ok_and(|status| status.is_some()));
    }

    /// Returns a client of the console without a session.
    pub fn console(&self) -> ApiClient {
        ApiClient::new(self.origin(0))
    }

    /// Returns a client of the console with the owner's session from the set-up.
    pub fn owner(&self) -> ApiClient {
        self.console().in_session(self.session.clone())
    }

    /// Returns a client of the console with a new session of the owner.
    pub fn signed_in(&self) -> ApiClient {
        let console = self.console();
        let answer = console.post("/api/v1/session", &json!({"email": OWNER.email, "password": OWNER.password}));
        console.in_session(answer.expect_status(200).session())
    }

    /// Returns the device cookie of a device from which the owner has signed in.
    pub fn signed_in_device(&self) -> String {
        let credentials = json!({"email": OWNER.email, "password": OWNER.password});
        self.console().post("/api/v1/session", &credentials).expect_status(200).device().unwrap()
    }

    /// Returns a client of the edge.
    pub fn edge(&self) -> ApiClient {
        ApiClient::new(self.origin(1))
    }

    /// Returns a client of the edge with the service token. Like Ownchat's own services, it may
    /// verify keys of every workspace.
    pub fn service(&self) -> ApiClient {
        self.edge().bearing(&self.service_token())
    }

    /// The token with which Ownchat's own services call the edge.
    pub fn service_token(&self) -> String {
        self.ready().get("service_token").and_then(Value::as_str).unwrap().to_owned()
    }

    /// Returns a client of the upstream services.
    pub fn services(&self) -> ApiClient {
        let mut client = ApiClient::new(self.origin(2));
        client.is_ours = false;
        client
    }

    /// Returns the content of the ready file.
    pub fn ready(&self) -> Value {
        serde_json::from_slice(&fs::read(self.ready_file()).unwrap()).unwrap()
    }

    /// Returns its master secrets.
    pub fn master_keys(&self) -> String {
        let secrets: Value = serde_json::from_slice(&fs::read(self.data().join(SECRETS)).unwrap()).unwrap();
        secrets.get("MASTER_KEYS").and_then(Value::as_str).unwrap().to_owned()
    }

    /// Returns the path of the ready file, which it writes once it is ready.
    pub fn ready_file(&self) -> PathBuf {
        self.folder.join("ready.json")
    }

    /// Returns its state folder.
    pub fn data(&self) -> PathBuf {
        self.folder.clone()
    }

    /// Returns the path of its log.
    pub fn log(&self) -> PathBuf {
        self.log.clone()
    }

    /// Returns the process id of `cargo xtask dev`.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// Returns a port: 0 of the console, 1 of the edge, 2 of the upstream services.
    pub fn port(&self, place: usize) -> u16 {
        *self.ports.get(place).unwrap()
    }

    fn origin(&self, place: usize) -> String {
        format!("http://127.0.0.1:{}", self.port(place))
    }
}

impl Drop for Deployment {
    fn drop(&mut self) {
        self.stop();
        let _ = fs::remove_dir_all(&self.folder);
    }
}

/// Polls until the condition holds. Panics after `LIMIT`.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut left = LIMIT;
    while !is_so() {
        assert!(left > Duration::ZERO, "{what} took longer than {} s", LIMIT.as_secs());
        sleep(PAUSE);
        left = left.saturating_sub(PAUSE);
    }
}

/// Returns the `xtask` command: the program that runs these tests, or a fresh `cargo xtask`.
fn xtask() -> Command {
    if let Some(program) = env::var_os("OWNCHAT_XTASK") {
        return Command::new(program);
    }
    let mut command = Command::new("cargo");
    command.arg("xtask").current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    command
}

/// Ports below Linux's ephemeral range, where an outgoing connection may take one at any moment.
const PORTS: Range<u32> = 20_000..32_000;

/// Returns three ports without a listener.
fn free_ports() -> [u16; 3] {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let next = || {
        // Concurrent test runs begin at different ports.
        let number = std::process::id().wrapping_mul(97).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
        u16::try_from(PORTS.start + number % (PORTS.end - PORTS.start)).unwrap()
    };
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    [(); 3].map(|()| iter::repeat_with(next).find(is_free).unwrap())
}
