//! Answers that the entry keeps. Most calls get an answer that was given before, byte for byte but for the call's id: it crosses
//! into JavaScript once, and from then on by its number.

use crate::{
    check::{Decision, Purpose},
    slot::{Slot, Slots},
};
use ownchat_domain::verdict::Denial;
use std::cell::RefCell;

/// The numbers of the answers that are kept.
#[derive(Debug, Default)]
pub struct Kept {
    slots: Slots,
    refusals: RefCell<Vec<(bool, Denial, Slot)>>,
}

/// What the entry is told of an answer.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Keep {
    /// It has the answer, under this number.
    Has(u32),
    /// It gets the answer, and keeps it under this number.
    As(u32),
    /// It gets the answer, and forgets it.
    Not,
}

impl Kept {
    /// What to tell of the answer to a call whose check came to this. An answer is kept for a key without limits that is good,
    /// until its record is forgotten; and for what is no key, where the answer depends on nothing.
    pub fn keep(&self, purpose: Purpose, decision: &Decision) -> Keep {
        match (&decision.verdict, &decision.record) {
            (Ok(()), Some(record)) if purpose != Purpose::Gateway && record.limits.is_empty() => {
                let number = &decision.derived.response;
                match number.get() {
                    Some(number) => Keep::Has(number.number()),
                    None => Keep::As(number.get_or_init(|| self.slots.take()).number()),
                }
            }
            (Err(denial), None) if denial.is_of_no_key() => {
                // A service that was handed the key is told otherwise than the key's holder.
                let told = purpose == Purpose::Verify;
                let mut refusals = self.refusals.borrow_mut();
                if let Some((_, _, number)) = refusals.iter().find(|(to, of, _)| *to == told && of == denial) {
                    return Keep::Has(number.number());
                }
                let number = self.slots.take();
                let value = number.number();
                refusals.push((told, denial.clone(), number));
                Keep::As(value)
            }
            _ => Keep::Not,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{check::Derived, testing::record};
    use ownchat_domain::{
        limit::{Limits, RateLimit},
        record::Record,
        token::TokenError,
    };
    use std::rc::Rc;

    fn good(record: Record, derived: &Rc<Derived>) -> Decision {
        let refused = Decision::refused(Denial::Unknown);
        Decision { record: Some(record.into()), derived: derived.clone(), verdict: Ok(()), ..refused }
    }

    #[test]
    fn the_answer_about_a_good_key_is_kept_while_its_record_is() {
        let (kept, derived) = (Kept::default(), Rc::<Derived>::default());
        let decision = good(record(), &derived);
        assert_eq!(kept.keep(Purpose::Verify, &decision), Keep::As(1));
        assert_eq!(kept.keep(Purpose::OwnKey, &decision), Keep::Has(1), "both are told the same");
        assert_eq!(kept.keep(Purpose::Gateway, &decision), Keep::Not, "it goes on");
        let other = good(record(), &Rc::default());
        assert_eq!(kept.keep(Purpose::Verify, &other), Keep::As(2));
        drop((decision, derived));
        assert_eq!(kept.keep(Purpose::Verify, &good(record(), &Rc::default())), Keep::As(1), "the place is free");
        assert_eq!(kept.keep(Purpose::Verify, &other), Keep::Has(2));
    }

    #[test]
    fn what_differs_from_call_to_call_is_not_kept() {
        let rate = RateLimit { limit: 1, window_seconds: 1 };
        let limited = Record { limits: Limits { rate: Some(rate), quota: None }, ..record() };
        let refused = Decision { verdict: Err(Denial::Expired), ..good(record(), &Rc::default()) };
        let throttled = Decision::refused(Denial::TooManyUnknown { retry_after: 1 });
        for decision in [good(limited, &Rc::default()), refused, throttled, Decision::refused(Denial::Unavailable)] {
            assert_eq!(Kept::default().keep(Purpose::Verify, &decision), Keep::Not, "{decision:?}");
        }
    }

    #[test]
    fn refusals_of_what_is_no_key_are_kept_for_each_form() {
        let kept = Kept::default();
        let [forged, mistyped] = [Denial::Forged, Denial::Malformed(TokenError::Check)].map(Decision::refused);
        assert_eq!(kept.keep(Purpose::Verify, &forged), Keep::As(1));
        assert_eq!(kept.keep(Purpose::OwnKey, &forged), Keep::As(2), "a problem, not a description");
        assert_eq!(kept.keep(Purpose::Gateway, &forged), Keep::Has(2));
        assert_eq!(kept.keep(Purpose::Verify, &mistyped), Keep::As(3));
        assert_eq!(kept.keep(Purpose::Verify, &forged), Keep::Has(1));
    }
}
