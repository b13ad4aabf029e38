//! One writer at a time: `MODEL.lock`, an empty file whose lock a writer holds.
//!
//! The system lets go of a lock when its process ends, however it ends, so a leftover file bars
//! nobody. It is removed while it is still locked; whoever opened it before that gets the lock of a
//! file without a name, notices, and begins again with a new one. So there are never two writers.

use std::fs::{self, File, TryLockError};
use std::io;
use std::path::{Path, PathBuf};

use super::file::{beside, kind};

/// Holds the lock of a file until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
}

impl Lock {
    /// The lock of the file `target`, which need not exist; `None` if somebody else has it.
    pub(super) fn take(target: &Path) -> io::Result<Option<Self>> {
        let path = beside(target, "lock");
        loop {
            check(&path)?;
            let file = File::options()
                .write(true)
                .create(true)
                .truncate(false)
                .open(&path)?;
            match file.try_lock() {
                Ok(()) => {}
                Err(TryLockError::WouldBlock) => return Ok(None),
                // Some network folders know no locks. Training there is worth more than this guard.
                Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => {}
                Err(TryLockError::Error(error)) => return Err(error),
            }
            let lock = Lock {
                path: path.clone(),
                file,
            };
            if lock.is_current()? {
                return Ok(Some(lock));
            }
        }
    }

    /// Whether the locked file is the one at the path, not one removed in the meantime.
    #[cfg(unix)]
    fn is_current(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let mine = self.file.metadata()?;
        match fs::metadata(&self.path) {
            Ok(there) => Ok((mine.dev(), mine.ino()) == (there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Where files cannot be told apart none is ever removed.
    #[cfg(not(unix))]
    fn is_current(&self) -> io::Result<bool> {
        Ok(true)
    }
}

/// Refuses what somebody else has put in the place of the lock: to open a pipe is to wait for its
/// reader, for ever.
fn check(path: &Path) -> io::Result<()> {
    match fs::metadata(path) {
        Ok(metadata) if !metadata.is_file() => {
            let (shown, kind) = (path.display(), kind(&metadata));
            let what = format!("{shown} is {kind}, expected a file or nothing");
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
        // Whatever is wrong with it, opening it says so.
        _ => Ok(()),
    }
}

impl Drop for Lock {
    fn drop(&mut self) {
        if cfg!(unix) && self.is_current().is_ok_and(|is_current| is_current) {
            // A leftover bars nobody.
            let _ = fs::remove_file(&self.path);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_second_is_refused_until_the_first_lets_go() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("m");
        let first = Lock::take(&target).unwrap().unwrap();
        assert!(Lock::take(&target).unwrap().is_none());
        drop(first);
        drop(Lock::take(&target).unwrap().unwrap());
        if cfg!(unix) {
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
        }
    }

    #[test]
    fn a_leftover_bars_nobody() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("m");
        fs::write(folder.path().join("m.lock"), "").unwrap();
        assert!(Lock::take(&target).unwrap().is_some());
    }

    #[test]
    fn a_folder_in_its_place_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir(folder.path().join("m.lock")).unwrap();
        let error = Lock::take(&folder.path().join("m")).unwrap_err();
        let ours = "m.lock is a folder, expected a file or nothing";
        assert!(error.to_string().ends_with(ours), "{error}");
    }

    #[cfg(unix)]
    #[test]
    fn a_lock_whose_file_was_removed_takes_no_other_file_with_it() {
        let folder = tempfile::tempdir().unwrap();
        let target = folder.path().join("m");
        let robbed = Lock::take(&target).unwrap().unwrap();
        fs::remove_file(folder.path().join("m.lock")).unwrap();
        let heir = Lock::take(&target).unwrap().unwrap();
        drop(robbed);
        assert!(Lock::take(&target).unwrap().is_none());
        drop(heir);
    }

    #[test]
    fn many_threads_never_hold_it_together() {
        use std::sync::atomic::{AtomicUsize, Ordering};
        let folder = tempfile::tempdir().unwrap();
        let (target, holders, turns) = (
            folder.path().join("m"),
            AtomicUsize::new(0),
            AtomicUsize::new(0),
        );
        std::thread::scope(|scope| {
            for _ in 0..4 {
                scope.spawn(|| {
                    while turns.load(Ordering::SeqCst) < 300 {
                        if let Some(lock) = Lock::take(&target).unwrap() {
                            assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                            holders.fetch_sub(1, Ordering::SeqCst);
                            turns.fetch_add(1, Ordering::SeqCst);
                            drop(lock);
                        }
                    }
                });
            }
        });
    }
}
