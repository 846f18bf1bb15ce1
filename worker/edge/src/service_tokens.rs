//! Service tokens: authenticate Ownchat's own services, which may verify keys of any workspace.
//!
//! The binding `SERVICE_TOKENS` holds only hashes, so reading it does not allow to verify.

use ownchat_domain::digest::Fingerprint;

/// Hashes of all tokens.
#[derive(Debug, Default)]
pub struct ServiceTokens(Vec<Fingerprint>);

impl ServiceTokens {
    /// Parses `id:hash,id:hash`, where `hash` is the SHA-256 of a token in hexadecimal. The ids are
    /// for people.
    ///
    /// # Errors
    ///
    /// Fails with the position of a malformed entry.
    pub fn parse(list: &str) -> Result<Self, String> {
        let entries = list.split(',').map(str::trim).filter(|entry| !entry.is_empty()).enumerate();
        let hashes = entries.map(|(place, entry)| {
            let hash = entry
                .split_once(':')
                .filter(|(id, _)| !id.is_empty())
                .and_then(|(_, hash)| Fingerprint::from_hex(hash));
            hash.ok_or_else(|| {
                format!("entry {} of SERVICE_TOKENS is not of the form id:SHA-256 in hexadecimal", place + 1)
            })
        });
        hashes.collect::<Result<_, _>>().map(Self)
    }

    /// Returns true if the text is one of the tokens. It compares with every hash, so its time
    /// reveals nothing.
    pub fn contain(&self, text: &str) -> bool {
        let hash = Fingerprint::of(text);
        self.0.iter().fold(false, |found, token| found | token.matches(&hash))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// SHA-256 of "abc" (FIPS 180-2, appendix B.1) and of "".
    const ABC: &str = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad";
    const EMPTY: &str = "e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855";

    #[test]
    fn token_is_recognized_by_its_hash() {
        let tokens = ServiceTokens::parse(&format!("one:{EMPTY}, inbox:{},", ABC.to_uppercase())).unwrap();
        assert!(tokens.contain("abc") && tokens.contain(""));
        for other in ["abd", "ab", ABC, "inbox"] {
            assert!(!tokens.contain(other), "{other}");
        }
        assert!(!ServiceTokens::parse("").unwrap().contain(""), "no token is configured");
    }

    #[test]
    fn malformed_entry_is_named() {
        for entry in [
            "",
            ABC,
            &format!(":{ABC}"),
            &format!("a:{}", &ABC[1..]),
            &format!("a:{ABC}0"),
            "a:b",
            &format!("a:{}g", &ABC[1..]),
        ] {
            let list = format!("a:{EMPTY},{entry}");
            let refused = ServiceTokens::parse(&list).err();
            assert_eq!(refused.is_some_and(|why| why.starts_with("entry 2 ")), !entry.is_empty(), "{entry}");
        }
    }
}
