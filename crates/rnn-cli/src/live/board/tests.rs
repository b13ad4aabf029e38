//! The picture, drawn on a terminal in memory.

use super::curve::MOST_POINTS;
use super::*;
use ratatui::Terminal;
use ratatui::backend::TestBackend;

fn picture(board: &Board, width: u16, height: u16) -> String {
    let mut terminal = Terminal::new(TestBackend::new(width, height)).unwrap();
    terminal.draw(|frame| board.draw(frame)).unwrap();
    terminal.backend().to_string()
}

fn board(steps: u64) -> Board {
    let mut board = Board::new("model.safetensors".into());
    for number in 1..=steps {
        let step = Step {
            loss: 4.0 / number as f64,
            gradient_norm: 0.25,
            learning_rate: 0.004,
            characters: 64,
        };
        board.step(number, &step, Some(2_000), "1,234 chars/s".into());
    }
    board
}

#[test]
fn the_picture_tells_where_training_stands() {
    let mut board = board(1_500);
    board.evaluated(&Record {
        step: 1_000,
        train_loss: None,
        validation_loss: Some(1.5),
        learning_rate: 0.004,
    });
    board.sample("ROMEO:\nWhat\tlight\u{1b}[31m?".into());
    board.line("step 1000/2000  validation 1.5000 nats");
    for (width, height) in [(120, 40), (80, 24), (60, 36)] {
        let picture = picture(&board, width, height);
        for part in [
            "step 1,500/2,000",
            "loss in nats: training 0.00, held out 1.50",
            "gradient norm: 0.25",
            "ROMEO:",
            "at step 1,500",
            "validation 1.5000",
            "Ctrl-C",
        ] {
            assert!(
                picture.contains(part),
                "{part} at {width}x{height} in\n{picture}"
            );
        }
        assert!(!picture.contains('\u{1b}'));
    }
    let wide = picture(&board, 120, 40);
    assert!(wide.contains("model.safetensors") && wide.contains("learning rate 4.00e-3"));
}

#[test]
fn a_small_terminal_gets_what_matters_most_whole() {
    let mut board = board(1_500);
    board.speed = "1,234 chars/s  12m 5s left".into();
    board.line(&"x".repeat(200));
    let small = picture(&board, 40, 12);
    // No room for a second curve: its number goes to the head, if there is room, and nothing is cut.
    assert!(
        small.contains("step 1,500/2,000   1,234 chars/s "),
        "{small}"
    );
    assert!(
        small.contains("┌ loss: training 0.00 ─") && !small.contains("gradient norm"),
        "{small}"
    );
    let flat = picture(&board, 80, 12);
    assert!(flat.contains("12m 5s left   gradient norm 0.25"), "{flat}");
    assert!(picture(&board, 80, 24).contains(&format!("{}…", "x".repeat(77))));
}

#[test]
fn no_size_and_no_number_breaks_the_picture() {
    let mut odd = board(3);
    let step = Step {
        loss: f64::NAN,
        gradient_norm: f64::INFINITY,
        learning_rate: 0.0,
        characters: 0,
    };
    odd.step(4, &step, Some(0), String::new());
    for (width, height) in [(1, 1), (3, 2), (10, 4), (20, 60), (200, 5)] {
        for board in [&Board::default(), &board(1), &odd] {
            picture(board, width, height);
        }
    }
}

#[test]
fn a_curve_of_any_length_stays_small_and_keeps_its_mean() {
    let mut curve = Curve::default();
    for x in 1..=1_000_000u64 {
        curve.push(x, (x % 2) as f64);
    }
    let n = curve.points.len();
    assert!((MOST_POINTS / 2..MOST_POINTS).contains(&n), "{n}");
    let mean = curve.points.iter().map(|point| point.1).sum::<f64>() / n as f64;
    assert!((mean - 0.5).abs() < 1e-9, "{mean}");
    assert!(curve.points.windows(2).all(|two| two[0].0 < two[1].0));
}
