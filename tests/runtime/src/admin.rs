//! Client of the vault that does the console's work for an admin, with the console's commands.

use crate::{HttpClient, JSON};
use ownchat_domain::{
    account::PersonId,
    digest::SecretHash,
    environment::Environment,
    key::{Key, NewKey},
    locator::Locator,
    token::{Secret, Token},
    transfer::{ExportLine, LineHash},
    vault::{
        Command, Object, Origin, Outcome,
        registry::{CreateKey, CreateWorkspace},
        transfer::{FinishImport, Imported, ReadExport, StageImport},
    },
};
use std::{io, net::SocketAddr};

/// The owner of one workspace.
#[derive(Debug)]
pub struct Admin {
    client: HttpClient,
    /// The number of the workspace.
    pub workspace: u32,
    /// Id of the owner.
    pub person: PersonId,
}

/// Lines of a file that one command stages.
const IMPORT_PART: usize = 20;

/// A created key, with its token.
#[derive(Clone, Debug)]
pub struct Made {
    /// The key as the vault returns it.
    pub key: Key,
    /// The key in plain text.
    pub token: String,
}

impl Made {
    /// Public id of the key.
    pub fn id(&self) -> Locator {
        self.key.id
    }
}

impl Admin {
    /// Creates the workspace of this number, with an owner.
    pub fn found(vault: SocketAddr, workspace: u32) -> Self {
        let mut admin = Self::of(vault, workspace);
        let found =
            CreateWorkspace { number: workspace, name: "Acme".into(), owner: admin.person, owner_name: "Ada".into() };
        admin.ask(&found).unwrap().unwrap();
        admin
    }

    /// The owner of an existing workspace.
    pub fn of(vault: SocketAddr, workspace: u32) -> Self {
        Self { client: HttpClient::new(vault), workspace, person: PersonId(u64::from(workspace) + 1) }
    }

    /// Sends a command to the registry of the workspace.
    ///
    /// # Errors
    ///
    /// The request failed, so the outcome is unknown.
    pub fn ask<C: Command>(&mut self, call: &C) -> io::Result<Outcome<C::Answer>> {
        self.ask_object(Object::Registry(self.workspace), call)
    }

    /// Sends a command to any object of the vault.
    ///
    /// # Errors
    ///
    /// The request failed, so the outcome is unknown.
    pub fn ask_object<C: Command>(&mut self, object: Object, call: &C) -> io::Result<Outcome<C::Answer>> {
        let body = serde_json::to_vec(call)?;
        let answer = self.client.call("POST", &object.path(C::NAME), &[JSON], &body)?;
        if answer.status != 200 {
            return Err(io::Error::other(format!("{}: {} {}", C::NAME, answer.status, answer.text())));
        }
        Ok(serde_json::from_slice(&answer.body)?)
    }

    /// Origin of a command: caller, client IP address and request id.
    pub fn origin(&self) -> Origin {
        Origin { caller: self.person.into(), address: "192.0.2.1".into(), request_id: "0".repeat(32) }
    }

    /// Creates a key.
    ///
    /// # Errors
    ///
    /// The request failed, so the outcome is unknown.
    pub fn create(&mut self, key: NewKey) -> io::Result<Outcome<Made>> {
        let secret = secret();
        let call = CreateKey { origin: self.origin(), key, secret: SecretHash::of(&secret), once: None };
        Ok(self.ask(&call)?.map(|issued| Made { token: token(&issued.key, secret), key: issued.key }))
    }

    /// Exports the workspace as the lines of a file.
    pub fn export(&mut self) -> Vec<String> {
        let (mut lines, mut hash, mut after) = (Vec::new(), LineHash::default(), None);
        loop {
            let part = self.ask(&ReadExport { origin: self.origin(), after }).unwrap().unwrap();
            for line in part.lines {
                hash.add(&line);
                lines.push(line);
            }
            after = part.next;
            if after.is_none() {
                lines.push(ExportLine::End(hash.trailer()).write());
                return lines;
            }
        }
    }

    /// Imports the workspace from a file, part by part.
    ///
    /// # Errors
    ///
    /// The request failed, so the outcome is unknown.
    pub fn import(&mut self, file: &[String]) -> io::Result<Outcome<Imported>> {
        for (first, lines) in (1..).step_by(IMPORT_PART).zip(file.chunks(IMPORT_PART)) {
            let staged = self.ask(&StageImport { origin: self.origin(), first, lines: lines.to_vec() })?;
            if let Err(failure) = staged {
                return Ok(Err(failure));
            }
        }
        self.ask(&FinishImport { origin: self.origin() })
    }

    /// Creates a key with this name and these scopes.
    pub fn make(&mut self, name: &str, scopes: &[&str]) -> Made {
        self.create(new_key(name, scopes)).unwrap().unwrap()
    }
}

/// Generates a random secret.
pub fn secret() -> Secret {
    Secret::generate(getrandom::fill).unwrap()
}

/// Input for the creation of a live key with this name and these scopes.
pub fn new_key(name: &str, scopes: &[&str]) -> NewKey {
    NewKey {
        name: name.to_owned(),
        environment: Environment::Live.to_string(),
        scopes: scopes.iter().map(|scope| (*scope).to_owned()).collect(),
        ..NewKey::default()
    }
}

/// The token of a key with this secret.
pub fn token(key: &Key, secret: Secret) -> String {
    Token { environment: key.environment, locator: key.id, secret }.reveal().to_string()
}
