//! Paths: the end of symbolic links, what may be there, and the names beside it.

use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};

/// Most links to follow, as on Linux.
const MOST_LINKS: usize = 40;

/// The file at the end of the symbolic links of `path`: a regular file, or a new name in a folder that
/// exists.
pub(super) fn resolve(path: &Path) -> io::Result<PathBuf> {
    let mut path = path.to_path_buf();
    for _ in 0..MOST_LINKS {
        check_name(&path)?;
        match fs::symlink_metadata(&path) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let folder = folder(&path);
                if fs::metadata(folder).is_ok_and(|metadata| metadata.is_dir()) {
                    return Ok(path);
                }
                let what = format!("the folder {} does not exist", folder.display());
                return Err(io::Error::new(io::ErrorKind::NotFound, what));
            }
            Err(error) => return Err(error),
            Ok(metadata) if metadata.is_symlink() => {
                // `/dev/stdout` leads to a pipe by a name that is no path.
                if let Some(end) = fs::metadata(&path).ok().filter(|end| !end.is_file()) {
                    return Err(refused(&end));
                }
                let end = fs::read_link(&path)?;
                path = folder(&path).join(end);
            }
            Ok(metadata) if metadata.is_file() => return Ok(path),
            Ok(metadata) => return Err(refused(&metadata)),
        }
    }
    // The system has the right words for this.
    fs::metadata(&path)?;
    Err(io::Error::other("too many symbolic links"))
}

/// A path may end in `/` or `/.`: then it means a folder, and no file can be made there.
fn check_name(path: &Path) -> io::Result<()> {
    let typed = path.as_os_str().as_encoded_bytes();
    let what = match path.file_name() {
        Some(name) if typed.ends_with(name.as_encoded_bytes()) => return Ok(()),
        _ if path.is_dir() => "it is a folder, not a file".to_owned(),
        None => "it names no file".to_owned(),
        Some(_) => format!(
            "it names a folder; use a file such as {}",
            path.join("model.safetensors").display()
        ),
    };
    Err(io::Error::new(io::ErrorKind::InvalidInput, what))
}

/// Opens an existing regular file. Anything else is refused before it is opened: opening a pipe may wait
/// for ever, and some devices never end.
///
/// # Errors
/// [`InvalidInput`](io::ErrorKind::InvalidInput) saying what is there instead, or the system's.
pub fn open(path: &Path, options: &OpenOptions) -> io::Result<File> {
    let metadata = fs::metadata(path)?;
    if !metadata.is_file() {
        return Err(refused(&metadata));
    }
    options.open(path)
}

/// Checks that a path that is always ours has a regular file or nothing. A link there can only be a
/// mistake or a trap.
pub(super) fn check_own(path: &Path) -> io::Result<()> {
    match fs::symlink_metadata(path) {
        Ok(metadata) if metadata.is_file() => Ok(()),
        Ok(metadata) => {
            let what = format!(
                "{} is {}; move it away or use another name for the model",
                path.display(),
                kind(&metadata)
            );
            Err(io::Error::new(io::ErrorKind::InvalidInput, what))
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) => Err(error),
    }
}

/// The folder that a file lies in.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent()
        .filter(|folder| !folder.as_os_str().is_empty())
        .unwrap_or(Path::new("."))
}

/// The path with a dot and `suffix` after its name.
pub(super) fn beside(path: &Path, suffix: &str) -> PathBuf {
    let mut name = path.file_name().unwrap_or_default().to_os_string();
    name.push(".");
    name.push(suffix);
    path.with_file_name(name)
}

/// What is at a path where a file should be.
pub(super) fn kind(metadata: &fs::Metadata) -> &'static str {
    if metadata.is_dir() {
        "a folder"
    } else if metadata.is_symlink() {
        "a symbolic link"
    } else {
        "a device, pipe or socket"
    }
}

pub(super) fn refused(metadata: &fs::Metadata) -> io::Error {
    let what = format!("it is {}, not a file", kind(metadata));
    io::Error::new(io::ErrorKind::InvalidInput, what)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;
    use std::os::unix::fs::symlink;

    #[test]
    fn a_name_that_ends_like_a_folder_is_no_file() {
        let folder = tempfile::tempdir().unwrap();
        for (end, said) in [
            ("new/", "it names a folder; use a file such as "),
            ("new/.", "it names a folder; use a file such as "),
            ("", "it is a folder, not a file"),
            ("..", "it is a folder, not a file"),
        ] {
            let error = resolve(&folder.path().join(end)).unwrap_err();
            assert!(error.to_string().starts_with(said), "{end}: {error}");
        }
        assert!(resolve(&folder.path().join("new")).is_ok());
    }

    #[test]
    fn links_lead_to_their_end_however_many() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        symlink("b", at("a")).unwrap();
        symlink("c", at("b")).unwrap();
        assert_eq!(resolve(&at("a")).unwrap(), at("c"));
        symlink("loop", at("loop")).unwrap();
        assert!(resolve(&at("loop")).is_err());
        symlink("there/", at("slash")).unwrap();
        assert!(resolve(&at("slash")).is_err());
        if cfg!(target_os = "linux") {
            use std::os::fd::AsRawFd;
            let (_reader, writer) = std::io::pipe().unwrap();
            let error = resolve(Path::new(&format!("/proc/self/fd/{}", writer.as_raw_fd())));
            let error = error.unwrap_err().to_string();
            assert!(
                error.starts_with("it is a device, pipe or socket"),
                "{error}"
            );
        }
    }
}
