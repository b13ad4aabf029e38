//! Every test and benchmark at the root of the workspace is declared by a crate, and every module by
//! another.
//!
//! The root manifest is virtual, so cargo looks into `tests/` and `benches/` only where a crate's
//! manifest points: `[[test]] path = "../../tests/NAME.rs"`, or `NAME/main.rs`. What nobody declares
//! would never run, and nothing would say so. The links between the READMEs are checked here as well.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::io;
use std::path::{Path, PathBuf};

/// Root folders and the kind of target that their files must be declared as.
const FOLDERS: [(&str, &str); 2] = [("tests", "[[test]]"), ("benches", "[[bench]]")];

/// Paths of the targets of one kind in a manifest, as they stand there.
fn declared<'a>(manifest: &'a str, kind: &str) -> Vec<&'a str> {
    let mut section = "";
    let mut paths = Vec::new();
    for line in manifest.lines().map(str::trim) {
        if line.starts_with('[') {
            section = line;
        } else if section == kind
            && let Some((key, value)) = line.split_once('=')
            && key.trim() == "path"
        {
            paths.push(value.trim().trim_matches('"'));
        }
    }
    paths
}

/// Rust files in the root's `tests/` and `benches/`, and `main.rs` in folders there, that no manifest
/// under `crates/` declares.
fn undeclared(root: &Path) -> io::Result<Vec<String>> {
    let manifests = fs::read_dir(root.join("crates"))?
        .map(|entry| fs::read_to_string(entry?.path().join("Cargo.toml")))
        .collect::<io::Result<Vec<_>>>()?;
    let mut missing = BTreeSet::new();
    for (folder, kind) in FOLDERS {
        if !root.join(folder).exists() {
            continue;
        }
        for entry in fs::read_dir(root.join(folder))? {
            let entry = entry?;
            let mut name = entry.file_name().into_string().expect("a UTF-8 file name");
            if entry.path().join("main.rs").exists() {
                name.push_str("/main.rs");
            }
            let path = format!("../../{folder}/{name}");
            let found = manifests
                .iter()
                .any(|manifest| declared(manifest, kind).contains(&path.as_str()));
            if name.ends_with(".rs") && !found {
                missing.insert(format!("{folder}/{name}"));
            }
        }
    }
    Ok(missing.into_iter().collect())
}

/// All Rust files below a folder.
fn sources(folder: &Path, all: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            sources(&path, all)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            all.push(path);
        }
    }
    Ok(())
}

/// Modules below a folder that no other file there declares, so that they are never compiled.
fn orphans(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    sources(folder, &mut files)?;
    let texts = files
        .iter()
        .map(fs::read_to_string)
        .collect::<io::Result<Vec<_>>>()?;
    let words = |line: &str| {
        line.trim_start_matches("pub")
            .trim_start_matches("(crate)")
            .trim()
            .to_owned()
    };
    let lines: BTreeSet<String> = texts
        .iter()
        .flat_map(|text| text.lines())
        .map(|line| words(line.trim()))
        .collect();
    let is_orphan = |path: &PathBuf| {
        let name = |path: &Path| {
            path.file_stem()
                .map(|name| name.to_string_lossy().into_owned())
        };
        let module = match name(path).as_deref() {
            Some("main" | "lib") | None => return false,
            Some("mod") => path.parent().and_then(name),
            Some(module) => Some(module.to_owned()),
        };
        !module.is_some_and(|module| lines.contains(&format!("mod {module};")))
    };
    Ok(files.into_iter().filter(is_orphan).collect())
}

#[test]
fn every_module_is_declared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let crates = ["tensor", "rnn", "rnn-cli"].map(|name| format!("crates/{name}/src"));
    let tests =
        ["tensor", "maths", "files", "cli", "robustness"].map(|name| format!("tests/{name}"));
    for name in crates.iter().chain(&tests) {
        let orphans = orphans(&root.join(name)).expect("a folder");
        assert!(
            orphans.is_empty(),
            "declared by no mod, so never compiled: {orphans:?}"
        );
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    for (name, text) in [
        ("lib.rs", "pub(crate) mod a;\n  mod b;\n// mod c;\n"),
        ("a.rs", ""),
        ("b/mod.rs", ""),
        ("c.rs", ""),
        ("d/mod.rs", ""),
    ] {
        let path = folder.path().join(name);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    }
    let mut found = orphans(folder.path()).expect("a folder");
    found.sort();
    assert_eq!(
        found,
        ["c.rs", "d/mod.rs"].map(|name| folder.path().join(name))
    );
}

/// The paths of a file's `use` statements that begin with `start`, as `a/b` and `a/c` for `a::{b, c}`.
fn uses(text: &str, start: &str) -> Vec<String> {
    let trees = text.split(start).skip(1);
    let trees = trees.filter_map(|rest| rest.split(';').next());
    let paths = trees.flat_map(|tree| {
        let (path, names) = tree.split_once('{').unwrap_or(("", tree));
        let names = names.trim_end_matches('}').split(',').map(str::trim);
        let names =
            names.filter_map(|name| name.split(" as ").next().filter(|name| !name.is_empty()));
        names.map(move |name| format!("{path}{name}").replace("::", "/"))
    });
    paths.collect()
}

/// Modules below a folder that import each other in a circle. Re-exports do not count as imports: they
/// only give a name another home. Trees of `use` have no trees inside.
fn circles(folder: &Path) -> io::Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    sources(folder, &mut files)?;
    let mut texts = BTreeMap::new();
    for path in &files {
        let module = path.strip_prefix(folder).expect("a file below it");
        let module = match module.file_stem().and_then(|stem| stem.to_str()) {
            Some("lib" | "mod") => module.parent().expect("a folder").to_owned(),
            _ => module.with_extension(""),
        };
        if !module.to_string_lossy().contains("tests") {
            texts.insert(module, fs::read_to_string(path)?);
        }
    }
    let absolute = |module: &Path, path: &str| match path.split_once('/') {
        Some(("crate", rest)) => PathBuf::from(rest),
        Some(("super", rest)) => module.with_file_name(rest),
        Some(("self", rest)) => module.join(rest),
        _ => module.join(path),
    };
    let mut homes = BTreeMap::new();
    for (module, text) in &texts {
        for start in ["\npub use ", "\npub(crate) use ", "\npub(super) use "] {
            for path in uses(text, start).iter().map(|path| absolute(module, path)) {
                homes.insert(module.join(path.file_name().unwrap_or_default()), path);
            }
        }
    }
    let mut graph = BTreeMap::new();
    for (module, text) in texts.iter().filter(|(module, _)| *module != Path::new("")) {
        let home = |path: &String| {
            let mut name = &absolute(module, path);
            while let Some(home) = homes.get(name) {
                name = home;
            }
            let mut modules = name.ancestors().map(Path::to_owned);
            modules.find(|name| texts.contains_key(name))
        };
        let mut to: BTreeSet<_> = uses(text, "\nuse ").iter().filter_map(home).collect();
        to.remove(module);
        graph.insert(module.clone(), to);
    }
    // Take away what imports nothing, or nothing imports, until only circles are left.
    loop {
        let count = graph.len();
        let all: BTreeSet<_> = graph.keys().cloned().collect();
        let imported: BTreeSet<_> = graph.values().flatten().cloned().collect();
        graph.retain(|module, to| {
            to.retain(|other| all.contains(other));
            !to.is_empty() && imported.contains(module)
        });
        if graph.len() == count {
            return Ok(graph.into_keys().collect());
        }
    }
}

#[test]
fn no_modules_import_each_other_in_a_circle() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../rnn/src");
    assert_eq!(circles(&root).expect("a folder"), Vec::<PathBuf>::new());
    let folder = tempfile::tempdir().expect("a temporary folder");
    fs::create_dir(folder.path().join("b")).expect("a folder");
    for (name, text) in [
        ("lib.rs", "\nmod a;\npub use a::A;\n"),
        ("a.rs", "\nuse crate::b::{self, C};\n"),
        ("b/mod.rs", "\npub(crate) use c::{B, C};\n"),
        (
            "b/c.rs",
            "\nuse super::D;\nuse crate::{\n    A, d::D,\n};\n",
        ),
        ("d.rs", "\nuse std::fs;\n"),
    ] {
        fs::write(folder.path().join(name), text).expect("a file");
    }
    let found = circles(folder.path()).expect("a folder");
    assert_eq!(found, ["a", "b/c"].map(Path::new));
}

#[test]
fn every_test_and_bench_file_is_declared() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let missing = undeclared(&root).expect("the workspace can be read");
    assert!(
        missing.is_empty(),
        "declared in no crate's Cargo.toml, so never run: {}",
        missing.join(", ")
    );
}

#[test]
fn an_undeclared_file_is_named() {
    let root = tempfile::tempdir().expect("a temporary folder");
    let write = |path: &str, text: &str| {
        let path = root.path().join(path);
        fs::create_dir_all(path.parent().expect("a parent")).expect("a folder");
        fs::write(path, text).expect("a file");
    };
    write(
        "crates/one/Cargo.toml",
        "[[test]]\nname = \"a\"\npath = \"../../tests/a.rs\"\n# path = \"../../tests/b.rs\"\n",
    );
    write(
        "crates/two/Cargo.toml",
        "[[bench]]\nname = \"d\"\npath = \"../../benches/d.rs\"\nharness = false\n\n[dependencies]\npath = \"../../tests/c.rs\"\n",
    );
    for file in [
        "tests/a.rs",
        "tests/b.rs",
        "tests/c.rs",
        "tests/d.rs",
        "tests/e/main.rs",
        "benches/a.rs",
        "benches/d.rs",
    ] {
        write(file, "");
    }
    write("tests/notes.md", "");
    write("tests/support/mod.rs", "");
    let missing = undeclared(root.path()).expect("the folder can be read");
    assert_eq!(
        missing,
        [
            "benches/a.rs",
            "tests/b.rs",
            "tests/c.rs",
            "tests/d.rs",
            "tests/e/main.rs"
        ]
    );
}

/// The guides of the workspace, each beside what it describes.
const GUIDES: [&str; 6] = [
    "README.md",
    "benches/README.md",
    "crates/rnn/README.md",
    "crates/rnn-cli/README.md",
    "crates/rnn-cli/SECURITY.md",
    "crates/tensor/README.md",
];

/// The names that a guide's headings have in links, as GitHub makes them.
fn anchors(guide: &str) -> BTreeSet<String> {
    let headings = guide.lines().filter(|line| line.starts_with('#'));
    let anchor = |line: &str| -> String {
        let text = line.trim_start_matches('#').trim().to_lowercase();
        let kept = text
            .chars()
            .filter(|c| c.is_alphanumeric() || " -_".contains(*c));
        kept.map(|c| if c == ' ' { '-' } else { c }).collect()
    };
    headings.map(anchor).collect()
}

/// Links of the guide at `path` that lead to no file or no heading.
fn broken_links(root: &Path, path: &str) -> io::Result<Vec<String>> {
    let guide = fs::read_to_string(root.join(path))?;
    let folder = root.join(path);
    let folder = folder.parent().unwrap_or(root);
    // Every other part lies between fences, where brackets are code.
    let texts = guide.split("```").step_by(2);
    let targets = texts
        .flat_map(|text| text.split("](").skip(1))
        .filter_map(|rest| rest.split(')').next())
        .filter(|target| !target.starts_with("https://"));
    let is_broken = |target: &&str| {
        let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
        let text = match file {
            "" => Ok(guide.clone()),
            file if folder.join(file).extension().is_some_and(|end| end == "md") => {
                fs::read_to_string(folder.join(file))
            }
            file => return !folder.join(file).exists(),
        };
        !text.is_ok_and(|text| anchor.is_empty() || anchors(&text).contains(anchor))
    };
    Ok(targets.filter(is_broken).map(str::to_owned).collect())
}

#[test]
fn every_link_of_the_guides_leads_somewhere() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    for guide in GUIDES {
        let broken = broken_links(&root, guide).expect("a guide");
        assert!(broken.is_empty(), "{guide} leads nowhere: {broken:?}");
    }
    let folder = tempfile::tempdir().expect("a temporary folder");
    let text =
        "# One two\n[a](b.md) [b](#one-two) [c](#three) [d](a.md#one-two) [e](a.md#x) [f](c.rs)";
    fs::write(folder.path().join("a.md"), text).expect("a file");
    let broken = broken_links(folder.path(), "a.md").expect("a guide");
    assert_eq!(broken, ["b.md", "#three", "a.md#x", "c.rs"]);
}
