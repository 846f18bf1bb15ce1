//! The folder with the state of a local deployment. A lock admits one deployment at a time.

use crate::failure::Failure;
use std::{
    fs::{self, File, TryLockError},
    io,
    os::unix::fs::DirBuilderExt,
    path::{Path, PathBuf},
};

const STEP: &str = "open the folder of the state";

/// Entries of a deployment in the folder. Nothing else is ever removed.
const OURS: [&str; 2] = ["store", "secrets.json"];

/// Lock file of the deployment that uses the folder.
const LOCK: &str = "lock";

/// The locked folder. The lock ends on drop, or when the process ends in any way.
#[derive(Debug)]
pub struct State {
    folder: PathBuf,
    _lock: File,
}

impl State {
    /// Creates the folder if necessary, and locks it.
    pub fn take(folder: &Path) -> Result<Self, Failure> {
        let failed = |error: io::Error| {
            Failure::new(STEP, format!("{}: {error}", folder.display()), "choose another folder with DATA_DIR")
        };
        fs::DirBuilder::new().recursive(true).mode(0o700).create(folder).map_err(failed)?;
        let lock = File::options().create(true).write(true).truncate(false).open(folder.join(LOCK)).map_err(failed)?;
        match lock.try_lock() {
            Ok(()) => Ok(Self { folder: folder.to_owned(), _lock: lock }),
            Err(TryLockError::WouldBlock) => Err(Failure::new(
                STEP,
                format!("another deployment uses {}", folder.display()),
                "stop that one, or choose another folder with DATA_DIR",
            )),
            Err(TryLockError::Error(error)) => Err(failed(error)),
        }
    }

    /// Deletes everything that a deployment has stored in the folder.
    pub fn forget(&self) -> Result<(), Failure> {
        for name in OURS {
            let path = self.folder.join(name);
            let removed = if path.is_dir() { fs::remove_dir_all(&path) } else { fs::remove_file(&path) };
            match removed {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    let why = format!("{}: {error}", path.display());
                    return Err(Failure::new("forget the old state", why, "remove it by hand"));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Deletes the state, and the folder too unless it holds foreign files.
    pub fn remove(self) -> Result<(), Failure> {
        self.forget()?;
        let _ = fs::remove_file(self.folder.join(LOCK));
        let _ = fs::remove_dir(&self.folder);
        Ok(())
    }

    /// Returns the path of the folder.
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folder(name: &str) -> PathBuf {
        std::env::temp_dir().join(format!("ownchat-state-{name}-{}", std::process::id()))
    }

    #[test]
    fn one_at_a_time_has_the_folder() {
        let folder = folder("lock");
        let first = State::take(&folder).unwrap();
        assert!(State::take(&folder).unwrap_err().why.contains("another deployment"));
        drop(first);
        assert!(State::take(&folder).is_ok());
        fs::remove_dir_all(&folder).unwrap();
    }

    #[test]
    fn a_removed_folder_is_gone_unless_it_holds_more() {
        let folder = folder("remove");
        let state = State::take(&folder).unwrap();
        fs::create_dir_all(folder.join("store/v3")).unwrap();
        state.remove().unwrap();
        assert!(!folder.exists());
        let state = State::take(&folder).unwrap();
        fs::write(folder.join("novel.txt"), "chapter one").unwrap();
        state.remove().unwrap();
        let novel_is_left = folder.join("novel.txt").exists();
        fs::remove_dir_all(&folder).unwrap();
        assert!(novel_is_left);
    }

    #[test]
    fn forgetting_the_state_leaves_foreign_files() {
        let folder = folder("forget");
        let state = State::take(&folder).unwrap();
        state.forget().unwrap();
        fs::create_dir_all(folder.join("store/v3")).unwrap();
        fs::write(folder.join("secrets.json"), "{}").unwrap();
        fs::write(folder.join("novel.txt"), "chapter one").unwrap();
        state.forget().unwrap();
        let left: Vec<bool> =
            ["store", "secrets.json", "novel.txt"].iter().map(|name| folder.join(name).exists()).collect();
        fs::remove_dir_all(&folder).unwrap();
        assert_eq!(left, [false, false, true]);
    }
}
