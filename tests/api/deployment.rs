//! A deployment of its own for a test: started by `cargo xtask dev`, on free ports, with its state in a
//! folder that is removed in the end.

use crate::client::{Client, OWNER};
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

/// How long starting or stopping may take.
const LIMIT: Duration = Duration::from_mins(1);
const PAUSE: Duration = Duration::from_millis(50);

/// Opens the set-up page of every deployment here.
pub const SETUP_TOKEN: &str = "set-up-token-of-the-tests";

/// The file of a deployment's secrets, in the folder of its state.
const SECRETS: &str = "secrets.json";

/// A running deployment.
pub struct Deployment {
    folder: PathBuf,
    log: PathBuf,
    ports: [u16; 3],
    process: Option<Child>,
    /// Variables of its environment.
    variables: Vec<(String, String)>,
    /// The owner's session, from the set-up.
    session: Option<String>,
}

/// The deployment shared by all tests, started on first use.
///
/// Its standard input is a pipe from this process: it ends, and removes its state, when the tests
/// end, however they end.
pub fn shared() -> &'static Deployment {
    static SHARED: LazyLock<Deployment> = LazyLock::new(|| {
        let mut deployment = Deployment::idle();
        // Beside the state it would stay behind; here it can be read after a failure.
        deployment.log = Path::new(env!("CARGO_TARGET_TMPDIR")).join("api.log");
        let _ = fs::remove_file(&deployment.log);
        deployment.resume(&["--temporary"]);
        deployment.make_owner();
        deployment
    });
    &SHARED
}

impl Deployment {
    /// One that does not run.
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

    /// Starts one that nobody has set up yet.
    pub fn start() -> Self {
        let mut deployment = Self::idle();
        deployment.resume(&[]);
        deployment
    }

    /// Starts one and makes its owner.
    pub fn set_up() -> Self {
        let mut deployment = Self::start();
        deployment.make_owner();
        deployment
    }

    /// Starts an empty one that has the secrets of another, and makes its owner.
    pub fn with_secrets_of(other: &Self) -> Self {
        let mut deployment = Self::idle();
        fs::create_dir_all(deployment.data()).unwrap();
        fs::copy(other.data().join(SECRETS), deployment.data().join(SECRETS)).unwrap();
        deployment.resume(&[]);
        deployment.make_owner();
        deployment
    }

    /// Sets variables of its environment.
    pub fn set(&mut self, variables: &[(&str, &str)]) {
        self.variables.extend(variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())));
    }

    /// Sets it up.
    pub fn make_owner(&mut self) {
        let setup = json!({
            "token": SETUP_TOKEN, "name": "Ada Owner", "email": OWNER.email, "password": OWNER.password,
            "workspace": "Acme",
        });
        let answer = self.console().post("/api/v1/setup", &setup);
        self.session = answer.expect_status(201).session();
    }

    /// The command that runs it, with these options.
    pub fn command(&self, options: &[&str]) -> Command {
        let mut command = xtask();
        command.arg("dev").args(options);
        // The builds that are tested: those for release, unless others are asked for.
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

    /// Starts it, again after [`Deployment::stop`] with the state that it had.
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

    /// A caller of the console without a session.
    pub fn console(&self) -> Client {
        Client::new(self.origin(0))
    }

    /// A caller of the console with the session that the owner got at the set-up.
    pub fn owner(&self) -> Client {
        self.console().in_session(self.session.clone())
    }

    /// A caller of the console with a session of its own, as the owner.
    pub fn signed_in(&self) -> Client {
        let console = self.console();
        let answer = console.post("/api/v1/session", &json!({"email": OWNER.email, "password": OWNER.password}));
        console.in_session(answer.expect_status(200).session())
    }

    /// The cookie of a device from which the owner has signed in.
    pub fn signed_in_device(&self) -> String {
        let credentials = json!({"email": OWNER.email, "password": OWNER.password});
        self.console().post("/api/v1/session", &credentials).expect_status(200).device().unwrap()
    }

    /// A caller of the edge.
    pub fn edge(&self) -> Client {
        Client::new(self.origin(1))
    }

    /// A caller of the edge that may ask about keys of every workspace, as Ownchat's own services.
    pub fn service(&self) -> Client {
        self.edge().bearing(&self.service_token())
    }

    /// The token with which Ownchat's own services call the edge.
    pub fn service_token(&self) -> String {
        self.ready().get("service_token").and_then(Value::as_str).unwrap().to_owned()
    }

    /// A caller of the services behind the edge.
    pub fn services(&self) -> Client {
        let mut client = Client::new(self.origin(2));
        client.is_ours = false;
        client
    }

    /// What it was told about itself when it was ready.
    pub fn ready(&self) -> Value {
        serde_json::from_slice(&fs::read(self.ready_file()).unwrap()).unwrap()
    }

    /// Its master secrets.
    pub fn master_keys(&self) -> String {
        let secrets: Value = serde_json::from_slice(&fs::read(self.data().join(SECRETS)).unwrap()).unwrap();
        secrets.get("MASTER_KEYS").and_then(Value::as_str).unwrap().to_owned()
    }

    /// Where it says that it is ready.
    pub fn ready_file(&self) -> PathBuf {
        self.folder.join("ready.json")
    }

    /// Folder of its state.
    pub fn data(&self) -> PathBuf {
        self.folder.clone()
    }

    /// What it printed.
    pub fn log(&self) -> PathBuf {
        self.log.clone()
    }

    /// The process that runs it.
    pub fn pid(&self) -> u32 {
        self.process.as_ref().unwrap().id()
    }

    /// A port: of the console, the edge, the services.
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

/// Waits for a condition, never for a time.
pub fn wait(what: &str, mut is_so: impl FnMut() -> bool) {
    let mut left = LIMIT;
    while !is_so() {
        assert!(left > Duration::ZERO, "{what} took longer than {} s", LIMIT.as_secs());
        sleep(PAUSE);
        left = left.saturating_sub(PAUSE);
    }
}

/// The project's command: the one that runs these tests, or a fresh one.
fn xtask() -> Command {
    if let Some(program) = env::var_os("OWNCHAT_XTASK") {
        return Command::new(program);
    }
    let mut command = Command::new("cargo");
    command.arg("xtask").current_dir(Path::new(env!("CARGO_MANIFEST_DIR")));
    command
}

/// Ports below those that Linux gives to connections that begin here, of which one may be taken at any moment.
const PORTS: Range<u32> = 20_000..32_000;

/// Ports that nobody listens on.
fn free_ports() -> [u16; 3] {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let next = || {
        // Runs at the same time begin at different ones.
        let number = std::process::id().wrapping_mul(97).wrapping_add(COUNT.fetch_add(1, Ordering::Relaxed));
        u16::try_from(PORTS.start + number % (PORTS.end - PORTS.start)).unwrap()
    };
    let is_free = |port: &u16| TcpListener::bind(("127.0.0.1", *port)).is_ok();
    [(); 3].map(|()| iter::repeat_with(next).find(is_free).unwrap())
}
