//! Reading and writing model files on a disk that may fail at any instant.
//!
//! A save writes a temporary file beside the target, flushes it to the disk, renames it over the
//! target and flushes the folder: at every instant the path holds the old file or the new one,
//! whole. A symbolic link is followed, so that the link stays and its target changes.

use std::fs::{self, File};
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};

use super::lock::Lock;
use super::{from_bytes, header};
use crate::error::{Error, Result};
use crate::memory;
use crate::model::Model;

/// Reads a model from a file.
///
/// # Errors
/// [`Error::File`] naming the path, with the reason as its source.
pub fn load(path: &Path) -> Result<Model> {
    read(path, from_bytes)
}

/// The bytes of a `.safetensors` file from wherever they come, such as standard input. Of what can be
/// no such file no more is read than it takes to see that.
///
/// # Errors
/// [`Error::NotAModel`] saying what is wrong, [`Error::Io`] where they cannot be read.
pub fn read_from(reader: impl Read) -> Result<Vec<u8>> {
    read_whole(reader, None)
}

/// As [`read_from`]; `size` is how many bytes there are, where that is known.
fn read_whole(mut reader: impl Read, size: Option<u64>) -> Result<Vec<u8>> {
    let mut bytes = Vec::new();
    // Whether there were so many bytes in all.
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
    // A byte too many is how a reader without a size shows that it has more.
    fill(&mut bytes, total.saturating_add(1))?;
    Ok(bytes)
}

/// Reads a whole `.safetensors` file and makes of its bytes what `parse` does.
///
/// # Errors
/// [`Error::File`] naming the path, with the reason as its source.
pub fn read<R>(path: &Path, parse: impl FnOnce(&[u8]) -> Result<R>) -> Result<R> {
    let read = || {
        // Asked before opening: to open a pipe is to wait for its writer.
        let metadata = fs::metadata(path)?;
        if !metadata.is_file() {
            return Err(Error::NotAModel {
                what: format!("it is {}, expected a file", kind(&metadata)),
            });
        }
        parse(&read_whole(File::open(path)?, Some(metadata.len()))?)
    };
    read().map_err(|source| Error::File {
        path: path.into(),
        source: Box::new(source),
    })
}

/// Writes a file so that its path holds the old content or the new, never a part.
///
/// # Errors
/// [`Error::Save`] naming the path, or [`Error::Locked`] if another writer holds it; it then holds
/// what it held before.
pub fn save(path: &Path, bytes: &[u8]) -> Result<()> {
    let _lock = lock(path)?;
    replace(path, bytes)
}

/// The lock of the file that `path` means.
///
/// # Errors
/// [`Error::Locked`] if another writer holds it, [`Error::Save`] if nothing can be written there.
pub(super) fn lock(path: &Path) -> Result<Lock> {
    let taken = resolve(path)
        .and_then(|target| Lock::take(&target))
        .map_err(|source| Error::Save {
            path: path.into(),
            source,
        })?;
    taken.ok_or_else(|| Error::Locked { path: path.into() })
}

/// As [`save`], for one who holds the lock.
pub(super) fn replace(path: &Path, bytes: &[u8]) -> Result<()> {
    let write = || -> io::Result<()> {
        let target = resolve(path)?;
        let temporary = temporary(&target);
        let result = write_through(&temporary, &target, bytes)
            .and_then(|()| fs::rename(&temporary, &target));
        if result.is_err() {
            // The first error is the one to report; a leftover goes at the next save.
            let _ = fs::remove_file(&temporary);
        }
        result.and_then(|()| sync_folder(&target))
    };
    write().map_err(|source| Error::Save {
        path: path.into(),
        source,
    })
}

/// Checks, before hours of training, that a model can be saved at `path`.
///
/// # Errors
/// [`Error::Save`] when its folder is missing or not writable, or `path` is no regular file;
/// [`Error::Locked`] when another writer holds it.
pub fn check_target(path: &Path) -> Result<()> {
    lock(path).and_then(|_lock| probe(path))
}

/// As [`check_target`], for one who holds the lock.
pub(super) fn probe(path: &Path) -> Result<()> {
    let check = || -> io::Result<()> {
        let target = resolve(path)?;
        let temporary = temporary(&target);
        let result = create(&temporary).map(drop);
        let _ = fs::remove_file(&temporary);
        result
    };
    check().map_err(|source| Error::Save {
        path: path.into(),
        source,
    })
}

/// The file that `path` means: the end of its symbolic links, which must be a regular file or
/// nothing yet.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    if path.file_name().is_none() {
        return Err(io::Error::new(
            io::ErrorKind::InvalidInput,
            "it names no file",
        ));
    }
    match fs::symlink_metadata(path) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let folder = folder(path);
            if fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir()) {
                return Ok(path.into());
            }
            let what = format!("the folder {} does not exist", folder.display());
            Err(io::Error::new(io::ErrorKind::NotFound, what))
        }
        Err(error) => Err(error),
        Ok(metadata) if metadata.is_symlink() => {
            let end = fs::canonicalize(path).or_else(|error| match error.kind() {
                io::ErrorKind::NotFound => fs::read_link(path).map(|to| folder(path).join(to)),
                _ => Err(error),
            })?;
            if end == path { Ok(end) } else { resolve(&end) }
        }
        Ok(metadata) if metadata.is_file() => Ok(path.into()),
        Ok(metadata) => {
            let what = format!("it is {}, expected a file", kind(&metadata));
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
    }
}

fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// Fixed, so that a leftover of a killed process is overwritten by the next save.
fn temporary(target: &Path) -> PathBuf {
    beside(target, "tmp")
}

/// The path with a dot and `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// Writes a file that takes the place of `target`, readable by whom that is.
fn write_through(path: &Path, target: &Path, bytes: &[u8]) -> io::Result<()> {
    let mut file = create(path)?;
    match fs::metadata(target) {
        Ok(metadata) => file.set_permissions(metadata.permissions())?,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {}
        Err(error) => return Err(error),
    }
    file.write_all(bytes)?;
    file.sync_all()
}

/// A new file in place of a leftover. Whatever else a stranger may have put at that name, a
/// symbolic link to some file of ours or a pipe that nobody reads, is removed and never followed.
fn create(path: &Path) -> io::Result<File> {
    match fs::remove_file(path) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => File::options().write(true).create_new(true).open(path),
    }
}

/// The rename itself reaches the disk with its folder. Windows has no way to ask for that.
fn sync_folder(path: &Path) -> io::Result<()> {
    if cfg!(unix) {
        File::open(folder(path))?.sync_all()
    } else {
        Ok(())
    }
}

pub(super) fn kind(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_dir() {
        "a folder"
    } else {
        "a device, pipe or socket"
    }
}
