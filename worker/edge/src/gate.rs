//! The check of a key, without anything that waits: text in, verdict out, unless a store must be asked.

use crate::memory::{Known, Memory};
use ownchat_domain::{
    digest::SecretHash,
    keyring::Keyring,
    locator::{Address, Locator},
    policy,
    record::Record,
    scope::ScopeSet,
    time::Timestamp,
    token::Token,
    verdict::Denial,
};
use std::{cell::RefCell, rc::Rc};

/// Checks keys with the master secrets and with what is remembered.
#[derive(Debug)]
pub struct Gate {
    keyring: Keyring,
    memory: RefCell<Memory>,
}

/// A key of ours, by its look; whether it is good is not known yet.
#[derive(Debug)]
pub struct Presented {
    /// Its public name.
    pub locator: Locator,
    /// Whose key it says it is.
    pub address: Address,
    hash: SecretHash,
}

/// The outcome of a check.
#[derive(Debug)]
pub struct Checked {
    /// The key, if its secret was right, whatever the verdict.
    pub record: Option<Rc<Record>>,
    /// May the call pass?
    pub verdict: Result<(), Denial>,
}

impl Checked {
    /// A refusal of something that is no key.
    pub fn refused(denial: Denial) -> Self {
        Self { record: None, verdict: Err(denial) }
    }
}

impl Gate {
    /// A gate that remembers nothing yet.
    pub fn new(keyring: Keyring) -> Self {
        Self { keyring, memory: RefCell::default() }
    }

    /// The master secrets.
    pub fn keyring(&self) -> &Keyring {
        &self.keyring
    }

    /// Reads a key and proves from its tag that we issued it. No store is asked for one that was made up.
    pub fn read(&self, text: &str) -> Result<Presented, Denial> {
        if text.is_empty() {
            return Err(Denial::Missing);
        }
        let token = Token::parse(text).map_err(Denial::Malformed)?;
        let address = token.locator.open(&self.keyring, token.environment).ok_or(Denial::Forged)?;
        Ok(Presented { locator: token.locator, address, hash: SecretHash::of(&token.secret) })
    }

    /// The verdict, if what is remembered suffices for one.
    pub fn recall(&self, presented: &Presented, required: ScopeSet, now: Timestamp) -> Option<Checked> {
        let known = self.memory.borrow().recall(presented.locator, now)?;
        Some(self.judge(known, presented, required, now))
    }

    /// The verdict with what a store said to a question that was asked at `asked_at`.
    pub fn learn(
        &self,
        known: Known,
        presented: &Presented,
        required: ScopeSet,
        asked_at: Timestamp,
        now: Timestamp,
    ) -> Checked {
        self.memory.borrow_mut().remember(presented.locator, known.clone(), asked_at);
        self.judge(known, presented, required, now)
    }

    fn judge(&self, known: Known, presented: &Presented, required: ScopeSet, now: Timestamp) -> Checked {
        let Some(record) = known else { return Checked::refused(Denial::Unknown) };
        let verdict = policy::decide(&record, &presented.hash, required, &self.keyring, now);
        let recognised = verdict != Err(Denial::Unknown);
        Checked { record: recognised.then_some(record), verdict }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::{gate, record, token};
    use ownchat_domain::verdict::Code;

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    fn ask(gate: &Gate, text: &str) -> Option<Result<(), Code>> {
        let presented = gate.read(text).unwrap();
        let checked = gate.recall(&presented, ScopeSet::EMPTY, NOW)?;
        Some(checked.verdict.map_err(|denial| denial.code()))
    }

    #[test]
    fn made_up_keys_are_refused_before_any_store() {
        let gate = gate();
        let good = token(&gate).reveal().to_string();
        let other = Gate::new(Keyring::parse("1:CQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQkJCQk=").unwrap());
        assert_eq!(other.read(&good).map(|_| ()), Err(Denial::Forged));
        assert!(matches!(gate.read(&good[..54]), Err(Denial::Malformed(_))));
        assert_eq!(gate.read("").map(|_| ()), Err(Denial::Missing));
    }

    #[test]
    fn what_was_learnt_decides_and_what_was_not_asks() {
        let gate = gate();
        let text = token(&gate).reveal();
        assert_eq!(ask(&gate, &text), None, "nothing is known yet");
        let presented = gate.read(&text).unwrap();
        let checked = gate.learn(Some(record().into()), &presented, ScopeSet::EMPTY, NOW, NOW);
        assert_eq!(checked.verdict, Ok(()));
        assert_eq!(ask(&gate, &text), Some(Ok(())));
    }

    #[test]
    fn a_wrong_secret_gets_nothing_of_the_record() {
        let gate = gate();
        let mut wrong = token(&gate);
        wrong.secret = "NMLKJIHGFEDCBA9876543210".parse().unwrap();
        let presented = gate.read(&wrong.reveal()).unwrap();
        let checked = gate.learn(Some(record().into()), &presented, ScopeSet::EMPTY, NOW, NOW);
        assert_eq!(checked.verdict, Err(Denial::Unknown));
        assert!(checked.record.is_none());
    }

    #[test]
    fn a_refused_key_is_still_described_to_its_holder() {
        let gate = gate();
        let presented = gate.read(&token(&gate).reveal()).unwrap();
        let record = Record { active: false, ..record() };
        let checked = gate.learn(Some(record.into()), &presented, ScopeSet::EMPTY, NOW, NOW);
        assert_eq!(checked.verdict, Err(Denial::Inactive));
        assert_eq!(checked.record.map(|record| record.version), Some(3));
    }
}
