//! Compares acknowledged changes with the state after a crash.

use super::{Writer, newest_secret};
use crate::crash::check::Truth;
use ownchat_domain::{
    key::{Key, Status},
    time::SECOND,
    vault::{Object, person},
};
use ownchat_runtime::Admin;
use ownchat_simulation::{Clock, EdgeClient, VerifyRequest, World};
use serde_json::json;

/// Longest time until an edge knows the state of the registry, in milliseconds.
const KNOWN_WITHIN: i64 = 15 * SECOND;

impl Writer {
    /// Compares acknowledged changes with the truth, and adopts changes done without a response.
    /// Returns the number of the latter.
    pub fn compare(&mut self, truth: &Truth) -> usize {
        for change in self.log.drain(..) {
            truth.holds(&change);
        }
        let mut unanswered = 0;
        for known in self.keys.values_mut() {
            let (key, is_deleted, version) = truth.key(known.key.id);
            let ahead = version - known.key.version;
            assert!(ahead <= u64::from(known.is_asked), "{:?} is {ahead} versions ahead", known.key.id);
            let brought = known.brings.take();
            known.is_asked = false;
            if ahead == 0 {
                assert_eq!(is_deleted, known.is_deleted, "{:?}", known.key.id);
                continue;
            }
            unanswered += 1;
            // Ended secrets are dropped, so their count does not show a new one.
            let newest = key.as_ref().and_then(newest_secret);
            if newest > newest_secret(&known.key) {
                known.tokens.extend(newest.zip(brought));
            }
            known.is_deleted = is_deleted;
            known.key = key.unwrap_or_else(|| Key { version, ..known.key.clone() });
        }
        let settings = truth.settings();
        if self.owns_settings {
            let ahead = settings.version - self.settings.version;
            assert!(ahead <= 1 && (ahead == 1 || settings == self.settings), "{settings:?}");
            unanswered += usize::from(ahead == 1);
        }
        self.settings = settings;
        unanswered
    }

    /// Checks that open sessions are open, and that ended ones are not.
    pub fn check_sessions(&self, world: &World) {
        let mut admin = Admin::of(world.vault(), self.workspace);
        for session in self.sessions.iter().skip(1) {
            let call = person::Resume { session: session.hash() };
            let resumed = admin.ask_object(Object::Person(session.person), &call).unwrap();
            assert!(resumed.is_ok(), "an acknowledged session is lost: {resumed:?}");
        }
        for session in &self.ended {
            let call = person::Resume { session: session.hash() };
            let resumed = admin.ask_object(Object::Person(session.person), &call).unwrap();
            assert!(resumed.is_err(), "a session that has ended is back");
        }
    }

    /// Checks that an edge which survived the crash responds correctly for every key.
    ///
    /// The vault may publish an interrupted granting change up to a second after its restart. The
    /// edge reads the feed within five. Returns the longest delay, in milliseconds.
    pub fn check_calls(&self, caller: &mut EdgeClient, clock: Clock) -> i64 {
        let mut slowest = 0;
        let mut expect = |token: &str, what: &str, is_right: &dyn Fn(&str) -> bool| {
            let request = VerifyRequest::with(token, &json!({"address": "192.0.2.1"}));
            let mut code = String::new();
            let took = clock.until(KNOWN_WITHIN, || {
                code = caller.code(&request);
                is_right(&code)
            });
            slowest = slowest.max(took.unwrap_or_else(|| panic!("{what} is told {code}")));
        };
        for known in self.keys.values() {
            let expected = match (known.is_deleted, known.key.status) {
                _ if self.settings.suspended => "WORKSPACE_SUSPENDED",
                (true, _) => "UNKNOWN_KEY",
                (false, Status::Active) => "VALID",
                (false, Status::Inactive) => "INACTIVE",
            };
            let (newest, older) = known.tokens.split_last().unwrap();
            expect(&newest.1, &format!("not {expected}: {:?}", known.key), &|code| code == expected);
            for (number, old) in older.iter().rev().take(2) {
                let what = format!("secret {number}, {expected} or over, of {:?}", known.key);
                if known.working(clock.now()).any(|working| working == *number) {
                    expect(old, &what, &|code| code == expected);
                } else {
                    expect(old, &what, &|code| code != "VALID" && code != "UNAVAILABLE");
                }
            }
        }
        slowest
    }
}
