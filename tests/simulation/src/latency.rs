//! Latency distributions of the fake stores.

use rand::{Rng, rngs::SmallRng};

/// A distribution of latencies in milliseconds, given by quantiles. Without any it is always zero.
#[derive(Clone, Copy, Debug)]
pub struct Latency(&'static [(f64, f64)]);

impl Latency {
    /// No latency.
    pub const NONE: Self = Self(&[]);
    /// Workers KV as measured in the field. Half of the reads took up to 28 ms, 95 % up to 321 ms,
    /// 99 % up to 816 ms.
    pub const KV: Self = Self(&[(0.0, 6.0), (0.5, 28.0), (0.95, 321.0), (0.99, 816.0), (1.0, 2_000.0)]);
    /// A Durable Object in the same region of the world, or in another.
    pub const OBJECT: Self = Self(&[(0.0, 4.0), (0.5, 25.0), (0.95, 120.0), (1.0, 300.0)]);

    /// Draws a latency. Between two quantiles its logarithm is evenly distributed.
    pub fn sample(self, random: &mut SmallRng) -> i64 {
        self.at(random.random::<f64>())
    }

    /// Maximum latency, in milliseconds.
    #[allow(clippy::cast_possible_truncation, reason = "a few thousand at most")]
    pub fn longest(self) -> i64 {
        self.0.last().map_or(0, |(_, longest)| longest.round() as i64)
    }

    #[allow(clippy::cast_possible_truncation, reason = "a few thousand at most")]
    fn at(self, place: f64) -> i64 {
        let Some(pair) = self.0.windows(2).find(|pair| place <= pair[1].0) else { return 0 };
        let [(from, low), (to, high)] = [pair[0], pair[1]];
        let share = (place - from) / (to - from);
        (low.ln() + share * (high.ln() - low.ln())).exp().round() as i64
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_has_the_quantiles_that_it_was_given() {
        let times = [0.5, 0.95, 0.99, 1.0].map(|place| Latency::KV.at(place));
        assert_eq!(times, [28, 321, 816, 2_000]);
        assert_eq!((Latency::NONE.at(0.7), Latency::NONE.longest()), (0, 0));
        assert_eq!(Latency::KV.longest(), 2_000);
    }
}
