//! Leptos islands: the parts of pages that hydrate in the browser.

pub mod confirm;
pub mod copy;
pub mod key_form;
pub mod new_password;
pub mod reveal;
pub mod search;
pub mod secret;
pub mod try_it;
pub mod unload_warning;
