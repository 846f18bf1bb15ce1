//! Test keys: valid, forged, mistyped, malformed, unknown and restricted ones.

use crate::testbed::{Testbed, WORKSPACE};
use ownchat_domain::{
    environment::Environment,
    locator::{KeyNumber, Locator},
    record::Record,
    time::{DAY, HOUR},
    token::Token,
};
use ownchat_runtime::secret;
use serde_json::{Value, json};

/// A verify request with its expected code.
#[derive(Debug)]
pub struct VerifyCase {
    /// Body of `POST /v1/verify`.
    pub question: Value,
    /// Expected code of the response.
    pub code: &'static str,
}

/// Scopes of the keys.
pub const SCOPES: &[&str] = &["contacts:write", "messages:send"];

impl VerifyCase {
    fn new(key: &str, more: Value, code: &'static str) -> Self {
        let mut question = more;
        question["key"] = key.into();
        Self { question, code }
    }

    /// The key in plain text.
    pub fn key(&self) -> &str {
        self.question["key"].as_str().unwrap()
    }
}

/// A key with a well-formed locator, whose tag no master secret has made.
pub fn forged(good: &str) -> String {
    let token = Token::parse(good).unwrap();
    let text = token.locator.to_string();
    let (begin, last) = text.split_at(text.len() - 1);
    let other = if last == "0" { "1" } else { "0" };
    let locator = format!("{begin}{other}").parse().unwrap();
    Token { locator, ..token }.reveal().to_string()
}

/// A key with one mistyped character.
pub fn mistyped(good: &str) -> String {
    let (begin, last) = good.split_at(good.len() - 10);
    let other = if last.starts_with('a') { "b" } else { "a" };
    format!("{begin}{other}{}", last.get(1..).unwrap())
}

/// Texts without the shape of a key.
pub fn malformed(good: &str) -> [String; 6] {
    let cut = good.split_at(good.len() - 1).0;
    [
        "Bearer".into(),
        good.replacen("oc_", "ok_", 1),
        good.replacen("_live_", "_prod_", 1),
        cut.into(),
        format!("{good}0"),
        format!("{cut}-"),
    ]
}

/// A well-formed key that the vault does not know.
pub fn unknown(testbed: &Testbed) -> String {
    let environment = Environment::Live;
    let locator = Locator::issue(&testbed.keyring, KeyNumber { workspace: WORKSPACE, number: 1 << 30 }, environment);
    Token { environment, locator, secret: secret() }.reveal().to_string()
}

/// Cases for every code that needs no limit.
pub fn cases(testbed: &mut Testbed) -> Vec<VerifyCase> {
    let none = || json!({});
    let good = testbed.key(SCOPES).token;
    let mut cases = vec![
        VerifyCase::new(&good, none(), "VALID"),
        VerifyCase::new(&good, json!({"scopes": ["contacts:read", "messages:send"], "cost": 0}), "VALID"),
        VerifyCase::new(&good, json!({"scopes": ["contacts:read", "keys:write", "audit:read"]}), "SCOPE_MISSING"),
        VerifyCase::new(&good, json!({"channel": "ch_1", "address": "192.0.2.1"}), "VALID"),
        VerifyCase::new(&forged(&good), none(), "MALFORMED_KEY"),
        VerifyCase::new(&mistyped(&good), none(), "MALFORMED_KEY"),
        VerifyCase::new(&unknown(testbed), none(), "UNKNOWN_KEY"),
    ];
    cases.extend(malformed(&good).iter().map(|key| VerifyCase::new(key, none(), "MALFORMED_KEY")));
    let other_secret = Token { secret: secret(), ..Token::parse(&testbed.key(SCOPES).token).unwrap() };
    cases.push(VerifyCase::new(&other_secret.reveal(), none(), "UNKNOWN_KEY"));

    let mut altered = |alter: fn(&mut Record), more: &[(Value, &'static str)]| {
        let key = testbed.altered_key(SCOPES, alter).token;
        cases.extend(more.iter().map(|(more, code)| VerifyCase::new(&key, more.clone(), code)));
    };
    altered(|record| record.expires_at = Some(record.sealed_at.plus(-HOUR)), &[(none(), "EXPIRED")]);
    altered(|record| record.expires_at = Some(record.sealed_at.plus(DAY)), &[(none(), "VALID")]);
    altered(|record| record.not_before = Some(record.sealed_at.plus(DAY)), &[(none(), "NOT_YET_VALID")]);
    altered(|record| record.secrets[0].ends_at = Some(record.sealed_at), &[(none(), "EXPIRED")]);
    altered(|record| record.active = false, &[(none(), "INACTIVE")]);
    altered(|record| record.workspace.suspended = true, &[(none(), "WORKSPACE_SUSPENDED")]);
    altered(
        |record| record.metadata = vec![("team".into(), "till".into()), ("a".into(), "\"ä\"".into())],
        &[(none(), "VALID")],
    );
    altered(
        |record| record.channels = vec!["ch_1".into()],
        &[(none(), "VALID"), (json!({"channel": "ch_1"}), "VALID"), (json!({"channel": "ch_2"}), "CHANNEL_FORBIDDEN")],
    );
    altered(
        |record| {
            record.networks.allow = ["203.0.113.0/24", "2001:db8::/32"].map(|text| text.parse().unwrap()).to_vec();
            record.networks.deny = vec!["203.0.113.7".parse().unwrap()];
        },
        &[
            (json!({"address": "203.0.113.9"}), "VALID"),
            (json!({"address": "::ffff:203.0.113.9"}), "VALID"),
            (json!({"address": "2001:db8::1"}), "VALID"),
            (json!({"address": "203.0.113.7"}), "ADDRESS_FORBIDDEN"),
            (json!({"address": "2001:db9::1"}), "ADDRESS_FORBIDDEN"),
            (none(), "ADDRESS_FORBIDDEN"),
        ],
    );
    cases
}

#[cfg(test)]
mod tests {
    use super::*;
    use ownchat_domain::{keyring::Keyring, token::TokenError};
    use ownchat_runtime::MASTER_KEYS;

    #[test]
    fn bad_keys_are_bad_in_their_own_way() {
        let keyring = Keyring::parse(MASTER_KEYS).unwrap();
        let environment = Environment::Live;
        for number in 1..200 {
            let locator = Locator::issue(&keyring, KeyNumber { workspace: 7, number }, environment);
            let good = Token { environment, locator, secret: secret() }.reveal().to_string();
            let forged = Token::parse(&forged(&good)).expect("its check fits");
            assert!(locator.open(&keyring, environment).is_some());
            assert_eq!(forged.locator.open(&keyring, environment), None);
            assert_eq!(Token::parse(&mistyped(&good)).unwrap_err(), TokenError::Check);
            let wrong = malformed(&good).map(|key| Token::parse(&key).unwrap_err());
            let expected = [
                TokenError::Brand,
                TokenError::Brand,
                TokenError::Environment,
                TokenError::Length { characters: good.len() - 1 },
                TokenError::Length { characters: good.len() + 1 },
                TokenError::Alphabet,
            ];
            assert_eq!(wrong, expected, "{good}");
        }
    }
}
