//! A page to look at, and what it may and may not do.

use serde_json::Value;

use super::Browser;
use crate::cli_support::{Folder, Run};

/// A folder with `text.txt`, `m` of 16 units trained on it with these flags, and its page, `page.html`.
pub(crate) fn page(flags: &[&str]) -> Folder {
    let folder = Folder::with_text();
    let common = [
        "train",
        "text.txt",
        "-o",
        "m",
        "--max-steps",
        "60",
        "--eval-every",
        "20",
    ];
    let small = ["--batch-size", "4", "--seq-length", "16"];
    let units: &[&str] = match flags.contains(&"--hidden-size") {
        true => &[],
        false => &["--hidden-size", "16"],
    };
    folder
        .run(&[&common[..], &small[..], units, flags].concat())
        .ok();
    folder
        .run(&["view", "m", "text.txt", "-o", "page.html"])
        .ok();
    folder
}

/// The lines of JSON that a run wrote.
pub(crate) fn lines(run: Run) -> Vec<Value> {
    let lines = run
        .text()
        .lines()
        .map(|line| serde_json::from_str(line).expect("JSON"));
    lines.collect()
}

/// Nothing but the page itself, and pictures that it holds.
#[track_caller]
pub(crate) fn assert_quiet(browser: &Browser) {
    assert_eq!(browser.complaints(), Vec::<String>::new());
    let requests = browser.requests();
    assert!(
        requests.iter().all(
            |url| (url.starts_with("file:///") && url.ends_with(".html"))
                || url.starts_with("data:")
        ),
        "{requests:?}"
    );
}
