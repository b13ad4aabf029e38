//! `view`: the page as a file, its size, and the numbers as JSON.

use crate::cli_support::Folder;
use crate::cli_support::packed::{data, packed};
use serde_json::Value;

fn json(text: &str) -> Vec<Value> {
    let lines = text
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines.collect()
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
    assert!(page.len() < 3_000_000, "{}", page.len());
    let data = data(&page);
    assert_eq!(
        (
            data["total"].as_u64(),
            data["ids"].as_array().unwrap().len()
        ),
        (Some(105_000), 5000)
    );
    let run = folder
        .run(&[
            "view",
            "model.safetensors",
            "long.txt",
            "--characters",
            "200000",
            "-o",
            "all.html",
        ])
        .ok();
    assert!(run.stderr.starts_with("all.html, "), "{}", run.stderr);
    assert!(folder.read("all.html").len() < 30_000_000);
}

#[test]
fn what_does_not_fit_is_left_out_by_rank_and_told() {
    let folder = Folder::with_text();
    // Nothing in it repeats, so that activations do not either.
    let mut random = 1u32;
    let text: String = (0..3500)
        .map(|_| {
            random = random.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            char::from(b"etaoin shrdlu\n\"q"[(random >> 28) as usize])
        })
        .collect();
    folder.write("text.txt", text);
    let flags = [
        "--hidden-size",
        "200",
        "--num-layers",
        "2",
        "--max-steps",
        "2",
        "--batch-size",
        "4",
        "--seq-length",
        "16",
    ];
    folder
        .run(
            &[
                &["train", "text.txt", "-o", "m", "--cell", "lstm"],
                &flags[..],
            ]
            .concat(),
        )
        .ok();
    let page = |size: &str, name: &str| {
        let run = folder
            .run(&["view", "m", "text.txt", "-o", name, "--max-size", size])
            .ok();
        let page = folder.read(name);
        assert!(
            page.len() as f64 <= 1e6 * size.parse::<f64>().unwrap(),
            "{size}: {}",
            page.len()
        );
        (page, run.stderr)
    };
    let of = |page: &[u8], signal: u64| -> Vec<Value> {
        let places = data(page)["activations"].as_array().unwrap().clone();
        places
            .into_iter()
            .filter(|place| place[2] == signal)
            .collect()
    };
    // All of it.
    let (all, stderr) = page("7", "all.html");
    assert!(stderr.starts_with("all.html"), "{stderr}");
    assert_eq!(of(&all, 0).len(), 400);
    assert_eq!(data(&all)["weights"]["digits"], Value::Null);
    assert_eq!(packed(&all, "activations").len(), 400 * 3500);
    // Fewer digits, which nobody notices.
    let (some, stderr) = page("2.9", "some.html");
    let weights = &data(&some)["weights"];
    assert!(stderr.starts_with("some.html"), "{stderr}");
    assert!(
        weights["change"].as_f64().unwrap() <= 1e-5 && weights["digits"].is_i64(),
        "{weights}"
    );
    // So few digits that it is told.
    let (rough, stderr) = page("0.74", "rough.html");
    let weights = &data(&rough)["weights"];
    let change = weights["change"].as_f64().unwrap();
    assert!(change > 1e-5 && change <= 1e-2, "{weights}");
    let note =
        "note: the weights are rounded to fit the page, so probabilities differ by up to 0.0";
    assert!(stderr.starts_with(note), "{stderr}");
    // No weights, and the signals of those units that follow something best.
    let (page, stderr) = page("0.5", "few.html");
    let few = data(&page);
    assert!(
        few["weights"].is_null()
            && String::from_utf8_lossy(&page).contains("id=\"weights\"></script>"),
        "{stderr}"
    );
    assert!(stderr.contains("note: the weights ("), "{stderr}");
    let (hidden, gates) = (of(&page, 0), of(&page, 3));
    assert!(
        gates.len() > 2 && stderr.contains(&format!("gates are shown for {} units", gates.len())),
        "{stderr}"
    );
    assert!(
        hidden.len() < 400 && stderr.contains(&format!("shows the {} of 400 units", hidden.len())),
        "{stderr}"
    );
    let best = |record: &Value| -> f64 {
        let follows = few["follows"].as_array().unwrap().iter();
        let mine = follows
            .filter(|follow| follow["layer"] == record[0] && follow["signal"] == "hidden state");
        let r =
            mine.filter_map(|follow| follow["r"][record[1].as_u64().unwrap() as usize].as_f64());
        r.fold(0.0, |best, r| best.max(r.abs()))
    };
    assert!(hidden.windows(2).all(|two| best(&two[0]) >= best(&two[1])));
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
