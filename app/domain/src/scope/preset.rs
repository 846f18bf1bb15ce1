//! Scope presets: starting points for the picker that the user can edit.

/// A named selection of scopes.
#[derive(Debug)]
pub struct Preset {
    /// Name of the use case, in a word or two.
    pub name: &'static str,
    /// Names of the scopes.
    pub scopes: &'static [&'static str],
}

/// All presets, in display order.
pub const PRESETS: &[Preset] = &[
    Preset { name: "Reporting", scopes: &["analytics:read", "campaigns:read", "channels:read"] },
    Preset { name: "CRM sync", scopes: &["contacts:write", "conversations:read"] },
    Preset { name: "Notifications", scopes: &["messages:send_template", "templates:read", "media:upload"] },
    Preset {
        name: "Support desk",
        scopes: &["conversations:write", "conversations:assign", "messages:read", "messages:send"],
    },
    Preset { name: "Marketing", scopes: &["campaigns:write", "templates:read"] },
    // Only owners may grant it, with a reason and for 30 days at most: see [`crate::role`].
    Preset { name: "Full access", scopes: ALL },
];

/// Names of all scopes.
const ALL: &[&str] = &[
    "contacts:read",
    "contacts:write",
    "contacts:delete",
    "contacts:import",
    "contacts:export",
    "contacts:pii",
    "conversations:read",
    "conversations:write",
    "conversations:assign",
    "conversations:delete",
    "conversations:export",
    "messages:read",
    "messages:send",
    "messages:send_template",
    "messages:delete",
    "templates:read",
    "templates:write",
    "templates:submit",
    "templates:delete",
    "campaigns:read",
    "campaigns:write",
    "campaigns:send",
    "campaigns:cancel",
    "media:read",
    "media:upload",
    "media:delete",
    "channels:read",
    "channels:write",
    "automations:read",
    "automations:write",
    "automations:run",
    "webhooks:read",
    "webhooks:write",
    "events:read",
    "analytics:read",
    "reports:export",
    "team:read",
    "team:write",
    "account:read",
    "account:write",
    "billing:read",
    "audit:read",
    "keys:self",
    "keys:read",
    "keys:write",
    "keys:verify",
];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::scope::ScopeSet;

    #[test]
    fn full_access_leaves_nothing_out() {
        assert_eq!(ScopeSet::from_names(ALL.iter().copied()), Ok(ScopeSet::full()));
    }
}
