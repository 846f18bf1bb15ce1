//! The proofs, each with its promise and its full size.

/// A proof that one command runs, and the promise that it keeps.
#[derive(Debug)]
pub struct Proof {
    /// Name: the module of its tests.
    pub name: &'static str,
    /// The promise, as in the README if it stands there.
    pub promise: &'static str,
    /// Size of the proof at full size.
    pub size: &'static str,
    /// Options of `cargo test` that run it; none for the proofs of the simulation, which run in one
    /// command.
    pub tests: &'static [&'static str],
}

const REVOCATION: &str =
    "A revoked key is refused everywhere within 5 seconds and one round trip, even if KV serves old records.";
const LIMITS: &str = "No rate limit or quota is ever exceeded, and a quota is used up exactly.";
const USAGE: &str = "Usage is an exact count; a killed isolate loses its last 2 seconds at most.";
const INPUT: &str = "Any input gets a response, in bounded memory and time.";
const CRASHES: &str = "A crash loses nothing that was acknowledged, and a restart nothing at all.";

/// Proofs that need no runtime. `PROVE` scales these tests to full size.
pub const ON_THE_HOST: &[Proof] = &[
    Proof {
        name: "fuzz",
        promise: INPUT,
        size: "20,000 inputs of each kind that the domain reads",
        tests: &["--package", "ownchat-domain", "--test", "fuzz"],
    },
    Proof {
        name: "registry::list",
        promise: INPUT,
        size: "20,000 list cursors",
        tests: &["--package", "ownchat-vault", "--lib", "--", "registry::list::"],
    },
    Proof {
        name: "verify_request",
        promise: INPUT,
        size: "20,000 bodies of the edge",
        tests: &["--package", "ownchat-edge", "--lib", "--", "verify_request::"],
    },
    Proof {
        name: "registry::walk",
        promise: "Commands do in every field what a simple model does, with one entry in the audit trail each.",
        size: "10,000 random commands beside the model",
        tests: &["--package", "ownchat-vault", "--lib", "--", "registry::walk::", "--nocapture"],
    },
];

/// Proofs that need a whole deployment. They have one size.
pub const ON_BUILDS: &[Proof] = &[Proof {
    name: "secrecy",
    promise: "No plain key, password or session is in any file, log or page.",
    size: "every file, log line and page of a deployment in use",
    tests: &["--package", "ownchat-api-tests", "--test", "api", "--", "secrecy::"],
}];

/// Proofs on the simulated deployment. A test belongs to the longest name that begins its path.
pub const IN_THE_SIMULATION: &[Proof] = &[
    simulated("clock", "The simulation's clock is the clock of the Workers.", "one world"),
    simulated("crash", CRASHES, "the vault killed 200 times in the middle of every command"),
    simulated("crash::set_up", CRASHES, "the vault killed during set-up and import"),
    simulated("crash::purge", CRASHES, "the vault killed 59 times while it purges deleted keys"),
    simulated(
        "fast_path",
        "A request with a cached key, or with none of ours, is decided in one synchronous call.",
        "10,000 requests of each of 47 kinds",
    ),
    simulated("forged", "A made-up key costs no storage read.", "1,000,000 made-up keys; floods of deleted keys"),
    simulated(
        "limits",
        LIMITS,
        "20 rounds of 1,000 requests at once on a quota of 500; 40 windows of three rate limits",
    ),
    simulated("master_secrets", "A master secret is replaced and retired while keys are in use.", "67 keys, each step"),
    simulated("new_keys", "A new key works on its first request, everywhere.", "1,000 keys, eight locations"),
    simulated(
        "outage",
        "When a store is down or slow, keys in use go on working as documented.",
        "10,000 requests with each store down, cut off and slow",
    ),
    simulated(
        "restore",
        "After a loss, keys that were created after the export are accepted no more.",
        "a registry lost and restored while edges and KV know later keys",
    ),
    simulated("revocation", REVOCATION, "10,000 revocations in 21 ways, eight locations, KV up to two minutes late"),
    simulated(
        "sweep",
        "KV is repaired where it differs, once a day, and not written where it is right.",
        "600 keys that nobody uses",
    ),
    simulated(
        "tampered",
        "The edge decides from KV, and never from a record that was altered or put back.",
        "every bit of 100 records; 200 older records",
    ),
    simulated("transfer", "A workspace comes back from its export byte for byte, or nothing changes.", "50,000 keys"),
    simulated("unpublished", REVOCATION, "each kind of revocation while the registries cannot reach the feed"),
    simulated("usage", USAGE, "1,000,000 requests counted by four edges while the path to usage breaks"),
    simulated("usage::isolation", USAGE, "the usage of one workspace down, that of another not"),
    simulated("usage::killed", USAGE, "120 edges killed during requests or 2 seconds after"),
];

const fn simulated(name: &'static str, promise: &'static str, size: &'static str) -> Proof {
    Proof { name, promise, size, tests: &[] }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::paths::root;
    use std::{collections::BTreeSet, fs};

    fn all() -> impl Iterator<Item = &'static Proof> {
        ON_THE_HOST.iter().chain(ON_BUILDS).chain(IN_THE_SIMULATION)
    }

    /// The promises of the README, from the first column of their table.
    fn promises() -> Vec<String> {
        let readme = fs::read_to_string(root().join("README.md")).unwrap();
        let (_, section) = readme.split_once("## Five promises\n").unwrap();
        let (section, _) = section.split_once("\n## ").unwrap();
        let rows = section.lines().filter(|line| line.starts_with("| ")).skip(2);
        rows.filter_map(|row| Some(row.trim_matches(['|', ' ']).split(" | ").next()?.to_owned())).collect()
    }

    #[test]
    fn each_promise_of_the_readme_has_a_proof() {
        let promises = promises();
        assert_eq!(promises.len(), 5, "{promises:?}");
        for promise in promises {
            assert!(
                all().any(|proof| proof.promise == promise),
                "no proof in prove/list.rs has the promise: {promise}"
            );
        }
    }

    #[test]
    fn each_module_of_the_simulation_with_tests_has_a_proof() {
        let folder = root().join("tests/simulation/proofs");
        let names: BTreeSet<&str> = IN_THE_SIMULATION.iter().map(|proof| proof.name).collect();
        assert_eq!(names.len(), IN_THE_SIMULATION.len(), "a name stands twice");
        for name in &names {
            let file = folder.join(name.replace("::", "/")).with_extension("rs");
            assert!(fs::read_to_string(&file).is_ok_and(|text| text.contains("#[test]")), "{}", file.display());
        }
        for file in fs::read_dir(folder).unwrap().flatten().map(|entry| entry.path()).filter(|path| path.is_file()) {
            let name = file.file_stem().unwrap().to_str().unwrap();
            let has_tests = fs::read_to_string(&file).unwrap().contains("#[test]");
            assert!(!has_tests || names.contains(name), "{name} has no proof in prove/list.rs");
        }
    }
}
