//! Validation of details that come from a file instead of a request.

use super::{Details, KeyPatch, RestrictionsPatch};
use crate::{
    failure::{Failure, FieldError},
    key::{DESCRIPTION_MAX, NAME_MAX},
    text::is_kept,
    time::Timestamp,
};

impl Details {
    /// Checks that the commands of this code could have created these details at some time.
    ///
    /// # Errors
    ///
    /// Returns [`Failure::Invalid`] with the invalid fields.
    pub fn check(&self) -> Result<(), Failure> {
        let texts = |networks: &[crate::network::Network]| networks.iter().map(ToString::to_string).collect();
        let patch = KeyPatch {
            scopes: Some(self.scopes.names()),
            restrictions: Some(Some(RestrictionsPatch {
                allow: Some(Some(texts(&self.networks.allow))),
                deny: Some(Some(texts(&self.networks.deny))),
                channels: Some(Some(self.channels.clone())),
            })),
            rate_limit: Some(self.limits.rate.map(Into::into)),
            quota: Some(self.limits.quota.map(Into::into)),
            ..KeyPatch::default()
        };
        // The patch holds no times either, so nothing is compared with the current time.
        let same = patch.check(Timestamp::default())?.apply(self)?;
        let is_line = |text: &str| !text.contains(['\n', '\t']) && is_kept(text, NAME_MAX);
        let texts = [
            ("name", is_line(&self.name) && !self.name.is_empty()),
            ("description", is_kept(&self.description, DESCRIPTION_MAX)),
            ("integration", is_line(&self.integration)),
            ("key", same == *self),
        ];
        match texts.into_iter().find(|(_, is_kept)| !is_kept) {
            None => Ok(()),
            Some((field, _)) => {
                let message = "Something in it is written in a way in which it is never kept.";
                Err(Failure::Invalid { errors: vec![FieldError::new(field, message)] })
            }
        }
    }
}
