//! Command lines that cannot be meant: one clear line, exit code 2, and nothing done.

use crate::cli_support::Folder;

const EMPTY: &str = "the text is empty; use at least 2 characters";
const REPEATED: &str = "the text has only the character 'a'; use at least 2 distinct characters";

/// Without MPI each process would train and save the same model. One task under Slurm is no more than one
/// process.
#[test]
#[cfg(not(feature = "mpi"))]
fn ranks_are_refused_by_the_first_alone_and_one_rank_is_none() {
    let folder = Folder::with_model();
    let run = |variables: &[(&str, &str)]| {
        let mut command = folder.command(&["score", "model.safetensors", "text.txt"]);
        let output = command.envs(variables.iter().copied()).output().unwrap();
        (
            output.status.code(),
            String::from_utf8(output.stderr).unwrap(),
        )
    };
    let open_mpi = |count, rank| {
        [
            ("OMPI_COMM_WORLD_SIZE", count),
            ("OMPI_COMM_WORLD_RANK", rank),
        ]
    };
    let said = "error: started as 4 ranks, but built without MPI; \
                start it alone, or build it with --features mpi\n";
    assert_eq!(run(&open_mpi("4", "0")), (Some(2), said.into()));
    assert_eq!(run(&open_mpi("4", "3")), (Some(2), String::new()));
    assert_eq!(
        run(&[("PMI_SIZE", "4"), ("PMI_RANK", "0")]),
        (Some(2), said.into())
    );
    assert_eq!(run(&open_mpi("1", "0")).0, Some(0));
    let one_task = [("SLURM_STEP_NUM_TASKS", "1"), ("PMIX_RANK", "0")];
    assert_eq!(run(&one_task).0, Some(0));
}

#[test]
fn numbers_that_no_flag_can_mean() {
    let folder = Folder::with_text();
    let above = "a finite number above 0";
    let number = "a finite number of at least 0";
    let whole = "a whole number of at least 1";
    for (flag, name, values, expected) in [
        (
            "--learning-rate",
            "RATE",
            &["nan", "0", "-1", "inf"][..],
            above,
        ),
        ("--clip", "NORM", &["nan", "-1", "inf"], number),
        ("--clip-value", "SIZE", &["nan", "0", "-1"], above),
        ("--hidden-size", "N", &["0", "-1", "1.5", "many"], whole),
        ("--num-layers", "N", &["0"], whole),
        ("--seq-length", "N", &["0"], whole),
        ("--batch-size", "N", &["0"], whole),
        ("--max-steps", "N", &["0"], whole),
        ("--max-epochs", "N", &["0"], whole),
        ("--eval-every", "STEPS", &["0"], whole),
        (
            "--dropout",
            "P",
            &["1", "-0.1", "nan"],
            "at least 0 and below 1",
        ),
        ("--momentum", "X", &["1", "nan"], "at least 0 and below 1"),
        (
            "--threads",
            "N",
            &["0", "100000"],
            "a whole number from 1 to 1024",
        ),
        (
            "--time",
            "TIME",
            &["3", "0s", "x"],
            "a time such as 90s, 3m or 1h30m",
        ),
    ] {
        for value in values {
            let message =
                format!("invalid value '{value}' for '{flag} <{name}>': must be {expected}");
            folder
                .run(&["train", "text.txt", flag, value])
                .fails(2, &message);
        }
    }
    for value in ["nan", "-1", "inf"] {
        let message = format!("invalid value '{value}' for '--temperature <T>': must be {number}");
        folder
            .run(&["sample", "model", "--temperature", value])
            .fails(2, &message);
    }
    assert_eq!(folder.names(), ["text.txt"]);
}

#[test]
fn flags_that_do_not_go_together() {
    let folder = Folder::with_text();
    for (flags, message) in [
        (
            "--momentum 0.9 --optimizer adam",
            "--momentum has no effect with adam; use --optimizer sgd",
        ),
        (
            "--forget-bias 1 --cell gru",
            "--forget-bias has no effect with gru; use --cell lstm",
        ),
        (
            "--warmup-steps 5 --schedule constant",
            "--warmup-steps has no effect with constant; use --schedule warmup-decay or cosine",
        ),
        (
            "--time 3s --max-steps 5",
            "the argument '--time <TIME>' cannot be used with '--max-steps <N>'",
        ),
        (
            "--hidden-size 40000",
            "hidden size must be between 1 and 32768, got 40000",
        ),
        (
            "--split 0.5,0.6",
            "split [0.5, 0.6] is not possible; use 1 to 3 shares (training, validation, test) \
             from 0 to 1, the first above 0, that add up to 1",
        ),
        (
            "--cell lstn",
            "invalid value 'lstn' for '--cell <CELL>'; [possible values: rnn, rnn_relu, lstm, gru, mingru]; \
             a similar value exists: 'lstm'",
        ),
        (
            "--hiden-size 5",
            "unexpected argument '--hiden-size' found; a similar argument exists: '--hidden-size'",
        ),
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        folder
            .run(&[&["train", "text.txt"], flags.as_slice()].concat())
            .fails(2, message);
    }
    let message = "cannot name the model after standard input; use -o MODEL";
    folder.run(&["train", "-"]).fails(2, message);
    let message = "the following required arguments were not provided: <FILE>...";
    folder.run(&["train"]).fails(2, message);
    let message = "unrecognized subcommand 'trian'; a similar subcommand exists: 'train'";
    folder.run(&["trian"]).fails(2, message);
    folder
        .run(&["demo", "--text", "aaa"])
        .fails(2, &format!("--text: {}", REPEATED));
    folder
        .run(&["demo", "--text", ""])
        .fails(2, &format!("--text: {EMPTY}"));
}
