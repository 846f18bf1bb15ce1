//! Locator: the public part of a key, with workspace number, key number and proof of issue.
//!
//! A locator holds 32 bits of workspace number, 32 bits of key number and a 31-bit tag. The tag is
//! an HMAC over both numbers and the environment. It also masks the numbers, as a synthetic IV does
//! in RFC 5297. So a forged locator is refused without a look-up in any store (one in 2^31 gets
//! by). The mask hides how many workspaces or keys there are.

use crate::{
    base62,
    environment::Environment,
    keyring::{Keyring, Locators, MacKey},
};
use core::{fmt, str::FromStr};
use serde::{Deserialize, Deserializer, Serialize, Serializer, de::Error as _};

/// Base62 digits of a locator.
pub const LENGTH: usize = 16;

const TAG_BITS: u32 = 31;
const TAG_MASK: u32 = (1 << TAG_BITS) - 1;

/// A locator as shown in lists, logs and URLs: 16 base62 digits.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Locator(u128);

/// Content of a locator, readable only with the key that tagged it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct KeyNumber {
    /// Number of the workspace whose registry owns the key.
    pub workspace: u32,
    /// Number of the key within its workspace, from 1.
    pub number: u32,
}

/// The text is not a locator.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("The id of a key has 16 letters and digits.")]
pub struct NotALocator;

impl Locator {
    /// Issues the locator of a new key, under the newest master secret.
    pub fn issue(keyring: &Keyring, address: KeyNumber, environment: Environment) -> Self {
        let key = &keyring.newest().locator;
        let tag = tag(key, address, environment);
        let numbers = (u64::from(address.workspace) << 32 | u64::from(address.number)) ^ mask(key, tag, environment);
        Self(u128::from(numbers) << TAG_BITS | u128::from(tag))
    }

    /// Decodes the numbers.
    ///
    /// Returns `None` unless one of our master secrets issued the locator for this environment.
    pub fn open(self, keyring: &Keyring, environment: Environment) -> Option<KeyNumber> {
        self.open_with_issuer(keyring, environment).map(|(address, _)| address)
    }

    /// Decodes the numbers and the id of the master secret that issued the locator.
    pub fn open_with_issuer(self, keyring: &Keyring, environment: Environment) -> Option<(KeyNumber, u16)> {
        keyring.locators().find_map(|(id, key)| Some((self.open_with(key, environment)?, id)))
    }

    /// Decodes the numbers with the locator keys alone.
    pub fn open_by_tag(self, keys: &Locators, environment: Environment) -> Option<KeyNumber> {
        keys.iter().find_map(|key| self.open_with(key, environment))
    }

    fn open_with(self, key: &MacKey, environment: Environment) -> Option<KeyNumber> {
        let tag_seen = u32::try_from(self.0 & u128::from(TAG_MASK)).ok()?;
        let masked = u64::try_from(self.0 >> TAG_BITS).ok()?;
        let numbers = masked ^ mask(key, tag_seen, environment);
        let address = KeyNumber {
            workspace: u32::try_from(numbers >> 32).ok()?,
            number: u32::try_from(numbers & u64::from(u32::MAX)).ok()?,
        };
        (tag(key, address, environment) == tag_seen).then_some(address)
    }
}

fn tag(key: &MacKey, address: KeyNumber, environment: Environment) -> u32 {
    let mac =
        key.mac(&[b"tag", &[environment.number()], &address.workspace.to_be_bytes(), &address.number.to_be_bytes()]);
    u32::try_from(first_u64(&mac) >> 32).unwrap_or(0) & TAG_MASK
}

fn mask(key: &MacKey, tag: u32, environment: Environment) -> u64 {
    first_u64(&key.mac(&[b"mask", &[environment.number()], &tag.to_be_bytes()]))
}

fn first_u64(mac: &[u8; 32]) -> u64 {
    let mut begin = [0u8; 8];
    begin.copy_from_slice(&mac[..8]);
    u64::from_be_bytes(begin)
}

impl fmt::Display for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&base62::encode(self.0, LENGTH))
    }
}

impl fmt::Debug for Locator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Locator({self})")
    }
}

impl FromStr for Locator {
    type Err = NotALocator;

    fn from_str(text: &str) -> Result<Self, NotALocator> {
        if text.len() != LENGTH {
            return Err(NotALocator);
        }
        base62::decode(text).filter(|value| value >> (64 + TAG_BITS) == 0).map(Self).ok_or(NotALocator)
    }
}

impl Serialize for Locator {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

impl<'de> Deserialize<'de> for Locator {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::testing::keyring;
    use proptest::prelude::*;

    const ADDRESS: KeyNumber = KeyNumber { workspace: 1, number: 1 };

    /// Locators are in use for years: the same input must give the same text forever.
    #[test]
    fn known_answers() {
        for (workspace, number, environment, text) in [
            (1, 1, Environment::Live, "JCgnh3DhfKRFKbvX"),
            (1, 2, Environment::Live, "OUbshx82gywrkBsn"),
            (1, 1, Environment::Test, "ow4xSWzmBzl7GOhU"),
            (u32::MAX, u32::MAX, Environment::Live, "9rq16knG07WcDIcH"),
        ] {
            let locator = Locator::issue(&keyring(), KeyNumber { workspace, number }, environment);
            assert_eq!(locator.to_string(), text);
        }
    }

    #[test]
    fn the_environment_is_part_of_the_tag() {
        let live = Locator::issue(&keyring(), ADDRESS, Environment::Live);
        assert_eq!(live.open(&keyring(), Environment::Live), Some(ADDRESS));
        assert_eq!(live.open(&keyring(), Environment::Test), None);
    }

    #[test]
    fn a_locator_is_read_until_its_master_secret_is_retired() {
        let one = Keyring::parse("1:AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQE=").unwrap();
        let two = Keyring::parse("2:AgICAgICAgICAgICAgICAgICAgICAgICAgICAgICAgI=").unwrap();
        let old = Locator::issue(&one, ADDRESS, Environment::Live);
        assert_eq!(old.open(&keyring(), Environment::Live), Some(ADDRESS));
        assert_eq!(old.open(&two, Environment::Live), None);
    }

    #[test]
    fn texts_of_other_shapes_are_refused() {
        for text in
            ["", "0", "zzzzzzzzzzzzzzzz", "000000000000000", "00000000000000000", "0000-00000000000", "äääääääää"]
        {
            assert_eq!(text.parse::<Locator>(), Err(NotALocator), "{text}");
        }
    }

    proptest! {
        #[test]
        fn every_issued_locator_opens(workspace: u32, number: u32, live: bool) {
            let environment = if live { Environment::Live } else { Environment::Test };
            let locator = Locator::issue(&keyring(), KeyNumber { workspace, number }, environment);
            let read: Locator = locator.to_string().parse().unwrap();
            prop_assert_eq!(read.open(&keyring(), environment), Some(KeyNumber { workspace, number }));
        }

        #[test]
        fn made_up_locators_do_not_open(value in 0u128..1 << 95) {
            prop_assert_eq!(Locator(value).open(&keyring(), Environment::Live), None);
        }
    }
}
