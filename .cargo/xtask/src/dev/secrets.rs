//! Secrets of a local deployment. Generated once, stored with its state, readable by their owner
//! alone.

use crate::failure::Failure;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};
use std::{
    collections::BTreeMap,
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt, PermissionsExt},
    path::Path,
};

/// Folder of the stores, in the folder of the state.
const STORE: &str = "store";
/// File with the check values of the master secrets, in the folder of the stores.
const CHECKS: &str = "master-secrets.json";

const STEP: &str = "read the secrets of the local deployment";

/// Secrets that the Workers and the services share.
#[derive(Debug, PartialEq, Eq)]
pub struct Secrets {
    /// Value of `MASTER_KEYS`.
    pub master_keys: String,
    /// Value of `PRINCIPAL_KEY`.
    pub principal_key: String,
    /// Value of `SERVICE_TOKEN`, with which the services verify keys at the edge.
    pub service_token: String,
}

impl Secrets {
    /// Reads the secrets from `secrets.json` in the folder of the state.
    ///
    /// Generates them if there is no store yet. Adds a service token to a file that predates
    /// service tokens.
    ///
    /// # Errors
    ///
    /// Fails if a store exists and its secrets are missing, unreadable or different: every key in
    /// it would be refused.
    pub fn read_or_make(data: &Path) -> Result<Self, Failure> {
        let file = data.join("secrets.json");
        let failed = |why: String| Failure::new(STEP, why, "put back the secrets.json that belongs to this store");
        let secrets = match fs::read(&file) {
            Ok(bytes) => {
                let read: Value = serde_json::from_slice(&bytes)
                    .map_err(|error| failed(format!("{} cannot be read: {error}", file.display())))?;
                let known = |name: &str| read.get(name).and_then(Value::as_str).map(str::to_owned);
                let text = |name: &str| known(name).ok_or_else(|| failed(format!("{} has no {name}", file.display())));
                let (master_keys, principal_key) = (text("MASTER_KEYS")?, text("PRINCIPAL_KEY")?);
                if let Some(service_token) = known("SERVICE_TOKEN") {
                    Self { master_keys, principal_key, service_token }
                } else {
                    let more = Self { master_keys, principal_key, service_token: random_text()? };
                    more.replace(data, &file).map_err(|error| failed(error.to_string()))?;
                    more
                }
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound && data.join(STORE).exists() => {
                return Err(failed(format!("{} is missing, and there is a store", file.display())));
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = Self {
                    master_keys: format!("1:{}", STANDARD.encode(random()?)),
                    principal_key: STANDARD.encode(random()?),
                    service_token: random_text()?,
                };
                made.write(data, &file).map_err(|error| failed(error.to_string()))?;
                made
            }
            Err(error) => return Err(failed(error.to_string())),
        };
        keep_private(&file).map_err(|error| failed(error.to_string()))?;
        secrets.compare(data).map_err(failed)?;
        Ok(secrets)
    }

    /// Compares the master secrets with the check values of the store, and records new ones.
    fn compare(&self, data: &Path) -> Result<(), String> {
        let file = data.join(STORE).join(CHECKS);
        let known = match fs::read(&file) {
            Ok(bytes) => serde_json::from_slice::<BTreeMap<String, String>>(&bytes)
                .map_err(|error| format!("{} cannot be read: {error}", file.display()))?,
            Err(error) if error.kind() == io::ErrorKind::NotFound => BTreeMap::new(),
            Err(error) => return Err(format!("{}: {error}", file.display())),
        };
        let now = checks(&self.master_keys);
        if let Some((id, _)) = known.iter().find(|(id, check)| now.get(*id).is_some_and(|now| now != *check)) {
            return Err(format!("the master secret {id} is not the one that the store was used with"));
        }
        if !known.is_empty() && !known.keys().any(|id| now.contains_key(id)) {
            return Err("none of the master secrets is one that the store was used with".to_owned());
        }
        if now.keys().all(|id| known.contains_key(id)) {
            return Ok(());
        }
        let all: BTreeMap<_, _> = known.into_iter().chain(now).collect();
        // An atomic replacement keeps the old file on a full disk.
        let write = || -> io::Result<()> {
            fs::DirBuilder::new().recursive(true).mode(0o700).create(data.join(STORE))?;
            let unfinished = file.with_extension("part");
            fs::write(&unfinished, format!("{:#}\n", json!(all)))?;
            fs::rename(&unfinished, &file)
        };
        write().map_err(|error| format!("{}: {error}", file.display()))
    }

    /// Returns the value of the edge's binding `SERVICE_TOKENS`.
    pub fn service_tokens(&self) -> String {
        format!("dev:{:x}", Sha256::digest(&self.service_token))
    }

    /// Replaces the file atomically.
    fn replace(&self, data: &Path, file: &Path) -> io::Result<()> {
        let unfinished = file.with_extension("part");
        let _ = fs::remove_file(&unfinished);
        self.write(data, &unfinished)?;
        fs::rename(&unfinished, file)
    }

    fn write(&self, data: &Path, file: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        let all = json!({
            "MASTER_KEYS": self.master_keys,
            "PRINCIPAL_KEY": self.principal_key,
            "SERVICE_TOKEN": self.service_token,
        });
        writeln!(file, "{all:#}")
    }
}

/// Restricts a file to its owner.
fn keep_private(file: &Path) -> io::Result<()> {
    let mode = fs::metadata(file)?.permissions().mode();
    if mode & 0o077 != 0 {
        eprintln!("warning: others could read {} (mode {:o}); now only you can", file.display(), mode & 0o777);
        fs::set_permissions(file, fs::Permissions::from_mode(0o600))?;
    }
    Ok(())
}

/// Computes a check value of each master secret, by id. It identifies the secret and reveals
/// nothing else about it.
fn checks(master_keys: &str) -> BTreeMap<String, String> {
    let check = |entry: &str| {
        let (id, _) = entry.trim().split_once(':')?;
        let hash = Sha256::digest(format!("ownchat check {}", entry.trim()));
        Some((id.to_owned(), URL_SAFE_NO_PAD.encode(hash.get(..12)?)))
    };
    master_keys.split(',').filter_map(check).collect()
}

/// Returns a random URL-safe text of 256 bits.
pub fn random_text() -> Result<String, Failure> {
    Ok(URL_SAFE_NO_PAD.encode(random()?))
}

fn random() -> Result<[u8; 32], Failure> {
    let mut bytes = [0; 32];
    File::open("/dev/urandom")
        .and_then(|mut file| file.read_exact(&mut bytes))
        .map_err(|error| Failure::new(STEP, error.to_string(), "this needs /dev/urandom"))?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    /// A temporary folder, removed on drop.
    struct Folder(PathBuf);

    impl Folder {
        fn new(name: &str) -> Self {
            Self(std::env::temp_dir().join(format!("ownchat-secrets-{name}-{}", std::process::id())))
        }

        fn file(&self) -> PathBuf {
            self.0.join("secrets.json")
        }

        fn refused(&self) -> String {
            let failure = Secrets::read_or_make(&self.0).unwrap_err();
            assert!(
                !failure.remedy.contains("remove")
                    && !failure.remedy.contains("fresh")
                    && failure.remedy.contains("put back"),
                "{}",
                failure.remedy
            );
            failure.why
        }
    }

    impl Drop for Folder {
        fn drop(&mut self) {
            let _ = fs::remove_dir_all(&self.0);
        }
    }

    #[test]
    fn they_are_made_once_and_are_the_owners_alone() {
        let folder = Folder::new("once");
        let mode = || fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777;
        let first = Secrets::read_or_make(&folder.0).unwrap();
        assert_eq!(mode(), 0o600);
        fs::set_permissions(folder.file(), fs::Permissions::from_mode(0o644)).unwrap();
        assert_eq!(Secrets::read_or_make(&folder.0).unwrap(), first);
        assert_eq!(mode(), 0o600, "others could still read them");
        fs::write(folder.file(), "{}").unwrap();
        assert!(folder.refused().contains("MASTER_KEYS"));
        fs::write(folder.file(), "{").unwrap();
        assert!(folder.refused().contains("cannot be read"));
    }

    #[test]
    fn an_older_file_gets_a_service_token_and_keeps_the_rest() {
        let folder = Folder::new("older");
        let first = Secrets::read_or_make(&folder.0).unwrap();
        let older = json!({ "MASTER_KEYS": first.master_keys, "PRINCIPAL_KEY": first.principal_key });
        fs::write(folder.file(), older.to_string()).unwrap();
        let second = Secrets::read_or_make(&folder.0).unwrap();
        assert_ne!(second.service_token, first.service_token);
        assert_eq!((&second.master_keys, &second.principal_key), (&first.master_keys, &first.principal_key));
        assert_eq!(Secrets::read_or_make(&folder.0).unwrap(), second);
        assert_eq!(fs::metadata(folder.file()).unwrap().permissions().mode() & 0o777, 0o600);
        assert!(!second.service_tokens().contains(&second.service_token));
    }

    #[test]
    fn none_are_made_beside_a_store() {
        let folder = Folder::new("store");
        Secrets::read_or_make(&folder.0).unwrap();
        fs::remove_file(folder.file()).unwrap();
        assert!(folder.refused().contains("is missing"));
        assert!(!folder.file().exists());
    }

    #[test]
    fn others_than_those_of_the_store_are_refused() {
        let folder = Folder::new("others");
        let secrets = Secrets::read_or_make(&folder.0).unwrap();
        let put = |master_keys: &str| {
            fs::remove_file(folder.file()).unwrap();
            let [principal_key, service_token] = [&secrets.principal_key, &secrets.service_token].map(String::clone);
            let other = Secrets { master_keys: master_keys.to_owned(), principal_key, service_token };
            other.write(&folder.0, &folder.file()).unwrap();
        };
        let [other, second] = [7, 8].map(|byte| STANDARD.encode([byte; 32]));
        put(&format!("1:{other}"));
        assert!(folder.refused().contains("master secret 1"));
        put(&format!("2:{second}"));
        assert!(folder.refused().contains("none of"));
        // Roll over to a second secret: add it, then remove the first.
        put(&format!("{},2:{second}", secrets.master_keys));
        assert!(Secrets::read_or_make(&folder.0).is_ok());
        put(&format!("2:{second}"));
        assert!(Secrets::read_or_make(&folder.0).is_ok());
        assert!(!fs::read_to_string(folder.0.join(STORE).join(CHECKS)).unwrap().contains(&second));
    }
}
