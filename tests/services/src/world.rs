//! The data: one world for each workspace and environment, made when it is first asked for.

use ownchat_domain::{principal::Principal, time::Timestamp, token::Environment};
use serde::Serialize;
use std::{
    collections::{BTreeMap, HashMap},
    sync::{Mutex, PoisonError},
};

/// When the sample data begins.
const BEGIN: Timestamp = Timestamp::from_millis(1_788_000_000_000);

/// Somebody the business talks to.
#[derive(Clone, Debug, Serialize)]
pub struct Contact {
    /// `c_` and a number.
    pub id: String,
    /// The whole name.
    pub name: String,
    /// In international form.
    pub phone: String,
    /// The e-mail address.
    pub email: String,
    /// Words of the business's own.
    pub tags: Vec<String>,
    /// When it was made.
    pub created_at: Timestamp,
    /// When it was last changed.
    pub updated_at: Timestamp,
}

/// A conversation with a contact.
#[derive(Clone, Debug, Serialize)]
pub struct Conversation {
    /// `v_` and a number.
    pub id: String,
    /// Whom with.
    pub contact_id: String,
    /// Where.
    pub channel: &'static str,
    /// `open`, `closed` or `snoozed`.
    pub status: String,
    /// Words of the business's own.
    pub labels: Vec<String>,
}

/// One message.
#[derive(Clone, Debug, Serialize)]
pub struct Message {
    /// `m_` and a number.
    pub id: String,
    /// In which conversation.
    pub conversation_id: String,
    /// `contact` or `business`.
    pub from: &'static str,
    /// What it says.
    pub text: String,
    /// `queued`, `sent`, `delivered` or `read`.
    pub status: &'static str,
    /// When it was sent.
    pub sent_at: Timestamp,
}

/// Everything that one workspace keeps in one environment.
#[derive(Debug, Default)]
pub struct World {
    /// By id.
    pub contacts: BTreeMap<String, Contact>,
    /// By id.
    pub conversations: BTreeMap<String, Conversation>,
    /// By id.
    pub messages: BTreeMap<String, Message>,
    last: u32,
}

/// All worlds.
#[derive(Debug, Default)]
pub struct Worlds(Mutex<HashMap<(u32, Environment), World>>);

impl Worlds {
    /// Works on the world that a principal may see.
    pub fn of<T>(&self, principal: &Principal, work: impl FnOnce(&mut World) -> T) -> T {
        // A panic of another call leaves nothing half done here.
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

    /// The conversation with a contact; a new one if there is none.
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

    /// An id that was never given before.
    pub fn next(&mut self, kind: &str) -> String {
        self.last += 1;
        format!("{kind}_{:04}", self.last)
    }
}
