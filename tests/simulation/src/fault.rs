//! Faults that the simulation injects into a store.

/// Behaviour of a store.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Fault {
    /// Responds normally.
    #[default]
    None,
    /// Responds with an error at once.
    Error,
    /// Breaks the connection without doing the operation.
    Cut,
    /// Does the operation, then breaks the connection: the response is lost.
    Lost,
    /// Responds normally after this many more milliseconds.
    Slow(i64),
}
