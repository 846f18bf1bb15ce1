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
];
