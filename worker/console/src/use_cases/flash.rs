//! The flash message for the next page, in a cookie signed for the session and valid for a minute.

use super::session::cookie;
use crate::request_context::{FLASH_COOKIE, RequestContext, RequestCredential, now};
use ownchat_domain::{
    account::{NOTE_LIFETIME, SessionHash, SessionToken, open_note, seal_note},
    time::SECOND,
};
use ownchat_ui::{
    backend::Cookies,
    flash::{Flash, KeyAction},
};

/// Returns the message in the request's cookie, if it was signed for this session.
pub fn read(context: &RequestContext) -> Option<Flash> {
    let keys = context.cookie_keys().ok()?;
    let open = |session: Option<&SessionHash>| -> Option<Flash> {
        let text = open_note(&context.flash, session, now(), &keys)?;
        serde_json::from_str(&text).ok()
    };
    // A key can be pasted before signing in.
    open(session(context).as_ref()).or_else(|| open(None).filter(|flash| flash.action == KeyAction::Pasted))
}

/// Returns the cookie that carries a message to the next page, or deletes the one already shown.
pub fn carry(context: &RequestContext, flash: Option<&Flash>) -> Cookies {
    let value = flash.zip(context.cookie_keys().ok()).and_then(|(flash, keys)| {
        let text = serde_json::to_string(flash).ok()?;
        Some(seal_note(&text, session(context).as_ref(), now(), &keys))
    });
    let lifetime = u32::try_from(NOTE_LIFETIME / SECOND).unwrap_or_default();
    Cookies(vec![match value {
        Some(value) => cookie(FLASH_COOKIE, &value, lifetime),
        None => cookie(FLASH_COOKIE, "", 0),
    }])
}

fn session(context: &RequestContext) -> Option<SessionHash> {
    match &*context.credential {
        RequestCredential::Session(token) => Some(SessionToken::hash(token)),
        _ => None,
    }
}
