//! Deterministic random numbers.

/// A seeded random number generator (`SplitMix64`).
pub struct SeededRng(u64);

impl SeededRng {
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    pub fn below(&mut self, sides: u64) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut mixed = self.0;
        mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        (mixed ^ (mixed >> 31)) % sides
    }

    /// Picks an index into a list of this length.
    pub fn index(&mut self, length: usize) -> usize {
        usize::try_from(self.below(length as u64)).unwrap()
    }

    pub fn pick<T: Copy>(&mut self, from: &[T]) -> T {
        from[self.index(from.len())]
    }

    /// Picks a subset, at least one element.
    pub fn some<T: Copy>(&mut self, from: &[T]) -> Vec<T> {
        let mask = self.below((1 << from.len()) - 1) + 1;
        from.iter().enumerate().filter(|(index, _)| mask >> index & 1 == 1).map(|(_, one)| *one).collect()
    }
}
