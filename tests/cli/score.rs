//! `score`: as a whole, by line, by character, with what is learned on the way, and fast.

use crate::cli_support::Folder;

/// The columns of a line of `score`.
fn columns(line: &str) -> Vec<f64> {
    line.split_whitespace()
        .filter_map(|word| word.parse().ok())
        .collect()
}

#[test]
fn score_adds_up_its_files() {
    let folder = Folder::with_model();
    folder.write("other.txt", "jumps the quick fox\nline 12: fox\n");
    let run = folder
        .run(&["score", "model.safetensors", "text.txt", "other.txt"])
        .ok();
    let rows: Vec<Vec<f64>> = run.text().lines().skip(1).map(columns).collect();
    let [text, other, total] = rows.as_slice() else {
        panic!("{}", run.text())
    };
    assert_eq!((text[3], other[3], total[3]), (3499.0, 32.0, 3531.0));
    let mean = (text[0] * text[3] + other[0] * other[3]) / total[3];
    assert!((mean - total[0]).abs() < 1e-4, "{rows:?}");
    for row in &rows {
        assert!(
            (row[1] - row[0] / std::f64::consts::LN_2).abs() < 2e-4,
            "{row:?}"
        );
        assert!((row[2] - row[0].exp()).abs() < 1e-3 * row[2], "{row:?}");
    }
}

#[test]
fn what_adapts_stands_beside_the_plain_score_and_never_for_it() {
    let folder = Folder::with_model();
    folder.write("other.txt", "line 12: fox\n".repeat(60));
    let score = |flags: &[&str]| {
        let files = ["score", "model.safetensors", "text.txt", "other.txt"];
        folder.run(&[&files[..], flags].concat()).ok()
    };
    let (plain, both) = (score(&[]), score(&["--adapt"]));
    let is_adapted = |line: &&str| line.contains(", adapted: ");
    let (adapted, rest): (Vec<&str>, Vec<&str>) = both.text().lines().partition(is_adapted);
    assert!(rest.iter().copied().eq(plain.text().lines()));
    assert_eq!(adapted.len(), 3);
    for (name, (plain, line)) in ["text.txt", "other.txt", "total"]
        .into_iter()
        .zip(rest[1..].iter().zip(adapted))
    {
        let gain = columns(plain)[0] - columns(line)[0];
        assert!(
            gain > 0.0 && line.contains(&format!("  {name}, adapted: ")),
            "{line}"
        );
        let told = line.rsplit_once(": ").unwrap().1;
        assert!((columns(told)[0] - gain).abs() < 2e-4 && told.ends_with(" nats/char less"));
    }
    // The second file starts with the weights of the model, not with those of the first.
    let alone = folder.run(&["score", "model.safetensors", "other.txt", "--adapt"]);
    let last = alone.ok().text().lines().last().unwrap().to_owned();
    assert!(both.text().contains(&last), "{last}");

    let json = |run: crate::cli_support::Run| -> Vec<serde_json::Value> {
        let lines = run.text().lines();
        lines
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    };
    let (plain, both) = (
        json(score(&["--json"])),
        json(score(&["--json", "--adapt"])),
    );
    for (plain, both) in plain.iter().zip(&both) {
        let number = |key: &str| both[key].as_f64().unwrap();
        let kept = plain.as_object().unwrap().iter();
        assert!(kept.into_iter().all(|(key, value)| both[key] == *value));
        assert!(plain.get("adapted_nats_per_character").is_none());
        let gain = number("nats_per_character") - number("adapted_nats_per_character");
        assert!((number("gain_nats_per_character") - gain).abs() < 1e-12);
        assert!(number("adapted_bits_per_character") < number("bits_per_character"));
        assert!(number("adapted_perplexity") < number("perplexity"));
    }
    let listed = json(score(&["--json", "--adapt", "--per-char"]));
    let nats = listed
        .iter()
        .take(3499)
        .map(|line| line["adapted_nats"].as_f64().unwrap());
    let mean = nats.sum::<f64>() / 3499.0;
    let whole = both[0]["adapted_nats_per_character"].as_f64().unwrap();
    assert!((mean - whole).abs() < 1e-9, "{mean} and {whole}");
    let lines = json(score(&["--json", "--adapt", "--per-line"]));
    assert!(
        lines
            .iter()
            .all(|line| line["adapted_nats_per_character"].is_f64())
    );
}

#[test]
fn any_number_of_threads_scores_alike() {
    let folder = Folder::with_model();
    let score = |threads: &str| {
        let flags = ["--per-char", "--json", "--threads", threads];
        let run = folder.run(&[&["score", "model.safetensors", "text.txt"][..], &flags].concat());
        run.ok().stdout
    };
    let one = score("1");
    assert!(one == score("2") && one == score("5"));
}

#[test]
fn the_strangest_line_comes_first() {
    let folder = Folder::with_text();
    let flags = [
        "--hidden-size",
        "24",
        "--max-steps",
        "150",
        "--batch-size",
        "8",
        "--seq-length",
        "16",
    ];
    folder
        .run(&[&["train", "text.txt", "-o", "m"], flags.as_slice()].concat())
        .ok();
    let odd = "xof nworb kciuq eht";
    let text = crate::cli_support::text();
    let (before, after) = text.split_at(text.find("line 40").unwrap());
    folder.write("odd.txt", format!("{before}{odd}\n{after}"));
    let run = folder.run(&["score", "m", "odd.txt", "--per-line"]).ok();
    let first = run.text().lines().next().unwrap();
    assert!(first.ends_with(&format!("    41  {odd}")), "{first:?}");
    assert_eq!(run.text().lines().count(), 101);
}

#[test]
fn scores_by_character_add_up_to_the_whole() {
    let folder = Folder::with_model();
    let run = folder
        .run(&[
            "score",
            "model.safetensors",
            "text.txt",
            "--per-char",
            "--json",
        ])
        .ok();
    let number = |line: &str, name: &str| -> f64 {
        let rest = line.split_once(&format!("\"{name}\":")).unwrap().1;
        rest.split([',', '}']).next().unwrap().parse().unwrap()
    };
    let sum: f64 = run.text().lines().map(|line| number(line, "nats")).sum();
    let whole = folder
        .run(&["score", "model.safetensors", "text.txt", "--json"])
        .ok();
    let mean = number(whole.text(), "nats_per_character");
    assert!((sum / 3499.0 - mean).abs() < 1e-9, "{sum} against {mean}");
    assert_eq!(number(whole.text(), "characters"), 3499.0);
}

#[test]
fn unknown_characters_are_refused_or_skipped() {
    let folder = Folder::with_model();
    folder.write("odd.txt", "the qüick fox");
    folder.write("plain.txt", "the qick fox");
    let message = "cannot read odd.txt: character 'ü' (U+00FC) at character offset 5 is not in the vocabulary; similar: 'u', 'x', 'w', 't', 's'";
    let refused = folder.run(&["score", "model.safetensors", "odd.txt"]);
    assert_eq!(
        (refused.code, refused.stderr),
        (Some(1), format!("error: {message}\n"))
    );
    let score = |args: &[&str]| {
        let run = folder
            .run(&[&["score", "model.safetensors"], args].concat())
            .ok();
        columns(run.text().lines().nth(1).unwrap())
    };
    assert_eq!(
        score(&["odd.txt", "--unknown", "skip"]),
        score(&["plain.txt"])
    );
}

#[test]
fn fast_scores_are_near_the_exact_ones_on_any_number_of_threads() {
    let folder = Folder::with_model();
    folder.write("lines.txt", crate::cli_support::text().repeat(4));
    let score = |flags: &[&str]| {
        let files = ["score", "model.safetensors", "lines.txt", "text.txt"];
        folder.run(&[&files[..], flags].concat()).ok()
    };
    for kind in [&[][..], &["--records"]] {
        let exact = score(kind);
        let exact: Vec<_> = exact.text().lines().skip(1).map(columns).collect();
        let fast = score(&[kind, &["--fast", "--threads", "1"]].concat());
        let rows = fast.text().lines().skip(1).map(columns);
        for (exact, fast) in exact.iter().zip(rows) {
            assert_eq!(exact[3], fast[3]);
            assert!((exact[0] - fast[0]).abs() < 2e-3, "{exact:?} and {fast:?}");
        }
        for threads in ["2", "5"] {
            let other = score(&[kind, &["--fast", "--threads", threads]].concat());
            assert_eq!(other.stdout, fast.stdout);
        }
    }
    for other in ["--adapt", "--per-line", "--per-char"] {
        let run = folder.run(&["score", "model.safetensors", "text.txt", "--fast", other]);
        assert_eq!(run.code, Some(2), "{}", run.stderr);
    }
}

#[test]
fn what_is_left_out_is_told() {
    let folder = Folder::with_model();
    folder.write("odd.txt", "äline öline\nü");
    let score = |how: &str| {
        let args = ["score", "model.safetensors", "odd.txt", "--unknown", how];
        folder.run(&args)
    };
    let run = score("skip").ok();
    let note = "note: left out 3 of the 13 characters of odd.txt, which the model does not know\n";
    assert_eq!(run.stderr, note);
    assert!(
        run.text().contains("           9  odd.txt"),
        "{}",
        run.text()
    );
    // A line of which nothing is predicted has no mean.
    folder.write("odd.txt", "\nline 1\nü");
    let args = [
        "score",
        "model.safetensors",
        "odd.txt",
        "--unknown",
        "skip",
        "--per-line",
    ];
    let listed = folder.run(&args).ok();
    assert_eq!(listed.text().lines().count(), 1, "{}", listed.text());
    let view = ["view", "model.safetensors", "odd.txt", "--unknown", "skip"];
    let note = "note: left out 1 of the 9 characters of odd.txt, which the model does not know\n";
    assert!(folder.run(&view).ok().stderr.starts_with(note));
}
