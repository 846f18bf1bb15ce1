//! Password hashes: Argon2id (RFC 9106) with m = 19 MiB, t = 2, p = 1, as OWASP recommends.

use crate::{log, object::random};
use argon2::{
    Algorithm, Argon2, Params, PasswordHash, PasswordHasher, PasswordVerifier, Version, password_hash::SaltString,
};
use ownchat_domain::{account::Password, failure::Failure};

/// Hash of no password. It is verified if the account does not exist, so that the response takes
/// equally long.
const DUMMY_HASH: &str = "$argon2id$v=19$m=19456,t=2,p=1$b3duY2hhdC1ub2JvZHktMQ$\
                      y1c0SzdKfVg7bzcX0wSfHHp0lfa0Vh3qDvXjvzvDJgo";

const MEMORY_KIB: u32 = 19_456;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// Hashes a password with a fresh salt. Returns a PHC string.
pub fn hash(password: &Password) -> Result<String, Failure> {
    let salt = random::<16>().map_err(|error| unavailable(&error))?;
    let salt = SaltString::encode_b64(&salt).map_err(|error| unavailable(&error))?;
    let text = password.normalised();
    let hash = hasher()?.hash_password(text.as_bytes(), &salt).map_err(|error| unavailable(&error))?;
    Ok(hash.to_string())
}

/// Verifies a password against a hash. Without a hash the result is always false.
pub fn verify(password: &Password, hash: Option<&str>) -> Result<bool, Failure> {
    let parsed = PasswordHash::new(hash.unwrap_or(DUMMY_HASH)).map_err(|error| unavailable(&error))?;
    let hasher = hasher()?;
    let matches = |text: &str| hasher.verify_password(text.as_bytes(), &parsed).is_ok();
    // Hashes from before Unicode normalisation are of the password as typed.
    let is_match = matches(&password.normalised()) || !password.is_normalised() && matches(password.reveal());
    Ok(is_match && hash.is_some())
}

fn hasher() -> Result<Argon2<'static>, Failure> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).map_err(|error| unavailable(&error))?;
    Ok(Argon2::new(Algorithm::Argon2id, Version::V0x13, params))
}

fn unavailable(error: &dyn core::fmt::Display) -> Failure {
    log::error(format_args!("{error}"));
    Failure::Unavailable
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_password_matches_only_its_own_hash() {
        let hash = hash(&"correct horse".to_owned().into()).unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_eq!(verify(&"correct horse".to_owned().into(), Some(&hash)), Ok(true));
        assert_eq!(verify(&"correct horsf".to_owned().into(), Some(&hash)), Ok(false));
    }

    #[test]
    fn a_password_matches_in_every_unicode_form() {
        let [composed, decomposed] = ["b\u{fc}cher und mehr", "bu\u{308}cher und mehr"].map(str::to_owned);
        for set in [&composed, &decomposed] {
            let hash = hash(&set.clone().into()).unwrap();
            for typed in [&composed, &decomposed] {
                assert_eq!(verify(&typed.clone().into(), Some(&hash)), Ok(true), "{set} {typed}");
            }
        }
        // A hash of the password as typed.
        let salt = SaltString::encode_b64(&[7; 16]).unwrap();
        let old = hasher().unwrap().hash_password(decomposed.as_bytes(), &salt).unwrap().to_string();
        assert_eq!(verify(&decomposed.into(), Some(&old)), Ok(true));
    }

    /// The hash comes from the reference implementation, with the salt 00 to 0f.
    #[test]
    fn a_hash_of_another_implementation_is_the_same() {
        let known = "$argon2id$v=19$m=19456,t=2,p=1$AAECAwQFBgcICQoLDA0ODw$\
                     0AuQxA+RjPiJeA19Op7DwrFxnfh9xeTU2T6mFj2wThc";
        assert_eq!(verify(&"correct horse".to_owned().into(), Some(known)), Ok(true));
        let salt: [u8; 16] = core::array::from_fn(|at| u8::try_from(at).unwrap());
        let salt = SaltString::encode_b64(&salt).unwrap();
        assert_eq!(hasher().unwrap().hash_password(b"correct horse", &salt).unwrap().to_string(), known);
    }

    #[test]
    fn an_unknown_account_costs_as_much_as_a_known_one() {
        assert_eq!(verify(&"correct horse".to_owned().into(), None), Ok(false));
        let dummy = PasswordHash::new(DUMMY_HASH).unwrap();
        assert_eq!(Params::try_from(&dummy).unwrap().m_cost(), MEMORY_KIB);
    }
}
