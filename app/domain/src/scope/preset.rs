//! Starting points for the picker. Every choice stays editable.

/// A named choice of scopes.
#[derive(Debug)]
pub struct Preset {
    /// What it is for, in a word or two.
    pub name: &'static str,
    /// Names of its scopes.
    pub scopes: &'static [&'static str],
}

/// The presets in the order in which they are offered.
pub const PRESETS: &[Preset] = &[
    Preset { name: "Reporting", scopes: &["analytics:read", "campaigns:read", "channels:read"] },
    Preset { name: "CRM sync", scopes: &["contacts:write", "conversations:read"] },
    Preset { name: "Notifications", scopes: &["messages:send_template", "templates:read", "media:upload"] },
    Preset {
        name: "Support desk",
        scopes: &["conversations:write", "conversations:assign", "messages:read", "messages:send"],
    },
    Preset { name: "Marketing", scopes: &["campaigns:write", "templates:read"] },
    // For owners alone, with a reason and for a month at most: see [`crate::role`].
    Preset { name: "Full access", scopes: ALL },
];

/// Every scope there is.
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
