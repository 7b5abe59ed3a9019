//! The layout of a table in the summary: aligned columns where they fit, otherwise one paragraph per row.

use std::fmt::Write;

use crate::console::wrap::wrap;

/// The cells of a row: regions, types, reason, action.
pub type TableRow = [String; 4];

/// The indent of a table.
const INDENT: usize = 2;

/// The space between two columns.
const GAP: usize = 3;

/// Without a terminal, the maximum width to which cells are aligned; a longer cell shifts the rest of its row.
const MAX_ALIGNED: usize = 40;

/// The minimum width of a wrapped column.
const MIN_WIDTH: usize = 16;

/// The maximum number of lines of a row with aligned columns.
const MAX_LINES: usize = 3;

/// Wraps `lines` at `columns`, each with a hanging indent of two more than its own.
pub fn wrapped(lines: Vec<String>, columns: Option<usize>) -> Vec<String> {
    let Some(columns) = columns else {
        return lines;
    };
    let indent = |line: &str| line.len() - line.trim_start().len() + 2;
    let lines = lines.iter();
    lines
        .flat_map(|line| wrap(line, columns, indent(line)))
        .collect()
}

/// Returns the lines of each row, fitted to `columns`.
pub fn lay_out(rows: &[TableRow], columns: Option<usize>) -> Vec<Vec<String>> {
    let Some(columns) = columns else {
        let widths = [0, 1, 2, 3].map(|n| {
            let widths = rows.iter().map(|row| row[n].chars().count());
            widths.filter(|w| *w <= MAX_ALIGNED).max().unwrap_or(0)
        });
        return rows.iter().map(|row| vec![line(row, &widths)]).collect();
    };
    let table = widths(rows, columns).map(|widths| {
        let table = rows.iter().map(|row| row_lines(row, &widths));
        table.collect::<Vec<_>>()
    });
    match table {
        Some(table) if table.iter().all(|lines| lines.len() <= MAX_LINES) => table,
        _ => rows.iter().map(|row| paragraph(row, columns)).collect(),
    }
}

/// Returns the widths of the columns of a table; `None` if it does not fit.
fn widths(rows: &[TableRow], columns: usize) -> Option<[usize; 4]> {
    let longest = |n: usize, measure: fn(&str) -> usize| {
        let cells = rows.iter().map(|row| measure(&row[n]));
        cells.max().unwrap_or(0)
    };
    let longest_word = |text: &str| {
        let words = text.split(' ').map(|word| word.chars().count());
        words.max().unwrap_or(0)
    };
    let mut widths = [0, 1, 2, 3].map(|n| longest(n, |text| text.chars().count()));
    let minimum = [0, 1, 2, 3].map(|n| longest(n, longest_word).max(MIN_WIDTH.min(widths[n])));
    let available = columns.checked_sub(INDENT + 3 * GAP)?;
    while widths.iter().sum::<usize>() > available {
        let wide = (0..4).filter(|n| widths[*n] > minimum[*n]);
        let widest = wide.max_by_key(|n| widths[*n])?;
        widths[widest] -= 1;
    }
    Some(widths)
}

/// Returns the lines of a row whose cells are wrapped.
fn row_lines(row: &TableRow, widths: &[usize; 4]) -> Vec<String> {
    let cells = [0, 1, 2, 3].map(|n| wrap(&row[n], widths[n], 0));
    let height = cells.iter().map(Vec::len).max().unwrap_or(0);
    let lines = (0..height).map(|at| {
        let part = [0, 1, 2, 3].map(|n| cells[n].get(at).cloned().unwrap_or_default());
        line(&part, widths)
    });
    lines.collect()
}

/// Formats the cells of a line.
fn line(cells: &TableRow, widths: &[usize; 4]) -> String {
    let mut line = " ".repeat(INDENT);
    for (cell, width) in cells.iter().zip(widths) {
        let _ = write!(line, "{cell:width$}{}", " ".repeat(GAP));
    }
    line.trim_end().to_owned()
}

/// Returns the lines of a row that does not fit: `regions: types: reason; action`.
fn paragraph([regions, types, reason, action]: &TableRow, columns: usize) -> Vec<String> {
    let indent = " ".repeat(INDENT);
    let mut lines = wrap(&format!("{indent}{regions}: {types}"), columns, 3 * INDENT);
    let text = if action.is_empty() {
        reason.clone()
    } else {
        format!("{reason}: {action}")
    };
    lines.extend(wrap(
        &format!("{indent}{indent}{text}"),
        columns,
        3 * INDENT,
    ));
    lines
}

/// Returns the lines of a command to copy, which is not broken: below its label if it does not fit beside it.
pub fn command(label: &str, command: &str, columns: Option<usize>) -> Vec<String> {
    let line = format!("  {label} {command}");
    match columns {
        Some(columns) if line.chars().count() > columns => {
            vec![format!("  {label}"), format!("    {command}")]
        }
        _ => vec![line],
    }
}
