//! Files of models and runs, whatever order they are written, read, taken and left in.

use std::fs;
use std::path::Path;

use rnn::checkpoint::{self, Every, Interrupted, Keeper, resume_path};
use rnn::{Error, Event, Model, RunOptions, Trainer};
use tempfile::TempDir;

use super::World;
use super::draw::Draw;
use super::training;

/// Files that are kept in one input at most; each may wait for the disk.
const MOST: usize = 8;

/// A folder, in memory where the system has such: flushing to a disk takes its time.
fn folder() -> TempDir {
    let folder = tempfile::tempdir_in("/dev/shm").or_else(|_| tempfile::tempdir());
    folder.expect("a folder")
}

/// A model as bytes, and in a file where it can be read again.
pub(super) fn save(draw: &mut Draw<'_>, world: &World) {
    let (model, folder) = (&world.model, folder());
    let is_finite = model.network().parameters().is_finite();
    let bytes = model.to_bytes();
    let again = Model::from_bytes(&bytes);
    assert_eq!(again.is_ok(), is_finite, "{:?}", again.err());
    let path = folder.path().join("m.safetensors");
    if draw.flip() {
        fs::write(&path, draw.bytes(20)).expect("a file");
    }
    checkpoint::check_target(&path).expect("a file can be written there");
    let before = fs::read(&path).ok();
    match model.save(&path) {
        Ok(()) => {
            let read = Model::load(&path).expect("what was saved can be read");
            assert!(
                is_finite && read.to_bytes() == bytes,
                "saving and loading change a model"
            );
            assert_eq!(
                checkpoint::resolve(&path).expect("a file").file_name(),
                path.file_name()
            );
        }
        Err(error) => {
            assert!(!is_finite, "{error}");
            assert_eq!(fs::read(&path).ok(), before);
        }
    }
    assert_eq!(
        fs::read_dir(folder.path()).expect("a folder").count(),
        usize::from(path.exists())
    );
}

/// A run's files, by any calls in any order.
pub(super) fn keep(draw: &mut Draw<'_>, world: &mut World) {
    let trainer = &mut world.trainer;
    let folder = folder();
    let path = folder.path().join("m.safetensors");
    let resume = resume_path(&path);
    let every = match draw.below(3) {
        0 => Every::default(),
        1 => Every::Steps(draw.u64()),
        _ => Every::Steps(draw.below(3) as u64),
    };
    let mut keeper: Option<Keeper> = None;
    for _ in 0..1 + draw.below(MOST) {
        let Some(open) = &mut keeper else {
            without_keeper(draw, trainer, &path);
            keeper = Some(Keeper::new(&path, every).expect("nobody else keeps it"));
            continue;
        };
        match draw.below(10) {
            0 => keeper = None,
            1 => assert_locked(&path, every),
            2 => drop(open.start(trainer)),
            3 => {
                let is_there = resume.exists();
                let discarded = open.discard();
                discarded.expect("it is gone, or was not there");
                assert!(!resume.exists(), "there before: {is_there}");
            }
            4 => match open.load() {
                Ok(None) => assert!(!resume.exists()),
                Ok(Some(run)) => {
                    if let Ok(went_on) = Trainer::resume(trainer.corpus().clone(), run) {
                        *trainer = went_on;
                    }
                }
                Err(error) => assert!(matches!(error, Error::File { .. }), "{error}"),
            },
            5 => drop(open.repair(trainer, draw.flip())),
            6 => {
                if open.stop(trainer).is_ok() {
                    assert_noted(&resume, trainer);
                }
            }
            7 => {
                if open.finish(trainer).is_ok() {
                    assert_noted(&resume, trainer);
                    let saved = Model::load(&path).expect("what was saved can be read");
                    assert!(saved.to_bytes() == trainer.best_model().to_bytes());
                }
            }
            _ => follow(draw, open, trainer),
        }
    }
    drop(keeper);
    for path in [&path, &resume] {
        let lock = checkpoint::lock_path(path);
        assert!(!lock.exists(), "{} is left", lock.display());
    }
}

fn without_keeper(draw: &mut Draw<'_>, trainer: &Trainer<f32>, path: &Path) {
    let resume = resume_path(path);
    match draw.below(5) {
        0 => fs::write(path, draw.bytes(20)).expect("a file"),
        1 => fs::write(&resume, draw.bytes(20)).expect("a file"),
        2 => drop(trainer.best_model().save(path)),
        3 => drop(fs::remove_file(path)),
        _ => {}
    }
}

fn assert_locked(path: &Path, every: Every) {
    assert!(matches!(
        Keeper::new(path, every),
        Err(Error::Locked { .. })
    ));
    assert!(matches!(
        checkpoint::save(path, b"x"),
        Err(Error::Locked { .. })
    ));
    assert!(matches!(
        checkpoint::check_target(path),
        Err(Error::Locked { .. })
    ));
}

/// What going on needs is in its file, of the step at hand.
fn assert_noted(resume: &Path, trainer: &Trainer<f32>) {
    let run = checkpoint::read(resume, Interrupted::from_bytes);
    let run = run.unwrap_or_else(|error| panic!("{}", rest_of(&error)));
    assert_eq!(run.step_count(), trainer.step_count());
}

fn rest_of(error: &dyn std::error::Error) -> String {
    let source = error.source().map(rest_of).unwrap_or_default();
    format!("{error}: {source}")
}

/// Some steps of the run, each event followed.
fn follow(draw: &mut Draw<'_>, keeper: &mut Keeper, trainer: &mut Trainer<f32>) {
    if draw.seldom() {
        let event = Event::StepsFixed {
            max_steps: draw.u64(),
        };
        drop(keeper.follow(trainer, &event));
        return;
    }
    let mut left = 1 + draw.below(5);
    let _end = trainer.run(&RunOptions::default(), |trainer, event| {
        left -= 1;
        let followed = keeper.follow(trainer, &event);
        let is_sound = trainer.best_model().network().parameters().is_finite();
        assert!(followed.is_ok() || !is_sound, "{:?}", followed.err());
        Ok::<_, Error>(training::until(left == 0))
    });
}
