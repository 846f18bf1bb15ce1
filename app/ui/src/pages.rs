//! The pages, one file each. Each serves `GET` and, if it has a form, the `POST` of that form.

pub mod conflict;
pub mod home;
pub mod key_delete;
pub mod key_deleted;
pub mod key_edit;
pub mod key_new;
pub mod key_restore;
pub mod key_rotate;
pub mod key_status;
pub mod keys;
pub mod message;
pub mod problem;
pub mod render;
pub mod restrictions;
pub mod resubmit;
pub mod settings;
pub mod setup;
pub mod sign_in;
pub mod sign_out;
