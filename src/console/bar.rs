//! The text of the progress bar, fitted to the width of the terminal.

/// The width of the bar, in characters, where it fits.
const BAR_WIDTH: usize = 50;

/// The minimum width of the bar. In a narrower terminal, only the figures are shown.
const MIN_BAR_WIDTH: usize = 10;

/// Formats the bar: `Progress: [████░░░░] completed/total`.
///
/// In a terminal with few `columns` the bar is narrower, then left out, then the label too, so that
/// the text never needs a second line. All characters are one column wide.
pub fn bar(done: usize, total: usize, columns: Option<usize>) -> String {
    let figures = format!("{done}/{total}");
    let label = "Progress: ";
    let Some(columns) = columns else {
        return with_blocks(label, BAR_WIDTH, done, total);
    };
    // The bar has the same width from the first region to the last one.
    let longest = format!("{label}[] {total}/{total}").len();
    let width = columns.saturating_sub(longest).min(BAR_WIDTH);
    if width >= MIN_BAR_WIDTH {
        with_blocks(label, width, done, total)
    } else if label.len() + figures.len() <= columns {
        format!("{label}{figures}")
    } else if figures.len() <= columns {
        figures
    } else {
        String::new()
    }
}

fn with_blocks(label: &str, width: usize, done: usize, total: usize) -> String {
    let filled = (done * width).checked_div(total).unwrap_or(width);
    let (full, rest) = ("█".repeat(filled), "░".repeat(width - filled));
    format!("{label}[{full}{rest}] {done}/{total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_fifty_wide() {
        let empty = format!("Progress: [{}] 0/17", "░".repeat(50));
        let some = format!("Progress: [{}{}] 5/17", "█".repeat(14), "░".repeat(36));
        let full = format!("Progress: [{}] 17/17", "█".repeat(50));
        for columns in [None, Some(68), Some(80), Some(300)] {
            let bars = [0, 5, 17].map(|done| bar(done, 17, columns));
            assert_eq!(bars, [empty.clone(), some.clone(), full.clone()]);
        }
        let none = format!("Progress: [{}] 0/0", "█".repeat(50));
        assert_eq!(bar(0, 0, None), none);
    }

    #[test]
    fn bar_needs_one_line_at_every_width() {
        for columns in 0..=300 {
            for (done, total) in [(0, 0), (0, 17), (9, 17), (17, 17), (1, 5), (99, 100)] {
                let text = bar(done, total, Some(columns));
                assert!(text.chars().count() <= columns, "{columns}: {text}");
                if columns >= 40 {
                    let end = format!("] {done}/{total}");
                    assert!(text.ends_with(&end), "{columns}: {text}");
                }
            }
        }
    }

    #[test]
    fn narrow_terminal_gets_figures_only() {
        for (columns, expected) in [
            (28, "Progress: [█████░░░░░] 9/17"),
            (27, "Progress: 9/17"),
            (14, "Progress: 9/17"),
            (13, "9/17"),
            (4, "9/17"),
            (3, ""),
            (0, ""),
        ] {
            assert_eq!(bar(9, 17, Some(columns)), expected, "{columns}");
        }
    }
}
