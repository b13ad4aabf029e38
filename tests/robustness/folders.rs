//! Folders of texts, parts of which cannot be read.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::CommandExt;
use std::path::Path;
use std::process::Command;

use crate::cli_support::Folder;
use crate::cli_support::ending::fails;

/// A user without rights: `nobody` on most systems.
const NOBODY: u32 = 65_534;

fn allow(path: &Path, mode: u32) {
    fs::set_permissions(path, Permissions::from_mode(mode)).expect("it is ours");
}

/// The program as run by someone whom a mode of 0 keeps out, which it does not do to root; from a
/// copy, as the folder that it was built in may be open to root alone.
fn as_anyone(folder: &Folder, args: &[&str]) -> Command {
    let mut command = folder.command(args);
    let here = folder.path("");
    if fs::metadata(&here).expect("it is there").uid() != 0 {
        return command;
    }
    fs::copy(env!("CARGO_BIN_EXE_rnn-cli"), folder.path("rnn-cli")).expect("there is room");
    allow(&folder.path("rnn-cli"), 0o755);
    allow(&here, 0o777);
    let built = command;
    command = Command::new(folder.path("rnn-cli"));
    command
        .args(built.get_args())
        .current_dir(here)
        .env("NO_COLOR", "1");
    command.stdin(std::process::Stdio::null());
    command
        .stdout(std::process::Stdio::piped())
        .stderr(std::process::Stdio::piped());
    command.uid(NOBODY).gid(NOBODY);
    command
}

#[test]
fn a_folder_that_cannot_be_read_is_named_itself_however_deep_it_lies() {
    for closed in ["all", "all/one", "all/one/two", "all/one/two/three"] {
        let folder = Folder::new();
        fs::create_dir_all(folder.path("all/one/two/three")).expect("a folder");
        folder.write("all/a.txt", crate::cli_support::text());
        folder.write("all/one/b.txt", crate::cli_support::text());
        allow(&folder.path(closed), 0o000);
        let mut command = as_anyone(&folder, &["train", "all", "-o", "m", "--max-steps", "1"]);
        fails(
            &mut command,
            1,
            &format!("cannot read {closed}: permission denied"),
        );
        allow(&folder.path(closed), 0o755);
    }
}

#[test]
fn a_file_that_cannot_be_read_is_named_itself() {
    let folder = Folder::new();
    fs::create_dir_all(folder.path("all/one")).expect("a folder");
    folder.write("all/a.txt", crate::cli_support::text());
    folder.write("all/one/b.txt", crate::cli_support::text());
    allow(&folder.path("all/one/b.txt"), 0o000);
    let mut command = as_anyone(&folder, &["train", "all", "-o", "m", "--max-steps", "1"]);
    fails(
        &mut command,
        1,
        "cannot read all/one/b.txt: permission denied",
    );
}
