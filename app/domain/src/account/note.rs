//! Flash message cookie: carries a short text from one page to the next.
//!
//! A message is signed for one session and expires after [`NOTE_LIFETIME`]. So neither a link nor
//! another program on the host can put text into a page.

use super::SessionHash;
use crate::{
    keyring::CookieKeys,
    time::{MINUTE, Timestamp},
};
use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};

/// Lifetime of a flash message, in milliseconds.
pub const NOTE_LIFETIME: i64 = MINUTE;

/// Returns the signed cookie value. `None` as the session signs for a visitor without one.
pub fn seal_note(text: &str, session: Option<&SessionHash>, now: Timestamp, keys: &CookieKeys) -> String {
    let payload = format!("{}.{text}", now.millis());
    let tag = keys.tag(&signed(&payload, session));
    format!("{}.{}", URL_SAFE_NO_PAD.encode(payload), URL_SAFE_NO_PAD.encode(tag))
}

/// Verifies a cookie value and returns its text.
///
/// Returns `None` unless [`seal_note`] made it for this session within [`NOTE_LIFETIME`].
pub fn open_note(value: &str, session: Option<&SessionHash>, now: Timestamp, keys: &CookieKeys) -> Option<String> {
    let (payload, tag) = value.split_once('.')?;
    let payload = String::from_utf8(URL_SAFE_NO_PAD.decode(payload).ok()?).ok()?;
    if !keys.verify(&signed(&payload, session), &URL_SAFE_NO_PAD.decode(tag).ok()?) {
        return None;
    }
    let (sealed_at, text) = payload.split_once('.')?;
    let age = now.since(Timestamp::from_millis(sealed_at.parse().ok()?));
    (0..NOTE_LIFETIME).contains(&age).then(|| text.to_owned())
}

/// Returns the bytes under the MAC. All parts but the last have a fixed length.
fn signed(payload: &str, session: Option<&SessionHash>) -> Vec<u8> {
    let owner = session.map_or(&[0; 32], SessionHash::as_bytes);
    [b"note".as_slice(), owner, payload.as_bytes()].concat()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::account::{PersonId, SessionToken};

    const NOW: Timestamp = Timestamp::from_millis(1_795_452_408_000);

    #[test]
    fn a_note_is_for_one_session_and_a_minute() {
        let keys = CookieKeys::parse("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let [own, other] = [[7; 16], [8; 16]].map(|secret| SessionToken::new(PersonId(1), secret).hash());
        let value = seal_note("done. “CRM”", Some(&own), NOW, &keys);
        let open =
            |value: &str, session: Option<&SessionHash>, after: i64| open_note(value, session, NOW.plus(after), &keys);
        assert_eq!(open(&value, Some(&own), 0).as_deref(), Some("done. “CRM”"));
        assert!(open(&value, Some(&own), NOTE_LIFETIME - 1).is_some());
        assert_eq!(open(&value, Some(&own), NOTE_LIFETIME), None, "too old");
        assert_eq!(open(&value, Some(&own), -1), None, "from the future");
        assert_eq!(open(&value, Some(&other), 0), None);
        assert_eq!(open(&value, None, 0), None);
        let free = seal_note("x", None, NOW, &keys);
        assert!(open(&free, None, 0).is_some() && open(&free, Some(&own), 0).is_none());
    }

    #[test]
    fn a_note_that_was_made_up_is_none() {
        let keys = CookieKeys::parse("1:AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=").unwrap();
        let good = seal_note("done", None, NOW, &keys);
        for place in 0..good.len() {
            let mut changed = good.clone().into_bytes();
            changed[place] = if changed[place] == b'0' { b'1' } else { b'0' };
            let changed = String::from_utf8(changed).unwrap();
            assert_eq!(open_note(&changed, None, NOW, &keys), None, "{place}: {changed}");
            assert_eq!(open_note(&good[..place], None, NOW, &keys), None, "cut at {place}");
        }
    }
}
