//! Sample data in memory: one world for each workspace and environment, created on first use.

use axum::extract::State;
use ownchat_domain::{environment::Environment, principal::Principal, time::Timestamp};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Arc, Mutex, PoisonError},
};

/// Start of the sample data.
const BEGIN: Timestamp = Timestamp::from_millis(1_788_000_000_000);

/// A contact of the business.
#[derive(Clone, Debug, Serialize)]
pub struct Contact {
    /// Id: `c_` and a number.
    pub id: String,
    /// Full name.
    pub name: String,
    /// Phone number in international format.
    pub phone: String,
    /// Email address.
    pub email: String,
    /// Tags that the business has chosen.
    pub tags: Vec<String>,
    /// Time of creation.
    pub created_at: Timestamp,
    /// Time of the last change.
    pub updated_at: Timestamp,
}

/// A conversation with a contact.
#[derive(Clone, Debug, Serialize)]
pub struct Conversation {
    /// Id: `v_` and a number.
    pub id: String,
    /// Id of the contact.
    pub contact_id: String,
    /// Channel, such as `whatsapp`.
    pub channel: &'static str,
    /// Status: `open`, `closed` or `snoozed`.
    pub status: String,
    /// Labels that the business has chosen.
    pub labels: Vec<String>,
}

/// A message of a conversation.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// Id: `m_` and a number.
    pub id: String,
    /// Id of the conversation.
    pub conversation_id: String,
    /// Sender: `contact` or `business`.
    pub from: &'static str,
    /// Text of the message.
    pub text: String,
    /// Status: `queued`, `sent`, `delivered` or `read`.
    pub status: &'static str,
    /// Time of sending.
    pub sent_at: Timestamp,
}

/// All data of one workspace in one environment.
#[derive(Debug, Default)]
pub struct World {
    /// Contacts by id.
    pub contacts: BTreeMap<String, Contact>,
    /// Conversations by id.
    pub conversations: BTreeMap<String, Conversation>,
    /// Messages by id.
    pub messages: BTreeMap<String, Message>,
    last: u32,
}

/// All worlds, by workspace and environment.
#[derive(Debug, Default)]
pub struct Worlds(Mutex<HashMap<(u32, Environment), World>>);

/// All worlds, for the handlers.
pub type WorldsState = State<Arc<Worlds>>;

impl Worlds {
    /// Runs `work` on the world of a principal.
    pub fn of<T>(&self, principal: &Principal, work: impl FnOnce(&mut World) -> T) -> T {
        // A panic in another request leaves nothing half done here.
        let mut worlds = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let place = (principal.workspace, principal.environment);
        work(worlds.entry(place).or_insert_with(|| World::sample(principal.environment)))
    }
}

const LIVE: &[(&str, &str, &str)] = &[
    ("Ada Brandt", "+49 151 2340 1742", "ada.brandt@example.com"),
    ("Bilal Aydin", "+90 532 118 40 33", "bilal.aydin@example.com"),
    ("Chiara Conti", "+39 347 556 1208", "chiara.conti@example.com"),
    ("Daniel Okafor", "+234 803 555 0146", "daniel.okafor@example.com"),
    ("Elif Kaya", "+90 555 204 77 19", "elif.kaya@example.com"),
    ("Farah Haddad", "+971 50 555 0182", "farah.haddad@example.com"),
    ("Gustavo Lima", "+55 11 95550 0113", "gustavo.lima@example.com"),
    ("Hana Sato", "+81 90 5550 0127", "hana.sato@example.com"),
    ("Ines Moreau", "+33 6 39 98 01 54", "ines.moreau@example.com"),
    ("Jonas Lindqvist", "+46 70 174 06 35", "jonas.lindqvist@example.com"),
    ("Kavya Nair", "+91 98765 50162", "kavya.nair@example.com"),
    ("Liam Walsh", "+353 85 555 0171", "liam.walsh@example.com"),
];

const TEST: &[(&str, &str, &str)] = &[
    ("Test Contact One", "+1 555 010 0001", "one@test.example"),
    ("Test Contact Two", "+1 555 010 0002", "two@test.example"),
    ("Test Contact Three", "+1 555 010 0003", "three@test.example"),
];

const TALK: &[(&str, &str)] = &[
    ("contact", "Hello, when will my order arrive?"),
    ("business", "Good morning! It left our house today and should be with you tomorrow."),
    ("contact", "Thank you, that was quick."),
];

impl World {
    fn sample(environment: Environment) -> Self {
        let mut world = Self::default();
        let people = match environment {
            Environment::Live => LIVE,
            Environment::Test => TEST,
        };
        for (place, (name, phone, email)) in people.iter().enumerate() {
            let time = BEGIN.plus(i64::try_from(place).unwrap_or_default() * 3_600_000);
            let id = world.next("c");
            let contact = Contact {
                id: id.clone(),
                name: (*name).to_owned(),
                phone: (*phone).to_owned(),
                email: (*email).to_owned(),
                tags: if place % 3 == 0 { vec!["customer".to_owned()] } else { Vec::new() },
                created_at: time,
                updated_at: time,
            };
            world.contacts.insert(id.clone(), contact);
            if place % 2 == 0 {
                world.converse(&id, time);
            }
        }
        world
    }

    fn converse(&mut self, contact_id: &str, time: Timestamp) {
        let id = self.next("v");
        let conversation = Conversation {
            id: id.clone(),
            contact_id: contact_id.to_owned(),
            channel: "whatsapp",
            status: "open".to_owned(),
            labels: Vec::new(),
        };
        self.conversations.insert(id.clone(), conversation);
        for (minute, (from, text)) in (1..).zip(TALK) {
            self.say(&id, from, (*text).to_owned(), "read", time.plus(minute * 60_000));
        }
    }

    /// Adds a message to a conversation.
    pub fn say(
        &mut self,
        conversation_id: &str,
        from: &'static str,
        text: String,
        status: &'static str,
        sent_at: Timestamp,
    ) -> Message {
        let id = self.next("m");
        let conversation_id = conversation_id.to_owned();
        let message = Message { id: id.clone(), conversation_id, from, text, status, sent_at };
        self.messages.insert(id, message.clone());
        message
    }

    /// Returns the conversation with a contact, and creates it if there is none.
    pub fn conversation_with(&mut self, contact_id: &str) -> String {
        let found = self.conversations.values().find(|conversation| conversation.contact_id == contact_id);
        if let Some(conversation) = found {
            return conversation.id.clone();
        }
        let id = self.next("v");
        let conversation = Conversation {
            id: id.clone(),
            contact_id: contact_id.to_owned(),
            channel: "whatsapp",
            status: "open".to_owned(),
            labels: Vec::new(),
        };
        self.conversations.insert(id.clone(), conversation);
        id
    }

    /// Returns an id that was never used before.
    pub fn next(&mut self, kind: &str) -> String {
        self.last += 1;
        format!("{kind}_{:04}", self.last)
    }
}
