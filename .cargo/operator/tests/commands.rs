//! Tests of the operator commands as processes: exit codes and output.
#![allow(clippy::unwrap_used)]

use std::{
    fs,
    process::{Command, Output},
};

fn run(words: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_ownchat-operator")).args(words).output().unwrap()
}

#[test]
fn a_bad_trail_ends_with_failure_and_the_reason() {
    let file = std::env::temp_dir().join(format!("ownchat-trail-{}", std::process::id()));
    fs::write(&file, "{\"sequence\":1}\n").unwrap();
    let done = run(&["audit", "verify", file.to_str().unwrap()]);
    fs::remove_file(&file).unwrap();
    assert_eq!(done.status.code(), Some(1));
    assert_eq!(String::from_utf8_lossy(&done.stderr), "bad: line 1 is not a line of an audit trail\n");
}

#[test]
fn an_unknown_command_and_a_missing_file_are_errors() {
    assert_eq!(run(&["audit"]).status.code(), Some(2));
    let missing = run(&["audit", "verify", "/no/such/file"]);
    assert_eq!(missing.status.code(), Some(1));
    assert!(String::from_utf8_lossy(&missing.stderr).starts_with("the file cannot be read"));
}

#[test]
fn a_master_secret_is_retired_in_part() {
    let (one, two) =
        ("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=", "2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=");
    let ask = |words: &[&str]| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ownchat-operator"));
        command.args(["master-keys", "retire"]).args(words).env("MASTER_KEYS", format!("{one},{two}"));
        command.output().unwrap()
    };
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let kept = text(&ask(&["1", "--keep", "locator,pepper"]).stdout);
    assert!(kept.starts_with(&format!("{two},1/locator:")) && kept.contains(",1/pepper:"), "{kept}");
    assert!(!kept.contains(one));
    assert_eq!(text(&ask(&["1"]).stdout), format!("{two}\n"));
    for (words, why) in [
        (vec!["2"], "the secret 2 is the newest"),
        (vec!["x"], "an id of a master secret is a number"),
        (vec!["1", "--keep", "seal"], "what can be kept"),
    ] {
        let refused = ask(&words);
        assert_eq!(refused.status.code(), Some(1));
        assert!(text(&refused.stderr).starts_with(why), "{}", text(&refused.stderr));
        assert!(refused.stdout.is_empty());
    }
}

#[test]
fn somebody_is_let_in_with_a_link_for_their_address() {
    let ask = |email: &str, list: Option<&str>| {
        let mut command = Command::new(env!("CARGO_BIN_EXE_ownchat-operator"));
        command.args(["let-in", email]).env_remove("MASTER_KEYS").envs(list.map(|list| ("MASTER_KEYS", list)));
        command.output().unwrap()
    };
    let list = "1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=";
    let link = String::from_utf8(ask("Ada@Example.com", Some(list)).stdout).unwrap();
    let value = link.trim().strip_prefix("/sign-in?device=").unwrap();
    let keys = ownchat_domain::keyring::CookieKeys::parse(list).unwrap();
    assert!(ownchat_domain::account::DeviceToken::open(value, "ada@example.com", &keys).is_some());
    for (email, list) in [("ada@example.com", None), ("ada@example.com", Some("x")), ("ada", Some(list))] {
        assert_eq!(ask(email, list).status.code(), Some(1), "{email} {list:?}");
    }
}
