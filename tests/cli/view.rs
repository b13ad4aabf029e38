//! `view`: the page as a file, its size, and the numbers as JSON.

use crate::cli_support::Folder;
use serde_json::Value;

fn json(text: &str) -> Vec<Value> {
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines.collect()
}

/// The data in a page. No `<` in them can end their element.
fn data(page: &[u8]) -> Value {
    let page = std::str::from_utf8(page).expect("UTF-8");
    let start = "<script type=\"application/json\" id=\"data\">";
    let (_, rest) = page.split_once(start).expect("the element");
    let (text, end) = rest.split_once('<').expect("an end");
    assert!(end.starts_with("/script>"), "{text}");
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn the_page_is_one_file_that_asks_for_nothing() {
    let folder = Folder::with_model();
    let run = folder.run(&["view", "model.safetensors", "text.txt"]).ok();
    assert!(
        run.stderr.starts_with("model.html, ") && run.stderr.ends_with(": open it in a browser\n"),
        "{}",
        run.stderr
    );
    let page = String::from_utf8(folder.read("model.html")).unwrap();
    assert!(page.starts_with("<!doctype html>") && page.trim_end().ends_with("</html>"));
    assert!(page.contains("Content-Security-Policy\" content=\"default-src 'none';"));
    for outside in [
        "src=",
        "@import",
        "url(",
        "fetch(",
        "XMLHttpRequest",
        "import(",
    ] {
        assert!(!page.contains(outside), "{outside}");
    }
    let links: Vec<&str> = page
        .split("http")
        .skip(1)
        .map(|rest| &rest[..rest.len().min(24)])
        .collect();
    assert!(
        links
            .iter()
            .all(|rest| rest.starts_with("-equiv=") || rest.starts_with("://www.w3.org/2000/svg")),
        "{links:?}"
    );
    let again = folder
        .run(&["view", "model.safetensors", "text.txt", "-o", "-"])
        .ok();
    assert_eq!(again.stdout, page.as_bytes(), "the same page twice");
}

#[test]
fn the_numbers_are_those_of_score_and_of_a_reader() {
    let folder = Folder::with_model();
    let lines = json(
        folder
            .run(&["view", "model.safetensors", "text.txt", "--json"])
            .ok()
            .text(),
    );
    let (summary, traces) = lines.split_first().unwrap();
    let scores = json(
        folder
            .run(&[
                "score",
                "model.safetensors",
                "text.txt",
                "--per-char",
                "--json",
            ])
            .ok()
            .text(),
    );
    let nats = summary["nats"].as_array().unwrap();
    assert_eq!(
        (nats.len(), summary["ids"].as_array().unwrap().len()),
        (3499, 3500)
    );
    for (ours, theirs) in nats.iter().zip(&scores) {
        let (ours, theirs) = (ours.as_f64().unwrap(), theirs["nats"].as_f64().unwrap());
        assert!(
            (ours - theirs).abs() <= 1e-8 * theirs.max(1.0),
            "{ours} {theirs}"
        );
    }
    // Six signals of sixteen units; correlations recomputed from what is printed.
    assert_eq!(traces.len(), 6 * 16);
    let numbers = |value: &Value| -> Vec<f64> {
        value
            .as_array()
            .unwrap()
            .iter()
            .map(|x| x.as_f64().unwrap())
            .collect()
    };
    let positions: Vec<f64> = (0..3500).map(|at| f64::from((at + 1) % 35)).collect();
    let follow = summary["follows"]
        .as_array()
        .unwrap()
        .iter()
        .find(|follow| follow["property"] == "line position" && follow["signal"] == "forget gate");
    let r = &follow.unwrap()["r"];
    for trace in traces
        .iter()
        .filter(|trace| trace["signal"] == "forget gate")
    {
        let values = numbers(&trace["values"]);
        let mean = |x: &[f64]| x.iter().sum::<f64>() / x.len() as f64;
        let (ma, mp) = (mean(&values), mean(&positions));
        let sum = |f: &dyn Fn(f64, f64) -> f64| {
            values
                .iter()
                .zip(&positions)
                .map(|(a, p)| f(a - ma, p - mp))
                .sum::<f64>()
        };
        let expected = sum(&|a, p| a * p) / (sum(&|a, _| a * a) * sum(&|_, p| p * p)).sqrt();
        let ours = r[trace["unit"].as_u64().unwrap() as usize]
            .as_f64()
            .unwrap();
        assert!((ours - expected).abs() < 1e-4, "{ours} {expected}");
    }
    assert_eq!(summary["memory"]["window"], 16);
    assert_eq!(summary["history"].as_array().unwrap().len(), 2);
}

#[test]
fn a_long_text_is_cut_and_the_cut_is_told() {
    let folder = Folder::with_model();
    folder.write("long.txt", crate::cli_support::text().repeat(30)); // 105,000 characters
    let run = folder.run(&["view", "model.safetensors", "long.txt"]).ok();
    let note = "note: the page shows the first 5,000 of 105,000 characters; use --characters to show more\n";
    assert!(run.stderr.starts_with(note), "{}", run.stderr);
    let page = folder.read("model.html");
    let data = data(&page);
    assert_eq!(
        (
            data["total"].as_u64(),
            data["ids"].as_array().unwrap().len()
        ),
        (Some(105_000), 5000)
    );
    let view = ["view", "model.safetensors", "long.txt", "-n", "200000"];
    let run = folder.run(&[&view[..], &["-o", "all.html"]].concat()).ok();
    assert!(run.stderr.starts_with("all.html, "), "{}", run.stderr);
}

#[test]
fn short_texts_and_odd_models_make_pages_too() {
    let folder = Folder::with_model();
    folder.write("one.txt", "l");
    folder.write("two.txt", "li");
    for (text, predicted) in [("one.txt", 0), ("two.txt", 1)] {
        let page = folder
            .run(&["view", "model.safetensors", text, "-o", "-"])
            .ok()
            .stdout;
        assert_eq!(data(&page)["nats"].as_array().unwrap().len(), predicted);
    }
    folder
        .train(&["text.txt", "-o", "bytes", "--bytes", "--cell", "rnn-relu"])
        .ok();
    folder.write("any.bin", [0, 255, 10, 60, 47, 115, 62]);
    let page = folder
        .run(&["view", "bytes", "any.bin", "-o", "-"])
        .ok()
        .stdout;
    assert_eq!(
        data(&page)["ids"],
        serde_json::json!([0, 255, 10, 60, 47, 115, 62])
    );
}

#[test]
fn nothing_is_overwritten_unasked() {
    let folder = Folder::with_model();
    folder.write("model.html", "mine");
    let view =
        |args: &[&str]| folder.run(&[&["view", "model.safetensors", "text.txt"], args].concat());
    view(&[]).fails(
        1,
        "model.html already exists; use another name (-o) or --force to overwrite it",
    );
    view(&["--force", "-o", "text.txt"]).fails(
        1,
        "text.txt is the text itself; use another name for the page (-o)",
    );
    view(&["-o", "none/page.html"]).fails(
        1,
        "cannot save none/page.html: the folder none does not exist",
    );
    assert_eq!(folder.read("model.html"), b"mine");
    view(&["--force"]).ok();
    assert_ne!(folder.read("model.html"), b"mine");
    folder.write("odd.txt", "liñe");
    let run = folder.run(&["view", "model.safetensors", "odd.txt", "-o", "odd.html"]);
    assert!(
        run.code == Some(1) && run.stderr.contains("character 'ñ'"),
        "{}",
        run.stderr
    );
    folder
        .run(&[
            "view",
            "model.safetensors",
            "odd.txt",
            "-o",
            "odd.html",
            "--unknown",
            "skip",
        ])
        .ok();
}
