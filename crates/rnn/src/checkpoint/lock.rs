//! One writer at a time: `MODEL.lock`, a small file whose lock a run holds.
//!
//! The system releases the lock when the process ends, however it ends, so a leftover file blocks
//! nobody. The file is removed while it is still locked. Whoever opened it before gets the lock of a
//! file without a name, notices, and starts over with a new one. So there are never two writers.
//!
//! The file starts with [`LOCK_MARK`] and lists the temporary files of the current save. From that list
//! alone the next run knows what a killed run has left, and it removes nothing else: a `Cargo.lock` is
//! not ours, and a `.tmp` may be a text.

use std::ffi::OsStr;
use std::fs::{self, File, TryLockError};
use std::io::{self, Read, Seek, Write};
use std::path::{Path, PathBuf};

use super::place::{beside, check_own};

/// How a lock of ours begins.
pub const LOCK_MARK: &str = "rnn: training saves to the model beside this file\n";
/// How the names of temporary files begin and end.
pub(super) const TEMPORARY: (&str, &str) = (".rnn-", ".tmp");
/// More bytes than a lock of ours has.
const MOST: u64 = 1 << 16;

/// The name of the file beside a model that a run holds: `MODEL.lock`.
pub fn lock_path(model: &Path) -> PathBuf {
    beside(model, "lock")
}

/// Holds the lock of a file until it is dropped.
#[derive(Debug)]
pub(super) struct Lock {
    path: PathBuf,
    file: File,
    /// Whether the file is ours, by its content or because we made it. Others are left as they are.
    is_ours: bool,
    /// Names of temporary files that may be there.
    temporaries: Vec<String>,
}

impl Lock {
    /// Takes the lock of the file `target`, which need not exist, and removes what a killed run has left
    /// beside it; `None` if somebody else has the lock.
    pub(super) fn take(target: &Path) -> io::Result<Option<Self>> {
        let path = lock_path(target);
        loop {
            check_own(&path)?;
            let Some((file, is_new)) = open(&path)? else {
                continue;
            };
            if !try_lock(&file)? {
                return Ok(None);
            }
            let mut lock = Lock {
                path: path.clone(),
                file,
                is_ours: is_new,
                temporaries: Vec::new(),
            };
            if !lock.is_current()? {
                continue;
            }
            if is_new {
                lock.write()?;
            } else {
                lock.clean()?;
            }
            return Ok(Some(lock));
        }
    }

    /// Notes the name of a temporary file before it is made.
    pub(super) fn announce(&mut self, name: &OsStr) -> io::Result<()> {
        if !self.is_ours {
            return Ok(());
        }
        self.forget_gone();
        self.temporaries.push(name.to_string_lossy().into_owned());
        self.write()
    }

    fn write(&mut self) -> io::Result<()> {
        let mut text = LOCK_MARK.to_owned();
        for name in &self.temporaries {
            text.push_str(name);
            text.push('\n');
        }
        self.file.rewind()?;
        self.file.write_all(text.as_bytes())?;
        self.file.set_len(text.len() as u64)
    }

    /// Reads a file that was there before: a leftover of ours lists what else is left over.
    ///
    /// # Errors
    /// If it has other content. An empty file, or one of zeros as a power cut leaves it, locks as well as
    /// any, but may be somebody else's.
    fn clean(&mut self) -> io::Result<()> {
        let mut content = Vec::new();
        (&self.file).take(MOST).read_to_end(&mut content)?;
        if content.iter().all(|&byte| byte == 0) {
            return Ok(());
        }
        let names = std::str::from_utf8(&content)
            .ok()
            .and_then(|text| text.strip_prefix(LOCK_MARK));
        let Some(names) = names else {
            let what = format!(
                "{} is not a lock of this program; move it away or use another name for the model",
                self.path.display()
            );
            return Err(io::Error::new(io::ErrorKind::InvalidInput, what));
        };
        self.is_ours = true;
        let names = names.lines().filter(|name| is_temporary(name));
        self.temporaries = names.map(str::to_owned).collect();
        self.sweep();
        self.write()
    }

    /// Removes the temporary files on the list. What cannot be removed stays on it.
    fn sweep(&mut self) {
        for name in &self.temporaries {
            let left = self.path.with_file_name(name);
            if fs::symlink_metadata(&left).is_ok_and(|metadata| metadata.is_file()) {
                let _ = fs::remove_file(left);
            }
        }
        self.forget_gone();
    }

    fn forget_gone(&mut self) {
        let path = &self.path;
        self.temporaries
            .retain(|name| fs::symlink_metadata(path.with_file_name(name)).is_ok());
    }

    /// Whether the locked file is the one at the path, not one removed in the meantime.
    #[cfg(unix)]
    fn is_current(&self) -> io::Result<bool> {
        use std::os::unix::fs::MetadataExt;
        let mine = self.file.metadata()?;
        match fs::symlink_metadata(&self.path) {
            Ok(there) => Ok((mine.dev(), mine.ino()) == (there.dev(), there.ino())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Without a way to tell files apart, none is ever removed.
    #[cfg(not(unix))]
    fn is_current(&self) -> io::Result<bool> {
        Ok(true)
    }
}

/// Whether only we give such names.
fn is_temporary(name: &str) -> bool {
    let (start, end) = TEMPORARY;
    name.starts_with(start) && name.ends_with(end) && !name.contains(['/', '\\'])
}

/// The file at a path, and whether it was made now; `None` if it has gone or come in the meantime.
fn open(path: &Path) -> io::Result<Option<(File, bool)>> {
    let mut options = File::options();
    options.read(true).write(true);
    let again = |error: io::Error| match error.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::AlreadyExists => Ok(None),
        _ => Err(error),
    };
    if fs::symlink_metadata(path).is_ok() {
        let there = options.open(path);
        return there.map(|file| Some((file, false))).or_else(again);
    }
    match options.create_new(true).open(path) {
        // Its folder is gone, so another try would fail as well.
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(error),
        made => made.map(|file| Some((file, true))).or_else(again),
    }
}

/// Whether nobody else has the lock of a file, which then is ours.
fn try_lock(file: &File) -> io::Result<bool> {
    match file.try_lock() {
        Ok(()) => Ok(true),
        Err(TryLockError::WouldBlock) => Ok(false),
        // Some network folders know no locks. Training there is worth more than this guard.
        Err(TryLockError::Error(error)) if error.kind() == io::ErrorKind::Unsupported => Ok(true),
        Err(TryLockError::Error(error)) => Err(error),
    }
}

/// Whether a run holds the file `target`: as its model, as what it goes on from, or as its lock.
///
/// # Errors
/// If that cannot be told.
pub(super) fn is_held(target: &Path) -> io::Result<bool> {
    let of_run = target.extension().is_some_and(|end| end == "resume");
    let of_run = of_run.then(|| lock_path(&target.with_extension("")));
    let locks = [Some(target.to_owned()), Some(lock_path(target)), of_run];
    for path in locks.into_iter().flatten() {
        if fs::symlink_metadata(&path).is_ok_and(|metadata| metadata.is_file()) {
            match File::open(&path) {
                Ok(file) if try_lock(&file)? => {}
                Ok(_) => return Ok(true),
                Err(error) if error.kind() == io::ErrorKind::NotFound => {}
                Err(error) => return Err(error),
            }
        }
    }
    Ok(false)
}

impl Drop for Lock {
    fn drop(&mut self) {
        if cfg!(unix) && self.is_ours && self.is_current().is_ok_and(|is_current| is_current) {
            self.sweep();
            // A leftover blocks nobody, and the next run reads its list.
            if self.temporaries.is_empty() {
                let _ = fs::remove_file(&self.path);
            }
        }
    }
}

#[cfg(test)]
mod tests;
