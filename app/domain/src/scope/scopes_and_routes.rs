//! The table of scopes, with the gateway routes that each scope opens.
//!
//! A scope's bit is its identity in stores and sealed records. It never changes and is never reused
//! for another scope. A new scope takes the next free number, anywhere in the table.

use super::{
    Risk::{High, Low, Medium},
    ScopeInfo, ScopeTexts,
};

/// A group of related scopes under one heading.
#[derive(Debug)]
pub struct Group {
    /// Heading of the group.
    pub name: &'static str,
    /// Resources of the group: the part of a scope's name before the colon.
    pub resources: &'static [&'static str],
}

/// All groups, in display order.
pub const GROUPS: &[Group] = &[
    Group { name: "Contacts", resources: &["contacts"] },
    Group { name: "Conversations", resources: &["conversations"] },
    Group { name: "Messages", resources: &["messages"] },
    Group { name: "Templates", resources: &["templates"] },
    Group { name: "Campaigns", resources: &["campaigns"] },
    Group { name: "Media", resources: &["media"] },
    Group { name: "Channels", resources: &["channels"] },
    Group { name: "Automation", resources: &["automations"] },
    Group { name: "Webhooks", resources: &["webhooks", "events"] },
    Group { name: "Analytics", resources: &["analytics", "reports"] },
    Group { name: "Team", resources: &["team"] },
    Group { name: "Workspace", resources: &["account", "billing", "audit"] },
    Group { name: "Keys", resources: &["keys"] },
];

/// Generates [`TABLE`] and [`TEXTS`]. A row holds bit, name, risk and implied scope; then title and
/// description; then the routes that the scope opens.
macro_rules! scopes {
    ($($bit:literal $name:literal $risk:ident $(gives $gives:literal)?: $title:literal, $description:literal
        opens [$($method:ident $route:literal),*];)*) => {
        /// All scopes, grouped as in [`GROUPS`].
        pub static TABLE: [ScopeInfo; COUNT] = [$(ScopeInfo {
            bit: $bit,
            name: $name,
            risk: $risk,
            gives: scopes!(@gives $($gives)?),
            routes: &[$((stringify!($method), $route)),*],
        }),*];

        /// Texts of all scopes, in the order of [`TABLE`]. They are separate because the edge does
        /// not need them.
        pub static TEXTS: [ScopeTexts; COUNT] =
            [$(ScopeTexts { title: $title, description: $description }),*];
    };
    (@gives $gives:literal) => { Some($gives) };
    (@gives) => { None };
}

/// Number of scopes.
const COUNT: usize = 46;

scopes! {
    0 "contacts:read" Medium: "Read contacts", "List, open and search contacts."
        opens [GET "/v1/contacts", GET "/v1/contacts/{id}", POST "/v1/contacts/search"];
    1 "contacts:write" Medium gives "contacts:read": "Edit contacts", "Create, change, merge and tag contacts."
        opens [POST "/v1/contacts", PATCH "/v1/contacts/{id}", POST "/v1/contacts/{id}/merge",
            PUT "/v1/contacts/{id}/tags"];
    2 "contacts:delete" High: "Delete contacts", "Delete contacts and answer erasure requests."
        opens [DELETE "/v1/contacts/{id}", POST "/v1/contacts/{id}/erasure"];
    3 "contacts:import" High: "Import contacts", "Create and overwrite many contacts at once."
        opens [POST "/v1/contacts/import"];
    4 "contacts:export" High: "Export contacts", "Download all contacts in bulk."
        opens [GET "/v1/contacts/export"];
    5 "contacts:pii" High: "See personal data", "Show full phone numbers, emails and addresses."
        opens [];
    6 "conversations:read" Medium: "Read conversations", "List and open conversations and their history."
        opens [GET "/v1/conversations", GET "/v1/conversations/{id}", GET "/v1/conversations/{id}/history"];
    7 "conversations:write" Medium gives "conversations:read":
        "Edit conversations", "Open, close, snooze and label conversations."
        opens [POST "/v1/conversations", PATCH "/v1/conversations/{id}"];
    8 "conversations:assign" Medium: "Assign conversations", "Hand conversations to an agent, a team or a bot."
        opens [PUT "/v1/conversations/{id}/assignee"];
    9 "conversations:delete" High: "Delete conversations", "Delete conversations and redact what was said."
        opens [DELETE "/v1/conversations/{id}", POST "/v1/conversations/{id}/redact"];
    10 "conversations:export" High: "Export transcripts", "Download transcripts of conversations."
        opens [GET "/v1/conversations/export"];
    11 "messages:read" Medium: "Read messages", "Read message texts and whether they arrived."
        opens [GET "/v1/messages", GET "/v1/messages/{id}"];
    12 "messages:send" High: "Send messages", "Send messages with any text to customers."
        opens [POST "/v1/messages"];
    13 "messages:send_template" High: "Send templates", "Send approved templates to customers."
        opens [POST "/v1/messages/template"];
    14 "messages:delete" High: "Delete messages", "Unsend messages."
        opens [DELETE "/v1/messages/{id}"];
    15 "templates:read" Low: "Read templates", "List and preview message templates."
        opens [GET "/v1/templates", GET "/v1/templates/{id}"];
    16 "templates:write" Medium gives "templates:read": "Edit templates", "Draft and change message templates."
        opens [POST "/v1/templates", PATCH "/v1/templates/{id}"];
    17 "templates:submit" Medium: "Submit templates", "Send templates to the channel for approval."
        opens [POST "/v1/templates/{id}/submit"];
    18 "templates:delete" High: "Delete templates", "Remove message templates."
        opens [DELETE "/v1/templates/{id}"];
    19 "campaigns:read" Low: "Read campaigns", "List campaigns and see their results."
        opens [GET "/v1/campaigns", GET "/v1/campaigns/{id}", GET "/v1/campaigns/{id}/results"];
    20 "campaigns:write" Medium gives "campaigns:read":
        "Edit campaigns", "Draft campaigns, choose their audience and schedule."
        opens [POST "/v1/campaigns", PATCH "/v1/campaigns/{id}"];
    21 "campaigns:send" High: "Launch campaigns", "Launch and resume campaigns, which reach many customers."
        opens [POST "/v1/campaigns/{id}/launch", POST "/v1/campaigns/{id}/resume"];
    22 "campaigns:cancel" Medium: "Stop campaigns", "Pause and stop campaigns."
        opens [POST "/v1/campaigns/{id}/pause", POST "/v1/campaigns/{id}/stop"];
    23 "media:read" Medium: "Read files", "Download pictures and other files."
        opens [GET "/v1/media", GET "/v1/media/{id}"];
    24 "media:upload" Medium: "Upload files", "Upload pictures and other files."
        opens [POST "/v1/media"];
    25 "media:delete" High: "Delete files", "Remove pictures and other files."
        opens [DELETE "/v1/media/{id}"];
    26 "channels:read" Low: "Read channels", "List the numbers and inboxes of the workspace."
        opens [GET "/v1/channels", GET "/v1/channels/{id}"];
    27 "channels:write" High gives "channels:read":
        "Edit channels", "Connect, change and disconnect numbers and inboxes."
        opens [POST "/v1/channels", PATCH "/v1/channels/{id}", DELETE "/v1/channels/{id}"];
    28 "automations:read" Low: "Read automations", "List flows and bots."
        opens [GET "/v1/automations", GET "/v1/automations/{id}"];
    29 "automations:write" Medium gives "automations:read": "Edit automations", "Create and change flows and bots."
        opens [POST "/v1/automations", PATCH "/v1/automations/{id}", DELETE "/v1/automations/{id}"];
    30 "automations:run" Medium: "Run automations", "Start a flow for a contact or a conversation."
        opens [POST "/v1/automations/{id}/run"];
    31 "webhooks:read" Low: "Read webhooks", "List endpoints and what was delivered to them."
        opens [GET "/v1/webhooks", GET "/v1/webhooks/{id}", GET "/v1/webhooks/{id}/deliveries"];
    32 "webhooks:write" High gives "webhooks:read":
        "Edit webhooks", "Create, change and remove endpoints that data is sent to."
        opens [POST "/v1/webhooks", PATCH "/v1/webhooks/{id}", DELETE "/v1/webhooks/{id}"];
    33 "events:read" Medium: "Read events", "Subscribe to the event stream."
        opens [GET "/v1/events"];
    34 "analytics:read" Low: "Read analytics", "See aggregated figures."
        opens [GET "/v1/analytics"];
    35 "reports:export" Medium: "Export reports", "Download reports as files."
        opens [GET "/v1/reports/{id}/export"];
    36 "team:read" Medium: "Read team", "List agents and teams."
        opens [GET "/v1/team", GET "/v1/team/{id}"];
    37 "team:write" High gives "team:read": "Edit team", "Add, change and remove agents and teams."
        opens [POST "/v1/team", PATCH "/v1/team/{id}", DELETE "/v1/team/{id}"];
    38 "account:read" Low: "Read settings", "See the settings of the workspace."
        opens [GET "/v1/account"];
    39 "account:write" High gives "account:read": "Edit settings", "Change the settings of the workspace."
        opens [PATCH "/v1/account"];
    40 "billing:read" Medium: "Read billing", "See plan, invoices and consumption."
        opens [GET "/v1/billing"];
    41 "audit:read" Medium: "Read audit trail", "See who changed what in the workspace."
        opens [GET "/v1/audit"];
    42 "keys:self" Low: "Manage itself", "Read, rotate and deactivate this very key."
        opens [];
    43 "keys:read" Medium: "Read keys", "List the workspace's keys, never their secrets."
        opens [];
    44 "keys:write" High gives "keys:read": "Manage keys", "Create, change and delete keys of the workspace."
        opens [];
    45 "keys:verify" Medium: "Verify keys", "Ask the edge whether a key of the workspace is good."
        opens [];
}
