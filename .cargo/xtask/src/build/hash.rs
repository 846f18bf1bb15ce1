//! A name for the content of files: FNV-1a, 64 bits. It tells versions apart; it protects nothing.

use std::{fs, io, path::Path};

/// The name of all files of a folder, 16 hexadecimal digits.
pub fn of_files(folder: &Path) -> io::Result<String> {
    let mut files: Vec<_> = fs::read_dir(folder)?.flatten().map(|file| file.path()).filter(|p| p.is_file()).collect();
    files.sort();
    let mut hash = 0xcbf2_9ce4_8422_2325_u64;
    for file in files {
        for byte in fs::read(file)? {
            hash = (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }
    Ok(format!("{hash:016x}"))
}

#[cfg(test)]
mod tests {
    use super::of_files;
    use std::fs;

    #[test]
    fn another_content_has_another_name() {
        let folder = std::env::temp_dir().join(format!("ownchat-hash-{}", std::process::id()));
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("a"), "a").unwrap();
        let one = of_files(&folder).unwrap();
        fs::write(folder.join("a"), "b").unwrap();
        let two = of_files(&folder).unwrap();
        fs::remove_dir_all(&folder).unwrap();
        // The known answer of FNV-1a for "a".
        assert_eq!(one, "af63dc4c8601ec8c");
        assert_ne!(one, two);
    }
}
