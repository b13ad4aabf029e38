//! What `train` tells beside its lines: metrics, a picture, a dry run.

use crate::cli_support::{Folder, TINY};
use serde_json::Value;

/// The lines of `metrics.jsonl`.
fn metrics(folder: &Folder) -> Vec<Value> {
    let text = String::from_utf8(folder.read("metrics.jsonl")).unwrap();
    text.lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect()
}

fn steps(lines: &[Value]) -> Vec<u64> {
    lines
        .iter()
        .map(|line| line["step"].as_u64().unwrap())
        .collect()
}

const METRICS: [&str; 2] = ["--metrics", "metrics.jsonl"];
const MODEL: [&str; 6] = ["train", "text.txt", "-o", "m", "--schedule", "constant"];

/// Starts the run at `m`.
fn start(folder: &Folder, flags: &[&str]) {
    folder.run(&[&MODEL, TINY.as_slice(), flags].concat()).ok();
}

/// Goes on with the run at `m`.
fn go_on(folder: &Folder, flags: &[&str]) -> crate::cli_support::Run {
    folder.run(&[&["train", "text.txt", "--resume", "m"], flags].concat())
}

#[test]
fn metrics_have_one_line_for_each_evaluation_in_nats_and_bits() {
    let folder = Folder::with_text();
    start(&folder, &METRICS);
    let lines = metrics(&folder);
    assert_eq!(steps(&lines), [10, 20]);
    for line in &lines {
        for name in ["train", "validation"] {
            let nats = line[format!("{name}_nats")].as_f64().unwrap();
            let bits = line[format!("{name}_bits")].as_f64().unwrap();
            assert!(
                (bits * std::f64::consts::LN_2 - nats).abs() < 1e-12,
                "{line}"
            );
        }
        assert_eq!(line["epoch"], 0);
        assert_eq!(
            line["characters"].as_u64(),
            Some(64 * line["step"].as_u64().unwrap())
        );
        assert!(line["characters_per_second"].as_f64().unwrap() > 0.0);
        assert!(line["seconds"].as_f64().unwrap() > 0.0);
    }
}

#[test]
fn a_run_that_goes_on_appends_each_step_once() {
    let folder = Folder::with_text();
    start(&folder, &METRICS);
    let first = folder.read("metrics.jsonl");
    // As if the program had been killed while it wrote, after evaluations that come again.
    let more = "{\"step\":30,\"epoch\":0,\"learning_rate\":1}\n{\"step\":4";
    folder.write("metrics.jsonl", [&first, more.as_bytes()].concat());
    go_on(&folder, &[&METRICS[..], &["--max-steps", "45"]].concat()).ok();
    assert!(folder.read("metrics.jsonl").starts_with(&first));
    let lines = metrics(&folder);
    assert_eq!(steps(&lines), [10, 20, 30, 40, 45]);
    let seconds: Vec<f64> = lines
        .iter()
        .map(|line| line["seconds"].as_f64().unwrap())
        .collect();
    assert!(seconds.is_sorted(), "{seconds:?}");
    // The last evaluation was one of the end, which is no end any more.
    go_on(&folder, &[&METRICS[..], &["--max-steps", "60"]].concat()).ok();
    assert_eq!(steps(&metrics(&folder)), [10, 20, 30, 40, 50, 60]);
}

#[test]
fn evaluations_that_were_not_noted_are_noted_later() {
    let folder = Folder::with_text();
    start(&folder, &[]);
    go_on(&folder, &[&METRICS[..], &["--max-steps", "30"]].concat()).ok();
    let lines = metrics(&folder);
    assert_eq!(steps(&lines), [10, 20, 30]);
    assert!(lines[0]["validation_nats"].is_f64() && lines[0]["seconds"].is_null());
    assert!(lines[2]["seconds"].is_f64());
}

#[test]
fn the_picture_has_both_curves() {
    let folder = Folder::with_text();
    start(&folder, &["--plot", "plot.svg"]);
    go_on(&folder, &["--plot", "plot.svg", "--max-steps", "40"]).ok();
    let picture = String::from_utf8(folder.read("plot.svg")).unwrap();
    assert!(picture.starts_with("<svg ") && picture.ends_with("</svg>\n"));
    let points = picture
        .split("points=\"")
        .skip(1)
        .map(|rest| rest.split('"').next().unwrap());
    let counts: Vec<usize> = points.map(|points| points.split(' ').count()).collect();
    assert_eq!(counts, [4, 4]);
    assert_eq!(folder.names(), ["m", "m.resume", "plot.svg", "text.txt"]);
}

#[test]
fn reports_overwrite_nothing() {
    let folder = Folder::with_text();
    start(&folder, &[]);
    folder.write("precious", "a line\n");
    for flag in ["--metrics", "--plot"] {
        let train = |name: &str, more: &[&str]| {
            folder.train(&[&["text.txt", "-o", "n", flag, name], more].concat())
        };
        let what = if flag == "--plot" { "plot" } else { "metrics" };
        let itself = format!("text.txt is the text itself; use another name for the {what}");
        for more in [&[][..], &["--force"]] {
            train("precious", more).fails(1, "precious already exists; use another name");
            train("text.txt", more).fails(1, &itself);
            train("n", more).fails(2, "n is named for two outputs; use two names");
        }
        train("no/where", &[])
            .code
            .filter(|&code| code == 1)
            .expect("an error");
    }
    let message = "precious is not a metrics file of this program; use another name";
    go_on(&folder, &["--metrics", "precious"]).fails(1, message);
    let message = "precious is not a plot of this program; use another name";
    go_on(&folder, &["--plot", "precious"]).fails(1, message);
    assert_eq!(folder.read("precious"), b"a line\n");
    assert_eq!(
        folder.read("text.txt"),
        crate::cli_support::text().into_bytes()
    );
}

#[test]
fn a_dry_run_tells_all_and_writes_nothing() {
    let folder = Folder::with_text();
    let reports = ["--metrics", "a.jsonl", "--plot", "a.svg", "--dry-run"];
    let run = folder.train(&[&["text.txt"][..], &reports].concat()).ok();
    let names: Vec<&str> = run
        .text()
        .lines()
        .map(|line| line.split(' ').next().unwrap())
        .collect();
    let expected = [
        "text",
        "network",
        "parameters",
        "training",
        "steps",
        "memory",
        "time",
        "model",
        "",
        "--time",
        "1m",
        "10m",
        "1h",
        "8h",
        "an",
    ];
    assert_eq!(names, expected, "{}", run.text());
    assert!(run.text().contains("3,500 characters, "), "{}", run.text());
    assert!(
        run.text().contains("text.safetensors, not written"),
        "{}",
        run.text()
    );
    assert_eq!(folder.names(), ["text.txt"]);
    let message = "the argument '--dry-run' cannot be used with '--resume <MODEL>'";
    folder
        .run(&["train", "text.txt", "--dry-run", "--resume", "m"])
        .fails(2, message);
}

#[test]
fn inspect_shows_format_and_checksum() {
    let folder = Folder::with_model();
    let shown = folder.run(&["inspect", "model.safetensors"]).ok();
    let checksum = shown.text().split("format 1, checksum ").nth(1).unwrap();
    let checksum = checksum.split('\n').next().unwrap();
    assert!(checksum.len() == 16 && checksum.bytes().all(|b| b.is_ascii_hexdigit()));
    let json = folder.run(&["inspect", "model.safetensors", "--json"]).ok();
    let json: Value = serde_json::from_str(json.text()).unwrap();
    assert_eq!(
        (&json["format"], &json["checksum"]),
        (&1.into(), &checksum.into())
    );
}
