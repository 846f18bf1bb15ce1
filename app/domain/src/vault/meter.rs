//! Questions to the object that counts the use of a limited key, beside the one for permits ([`super::permits_path`]).

use super::Call;
use serde::{Deserialize, Serialize};

/// Deletes all that the object has stored: its key is removed for good. Doing it twice changes nothing.
#[derive(Debug, Serialize, Deserialize)]
pub struct ClearMeter {}

impl Call for ClearMeter {
    type Answer = ();
    const NAME: &'static str = "clear";
}
