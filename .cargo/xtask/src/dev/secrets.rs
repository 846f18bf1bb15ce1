//! The secrets of a local deployment: made once, kept with its state, readable by its owner alone.

use crate::failure::Failure;
use base64::{
    Engine,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use serde_json::{Value, json};
use std::{
    fs::{self, File, OpenOptions},
    io::{self, Read, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::Path,
};

const STEP: &str = "read the secrets of the local deployment";

/// What the Workers and the services share.
#[derive(Debug, PartialEq, Eq)]
pub struct Secrets {
    /// `MASTER_KEYS`.
    pub master_keys: String,
    /// `PRINCIPAL_KEY`.
    pub principal_key: String,
}

impl Secrets {
    /// Reads them from `secrets.json` in the folder of the state; makes them if there are none.
    pub fn read_or_make(data: &Path) -> Result<Self, Failure> {
        let file = data.join("secrets.json");
        let failed = |why: String| Failure::new(STEP, why, "remove the folder of the state, or start with --fresh");
        match fs::read(&file) {
            Ok(bytes) => {
                let read: Value = serde_json::from_slice(&bytes).map_err(|error| failed(error.to_string()))?;
                let text = |name: &str| {
                    read.get(name)
                        .and_then(Value::as_str)
                        .map(str::to_owned)
                        .ok_or_else(|| failed(format!("no {name}")))
                };
                Ok(Self { master_keys: text("MASTER_KEYS")?, principal_key: text("PRINCIPAL_KEY")? })
            }
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let made = Self {
                    master_keys: format!("1:{}", STANDARD.encode(random()?)),
                    principal_key: STANDARD.encode(random()?),
                };
                made.write(data, &file).map_err(|error| failed(error.to_string()))?;
                Ok(made)
            }
            Err(error) => Err(failed(error.to_string())),
        }
    }

    fn write(&self, data: &Path, file: &Path) -> io::Result<()> {
        fs::DirBuilder::new().recursive(true).mode(0o700).create(data)?;
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(file)?;
        let all = json!({ "MASTER_KEYS": self.master_keys, "PRINCIPAL_KEY": self.principal_key });
        writeln!(file, "{all:#}")
    }
}

/// A random text for addresses, 256 bits.
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
    use std::os::unix::fs::PermissionsExt;

    #[test]
    fn they_are_made_once_and_are_the_owners_alone() {
        let data = std::env::temp_dir().join(format!("ownchat-secrets-{}", std::process::id()));
        let first = Secrets::read_or_make(&data).unwrap();
        let second = Secrets::read_or_make(&data).unwrap();
        let mode = fs::metadata(data.join("secrets.json")).unwrap().permissions().mode();
        fs::write(data.join("secrets.json"), "{}").unwrap();
        let broken = Secrets::read_or_make(&data);
        fs::remove_dir_all(&data).unwrap();
        assert_eq!(first, second);
        assert_eq!(mode & 0o777, 0o600);
        assert!(broken.unwrap_err().why.contains("MASTER_KEYS"));
    }
}
