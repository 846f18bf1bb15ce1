//! A name for the content of files: FNV-1a, 64 bits. It tells versions apart; it protects nothing.

use std::{
    fs,
    path::{Path, PathBuf},
};

/// The name of files with their paths below `base`, whatever their order; 16 hexadecimal digits. What cannot
/// be read counts as empty.
pub fn of(base: &Path, files: &[PathBuf]) -> String {
    let mut files: Vec<_> = files.iter().collect();
    files.sort();
    let mut hash = Fnv::default();
    for file in files {
        hash.add(file.strip_prefix(base).unwrap_or(file).as_os_str().as_encoded_bytes());
        hash.add(&[0]);
        hash.add(&fs::read(file).unwrap_or_default());
    }
    format!("{:016x}", hash.0)
}

struct Fnv(u64);

impl Default for Fnv {
    fn default() -> Self {
        Self(0xcbf2_9ce4_8422_2325)
    }
}

impl Fnv {
    fn add(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.0 = (self.0 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_is_fnv_1a() {
        let mut hash = Fnv::default();
        hash.add(b"foobar");
        assert_eq!(hash.0, 0x8594_4171_f739_67e8);
    }

    #[test]
    fn another_content_has_another_name() {
        let file = std::env::temp_dir().join(format!("ownchat-hash-{}", std::process::id()));
        fs::write(&file, "a").unwrap();
        let one = of(Path::new("/"), std::slice::from_ref(&file));
        fs::write(&file, "b").unwrap();
        let two = of(Path::new("/"), std::slice::from_ref(&file));
        fs::remove_file(&file).unwrap();
        assert_ne!(one, two);
    }
}
