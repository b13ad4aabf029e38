//! All files of a folder, to be compared before and after a run.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

/// What lies at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Entry {
    File(Vec<u8>),
    Link(PathBuf),
    Folder,
    Other,
}

/// Everything below a folder, by its path from there.
pub(crate) type Snapshot = BTreeMap<PathBuf, Entry>;

pub(crate) fn of(folder: &Path) -> Snapshot {
    let mut all = Snapshot::new();
    collect(folder, Path::new(""), &mut all);
    all
}

fn collect(root: &Path, below: &Path, all: &mut Snapshot) {
    for entry in fs::read_dir(root.join(below)).expect("a folder") {
        let path = below.join(entry.expect("an entry").file_name());
        let full = root.join(&path);
        let about = fs::symlink_metadata(&full).expect("it is there");
        let entry = if about.is_symlink() {
            Entry::Link(fs::read_link(&full).expect("a link"))
        } else if about.is_dir() {
            collect(root, &path, all);
            Entry::Folder
        } else if about.is_file() {
            Entry::File(fs::read(&full).expect("a file"))
        } else {
            Entry::Other
        };
        all.insert(path, entry);
    }
}

/// Paths that were there and are gone or different, but for those that may change.
pub(crate) fn lost(before: &Snapshot, after: &Snapshot, may_change: &[&str]) -> Vec<PathBuf> {
    let is_lost = |(path, entry): &(&PathBuf, &Entry)| {
        after.get(*path) != Some(*entry) && !may_change.iter().any(|may| *path == Path::new(may))
    };
    let lost = before.iter().filter(is_lost);
    lost.map(|(path, _)| path.clone()).collect()
}
