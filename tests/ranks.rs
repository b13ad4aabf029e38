//! `train` as several ranks under the real `mpirun` of Open MPI: the same bytes as one process, however
//! the ranks are stopped. `cargo test -p rnn-cli --features mpi --test ranks`
#![cfg(target_os = "linux")]

mod cli_support;

use std::fs;
use std::io::{self, BufRead, BufReader, Read, Write};
use std::process::{Command, Stdio};

use cli_support::{Folder, Run};

/// Some steps with all that depends on a row's place in the batch.
const RUN: &str = "--shards 4 --batch-size 8 --seq-length 16 --hidden-size 12 --num-layers 2 --dropout 0.2 \
                   --eval-every 20 --checkpoint-every 7 --patience 1000 --max-steps 60";

/// Whether there is an Open MPI to run under; says so where there is none.
fn can_run() -> bool {
    let version = Command::new("mpirun").arg("--version").output();
    let is_open_mpi = version.is_ok_and(|said| said.stdout.starts_with(b"mpirun (Open MPI)"));
    if !is_open_mpi {
        // Past the harness, which would keep it to itself.
        let _ = writeln!(io::stderr(), "SKIPPED: there is no mpirun of Open MPI here");
    }
    is_open_mpi
}

/// `mpirun` in the folder, for as many ranks as `jobs` says: a number and a command line each.
fn mpirun(folder: &Folder, jobs: &[(usize, &str)]) -> Command {
    let mut command = Command::new("mpirun");
    command.args(["--allow-run-as-root", "--oversubscribe", "--quiet"]);
    for (at, (count, line)) in jobs.iter().enumerate() {
        if at > 0 {
            command.arg(":");
        }
        command.args(["-n", &count.to_string(), env!("CARGO_BIN_EXE_rnn-cli")]);
        command.args(line.split_whitespace());
    }
    command
        .current_dir(folder.path("."))
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    command
}

fn run(folder: &Folder, jobs: &[(usize, &str)]) -> Run {
    let output = mpirun(folder, jobs).output().expect("mpirun runs");
    Run {
        code: output.status.code(),
        stdout: output.stdout,
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// Model and run of `name`.
fn files(folder: &Folder, name: &str) -> [Vec<u8>; 2] {
    [folder.read(name), folder.read(&format!("{name}.resume"))]
}

/// What our program said of it, without what mpirun adds.
fn errors(run: &Run) -> Vec<&str> {
    let lines = run.stderr.lines();
    lines.filter(|line| line.starts_with("error: ")).collect()
}

/// The process that is this rank of the folder's run.
fn process(folder: &Folder, rank: usize) -> String {
    let here = fs::canonicalize(folder.path(".")).expect("the folder");
    let wanted = format!("OMPI_COMM_WORLD_RANK={rank}");
    let is_it = |pid: &str| {
        let of = |name: &str| format!("/proc/{pid}/{name}");
        let variables = fs::read(of("environ")).unwrap_or_default();
        let mut variables = variables.split(|&byte| byte == 0);
        fs::read_link(of("cwd")).is_ok_and(|cwd| cwd == here)
            && variables.any(|variable| variable == wanted.as_bytes())
    };
    let processes = fs::read_dir("/proc").expect("processes");
    let mut pids = processes.filter_map(|entry| entry.ok()?.file_name().into_string().ok());
    pids.find(|pid| is_it(pid)).expect("the rank runs")
}

#[test]
fn any_number_of_ranks_and_threads_gives_the_bytes_of_one_process() {
    if !can_run() {
        return;
    }
    let folder = Folder::with_text();
    for cell in ["--cell lstm", "--cell gru --records --weight-dropout 0.2"] {
        let line = |name: &str, threads| {
            format!("train text.txt --force -o {name} --threads {threads} {cell} {RUN}")
        };
        let alone = line("alone", 1);
        folder
            .run(&alone.split_whitespace().collect::<Vec<_>>())
            .ok();
        for (ranks, threads) in [(2, 2), (4, 1), (4, 3)] {
            let ran = run(&folder, &[(ranks, &line("m", threads))]).ok();
            assert_eq!(ran.text().matches("step 60/60").count(), 1, "{ran:?}");
            assert!(
                files(&folder, "m") == files(&folder, "alone"),
                "{cell}: {ranks} ranks of {threads} threads"
            );
        }
    }
}

/// Starts the run on so many ranks, sends a signal to one when some lines have come, and waits for the end.
fn interrupt(folder: &Folder, ranks: usize, line: &str, signal: &str, rank: usize) -> Run {
    let mut child = mpirun(folder, &[(ranks, line)])
        .spawn()
        .expect("mpirun runs");
    let mut stdout = BufReader::new(child.stdout.take().expect("it is piped"));
    let mut said = String::new();
    stdout.read_line(&mut said).expect("a report");
    let status = Command::new("kill")
        .args([signal, &process(folder, rank)])
        .status();
    assert!(status.expect("kill runs").success());
    stdout.read_to_string(&mut said).expect("UTF-8");
    let output = child.wait_with_output().expect("it ends");
    Run {
        code: output.status.code(),
        stdout: said.into_bytes(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

#[test]
fn a_signal_to_any_rank_ends_the_run_which_any_number_of_ranks_continues() {
    if !can_run() {
        return;
    }
    let folder = Folder::with_text();
    let steps = RUN.replace(
        "--max-steps 60",
        "--max-steps 2000 --eval-every 50 --schedule constant",
    );
    let steps = steps.replace("--eval-every 20 ", "");
    let straight = format!("train text.txt -o straight --threads 1 {steps}");
    folder
        .run(&straight.split_whitespace().collect::<Vec<_>>())
        .ok();
    let first = format!("train text.txt -o m --threads 1 {steps}");
    let stopped = interrupt(&folder, 4, &first, "-TERM", 3);
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    assert!(
        stopped
            .stderr
            .contains("and saved; to continue, run:\n  mpirun -n 4 rnn-cli")
    );
    let again = format!("train text.txt --resume m --threads 1 {steps}");
    for (ranks, signal, rank) in [(2, "-KILL", 1), (4, "-INT", 0), (2, "-KILL", 0)] {
        let ended = interrupt(&folder, ranks, &again, signal, rank);
        let code = if signal == "-INT" { 130 } else { 137 };
        assert_eq!(ended.code, Some(code), "{ended:?}");
    }
    folder
        .run(&again.split_whitespace().collect::<Vec<_>>())
        .ok();
    assert!(files(&folder, "m") == files(&folder, "straight"));
}

#[test]
fn a_longer_run_has_the_same_bytes_on_any_number_of_ranks() {
    if !can_run() {
        return;
    }
    let folder = Folder::with_text();
    let alone = |line: &str| {
        folder
            .run(&line.split_whitespace().collect::<Vec<_>>())
            .ok()
    };
    let longer = |name: &str| format!("train text.txt --resume {name} --threads 1 --more 50");
    alone(&format!("train text.txt -o alone --threads 1 {RUN}"));
    run(
        &folder,
        &[(2, &format!("train text.txt -o m --threads 1 {RUN}"))],
    )
    .ok();
    alone(&longer("alone"));
    let ran = run(&folder, &[(4, &longer("m"))]).ok();
    let told =
        "\nto train longer: mpirun -n 4 rnn-cli train text.txt --resume m --threads 1 --more 5m\n";
    assert!(ran.stderr.contains(told), "{ran:?}");
    assert!(files(&folder, "m") == files(&folder, "alone"));

    // For a time, the first rank's clock sets the number of steps for all.
    let timed = longer("m").replace("--more 50", "--more 0.3s");
    let ran = run(&folder, &[(2, &timed)]).ok();
    let (_, rest) = ran.stderr.split_once(" steps; --more ").expect("the steps");
    let steps = rest.split(' ').next().expect("a number");
    alone(&longer("alone").replace("--more 50", &format!("--more {steps}")));
    assert!(files(&folder, "m") == files(&folder, "alone"));

    let fresh = format!("train text.txt -o short --threads 1 {RUN}");
    let stopped = interrupt(
        &folder,
        2,
        &fresh.replace("--max-steps 60", "--max-steps 9000"),
        "-INT",
        0,
    );
    assert_eq!(stopped.code, Some(130), "{stopped:?}");
    let ran = run(&folder, &[(2, &longer("short"))]);
    let message = "error: the run in short.resume has not ended; omit --more to continue it";
    assert_eq!(
        (ran.code, errors(&ran)),
        (Some(1), vec![message]),
        "{ran:?}"
    );
}

#[test]
fn what_goes_wrong_is_one_line_and_ends_all_ranks() {
    if !can_run() {
        return;
    }
    let folder = Folder::with_model();
    folder.write("other.txt", cli_support::text() + "one line more\n");
    let line = |text: &str| format!("train {text} -o m --force {RUN}");
    let text = line("text.txt");
    let refused = |jobs: &[(usize, &str)], code, message: &str| {
        let ran = run(&folder, jobs);
        assert_eq!(errors(&ran), [format!("error: {message}")]);
        assert_eq!((ran.code, ran.text()), (Some(code), ""), "{ran:?}");
    };
    refused(
        &[(1, &text), (1, &line("other.txt"))],
        1,
        "rank 1 has another text than rank 0; give every rank the same",
    );
    refused(
        &[(3, &text), (1, &line("nowhere.txt"))],
        1,
        "rank 3: cannot read nowhere.txt: no such file",
    );
    refused(
        &[(2, &line("nowhere.txt"))],
        1,
        "cannot read nowhere.txt: no such file",
    );
    refused(
        &[(3, &text)],
        2,
        "number of ranks must be a power of two, got 3",
    );
    refused(
        &[(2, &text.replace("--shards 4", "--shards 1"))],
        2,
        "number of ranks must be at most the number of shards (--shards), got 2",
    );
    refused(
        &[(2, &line("-"))],
        2,
        "standard input reaches only one of several ranks; name a file that all of them can read",
    );
    refused(
        &[(2, "score model.safetensors text.txt")],
        2,
        "only train has use for several ranks, and was started as 2; start this command alone",
    );
}
