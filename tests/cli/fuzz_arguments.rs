//! Command lines of the fuzzer's corpus, one argument a line: what was parsed or refused without a
//! crash is so again, by the built binary, in an empty folder.

use std::fs;
use std::path::Path;
use std::process::Stdio;

use crate::cli_support::Folder;

#[test]
fn command_lines_of_the_corpus_end_in_words() {
    let corpus = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rnn/fuzz/corpus/arguments");
    let folder = Folder::new();
    let mut count = 0;
    for file in fs::read_dir(corpus).expect("a corpus") {
        let path = file.expect("an entry").path();
        let bytes = fs::read(&path).expect("a file");
        // What is no text or holds a zero cannot be typed.
        let Ok(text) = String::from_utf8(bytes) else {
            continue;
        };
        let args: Vec<&str> = text.split('\n').collect();
        if text.contains('\0')
            || !["train", "sample", "score", "inspect", "import", "view"].contains(&args[0])
        {
            continue;
        }
        let output = folder
            .command(&args)
            .stdin(Stdio::null())
            .output()
            .expect("it runs");
        let said = String::from_utf8(output.stderr).expect("words");
        let code = output.status.code();
        assert!(
            code.is_some_and(|code| code <= 2),
            "{}: {code:?} {said}",
            path.display()
        );
        assert_eq!(
            said.is_empty(),
            code == Some(0),
            "{}: {said}",
            path.display()
        );
        count += 1;
    }
    assert!(count > 0);
}
