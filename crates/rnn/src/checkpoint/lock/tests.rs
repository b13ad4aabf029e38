//! One holder at a time, and nothing removed that is not ours.

use super::*;

#[test]
fn the_second_is_refused_until_the_first_lets_go() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("m");
    let first = Lock::take(&target).unwrap().unwrap();
    assert!(Lock::take(&target).unwrap().is_none());
    for held in ["m", "m.lock", "m.resume"] {
        assert!(is_held(&folder.path().join(held)).unwrap(), "{held}");
    }
    drop(first);
    assert!(!is_held(&target).unwrap());
    drop(Lock::take(&target).unwrap().unwrap());
    if cfg!(unix) {
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 0);
    }
}

#[test]
fn leftovers_go_where_they_are_ours_and_nothing_else_does() {
    let folder = tempfile::tempdir().unwrap();
    let at = |name: &str| folder.path().join(name);
    let content = format!("{LOCK_MARK}.rnn-left.tmp\nbook.txt\n../.rnn-x.tmp\n.rnn-gone.tmp\n");
    fs::write(at("m.lock"), content).unwrap();
    for name in [".rnn-left.tmp", ".rnn-other.tmp", "book.txt", "m.tmp"] {
        fs::write(at(name), "something").unwrap();
    }
    drop(Lock::take(&at("m")).unwrap().unwrap());
    assert!(!at(".rnn-left.tmp").exists());
    for name in [".rnn-other.tmp", "book.txt", "m.tmp"] {
        assert!(at(name).exists(), "{name}");
    }
    assert_eq!(at("m.lock").exists(), cfg!(not(unix)));
}

#[test]
fn a_file_that_only_has_the_name_stays_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let (target, path) = (folder.path().join("m"), folder.path().join("m.lock"));
    for (content, is_taken) in [
        (&b""[..], true),
        (&[0; 300], true),
        (b"version = 4\n", false),
        (&[0, 7], false),
        (&LOCK_MARK.as_bytes()[1..], false),
    ] {
        fs::write(&path, content).unwrap();
        let taken = Lock::take(&target);
        assert_eq!(matches!(taken, Ok(Some(_))), is_taken, "{content:?}");
        drop(taken);
        assert_eq!(fs::read(&path).unwrap(), content);
    }
}

#[test]
fn what_is_no_file_in_its_place_is_named() {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir(folder.path().join("m.lock")).unwrap();
    let error = Lock::take(&folder.path().join("m")).unwrap_err();
    let ours = "m.lock is a folder; move it away or use another name for the model";
    assert!(error.to_string().ends_with(ours), "{error}");
}

#[cfg(unix)]
#[test]
fn a_link_in_its_place_makes_no_file_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let link = folder.path().join("m.lock");
    std::os::unix::fs::symlink("elsewhere", link).unwrap();
    let error = Lock::take(&folder.path().join("m")).unwrap_err();
    let ours = "m.lock is a symbolic link; move it away or use another name for the model";
    assert!(error.to_string().ends_with(ours), "{error}");
    assert!(!folder.path().join("elsewhere").exists());
}

#[cfg(unix)]
#[test]
fn a_lock_whose_file_was_removed_takes_no_other_file_with_it() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("m");
    let robbed = Lock::take(&target).unwrap().unwrap();
    fs::remove_file(folder.path().join("m.lock")).unwrap();
    let heir = Lock::take(&target).unwrap().unwrap();
    drop(robbed);
    assert!(Lock::take(&target).unwrap().is_none());
    drop(heir);
}

#[test]
fn many_threads_never_hold_it_together() {
    use std::sync::atomic::{AtomicUsize, Ordering};
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("m");
    let (holders, turns) = (AtomicUsize::new(0), AtomicUsize::new(0));
    std::thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| {
                while turns.load(Ordering::SeqCst) < 300 {
                    if let Some(lock) = Lock::take(&target).unwrap() {
                        assert_eq!(holders.fetch_add(1, Ordering::SeqCst), 0);
                        holders.fetch_sub(1, Ordering::SeqCst);
                        turns.fetch_add(1, Ordering::SeqCst);
                        drop(lock);
                    }
                }
            });
        }
    });
}
