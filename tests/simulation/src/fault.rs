//! What can be wrong with a store.

/// How a store answers.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// As it should.
    #[default]
    None,
    /// With an error, at once.
    Error,
    /// Not at all: the connection breaks.
    Cut,
    /// Not at all, after it has done what it was asked.
    Lost,
    /// As it should, so many milliseconds later.
    Slow(i64),
}
