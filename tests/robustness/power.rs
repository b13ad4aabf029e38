//! Power cuts: what would be on the disk after each flush of a run, and that the run goes on from there
//! to the same bytes.
//!
//! A small library in the program (`power_shim.c`) builds, after each `fsync`, the folder that a power
//! cut would leave then. A file that was flushed has its content, any other has zeros; names are those of
//! the folder's last flush ("strict") or those of now ("eager"), since a file system may write them down
//! sooner than it must.

use std::fs;
use std::path::PathBuf;
use std::process::Command;

use crate::cli_support::Folder;

const SETTINGS: [&str; 16] = [
    "--hidden-size",
    "8",
    "--num-layers",
    "1",
    "--eval-every",
    "4",
    "--batch-size",
    "4",
    "--checkpoint-every",
    "3",
    "--schedule",
    "constant",
    "--metrics",
    "out/log",
    "--plot",
    "out/curve.svg",
];

fn sources() -> PathBuf {
    PathBuf::from(concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/robustness"
    ))
}

/// The library; `None` where there is no C compiler.
fn shim() -> Option<PathBuf> {
    let library = PathBuf::from(env!("CARGO_TARGET_TMPDIR")).join("power_shim.so");
    let built = Command::new("cc")
        .args(["-shared", "-fPIC", "-O1", "-o"])
        .args([&library, &sources().join("power_shim.c")])
        .arg("-ldl")
        .output();
    let Ok(output) = built else {
        eprintln!("SKIPPED: no power cuts, since cc does not run");
        return None;
    };
    assert!(
        output.status.success(),
        "{}",
        String::from_utf8_lossy(&output.stderr)
    );
    Some(library)
}

fn train(first: [&'static str; 2], steps: &'static str) -> Vec<&'static str> {
    [
        &["train", "text.txt", "--max-steps", steps],
        &first[..],
        &SETTINGS,
    ]
    .concat()
}

#[test]
fn after_a_power_cut_at_any_flush_the_run_goes_on_to_the_same_bytes() {
    let Some(shim) = shim() else { return };
    let folder = Folder::with_text();
    for name in ["out", "shadow", "shadow/states", "shadow/flushed"] {
        fs::create_dir(folder.path(name)).expect("a new name");
    }
    folder.write("shadow/names", "");
    let output = folder
        .command(&train(["-o", "out/m"], "20"))
        .env("LD_PRELOAD", shim)
        .env("POWER_FOLDER", folder.path("out"))
        .env("POWER_SHADOW", folder.path("shadow"))
        .env("POWER_SCRIPT", sources().join("power_shim.sh"))
        .output()
        .expect("the binary runs");
    assert!(output.status.success(), "{output:?}");
    let straight = ["out/m", "out/m.resume", "out/curve.svg"].map(|name| folder.read(name));
    let log = String::from_utf8(folder.read("out/log")).expect("UTF-8");
    let states = fs::read_dir(folder.path("shadow/states")).expect("a folder");
    let mut states: Vec<PathBuf> = states
        .map(|entry| entry.expect("an entry").path())
        .collect();
    states.sort();
    let (mut went_on, mut began_anew) = (0, 0);
    for state in &states {
        fs::remove_dir_all(folder.path("out")).expect("a folder");
        fs::rename(state, folder.path("out")).expect("the same disk");
        let has_model = folder.path("out/m").exists();
        if has_model {
            // Whatever is there under the name of the model is a whole one.
            folder.run(&["inspect", "out/m"]).ok();
        }
        if !folder.path("out/m.resume").exists() {
            // Before the first save there is nothing to go on from, and nothing to lose.
            assert!(!has_model, "{state:?}");
            began_anew += 1;
            continue;
        }
        let run = folder.run(&train(["--resume", "out/m"], "20"));
        assert_eq!(run.code, Some(0), "{state:?}: {run:?}");
        for (name, content) in ["out/m", "out/m.resume", "out/curve.svg"]
            .iter()
            .zip(&straight)
        {
            assert!(folder.read(name) == *content, "{state:?}: {name} differs");
        }
        let now = String::from_utf8(folder.read("out/log")).expect("UTF-8");
        assert_eq!(now.lines().count(), log.lines().count(), "{state:?}: {now}");
        // The names of a killed run's temporary files are known where its lock was flushed, as here
        // it never is: they stay, hidden, and nothing reads them.
        went_on += 1;
    }
    println!(
        "{} states: {went_on} go on, {began_anew} are before the first save",
        states.len()
    );
    assert!(went_on > 20 && began_anew > 0, "{went_on} {began_anew}");
}
