//! The packages of the workspace: change detection, lints and tests on the host.

use crate::{
    cargo::cargo,
    failure::Failure,
    paths::root,
    step::{Steps, output},
};
use serde_json::Value;
use std::{
    collections::BTreeSet,
    path::{Path, PathBuf},
    process::Command,
};

/// The pages. Feature `ssr` renders them on the server, `hydrate` hydrates them in the browser. The
/// features exclude each other.
const PAGES: &str = "ownchat-ui";
const ON_THE_SERVER: &str = "ownchat-ui/ssr";
const IN_THE_BROWSER: &str = "ownchat-ui/hydrate";

/// Packages that need the pages with feature `hydrate`.
const OF_THE_BROWSER: &[&str] = &[PAGES, "ownchat-frontend"];

/// Files that every package depends on.
const COMMON: &[&str] = &["Cargo.toml", "Cargo.lock", ".clippy.toml", ".rustfmt.toml", ".cargo/config.toml"];

/// A package of the workspace.
#[derive(Debug)]
pub struct Package {
    name: String,
    /// Folder, relative to the root of the checkout.
    folder: PathBuf,
    /// Packages that it depends on, including those of its tests.
    needs: Vec<String>,
    /// Root files of its libraries, programs and tests.
    roots: Vec<PathBuf>,
    /// Names of its integration tests.
    tests: Vec<String>,
    /// Integration tests that need built Workers.
    on_builds: Vec<String>,
}

/// All packages of the workspace.
#[derive(Debug)]
pub struct Packages(Vec<Package>);

impl Packages {
    /// Reads the packages from `cargo metadata`.
    pub fn read() -> Result<Self, Failure> {
        let failed = || Failure::new("read the manifests", "cargo metadata failed", "run cargo metadata --no-deps");
        let mut metadata = cargo(&["metadata", "--no-deps", "--format-version", "1", "--offline"]);
        let text = output(&mut metadata).ok_or_else(failed)?;
        Self::parse(&text, &root()).ok_or_else(failed)
    }

    fn parse(metadata: &str, root: &Path) -> Option<Self> {
        let metadata: Value = serde_json::from_str(metadata).ok()?;
        let text = |value: &Value| value.as_str().map(str::to_owned);
        let texts = |value: &Value| value.as_array().into_iter().flatten().filter_map(text).collect::<Vec<_>>();
        let package = |value: &Value| {
            let targets = value.get("targets")?.as_array()?;
            let is_test = |target: &&Value| target.get("kind").is_some_and(|kind| texts(kind) == ["test"]);
            let dependencies = value.get("dependencies")?.as_array()?;
            Some(Package {
                name: text(value.get("name")?)?,
                folder: Path::new(value.get("manifest_path")?.as_str()?).parent()?.strip_prefix(root).ok()?.to_owned(),
                // Only packages of the workspace have a path.
                needs: dependencies
                    .iter()
                    .filter(|dependency| dependency.get("path").is_some())
                    .filter_map(|dependency| text(dependency.get("name")?))
                    .collect(),
                roots: targets.iter().filter_map(|target| text(target.get("src_path")?).map(PathBuf::from)).collect(),
                tests: targets.iter().filter(is_test).filter_map(|target| text(target.get("name")?)).collect(),
                on_builds: value.pointer("/metadata/ownchat/tests-on-builds").map(texts).unwrap_or_default(),
            })
        };
        metadata.get("packages")?.as_array()?.iter().map(package).collect::<Option<_>>().map(Self)
    }

    /// Returns the most deeply nested package whose folder holds this file.
    pub fn owner_of(&self, file: &Path) -> Option<&Package> {
        let owners = self.0.iter().filter(|package| file.starts_with(&package.folder));
        owners.max_by_key(|package| package.folder.components().count())
    }

    /// Returns the packages of the workspace that a package depends on, by their names.
    pub fn needs_of(&self, name: &str) -> impl Iterator<Item = &str> {
        self.0.iter().filter(move |package| package.name == name).flat_map(|package| &package.needs).map(String::as_str)
    }

    /// Returns the packages that own these files and, for code, their dependents.
    pub fn affected_by(&self, files: &[Changed]) -> Chosen<'_> {
        if files.iter().any(|file| COMMON.iter().any(|common| file.path == Path::new(common))) {
            return self.all();
        }
        let owner = |file: &Changed| self.owner_of(&file.path).map(Package::name);
        let mut names: BTreeSet<&str> = files.iter().filter(|file| file.is_code).filter_map(owner).collect();
        let has_code = !names.is_empty();
        loop {
            let is_new = |package: &&Package| {
                !names.contains(package.name.as_str()) && package.needs.iter().any(|need| names.contains(need.as_str()))
            };
            let more: Vec<&str> = self.0.iter().filter(is_new).map(|package| package.name.as_str()).collect();
            if more.is_empty() {
                break;
            }
            names.extend(more);
        }
        names.extend(files.iter().filter_map(owner));
        let packages: Vec<&Package> = self.0.iter().filter(|package| names.contains(package.name.as_str())).collect();
        Chosen { built: if has_code { self.0.iter().collect() } else { packages.clone() }, packages }
    }

    /// Returns all packages.
    pub fn all(&self) -> Chosen<'_> {
        Chosen { packages: self.0.iter().collect(), built: self.0.iter().collect() }
    }

    /// Returns a cargo command on all packages, with the pages rendered on the server.
    pub fn on_server(&self, words: &[&str]) -> Command {
        self.all().on_server(words)
    }
}

/// A file that differs from the last commit on main.
#[derive(Debug)]
pub struct Changed {
    /// Path, relative to the root of the checkout.
    pub path: PathBuf,
    /// True for code of the package, false for its tests.
    pub is_code: bool,
}

/// The packages to check.
#[derive(Debug)]
pub struct Chosen<'a> {
    /// The packages whose tests run.
    pub packages: Vec<&'a Package>,
    /// The packages passed to cargo.
    ///
    /// After a change of code these are all packages, so that every crate builds once, with one set
    /// of features. After a change of tests these are their own packages: dependents need no
    /// rebuild.
    built: Vec<&'a Package>,
}

impl Chosen<'_> {
    fn on_server(&self, words: &[&str]) -> Command {
        self.on(words, |name| name == PAGES || !OF_THE_BROWSER.contains(&name), ON_THE_SERVER)
    }

    fn on(&self, words: &[&str], is_chosen: impl Fn(&str) -> bool, features: &str) -> Command {
        let mut command = cargo(words);
        for package in self.built.iter().filter(|package| is_chosen(&package.name)) {
            command.args(["--package", &package.name]);
            if package.name == PAGES {
                command.args(["--features", features]);
            }
        }
        command
    }

    /// Fails if a file is not formatted.
    pub fn format(&self, steps: Steps) -> Result<(), Failure> {
        let mut rustfmt = Command::new("rustfmt");
        rustfmt.current_dir(root()).arg("--check").args(self.packages.iter().flat_map(|package| &package.roots));
        steps.run("format", &mut rustfmt, "run cargo fmt --all")
    }

    /// Fails at a clippy warning. Lints the browser's packages separately.
    pub fn lint(&self, steps: Steps) -> Result<(), Failure> {
        const WORDS: &[&str] = &["clippy", "--quiet", "--all-targets"];
        const DENY: &[&str] = &["--", "--deny", "warnings"];
        const REMEDY: &str = "fix the warnings above";
        let is_of_browser = |name: &str| OF_THE_BROWSER.contains(&name);
        if self.built.iter().any(|package| package.name == PAGES || !is_of_browser(&package.name)) {
            steps.run("lint", self.on_server(WORDS).args(DENY), REMEDY)?;
        }
        if self.packages.iter().any(|package| is_of_browser(&package.name)) {
            steps.run("lint the browser's part", self.on(WORDS, is_of_browser, IN_THE_BROWSER).args(DENY), REMEDY)?;
        }
        Ok(())
    }

    /// Renders the documentation comments. Fails at a warning, such as a link that leads nowhere.
    pub fn document(&self, steps: Steps) -> Result<(), Failure> {
        if self.built.iter().all(|package| package.name != PAGES && OF_THE_BROWSER.contains(&package.name.as_str())) {
            return Ok(());
        }
        let mut doc = self.on_server(&["doc", "--quiet", "--no-deps", "--document-private-items"]);
        doc.env("RUSTDOCFLAGS", "--deny warnings --allow rustdoc::private-intra-doc-links");
        steps.run("document", &mut doc, "fix the errors above")
    }

    /// Builds the tests that need only this machine.
    pub fn host_tests(&self, steps: Steps) -> Result<Vec<HostTest>, Failure> {
        let mut build = self.on_server(&["test", "--quiet", "--no-run", "--message-format", "json-render-diagnostics"]);
        let targets: BTreeSet<String> = self.built.iter().flat_map(|package| package.host_targets()).collect();
        if targets.is_empty() {
            return Ok(Vec::new());
        }
        build.args(targets);
        let messages = steps.run_and_read("build the tests", &mut build, "see the compiler's message above")?;
        Ok(messages.lines().filter_map(|line| HostTest::read(line, &self.packages)).collect())
    }
}

impl Package {
    /// Returns the package's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Returns the root file of its library or program, or `None` if it holds only tests.
    pub fn code(&self) -> Option<&Path> {
        let is_code = |root: &&PathBuf| ["src/lib.rs", "src/main.rs"].iter().any(|end| root.ends_with(end));
        self.roots.iter().find(is_code).map(PathBuf::as_path)
    }

    fn tests_on_host(&self) -> impl Iterator<Item = &str> {
        self.tests.iter().filter(|test| !self.on_builds.contains(test)).map(String::as_str)
    }

    /// Returns the cargo options that select its tests on the host.
    fn host_targets(&self) -> impl Iterator<Item = String> {
        let has = |end: &str| self.roots.iter().any(|root| root.ends_with(end));
        let lib = has("src/lib.rs").then(|| "--lib".to_owned());
        let bins = has("src/main.rs").then(|| "--bins".to_owned());
        lib.into_iter().chain(bins).chain(self.tests_on_host().map(|test| format!("--test={test}")))
    }
}

/// A built test program.
#[derive(Debug, PartialEq, Eq)]
pub struct HostTest {
    /// Names of the package and, if different, of the test target.
    pub name: String,
    folder: PathBuf,
    program: PathBuf,
}

impl HostTest {
    /// Parses a message from cargo. Returns `None` unless it announces a test of these packages.
    fn read(message: &str, packages: &[&Package]) -> Option<Self> {
        let message: Value = serde_json::from_str(message).ok()?;
        let is_test = message.pointer("/profile/test")?.as_bool()?;
        let (target, source) =
            (message.pointer("/target/name")?.as_str()?, message.pointer("/target/src_path")?.as_str()?);
        let program = message.get("executable")?.as_str()?.into();
        let package = packages.iter().find(|package| package.roots.iter().any(|root| root == Path::new(source)))?;
        let name = if package.name == target.replace('_', "-") {
            package.name.clone()
        } else {
            format!("{} {target}", package.name)
        };
        is_test.then(|| Self { name, folder: root().join(&package.folder), program })
    }

    /// Returns the command that runs it, with the working directory that cargo uses.
    pub fn command(&self) -> Command {
        let mut command = Command::new(&self.program);
        command.current_dir(&self.folder).arg("--quiet");
        command
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn affected(files: &[&str], is_code: bool) -> [Vec<String>; 2] {
        let files: Vec<Changed> = files.iter().map(|path| Changed { path: path.into(), is_code }).collect();
        let packages = Packages::read().unwrap();
        let Chosen { packages, built } = packages.affected_by(&files);
        [packages, built].map(|packages| packages.into_iter().map(|package| package.name.clone()).collect())
    }

    #[test]
    fn code_affects_its_package_and_those_that_depend_on_it() {
        let [all, _] = affected(&["Cargo.lock"], true);
        for (file, expected) in [
            ("README.md", &[][..]),
            ("style/base.css", &[]),
            ("tests/browser/job.test.mjs", &[]),
            ("worker/edge/src/authorizer.rs", &["ownchat-edge"]),
            ("tests/runtime/src/lib.rs", &["ownchat-bench", "ownchat-runtime", "ownchat-simulation"]),
        ] {
            let [packages, built] = affected(&[file], true);
            assert_eq!(packages, expected, "{file}");
            assert_eq!(built, if expected.is_empty() { &[][..] } else { &all }, "{file}");
        }
        let [by_domain, _] = affected(&["app/domain/src/token.rs"], true);
        assert_eq!(by_domain.len(), all.len() - 1, "all but xtask: {by_domain:?}");
    }

    #[test]
    fn a_test_affects_its_package_alone() {
        assert_eq!(affected(&["app/domain/tests/fuzz.rs"], false), [["ownchat-domain"], ["ownchat-domain"]]);
        assert_eq!(affected(&["tests/api/console/keys.rs"], false), [["ownchat-api-tests"], ["ownchat-api-tests"]]);
    }

    #[test]
    fn tests_that_need_builds_are_named_by_their_packages() {
        let all = Packages::read().unwrap();
        let on_builds: Vec<_> = all.0.iter().flat_map(|package| &package.on_builds).collect();
        assert_eq!(on_builds, ["api", "runtime", "proofs"]);
        let known = |package: &Package| package.on_builds.iter().all(|test| package.tests.contains(test));
        assert!(all.0.iter().all(known), "a test is named that is not there");
        let on_host: Vec<_> = all.0.iter().flat_map(Package::tests_on_host).collect();
        assert!(on_host.contains(&"fuzz") && !on_host.contains(&"proofs"), "{on_host:?}");
    }

    #[test]
    fn a_built_test_is_read_from_the_message_of_cargo() {
        let packages = Packages::read().unwrap();
        let message = |is_test: bool| {
            let source = root().join("worker/edge/src/lib.rs");
            serde_json::json!({
                "reason": "compiler-artifact", "executable": "/built/edge", "profile": {"test": is_test},
                "target": {"name": "ownchat_edge", "src_path": source},
            })
            .to_string()
        };
        let edge: Vec<&Package> = packages.0.iter().filter(|package| package.name == "ownchat-edge").collect();
        let test = HostTest::read(&message(true), &edge).unwrap();
        assert_eq!((test.name.as_str(), test.folder), ("ownchat-edge", root().join("worker/edge")));
        assert_eq!(HostTest::read(&message(false), &edge), None);
        assert_eq!(HostTest::read(&message(true), &[]), None);
        assert_eq!(HostTest::read("no message", &edge), None);
    }
}
