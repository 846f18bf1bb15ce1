//! Frame of every page.

pub const PRODUCT: &str = "Ownchat";
pub const SKIP: &str = "Skip to content";
pub const OVERVIEW: &str = "Overview";
pub const SIGN_OUT: &str = "Sign out";
pub const BREADCRUMB: &str = "Breadcrumb";

/// Title in the browser tab, for a page whose own title does not name the product.
pub fn tab_title(page: &str) -> String {
    format!("{page} · {PRODUCT}")
}
