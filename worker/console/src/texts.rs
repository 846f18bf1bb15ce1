//! Public texts of the problems of API and pages. Texts that fit every use of a kind of problem
//! stand in the domain's catalogue; texts of the pages themselves in `ownchat-ui`.

use ownchat_domain::transfer::LINE_MAX;

/// Detail for a URL under `/api/` that no route matches.
pub const UNKNOWN_API_URL: &str = "There is no such address in the management API.";
/// Detail for a method that a route besides the pages and the API lacks.
pub const OTHER_METHODS: &str = "This address takes other methods.";
/// Detail for a method that no page has.
pub const PAGE_METHODS: &str = "Pages take GET and POST.";
/// Detail for a body that no page accepts.
pub const PAGE_FORMS: &str = "Pages take forms as browsers post them.";

/// Detail for a body with a content encoding.
pub const UNCOMPRESSED: &str = "Send the body uncompressed, without Content-Encoding.";
/// Detail for an import of another media type.
pub const IMPORT_MEDIA_TYPE: &str = "Send the file as Content-Type: application/x-ndjson.";
/// Message for a line of an import that is not UTF-8.
pub const NOT_UTF8: &str = "This is not UTF-8.";

/// Detail for an `If-Match` with several versions.
pub const SEVERAL_VERSIONS: &str = "If-Match names more than one version. Send the one ETag of what you have read.";
/// Detail for an `If-Match` that is no entity tag of this API.
pub const FOREIGN_VERSION: &str =
    "If-Match is no ETag of this API. Send the ETag of what you have read as it came, such as \"7\".";

/// Hint beside a key that is not shown again.
pub const SHOWN_ONCE: &str = "This was done by an earlier request with the same Idempotency-Key, whose answer alone \
                              showed the key. If it was lost, rotate the key.";

/// Detail for a key that would have more than the calling key has.
pub const BEYOND_CALLER: &str =
    "The key would be freer than the one that asks: nobody gives more than they hold. Nothing was changed.";

/// Returns the detail for scopes that the caller lacks and so cannot grant.
pub fn scopes_not_held(missing: &[String]) -> String {
    let names = missing.join(", ");
    format!("You cannot give {names}: nobody gives more than they hold, and no key gives keys:write.")
}

/// Returns the detail for invalid fields.
pub fn invalid_fields(names: &[&str]) -> String {
    format!("Look at {}. Nothing was changed.", names.join(", "))
}

/// Returns the detail for a body of another media type.
pub fn media_types(accepted: &[&str]) -> String {
    format!("Send the body as Content-Type: {}.", accepted.join(" or "))
}

/// Returns the message for a line of an import that exceeds the limit.
pub fn line_too_long() -> String {
    format!("This is longer than any line of an export, {LINE_MAX} bytes.")
}
