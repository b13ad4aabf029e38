//! The terminal's state after every signal at every stage, on a terminal that `script` makes.
//!
//! A shell with job control runs the program in the foreground, and writes down what `stty` says
//! before it, while it is stopped, and after it: the same, letter by letter. What was shown must be
//! balanced as well: as many pictures off as on, the cursor seen, no half line left.

mod shell;

use std::fs;
use std::io::{self, Write};
use std::process::Command;
use std::time::Duration;

use crate::cli_support::{Folder, text};
use shell::{PICTURE_OFF, PICTURE_ON, Terminal, last_line};

/// A word of what the first Ctrl-C is answered with. In a picture words are put one by one.
const ANSWER: &str = "stopping;";

/// The network of a stage, with steps of about a second.
const SLOW: &str =
    "--cell lstm --hidden-size 256 --num-layers 1 --batch-size 32 --seq-length 400 --threads 1";
/// One with next to no step, and evaluations of about a second.
const EVALUATES: &str = "--hidden-size 64 --num-layers 1 --batch-size 1 --seq-length 8 --threads 1 --eval-every 1 \
     --max-steps 1000000 --split 0.01,0.99";

/// A moment of a run: the script's part that runs it, and what is shown once it has come.
struct Stage {
    name: &'static str,
    run: String,
    shown: &'static str,
    /// Whether a model is trained then, so that Ctrl-C saves.
    trains: bool,
}

fn stages() -> Vec<Stage> {
    let stage = |name, run: String, shown, trains| Stage {
        name,
        run,
        shown,
        trains,
    };
    let steps = "--max-steps 2 --eval-every 1";
    vec![
        stage(
            "live, reading",
            "run - -o m --live <pipe".into(),
            "reading ",
            false,
        ),
        stage(
            "live, first step",
            format!("run text -o m --live {SLOW}"),
            PICTURE_ON,
            true,
        ),
        stage(
            "live, evaluation",
            format!("run text -o m --live {EVALUATES}"),
            "training",
            true,
        ),
        stage(
            "live, last save",
            format!("run text -o m --live {steps} {SLOW}"),
            PICTURE_OFF,
            true,
        ),
        stage("bar, reading", "run - -o m <pipe".into(), "reading ", false),
        stage(
            "bar, evaluation",
            format!("run text -o m {EVALUATES}"),
            "evaluating on ",
            true,
        ),
    ]
}

/// Runs to a stage; the shell stops where `script` says what follows a stop.
fn at(stage: &Stage, script: &str) -> Option<(Terminal, Option<fs::File>)> {
    let folder = Folder::new();
    folder.write("text", text().repeat(40));
    let made = Command::new("mkfifo").arg(folder.path("pipe")).status();
    assert!(made.expect("mkfifo runs").success());
    let path = folder.path("pipe");
    let mut terminal = Terminal::start(
        folder,
        &format!("set -m; note before; {}; code=$?\n{script}", stage.run),
    )?;
    // More than the bar of reading waits for, and then nothing: it is read for ever.
    let feed = stage.run.ends_with("pipe").then(|| {
        let mut pipe = fs::OpenOptions::new()
            .write(true)
            .open(path)
            .expect("a pipe");
        pipe.write_all(&vec![b'a'; 17 << 20]).expect("it is read");
        pipe
    });
    terminal.wait_for(stage.shown, 1);
    Some((terminal, feed))
}

#[test]
fn every_signal_at_every_stage_leaves_the_terminal_as_it_was() {
    let mut cases = 0;
    for stage in stages() {
        for (signals, deadly) in [
            ("INT", 130),
            ("INT INT", 130),
            ("TERM", 143),
            ("TERM TERM", 143),
            ("QUIT", 131),
            ("HUP", 129),
            ("USR1", 138),
        ] {
            let case = format!("{}, {signals}", stage.name);
            let Some((mut terminal, _feed)) = at(&stage, "") else {
                return;
            };
            signals.split(' ').for_each(|signal| terminal.send(signal));
            let code = terminal.end(&case);
            let asks = signals.starts_with("INT") || signals.starts_with("TERM");
            let seen = &terminal.seen;
            // What the signals can lead to, from the gentlest on. Two that come as one are one.
            let allowed: &[i32] = match (stage.trains && asks, signals.contains(' ')) {
                (true, false) => &[130],
                (true, true) => &[130, 3],
                (false, _) => &[deadly],
            };
            let is_over = stage.name.ends_with("last save") && code == 0;
            assert!(
                allowed.contains(&code) || is_over,
                "{case}: {code} {seen:?}"
            );
            if stage.trains && code == 130 {
                assert!(
                    seen.contains(" and saved; ") && seen.contains("to continue, run:"),
                    "{case}: {seen:?}"
                );
            }
            assert_eq!(
                code == 3,
                seen.contains("error: ended by a second signal"),
                "{case}: {seen:?}"
            );
            cases += 1;
        }
    }
    let _ = writeln!(io::stderr(), "{cases} cases");
}

#[test]
fn a_second_signal_ends_at_once_and_the_first_says_so() {
    for (live, signal) in [
        ("--live", "INT"),
        ("", "INT"),
        ("--live", "TERM"),
        ("", "TERM"),
    ] {
        let case = format!("{live} {signal}");
        let stage = Stage {
            name: "",
            run: format!("run text -o m {live} --eval-every 1 {SLOW}"),
            // The first evaluation has been saved, and a long step is being taken.
            shown: if live.is_empty() { "saved" } else { PICTURE_ON },
            trains: true,
        };
        let Some((mut terminal, _)) = at(&stage, "") else {
            return;
        };
        terminal.send(signal);
        terminal.wait_for(ANSWER, 1);
        terminal.send(signal);
        assert_eq!(terminal.end(&case), 3, "{case}: {:?}", terminal.seen);
        assert_eq!(terminal.seen.matches("error:").count(), 1, "{case}");
        if live.is_empty() {
            terminal.folder.run(&["inspect", "m"]).ok();
        }
    }
}

#[test]
fn ctrl_z_gives_the_terminal_back_and_fg_takes_it_again() {
    for stage in stages()
        .iter()
        .filter(|stage| !stage.name.ends_with("last save"))
    {
        let script = "printf STOPPED; note stopped; echo; fg >/dev/null; code=$?";
        let Some((mut terminal, _feed)) = at(stage, script) else {
            return;
        };
        terminal.send("TSTP");
        terminal.wait_for("STOPPED", 1);
        let shown = last_line(terminal.seen.split("STOPPED").next().unwrap_or_default());
        assert_eq!(shown, "", "{}: half a line", stage.name);
        let is_picture = stage.trains && stage.name.starts_with("live");
        if is_picture {
            terminal.wait_for(PICTURE_ON, 2);
            // All of it is drawn again, what does not change included.
            terminal.wait_for("sample", 2);
        }
        // A key would go to the shell until the program is in the foreground again.
        terminal.kill("INT");
        assert_eq!(
            terminal.end(stage.name),
            130,
            "{}: {:?}",
            stage.name,
            terminal.seen
        );
    }
}

#[test]
fn in_the_background_no_picture_is_shown_and_none_comes_back() {
    let tiny =
        "--hidden-size 8 --num-layers 1 --batch-size 4 --seq-length 16 --eval-every 10 --max-steps";
    for (script, pictures) in [
        (
            format!("run text -o m --live {tiny} 400 & wait %1; code=$?"),
            0,
        ),
        (
            format!(
                "run text -o m --live {tiny} 4000; note stopped; printf STOPPED; bg; wait %1; code=$?"
            ),
            1,
        ),
    ] {
        let folder = Folder::new();
        folder.write("text", text());
        let Some(mut terminal) = Terminal::start(folder, &format!("set -m; note before; {script}"))
        else {
            return;
        };
        if pictures > 0 {
            terminal.wait_for(PICTURE_ON, 1);
            terminal.send("TSTP");
            terminal.wait_for("STOPPED", 1);
        }
        assert_eq!(terminal.end(&script), 0, "{script}: {:?}", terminal.seen);
        assert_eq!(
            terminal.seen.matches(PICTURE_ON).count(),
            pictures,
            "{script}"
        );
    }
}

#[test]
fn where_nobody_could_go_on_with_it_ctrl_z_does_nothing() {
    let folder = Folder::new();
    folder.write("text", text());
    // Without job control: the program is the terminal's own, as with `xterm -e`.
    let script = format!("note before; run text -o m --live {SLOW}; code=$?");
    let Some(mut terminal) = Terminal::start(folder, &script) else {
        return;
    };
    terminal.wait_for(PICTURE_ON, 1);
    terminal.send("TSTP");
    terminal.send("INT");
    assert_eq!(terminal.end("no shell"), 130, "{:?}", terminal.seen);
}

#[test]
fn an_error_under_the_picture_is_read_after_it() {
    let folder = Folder::new();
    folder.write("text", text());
    let script = "note before; run text -o m --live --optimizer sgd --learning-rate 1e38 --clip 0 --max-steps 500; code=$?";
    let Some(mut terminal) = Terminal::start(folder, script) else {
        return;
    };
    assert_eq!(terminal.end("diverged"), 1, "{:?}", terminal.seen);
    let (_, after) = terminal.seen.split_once(PICTURE_OFF).expect("a picture");
    assert!(after.contains("error: "), "{after}");
}

#[test]
fn a_terminal_that_takes_nothing_more_keeps_nobody_from_ending_the_program() {
    for stage in stages()
        .iter()
        .filter(|stage| stage.name.ends_with("evaluation"))
    {
        let Some((mut terminal, _)) = at(stage, "") else {
            return;
        };
        terminal.press(b"\x13");
        std::thread::sleep(Duration::from_millis(500));
        // Apart, since two that come together are one.
        terminal.kill("TERM");
        std::thread::sleep(Duration::from_millis(2000));
        terminal.kill("TERM");
        terminal.wait_for_death();
        terminal.press(b"\x11");
        // What takes the picture off could not be shown, so nothing else is asked of the terminal.
        terminal.wait_for("THE END", 1);
        let read = |name| fs::read_to_string(terminal.folder.path(name)).expect(name);
        assert_eq!(read("code").trim(), "3", "{}", stage.name);
        assert_eq!(read("before"), read("after"), "{}", stage.name);
    }
}
