//! `train`: what it reports, saves and refuses.

use std::fs;

use crate::cli_support::{Folder, TINY};

#[test]
fn a_report_has_losses_in_nats_and_bits_and_the_speed() {
    let folder = Folder::with_text();
    let run = folder.train(&["text.txt"]).ok();
    let lines: Vec<&str> = run.text().lines().collect();
    assert_eq!(lines.len(), 2, "{lines:?}");
    assert!(
        lines[0].starts_with("step 10/20  train ") && lines[0].ends_with("  saved"),
        "{lines:?}"
    );
    let words: Vec<&str> = lines[0].split_whitespace().collect();
    assert_eq!((words[2], words[4], words[6]), ("train", "nats", "bits)"));
    assert_eq!(
        (words[7], words[9], words[11]),
        ("validation", "nats", "bits)")
    );
    for at in [3, 8] {
        let nats: f64 = words[at].parse().unwrap();
        let bits: f64 = words[at + 2].trim_start_matches('(').parse().unwrap();
        assert!(
            (bits - nats / std::f64::consts::LN_2).abs() < 2e-4,
            "{words:?}"
        );
    }
    assert!(lines[0].contains(" chars/s"), "{lines:?}");
    assert!(
        run.stderr.contains("try: rnn-cli sample text.safetensors"),
        "{}",
        run.stderr
    );
    let written = ["text.safetensors", "text.safetensors.resume", "text.txt"];
    assert_eq!(folder.names(), written);
}

#[test]
fn the_same_run_gives_the_same_bytes_on_any_number_of_threads() {
    let folder = Folder::with_text();
    for cell in ["rnn", "rnn-relu", "lstm", "gru", "mingru"] {
        let train = |name: &str, threads: &str| {
            let args = [
                "text.txt",
                "-o",
                name,
                "--cell",
                cell,
                "--dropout",
                "0.3",
                "--threads",
                threads,
            ];
            let flags = [
                "--hidden-size",
                "20",
                "--num-layers",
                "2",
                "--max-steps",
                "6",
                "--batch-size",
                "9",
            ];
            folder
                .run(&[&["train"], args.as_slice(), &flags].concat())
                .ok();
            folder.read(name)
        };
        let one = train(&format!("{cell}-1"), "1");
        for threads in ["1", "2", "3", "7"] {
            assert!(
                one == train(&format!("{cell}-{threads}-again"), threads),
                "{cell}, {threads} threads"
            );
        }
    }
}

#[test]
fn the_seed_matters() {
    let folder = Folder::with_text();
    for seed in ["1", "2"] {
        folder.train(&["text.txt", "-o", seed, "--seed", seed]).ok();
    }
    assert_ne!(folder.read("1"), folder.read("2"));
}

#[test]
fn a_model_that_exists_is_kept_without_force() {
    let folder = Folder::with_text();
    folder.write("text.safetensors", "precious");
    let message =
        "text.safetensors already exists; use another name (-o) or --force to overwrite it";
    folder.train(&["text.txt"]).fails(1, message);
    assert_eq!(folder.read("text.safetensors"), b"precious");
    folder.train(&["text.txt", "--force"]).ok();
    assert_ne!(folder.read("text.safetensors"), b"precious");
}

#[test]
fn the_text_is_never_overwritten_by_its_model() {
    let folder = Folder::with_text();
    fs::create_dir(folder.path("sub")).unwrap();
    for name in ["text.txt", "sub/../text.txt"] {
        let message = format!("{name} is the text itself; use another name for the model (-o)");
        folder
            .train(&["text.txt", "-o", name, "--force"])
            .fails(1, &message);
    }
    assert_eq!(
        folder.read("text.txt"),
        crate::cli_support::text().into_bytes()
    );
}

#[test]
fn standard_input_and_output_serve_as_files() {
    let folder = Folder::with_text();
    folder.train(&["text.txt", "-o", "from-file"]).ok();
    let args = [&["train", "-", "-o", "from-pipe"], TINY.as_slice()].concat();
    folder.run_with_input(&args, &folder.read("text.txt")).ok();
    assert_eq!(folder.read("from-file"), folder.read("from-pipe"));
    let run = folder.train(&["text.txt", "-o", "-"]).ok();
    assert_eq!(run.stdout, folder.read("from-file"));
    assert!(run.stderr.starts_with("step 10/20"), "{}", run.stderr);
}

#[test]
fn without_held_out_text_the_model_is_the_last_state() {
    let folder = Folder::with_text();
    let run = folder.train(&["text.txt", "--split", "1"]).ok();
    assert!(
        run.stderr.starts_with("note: no text is held out"),
        "{}",
        run.stderr
    );
    assert!(!run.text().contains("validation"));
    let inspected = folder.run(&["inspect", "text.safetensors"]).ok();
    assert!(
        inspected
            .text()
            .contains("unknown, since no text was held out; 20 steps done"),
        "{}",
        inspected.text()
    );
}

#[test]
fn samples_on_the_way_have_200_characters() {
    let folder = Folder::with_text();
    let run = folder.train(&["text.txt", "--sample-every", "20"]).ok();
    let (_, rest) = run.text().split_once("---- step 20 ----\n").unwrap();
    let (sample, _) = rest.split_once("\n----\n").unwrap();
    assert_eq!(sample.chars().count(), 200);
}

#[test]
fn quiet_is_quiet_and_verbose_tells_sizes() {
    let folder = Folder::with_text();
    let run = folder.train(&["text.txt", "-o", "quiet", "-q"]).ok();
    assert_eq!((run.text(), run.stderr.as_str()), ("", ""));
    let run = folder
        .train(&["text.txt", "-o", "verbose", "-v", "--cell", "gru"])
        .ok();
    assert!(
        run.stderr.starts_with("3,500 characters, "),
        "{}",
        run.stderr
    );
    assert!(
        run.stderr.contains("gru, layers 1, hidden units 16"),
        "{}",
        run.stderr
    );
}

#[test]
fn a_closed_pipe_ends_training_quietly_and_leaves_a_sound_model() {
    let folder = Folder::with_text();
    let args = [
        "train",
        "text.txt",
        "--max-steps",
        "1000000",
        "--eval-every",
        "2",
        "--hidden-size",
        "8",
    ];
    let run = folder.run_and_hang_up(&args, 10);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    folder.run(&["inspect", "text.safetensors"]).ok();
    let written = ["text.safetensors", "text.safetensors.resume", "text.txt"];
    assert_eq!(folder.names(), written);
}

#[test]
fn every_optimiser_schedule_and_clip_trains() {
    let folder = Folder::with_text();
    for flags in [
        "--optimizer sgd --momentum 0.9 --nesterov --schedule constant --clip 1",
        "--optimizer adagrad --schedule exponential --learning-rate-decay 0.9 --learning-rate-decay-after 1",
        "--optimizer rmsprop --alpha 0.95 --schedule cosine --warmup-steps 3 --clip-value 5",
        "--optimizer adam --schedule plateau --clip 0 --horizon 4",
        "--optimizer adamw --weight-decay 0.1 --schedule warmup-decay --warmup-steps 0 --forget-bias 1 --orthogonal",
    ] {
        let flags: Vec<&str> = flags.split(' ').collect();
        folder
            .train(&[&["text.txt", "--force", "--cell", "lstm"], flags.as_slice()].concat())
            .ok();
    }
}

#[test]
fn validation_and_test_losses_are_what_score_says_of_those_parts() {
    let folder = Folder::new();
    let text: String = (0..1_000)
        .map(|at| {
            format!(
                "{} times {} is {}\n",
                at % 97,
                at % 89,
                (at % 97) * (at % 89)
            )
        })
        .collect();
    folder.write("text.txt", &text);
    let flags =
        "--hidden-size 16 --num-layers 1 --max-steps 150 --eval-every 50 --split 0.4,0.3,0.3";
    let args = ["train", "text.txt"].into_iter().chain(flags.split(' '));
    let said = folder.run(&args.collect::<Vec<_>>()).ok().stderr;
    let at = |share: f64| (text.len() as f64 * share + 1e-6) as usize;
    for (name, part) in [
        ("best validation loss ", at(0.4)..at(0.7)),
        ("test loss ", at(0.7)..text.len()),
    ] {
        let told = said.split_once(name).expect("a loss").1;
        let told: f64 = told.split(' ').next().unwrap().parse().unwrap();
        folder.write("part.txt", &text[part]);
        let scored = folder.run(&["score", "text.safetensors", "part.txt"]).ok();
        let line = scored.text().lines().nth(1).unwrap();
        let scored: f64 = line.split_whitespace().next().unwrap().parse().unwrap();
        assert!(
            (told - scored).abs() < 2e-3,
            "{name}{told}, scored {scored}"
        );
    }
}
