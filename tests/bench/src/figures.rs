//! Arithmetic of the measurements: median, time per request, ratio.

use std::time::Duration;

/// The median: of an even number of values the mean of the middle two. None without values.
pub fn median(values: &[f64]) -> Option<f64> {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    if sorted.len() % 2 == 1 {
        sorted.get(middle).copied()
    } else {
        Some(f64::midpoint(*sorted.get(middle.checked_sub(1)?)?, *sorted.get(middle)?))
    }
}

/// Microseconds per request, for `count` requests that took `total` together.
pub fn each(total: Duration, count: u32) -> f64 {
    total.as_secs_f64() * 1_000_000.0 / f64::from(count)
}

/// Ratio of `ours` to `peer`; none if `peer` is zero.
pub fn ratio(ours: f64, peer: f64) -> Option<f64> {
    (peer > 0.0).then(|| ours / peer)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_median_is_the_middle_whatever_the_order() {
        for (values, expected) in [
            (&[][..], None),
            (&[3.0][..], Some(3.0)),
            (&[9.0, 1.0][..], Some(5.0)),
            (&[5.0, 1.0, 100.0][..], Some(5.0)),
            (&[4.0, 2.0, 8.0, 6.0][..], Some(5.0)),
            (&[1.0, 1.0, 1.0, 900.0, 2.0][..], Some(1.0)),
        ] {
            assert_eq!(median(values), expected, "{values:?}");
        }
    }

    #[test]
    fn time_is_shared_evenly() {
        assert!((each(Duration::from_secs(2), 10_000) - 200.0).abs() < 1e-9);
    }

    #[test]
    fn a_ratio_is_ours_to_theirs() {
        assert_eq!(ratio(150.0, 100.0), Some(1.5));
        assert_eq!(ratio(150.0, 0.0), None);
    }
}
