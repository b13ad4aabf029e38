//! Reading and writing model files on a disk that may fail at any instant.
//!
//! A save writes a temporary file beside the target, flushes it to the disk, renames it over the
//! target and flushes the folder: at every instant the path holds the old file or the new one,
//! whole. The temporary file has a random name that nobody else has taken. A symbolic link is
//! followed, so that the link stays and its target changes.

use std::fs::{self, File, Permissions};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::header;
use super::lock::{self, Lock, TEMPORARY};
use super::place::{self, folder};
use crate::error::{Error, Result};
use crate::memory;

/// Reads the bytes of a `.safetensors` file from any reader, such as standard input. Stops as soon as
/// the input cannot be one.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong, [`Error::Io`] if reading fails.
pub fn read_from(reader: impl Read) -> Result<Vec<u8>> {
    read_whole(reader, None)
}

/// As [`read_from`]; `size` is the number of bytes, if it is known.
fn read_whole(mut reader: impl Read, size: Option<u64>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Reads up to `len` bytes in all; whether there were as many.
    let mut fill = |bytes: &mut Vec<u8>, len: u64| -> io::Result<bool> {
        let missing = len - bytes.len() as u64;
        reader.by_ref().take(missing).read_to_end(bytes)?;
        Ok(bytes.len() as u64 == len)
    };
    if !fill(&mut bytes, header::WORD as u64)? {
        return Ok(bytes);
    }
    let end = header::end(*bytes.first_chunk().expect("so many were read"))?;
    if !fill(&mut bytes, end)? {
        return Ok(bytes);
    }
    let total = header::total(&bytes)?;
    let out_of_memory = || io::Error::from(io::ErrorKind::OutOfMemory);
    memory::check(total.into()).map_err(|_| out_of_memory())?;
    if let Some(size) = size {
        if size != total {
            return Err(header::wrong_len(size));
        }
        let rest = (total - end) as usize + 1;
        bytes.try_reserve_exact(rest).map_err(|_| out_of_memory())?;
    }
    // One byte too many shows that a reader of unknown size has more.
    fill(&mut bytes, total.saturating_add(1))?;
    Ok(bytes)
}

/// Reads a whole `.safetensors` file and parses its bytes.
///
/// # Errors
/// [`Error::File`] naming the path, with the reason as its source.
pub fn read<R>(path: &Path, parse: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
    let read = || {
        let file = match place::open(path, File::options().read(true)) {
            Err(error) if error.kind() == io::ErrorKind::InvalidInput => {
                let what = error.to_string();
                return Err(Error::NotAModel { what });
            }
            file => file?,
        };
        let len = file.metadata()?.len();
        parse(&read_whole(file, Some(len))?)
    };
    read().map_err(|source| Error::File {
        path: path.into(),
        source: Box::new(source),
    })
}

/// Writes a file. At every instant its path holds the old content or the new, whole.
///
/// # Errors
/// [`Error::Save`] naming the path, or [`Error::Locked`] if a run saves there; it then holds what it
/// held before.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    check_free(path)?;
    replace(path, bytes, None, None)
}

/// Checks, before hours of work, that a file can be saved at `path`.
///
/// # Errors
/// [`Error::Save`] when its folder is missing or not writable, or `path` is no regular file;
/// [`Error::Locked`] when a run saves there.
pub fn check_target(path: &Path) -> Result<()> {
    check_free(path)?;
    probe(path, None)
}

/// The file at the end of the symbolic links of `path`.
///
/// # Errors
/// [`Error::Save`] if that is neither a regular file nor a new name in a folder that exists.
pub fn resolve(path: &Path) -> Result<PathBuf> {
    place::resolve(path).map_err(|source| Error::Save {
        path: path.into(),
        source,
    })
}

/// # Errors
/// [`Error::Locked`] if a run writes the file that `path` means.
pub(super) fn check_free(path: &Path) -> Result<()> {
    let is_held = lock::is_held(&resolve(path)?).map_err(|source| Error::Save {
        path: path.into(),
        source,
    })?;
    if is_held {
        return Err(Error::Locked { path: path.into() });
    }
    Ok(())
}

/// As [`save`], for a run: notes the temporary file in `lock`, and gives a new file the permissions of
/// `like`, if that exists.
pub(super) fn replace(
    path: &Path,
    bytes: &[u8],
    lock: Option<&mut Lock>,
    like: Option<&Path>,
) -> Result<()> {
    let write = || -> io::Result<()> {
        let target = place::resolve(path)?;
        let permissions = match like.map(permissions) {
            Some(Ok(Some(permissions))) => Some(permissions),
            _ => permissions(&target)?,
        };
        let mut temporary = temporary(&target, lock, permissions)?;
        temporary.as_file_mut().write_all(bytes)?;
        temporary.as_file_mut().sync_all()?;
        let mut path = temporary.into_temp_path();
        // What came in the way since the first look is told in the same words.
        let in_the_way = |error| place::resolve(&target).err().unwrap_or(error);
        fs::rename(&path, &target).map_err(in_the_way)?;
        // The name is free now, and a new file of that name is not ours.
        path.disable_cleanup(true);
        sync_folder(&target)
    };
    write().map_err(|source| Error::Save {
        path: path.into(),
        source,
    })
}

/// Proves that a temporary file can be made where a save will make one.
pub(super) fn probe(path: &Path, lock: Option<&mut Lock>) -> Result<()> {
    place::resolve(path)
        .and_then(|target| temporary(&target, lock, None))
        .map(drop)
        .map_err(|source| Error::Save {
            path: path.into(),
            source,
        })
}

/// The permissions of a file that exists.
fn permissions(path: &Path) -> io::Result<Option<Permissions>> {
    match fs::metadata(path) {
        Ok(metadata) => Ok(Some(metadata.permissions())),
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        Err(error) => Err(error),
    }
}

/// A new file beside `target`, removed on drop. Its name is random and new, so no existing file, link
/// or pipe is touched.
fn temporary(
    target: &Path,
    mut lock: Option<&mut Lock>,
    permissions: Option<Permissions>,
) -> io::Result<tempfile::NamedTempFile<File>> {
    let (start, end) = TEMPORARY;
    let mut builder = tempfile::Builder::new();
    builder.prefix(start).suffix(end).rand_bytes(12);
    let made = builder.make_in(folder(target), |path| {
        if let Some(lock) = &mut lock {
            lock.announce(path.file_name().unwrap_or_default())?;
        }
        let mut options = File::options();
        options.write(true).create_new(true);
        // Until it has its final permissions, only the owner may read it.
        #[cfg(unix)]
        if permissions.is_some() {
            std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
        }
        options.open(path)
    });
    let file = made?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(file)
}

/// Flushes the folder, and with it the rename. Windows has no way to ask for that.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder(path))?.sync_all()
    } else {
        Ok(())
    }
}
