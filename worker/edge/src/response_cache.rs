//! Answers that the entry keeps. Most calls get an answer that was given before, byte for byte but for the call's id: it crosses
//! into JavaScript once, and from then on by its number.

use crate::{
    check::{Checked, Use},
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
    pub fn keep(&self, use_: Use, checked: &Checked) -> Keep {
        match (&checked.verdict, &checked.record) {
            (Ok(()), Some(record)) if use_ != Use::Gateway && record.limits.is_empty() => {
                let number = &checked.found_out.answer;
                match number.get() {
                    Some(number) => Keep::Has(number.number()),
                    None => Keep::As(number.get_or_init(|| self.slots.take()).number()),
                }
            }
            (Err(denial), None) if denial.is_of_no_key() => {
                // A service that was handed the key is told otherwise than the key's holder.
                let told = use_ == Use::Verify;
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
    use crate::{check::FoundOut, testing::record};
    use ownchat_domain::{
        limit::{Limits, RateLimit},
        record::Record,
        token::TokenError,
    };
    use std::rc::Rc;

    fn good(record: Record, found_out: &Rc<FoundOut>) -> Checked {
        let refused = Checked::refused(Denial::Unknown);
        Checked { record: Some(record.into()), found_out: found_out.clone(), verdict: Ok(()), ..refused }
    }

    #[test]
    fn the_answer_about_a_good_key_is_kept_while_its_record_is() {
        let (kept, found_out) = (Kept::default(), Rc::<FoundOut>::default());
        let checked = good(record(), &found_out);
        assert_eq!(kept.keep(Use::Verify, &checked), Keep::As(1));
        assert_eq!(kept.keep(Use::OwnKey, &checked), Keep::Has(1), "both are told the same");
        assert_eq!(kept.keep(Use::Gateway, &checked), Keep::Not, "it goes on");
        let other = good(record(), &Rc::default());
        assert_eq!(kept.keep(Use::Verify, &other), Keep::As(2));
        drop((checked, found_out));
        assert_eq!(kept.keep(Use::Verify, &good(record(), &Rc::default())), Keep::As(1), "the place is free");
        assert_eq!(kept.keep(Use::Verify, &other), Keep::Has(2));
    }

    #[test]
    fn what_differs_from_call_to_call_is_not_kept() {
        let rate = RateLimit { limit: 1, window_seconds: 1 };
        let limited = Record { limits: Limits { rate: Some(rate), quota: None }, ..record() };
        let refused = Checked { verdict: Err(Denial::Expired), ..good(record(), &Rc::default()) };
        let flooded = Checked::refused(Denial::TooManyUnknown { retry_after: 1 });
        for checked in [good(limited, &Rc::default()), refused, flooded, Checked::refused(Denial::Unavailable)] {
            assert_eq!(Kept::default().keep(Use::Verify, &checked), Keep::Not, "{checked:?}");
        }
    }

    #[test]
    fn refusals_of_what_is_no_key_are_kept_for_each_form() {
        let kept = Kept::default();
        let [forged, mistyped] = [Denial::Forged, Denial::Malformed(TokenError::Check)].map(Checked::refused);
        assert_eq!(kept.keep(Use::Verify, &forged), Keep::As(1));
        assert_eq!(kept.keep(Use::OwnKey, &forged), Keep::As(2), "a problem, not a description");
        assert_eq!(kept.keep(Use::Gateway, &forged), Keep::Has(2));
        assert_eq!(kept.keep(Use::Verify, &mistyped), Keep::As(3));
        assert_eq!(kept.keep(Use::Verify, &forged), Keep::Has(1));
    }
}
