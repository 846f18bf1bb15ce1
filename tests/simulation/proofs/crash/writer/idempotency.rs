//! Idempotent requests: with an `Idempotency-Key` a request is done once, however often it is sent.

use super::{Writer, newest_secret};
use crate::crash::check::Truth;
use ownchat_domain::{
    digest::SecretHash,
    idempotency::{BodyHash, Idempotency},
    key::{Key, NewKey},
    locator::Locator,
    token::Secret,
    vault::registry::{CreateKey, RotateKey},
};
use ownchat_runtime::{Admin, new_key, secret, token};
use ownchat_simulation::World;
use std::io;

/// A sent request, with its response if there was one.
pub struct SentRequest {
    command: IdempotentCommand,
    brings: Secret,
    answer: Option<Key>,
}

#[derive(Debug)]
#[allow(clippy::large_enum_variant, reason = "there are a few dozen of them")]
enum IdempotentCommand {
    /// The description of the created key is the name of the request.
    Create(CreateKey),
    Rotate(RotateKey),
}

impl Writer {
    fn name(&mut self) -> String {
        self.requests += 1;
        format!("request-{}-{}", self.number, self.requests)
    }

    pub fn create_once(&mut self, admin: &mut Admin) -> io::Result<()> {
        let (name, brings) = (self.name(), secret());
        let key = NewKey { description: name.clone(), ..new_key("Made", &super::SCOPES[..1]) };
        let secret = SecretHash::of(&brings);
        let call = CreateKey { origin: admin.origin(), key, secret, once: Some(once(&name)) };
        let key = self.send(admin, IdempotentCommand::Create(call), brings.clone())?;
        self.take_up(&key, token(&key, brings));
        Ok(())
    }

    pub fn rotate_once(&mut self, admin: &mut Admin, id: &str, overlap_seconds: u32) -> io::Result<()> {
        let (name, brings) = (self.name(), secret());
        let known = self.keys.get_mut(id).unwrap();
        known.is_asked = true;
        known.brings = Some(token(&known.key, brings.clone()));
        let (id, version, secret) = (known.key.id, known.key.version, SecretHash::of(&brings));
        let once = Some(once(&name));
        let call = RotateKey { origin: admin.origin(), id, version, overlap_seconds, end_earlier: true, secret, once };
        let key = self.send(admin, IdempotentCommand::Rotate(call), brings)?;
        self.take_over(&key);
        Ok(())
    }

    fn send(&mut self, admin: &mut Admin, command: IdempotentCommand, brings: Secret) -> io::Result<Key> {
        // Logged before it is sent: it may be done without a response.
        self.sent.push(SentRequest { command, brings, answer: None });
        let sent = self.sent.last_mut().unwrap();
        let (key, replayed) = sent.command.ask(admin)?;
        assert!(!replayed, "{:?} was never sent before", sent.command);
        sent.answer = Some(key.clone());
        Ok(key)
    }

    /// Adopts a rotated key.
    fn take_over(&mut self, key: &Key) {
        let known = self.keys.get_mut(&key.id.to_string()).unwrap();
        known.is_asked = false;
        known.tokens.extend(newest_secret(key).zip(known.brings.take()));
        known.key = key.clone();
        self.note(key, Some(key.clone()));
    }

    /// Repeats all requests since the previous start of the vault, each twice. A finished request
    /// returns its first response and is not done again; any other is done now. Returns the number
    /// of finished ones.
    pub fn send_again(&mut self, world: &World, truth: &Truth) -> usize {
        let mut admin = Admin::of(world.vault(), self.workspace);
        let mut were_done = 0;
        for SentRequest { command, brings, answer } in std::mem::take(&mut self.sent) {
            // The vault reveals nothing about deleted keys.
            if command.subject().is_some_and(|id| truth.key(id).1) {
                continue;
            }
            let done = command.outcome(truth);
            let (key, replayed) = command.ask(&mut admin).unwrap();
            assert_eq!(replayed, done.is_some(), "whether {command:?} was done");
            assert!(done.is_none_or(|id| id == key.id), "{command:?} has made {key:?}");
            assert!(
                answer.as_ref().is_none_or(|answer| *answer == key),
                "{command:?} is answered {key:?}, not {answer:?}"
            );
            assert_eq!(command.ask(&mut admin).unwrap(), (key.clone(), true), "{command:?}");
            were_done += usize::from(replayed);
            match &command {
                IdempotentCommand::Create(_) if answer.is_none() => self.take_up(&key, token(&key, brings)),
                IdempotentCommand::Rotate(_) if !replayed => {
                    self.keys.get_mut(&key.id.to_string()).unwrap().brings = Some(token(&key, brings));
                    self.take_over(&key);
                }
                _ => {}
            }
        }
        were_done
    }
}

impl IdempotentCommand {
    /// Sends the command. Returns the key, and true if an earlier request did it.
    fn ask(&self, admin: &mut Admin) -> io::Result<(Key, bool)> {
        Ok(match self {
            Self::Create(call) => admin.ask(call)?.map(|issued| (issued.key, issued.replayed)),
            Self::Rotate(call) => admin.ask(call)?.map(|changed| (changed.key, changed.replayed)),
        }
        .unwrap_or_else(|failure| panic!("{failure}: {self:?}")))
    }

    /// The key that it changes.
    fn subject(&self) -> Option<Locator> {
        match self {
            Self::Create(_) => None,
            Self::Rotate(call) => Some(call.id),
        }
    }

    /// The key that it has created or changed, if it was done.
    fn outcome(&self, truth: &Truth) -> Option<Locator> {
        match self {
            Self::Create(call) => truth.made_by(&call.key.description),
            Self::Rotate(call) => (truth.key(call.id).2 > call.version).then_some(call.id),
        }
    }
}

fn once(name: &str) -> Idempotency {
    Idempotency { key: name.parse().unwrap(), body: BodyHash::of(name.as_bytes()) }
}
