//! Hours of work: training and sampling side by side, with a save every second. Memory stays flat, no
//! file stays open, losses stay finite. `SOAK_MINUTES=60 cargo test -p rnn-cli --test soak -- --ignored --nocapture`
#![cfg(target_os = "linux")]

mod cli_support;

use std::fs;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::Child;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use cli_support::Folder;

/// What a process holds.
#[derive(Clone, Copy, Debug)]
struct Sample {
    minute: f64,
    kilobytes: u64,
    handles: usize,
}

fn sample(child: &Child, start: Instant) -> Option<Sample> {
    let process = Path::new("/proc").join(child.id().to_string());
    let status = fs::read_to_string(process.join("status")).ok()?;
    let line = status.lines().find(|line| line.starts_with("VmRSS:"))?;
    Some(Sample {
        minute: start.elapsed().as_secs_f64() / 60.0,
        kilobytes: line.split_whitespace().nth(1)?.parse().ok()?,
        handles: fs::read_dir(process.join("fd")).ok()?.count(),
    })
}

/// The figures of one process over its life: they may not grow after the first sixth of it.
fn judge(name: &str, samples: &[Sample], minutes: f64) {
    let settled: Vec<&Sample> = samples
        .iter()
        .filter(|sample| sample.minute > minutes / 6.0)
        .collect();
    let (first, last) = (settled[0], settled[settled.len() - 1]);
    let most = settled
        .iter()
        .map(|sample| sample.kilobytes)
        .max()
        .unwrap_or(0);
    let growth = last.kilobytes as f64 / first.kilobytes as f64 - 1.0;
    println!(
        "{name}: {} samples, resident {} kB at {:.1} min, {} kB at {:.1} min ({:+.2} %), at most {most} kB; \
         handles {} and {}",
        samples.len(),
        first.kilobytes,
        first.minute,
        last.kilobytes,
        last.minute,
        100.0 * growth,
        first.handles,
        last.handles
    );
    assert!(
        growth < 0.01,
        "{name}: resident memory grew by {:.2} %",
        100.0 * growth
    );
    let handles = settled
        .iter()
        .map(|sample| sample.handles)
        .max()
        .unwrap_or(0);
    assert!(
        handles <= first.handles + 2,
        "{name}: {handles} handles, {} at first",
        first.handles
    );
}

#[test]
#[ignore = "takes SOAK_MINUTES, 60 by default"]
fn hours_of_training_and_sampling_leak_nothing() {
    let minutes: f64 =
        std::env::var("SOAK_MINUTES").map_or(60.0, |text| text.parse().expect("minutes"));
    let folder = Folder::with_text();
    // A history grows by a record an evaluation, as it should: these are as rare as in a real run.
    let every = [
        "--checkpoint-every",
        "100",
        "--eval-every",
        "2500",
        "--sample-every",
        "5000",
    ];
    let sizes = [
        "--hidden-size",
        "128",
        "--schedule",
        "constant",
        "--max-steps",
        "1000000000",
    ];
    let train = [&["train", "text.txt", "-o", "m"][..], &every, &sizes].concat();
    let start = Instant::now();
    let mut training = folder.command(&train).spawn().expect("the binary runs");
    let lines = BufReader::new(training.stdout.take().expect("it is piped")).lines();
    let is_over = AtomicBool::new(false);
    let (mut of_training, mut of_sampling) = (Vec::new(), Vec::new());
    let (mut saves, mut written) = (0, None);
    let evaluations = std::thread::scope(|scope| {
        let reader = scope.spawn(|| {
            let mut evaluations = 0;
            for line in lines
                .map_while(Result::ok)
                .filter(|line| line.starts_with("step "))
            {
                evaluations += 1;
                assert!(!line.contains("NaN") && !line.contains("inf"), "{line}");
            }
            assert!(is_over.load(Ordering::SeqCst), "training ended early");
            evaluations
        });
        while !folder.path("m").exists() {
            std::thread::sleep(Duration::from_millis(20));
        }
        let endless = ["sample", "m", "-n", "1000000000", "-q"];
        let mut sampling = folder.command(&endless).spawn().expect("the binary runs");
        let mut text = sampling.stdout.take().expect("it is piped");
        let drain =
            scope.spawn(move || std::io::copy(&mut text, &mut std::io::sink()).unwrap_or(0));
        while start.elapsed().as_secs_f64() < 60.0 * minutes {
            of_training.extend(sample(&training, start));
            of_sampling.extend(sample(&sampling, start));
            // A third program reads whatever is there at any moment.
            folder.run(&["sample", "m", "-n", "50"]).ok();
            let now = fs::metadata(folder.path("m.resume"))
                .and_then(|data| data.modified())
                .ok();
            saves += u64::from(now != written);
            written = now;
            std::thread::sleep(Duration::from_secs(1));
        }
        is_over.store(true, Ordering::SeqCst);
        for child in [&mut training, &mut sampling] {
            child.kill().expect("it runs still");
            child.wait().expect("it ends");
        }
        let characters = drain.join().expect("the text was read");
        println!("sampled {characters} bytes");
        reader.join().expect("losses are finite")
    });
    println!(
        "{minutes} minutes: {evaluations} evaluations, saves seen in {saves} of {} seconds",
        of_training.len()
    );
    judge("training", &of_training, minutes);
    judge("sampling", &of_sampling, minutes);
    assert!(evaluations > 0 && saves > 0);
}
