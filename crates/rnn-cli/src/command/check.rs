//! The gradient check as a table.

use std::io::Write;

use anyhow::bail;
use rnn::CellKind;
use rnn::gradient_check::{Case, check};

use crate::args::CheckArgs;
use crate::console;
use crate::exit::misuse;

/// The relative error that is still rounding.
const TOLERANCE: f64 = 1e-6;

/// Runs `check`.
pub(crate) fn run(args: &CheckArgs) -> anyhow::Result<()> {
    let cells = args.cell.map_or(CellKind::ALL.to_vec(), |cell| vec![cell]);
    let mut out = console::stdout();
    let mut worst = 0.0f64;
    for (at, cell) in cells.into_iter().enumerate() {
        let case = Case {
            cell,
            num_layers: args.num_layers,
            dropout: args.dropout,
            seed: args.seed,
        };
        let rows = check(&case).map_err(|error| match error {
            rnn::Error::TooLarge { .. } => error.into(),
            error => misuse(error),
        })?;
        if at == 0 {
            writeln!(
                out,
                "cell      parameter               shape        gradient  worst error"
            )?;
        }
        for row in rows {
            let shape: Vec<String> = row.shape.iter().map(usize::to_string).collect();
            writeln!(
                out,
                "{:<9} {:<22}  {:<10}  {:9.2e}  {:.1e}",
                cell.name(),
                row.name,
                format!("[{}]", shape.join(", ")),
                row.gradient,
                row.worst
            )?;
            worst = if row.worst.is_nan() {
                f64::INFINITY
            } else {
                worst.max(row.worst)
            };
        }
    }
    out.flush()?;
    if worst >= TOLERANCE {
        bail!("the worst relative error is {worst:.1e}; it must be below {TOLERANCE:.0e}");
    }
    writeln!(
        out,
        "every gradient matches its finite differences: worst relative error {worst:.1e}, allowed {TOLERANCE:.0e}"
    )?;
    Ok(out.flush()?)
}
