//! Detects changes of a key that can refuse a request that was accepted before.

use super::Details;

/// Returns true if `after` certainly accepts every request that `before` accepted.
///
/// The comparison is conservative: it may return false for a change that only widens. The feed then
/// carries one entry more than necessary.
pub fn widens_only(before: &Details, after: &Details) -> bool {
    let begins = after.not_before.is_none_or(|begin| before.not_before.is_some_and(|was| begin <= was));
    let ends = after.expires_at.is_none_or(|end| before.expires_at.is_some_and(|was| end >= was));
    let channels = after.channels.is_empty()
        || (!before.channels.is_empty() && before.channels.iter().all(|channel| after.channels.contains(channel)));
    after.scopes.allows_all(before.scopes)
        && begins
        && ends
        && channels
        && after.networks.is_at_least(&before.networks)
        && after.limits.is_at_least(&before.limits)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        limit::{Limits, RateLimit},
        network::Networks,
        testing::{details, scopes},
        time::Timestamp,
    };

    const fn at(millis: i64) -> Timestamp {
        Timestamp::from_millis(millis)
    }

    #[test]
    fn every_kind_of_narrowing_is_seen() {
        let wide = Details { scopes: scopes(&["contacts:write", "messages:send"]), ..details() };
        let rate = Some(RateLimit { limit: 1, window_seconds: 1 });
        let allow = vec!["203.0.113.0/24".parse().unwrap()];
        for narrow in [
            Details { scopes: scopes(&["contacts:write"]), ..wide.clone() },
            Details { scopes: scopes(&["contacts:read", "messages:send"]), ..wide.clone() },
            Details { not_before: Some(at(5)), ..wide.clone() },
            Details { expires_at: Some(at(5)), ..wide.clone() },
            Details { channels: vec!["ch_1".into()], ..wide.clone() },
            Details { networks: Networks { allow, deny: Vec::new() }, ..wide.clone() },
            Details { limits: Limits { rate, quota: None }, ..wide.clone() },
        ] {
            assert!(!widens_only(&wide, &narrow), "{narrow:?}");
            assert!(widens_only(&narrow, &wide), "{narrow:?}");
            assert!(widens_only(&narrow, &narrow));
        }
        let later = |millis| Details { expires_at: Some(at(millis)), not_before: Some(at(1)), ..wide.clone() };
        assert!(widens_only(&later(5), &later(6)) && !widens_only(&later(6), &later(5)));
        let only =
            |channels: &[&str]| Details { channels: channels.iter().map(|id| (*id).into()).collect(), ..wide.clone() };
        let (both, one) = (only(&["ch_1", "ch_2"]), only(&["ch_1"]));
        assert!(widens_only(&one, &both) && !widens_only(&both, &one));
    }

    #[test]
    fn words_narrow_nothing() {
        let before = details();
        let after = Details { name: "Other".into(), description: "x".into(), integration: "y".into(), ..details() };
        assert!(widens_only(&before, &after));
    }
}
