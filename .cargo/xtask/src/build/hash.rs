//! Content hash: FNV-1a, 64 bits. It identifies versions and is not cryptographic.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Hashes files and their paths below `base` to 16 hexadecimal digits, in any order. An unreadable
/// file counts as empty.
pub fn of_files(base: &Path, files: &[PathBuf]) -> String {
    let mut files: Vec<_> = files.iter().collect();
    files.sort();
    let mut hash = Hash::default();
    for file in files {
        hash.add_file(file.strip_prefix(base).unwrap_or(file), &fs::read(file).unwrap_or_default());
    }
    hash.name()
}

/// The state of an incremental hash.
pub struct Hash(u64);

impl Default for Hash {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Hash {
    /// Adds a file to the hash.
    pub fn add_file(&mut self, path: &Path, content: &[u8]) {
        self.add(path.as_os_str().as_encoded_bytes());
        self.add(&[0]);
        self.add(content);
    }

    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    /// Returns the hash as 16 hexadecimal digits.
    pub fn name(&self) -> String {
        format!("{:016x}", self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fnv_1a() {
        let mut hash = Hash::default();
        hash.add(b"foobar");
        assert_eq!(hash.name(), "85944171f73967e8");
    }

    #[test]
    fn another_content_has_another_name() {
        let file = std::env::temp_dir().join(format!("ownchat-hash-{}", std::process::id()));
        fs::write(&file, "a").unwrap();
        let one = of_files(Path::new("/"), std::slice::from_ref(&file));
        fs::write(&file, "b").unwrap();
        let two = of_files(Path::new("/"), std::slice::from_ref(&file));
        fs::remove_file(&file).unwrap();
        assert_ne!(one, two);
    }
}
