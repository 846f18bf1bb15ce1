//! The response cache. Most responses equal an earlier one, byte for byte except for the request
//! id. Such a response crosses into JavaScript once, and from then on by its slot.

use crate::{
    check::{Decision, Purpose},
    slot::{Slot, Slots},
};
use ownchat_domain::verdict::Denial;
use std::cell::RefCell;

/// The slots of the cached responses; the entry holds the responses.
#[derive(Debug, Default)]
pub struct ResponseCache {
    slots: Slots,
    denials: RefCell<Vec<(bool, Denial, Slot)>>,
}

/// The state of a response in the cache.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CacheStatus {
    /// The entry has the response, in this slot.
    Hit(u32),
    /// The entry gets the response and caches it in this slot.
    Miss(u32),
    /// The entry gets the response and does not cache it.
    Bypass,
}

impl ResponseCache {
    /// Looks up the slot of the response to a decision. The response for a good key without limits
    /// is cached until its record is evicted. So is the denial of a malformed or forged key, which
    /// depends on nothing else.
    pub fn slot_for(&self, purpose: Purpose, decision: &Decision) -> CacheStatus {
        match (&decision.verdict, &decision.record) {
            (Ok(()), Some(record)) if purpose != Purpose::Gateway && record.limits.is_empty() => {
                let slot = &decision.derived.response;
                match slot.get() {
                    Some(slot) => CacheStatus::Hit(slot.number()),
                    None => CacheStatus::Miss(slot.get_or_init(|| self.slots.take()).number()),
                }
            }
            (Err(denial), None) if denial.is_of_no_key() => {
                // A caller of verify gets another response than the holder of the key.
                let is_verify = purpose == Purpose::Verify;
                let mut denials = self.denials.borrow_mut();
                if let Some((_, _, slot)) = denials.iter().find(|(to, of, _)| *to == is_verify && of == denial) {
                    return CacheStatus::Hit(slot.number());
                }
                let slot = self.slots.take();
                let number = slot.number();
                denials.push((is_verify, denial.clone(), slot));
                CacheStatus::Miss(number)
            }
            _ => CacheStatus::Bypass,
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
    fn response_of_a_good_key_is_cached_with_its_record() {
        let (cache, derived) = (ResponseCache::default(), Rc::<Derived>::default());
        let decision = good(record(), &derived);
        assert_eq!(cache.slot_for(Purpose::Verify, &decision), CacheStatus::Miss(1));
        assert_eq!(cache.slot_for(Purpose::OwnKey, &decision), CacheStatus::Hit(1), "both get the same response");
        assert_eq!(cache.slot_for(Purpose::Gateway, &decision), CacheStatus::Bypass, "the request is forwarded");
        let other = good(record(), &Rc::default());
        assert_eq!(cache.slot_for(Purpose::Verify, &other), CacheStatus::Miss(2));
        drop((decision, derived));
        assert_eq!(
            cache.slot_for(Purpose::Verify, &good(record(), &Rc::default())),
            CacheStatus::Miss(1),
            "the slot is free"
        );
        assert_eq!(cache.slot_for(Purpose::Verify, &other), CacheStatus::Hit(2));
    }

    #[test]
    fn varying_responses_bypass_the_cache() {
        let rate = RateLimit { limit: 1, window_seconds: 1 };
        let limited = Record { limits: Limits { rate: Some(rate), quota: None }, ..record() };
        let refused = Decision { verdict: Err(Denial::Expired), ..good(record(), &Rc::default()) };
        let throttled = Decision::refused(Denial::TooManyUnknown { retry_after: 1 });
        for decision in [good(limited, &Rc::default()), refused, throttled, Decision::refused(Denial::Unavailable)] {
            assert_eq!(
                ResponseCache::default().slot_for(Purpose::Verify, &decision),
                CacheStatus::Bypass,
                "{decision:?}"
            );
        }
    }

    #[test]
    fn denials_of_invalid_keys_are_cached_by_form() {
        let cache = ResponseCache::default();
        let [forged, mistyped] = [Denial::Forged, Denial::Malformed(TokenError::Check)].map(Decision::refused);
        assert_eq!(cache.slot_for(Purpose::Verify, &forged), CacheStatus::Miss(1));
        assert_eq!(cache.slot_for(Purpose::OwnKey, &forged), CacheStatus::Miss(2), "a problem, not a description");
        assert_eq!(cache.slot_for(Purpose::Gateway, &forged), CacheStatus::Hit(2));
        assert_eq!(cache.slot_for(Purpose::Verify, &mistyped), CacheStatus::Miss(3));
        assert_eq!(cache.slot_for(Purpose::Verify, &forged), CacheStatus::Hit(1));
    }
}
