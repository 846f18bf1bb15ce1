//! The two environments of a workspace: live and test.

use core::{fmt, str::FromStr};
use serde::{Deserialize, Serialize};

/// Environment of a workspace that a key gives access to.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Environment {
    /// Real conversations and customers.
    Live,
    /// Sample data; nothing reaches a customer.
    Test,
}

impl Environment {
    /// Both environments, in display order.
    pub const ALL: [Self; 2] = [Self::Live, Self::Test];

    /// Returns `live` or `test`, as in a key and in JSON.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Live => "live",
            Self::Test => "test",
        }
    }

    /// Number of the environment in MACs and stores. Never changes.
    pub const fn number(self) -> u8 {
        match self {
            Self::Live => 1,
            Self::Test => 2,
        }
    }
}

impl fmt::Display for Environment {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Environment {
    type Err = ();

    fn from_str(text: &str) -> Result<Self, ()> {
        Self::ALL.into_iter().find(|environment| environment.as_str() == text).ok_or(())
    }
}
