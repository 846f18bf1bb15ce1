//! Patches of a key's limits, with their bounds.

use crate::{
    failure::FieldErrors,
    json::given,
    limit::{LIMIT_MAX, Period, Quota, RateLimit, WINDOW_MAX},
};
use serde::{Deserialize, Serialize};

/// A patch of a [`RateLimit`] (RFC 7396): absent fields stay unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct RateLimitPatch {
    /// New number of permits.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub limit: Option<u32>,
    /// New window, in seconds.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub window_seconds: Option<u32>,
}

/// A patch of a [`Quota`] (RFC 7396): absent fields stay unchanged.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct QuotaPatch {
    /// New number of permits.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub limit: Option<u32>,
    /// New period.
    #[serde(skip_serializing_if = "Option::is_none", deserialize_with = "given")]
    pub period: Option<Period>,
}

impl From<RateLimit> for RateLimitPatch {
    fn from(RateLimit { limit, window_seconds }: RateLimit) -> Self {
        Self { limit: Some(limit), window_seconds: Some(window_seconds) }
    }
}

impl RateLimitPatch {
    /// Returns the limit after this patch, or `None` if a part is neither given nor set before.
    pub(crate) fn over(self, before: Option<RateLimit>) -> Option<RateLimit> {
        Some(RateLimit {
            limit: self.limit.or_else(|| Some(before?.limit))?,
            window_seconds: self.window_seconds.or_else(|| Some(before?.window_seconds))?,
        })
    }

    /// Returns the patch if it is valid. Records its invalid parts.
    pub(crate) fn check(self, errors: &mut FieldErrors) -> Option<Self> {
        let limit = errors.take("rate_limit.limit", self.limit.map_or(Ok(()), bounded));
        let fits = self.window_seconds.is_none_or(|seconds| (1..=WINDOW_MAX).contains(&seconds));
        let window = if fits { Ok(()) } else { Err(format!("A window has 1 to {WINDOW_MAX} seconds.")) };
        errors.take("rate_limit.window_seconds", window).and(limit).map(|()| self)
    }
}

impl From<Quota> for QuotaPatch {
    fn from(Quota { limit, period }: Quota) -> Self {
        Self { limit: Some(limit), period: Some(period) }
    }
}

impl QuotaPatch {
    /// Returns the quota after this patch, or `None` if a part is neither given nor set before.
    pub(crate) fn over(self, before: Option<Quota>) -> Option<Quota> {
        Some(Quota {
            limit: self.limit.or_else(|| Some(before?.limit))?,
            period: self.period.or_else(|| Some(before?.period))?,
        })
    }

    /// Returns the patch if it is valid. Records its invalid parts.
    pub(crate) fn check(self, errors: &mut FieldErrors) -> Option<Self> {
        errors.take("quota.limit", self.limit.map_or(Ok(()), bounded)).map(|()| self)
    }
}

fn bounded(limit: u32) -> Result<(), String> {
    if (1..=LIMIT_MAX).contains(&limit) { Ok(()) } else { Err(format!("A limit is a number from 1 to {LIMIT_MAX}.")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::failure::Failure;

    #[test]
    fn limits_have_bounds() {
        let fields = |check: &dyn Fn(&mut FieldErrors)| {
            let mut errors = FieldErrors::default();
            check(&mut errors);
            match errors.finish(Some(())) {
                Err(Failure::Invalid { errors }) => errors.into_iter().map(|error| error.field).collect(),
                _ => Vec::new(),
            }
        };
        for (limit, window_seconds, wrong) in [
            (1, 1, &[][..]),
            (LIMIT_MAX, WINDOW_MAX, &[]),
            (0, 1, &["rate_limit.limit"]),
            (1, 0, &["rate_limit.window_seconds"]),
            (LIMIT_MAX + 1, WINDOW_MAX + 1, &["rate_limit.limit", "rate_limit.window_seconds"]),
        ] {
            let rate = RateLimitPatch::from(RateLimit { limit, window_seconds });
            assert_eq!(fields(&|errors| _ = rate.check(errors)), wrong, "{limit} {window_seconds}");
        }
        for (limit, wrong) in [(1, &[][..]), (0, &["quota.limit"])] {
            let quota = QuotaPatch::from(Quota { limit, period: Period::Day });
            assert_eq!(fields(&|errors| _ = quota.check(errors)), wrong, "{limit}");
        }
    }

    #[test]
    fn a_change_of_a_part_leaves_the_rest() {
        let rate = RateLimit { limit: 10, window_seconds: 60 };
        let more = RateLimitPatch { limit: Some(20), ..RateLimitPatch::default() };
        assert_eq!(more.over(Some(rate)), Some(RateLimit { limit: 20, ..rate }));
        assert_eq!((more.over(None), RateLimitPatch::default().over(Some(rate))), (None, Some(rate)));
        let quota = Quota { limit: 10, period: Period::Day };
        let monthly = QuotaPatch { period: Some(Period::Month), ..QuotaPatch::default() };
        assert_eq!(monthly.over(Some(quota)), Some(Quota { period: Period::Month, ..quota }));
        assert_eq!((monthly.over(None), QuotaPatch::from(quota).over(None)), (None, Some(quota)));
    }
}
