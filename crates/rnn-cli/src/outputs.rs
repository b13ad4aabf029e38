//! What a command reads and what it writes, compared before anything is opened for writing: no output
//! may be an input, or another output, under whatever name.

use std::fs;
use std::path::{Path, PathBuf, absolute};

use anyhow::bail;
use rnn::checkpoint;

use crate::exit::misuse;
use crate::reports::starts_like_ours;

/// One file, whatever it is called.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Identity {
    /// Its device and number, which its hard links share.
    #[cfg(unix)]
    File(u64, u64),
    /// A file that is not there yet: the device and number of its folder, and its name.
    #[cfg(unix)]
    New(u64, u64, std::ffi::OsString),
    /// Where the system tells no more.
    Path(PathBuf),
}

impl Identity {
    /// The identity of what `path` leads to, or would.
    pub(crate) fn of(path: &Path) -> Self {
        let end = checkpoint::resolve(path).unwrap_or_else(|_| path.to_owned());
        known(&end).unwrap_or_else(|| {
            let full = fs::canonicalize(&end).or_else(|_| absolute(&end));
            Identity::Path(full.unwrap_or(end))
        })
    }
}

#[cfg(unix)]
fn known(path: &Path) -> Option<Identity> {
    use std::os::unix::fs::MetadataExt;
    if let Ok(file) = fs::metadata(path) {
        return Some(Identity::File(file.dev(), file.ino()));
    }
    let folder = match path.parent()? {
        none if none.as_os_str().is_empty() => Path::new("."),
        folder => folder,
    };
    let folder = fs::metadata(folder).ok()?;
    let name = path.file_name()?.to_owned();
    Some(Identity::New(folder.dev(), folder.ino(), name))
}

#[cfg(not(unix))]
fn known(path: &Path) -> Option<Identity> {
    let folder = fs::canonicalize(path.parent()?).ok()?;
    Some(Identity::Path(folder.join(path.file_name()?)))
}

/// The inputs and outputs of a command.
#[derive(Debug, Default)]
pub(crate) struct Files {
    /// Each with what it is, in words.
    inputs: Vec<(PathBuf, &'static str)>,
    /// Each with what to type for another.
    outputs: Vec<(PathBuf, &'static str)>,
}

impl Files {
    /// A file is read: `what` it is, as in "the text itself".
    pub(crate) fn reads(&mut self, path: &Path, what: &'static str) {
        if path.as_os_str() != "-" {
            self.inputs.push((path.to_owned(), what));
        }
    }

    /// A file is written; `remedy` as in "another name for the model (-o)".
    pub(crate) fn writes(&mut self, path: &Path, remedy: &'static str) {
        if path.as_os_str() != "-" {
            self.outputs.push((path.to_owned(), remedy));
        }
    }

    /// # Errors
    /// If an output is an input; [`Misuse`](crate::exit::Misuse) if it is another output.
    pub(crate) fn check(&self) -> anyhow::Result<()> {
        let identify = |files: &[(PathBuf, &'static str)]| -> Vec<Identity> {
            files.iter().map(|(path, _)| Identity::of(path)).collect()
        };
        let (inputs, outputs) = (identify(&self.inputs), identify(&self.outputs));
        for (at, (path, remedy)) in self.outputs.iter().enumerate() {
            let shown = path.display();
            if outputs[..at].contains(&outputs[at]) {
                return Err(misuse(format!(
                    "{shown} is named for two outputs; use two names"
                )));
            }
            if let Some(input) = inputs.iter().position(|input| *input == outputs[at]) {
                let what = self.inputs[input].1;
                bail!("{shown} is {what}; use {remedy}");
            }
        }
        Ok(())
    }
}

/// Whether this program wrote a file: a model, what a run goes on from, its lock, its metrics or its
/// picture.
pub(crate) fn is_ours(path: &Path) -> bool {
    starts_like_ours(path)
        || checkpoint::read(path, |content| Ok(checkpoint::is_ours(content)))
            .is_ok_and(|is_ours| is_ours)
}

#[cfg(all(test, unix))]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_itself_under_every_name() {
        let folder = tempfile::tempdir().unwrap();
        let at = |name: &str| folder.path().join(name);
        fs::write(at("a"), "text").unwrap();
        fs::hard_link(at("a"), at("hard")).unwrap();
        std::os::unix::fs::symlink("a", at("soft")).unwrap();
        std::os::unix::fs::symlink("new", at("dangling")).unwrap();
        fs::create_dir(at("folder")).unwrap();
        std::os::unix::fs::symlink(".", at("here")).unwrap();
        let same = [
            ["a", "hard"],
            ["a", "soft"],
            ["a", "here/a"],
            ["a", "folder/../a"],
            ["new", "dangling"],
            ["new", "here/new"],
        ];
        for [one, other] in same {
            assert_eq!(
                Identity::of(&at(one)),
                Identity::of(&at(other)),
                "{one} {other}"
            );
        }
        for [one, other] in [["a", "new"], ["new", "folder/new"], ["new", "New"]] {
            assert_ne!(
                Identity::of(&at(one)),
                Identity::of(&at(other)),
                "{one} {other}"
            );
        }
    }
}
