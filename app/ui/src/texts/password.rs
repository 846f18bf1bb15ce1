//! New password, with its rating.

use ownchat_domain::account::PASSWORD_MIN;

pub const HINT: &str = "At least 8 characters. A few random words work best.";
pub const WEAK: &str = "Weak: too few different characters.";
pub const FAIR: &str = "Fair. One more word makes it strong.";
pub const STRONG: &str = "Strong.";

pub fn too_short(length: usize) -> String {
    format!("Too short: {length} of {PASSWORD_MIN} characters.")
}
