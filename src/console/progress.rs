//! The progress bar.

/// The width of the bar, in characters.
const BAR_WIDTH: usize = 50;

/// The display mode of the progress bar.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Bar {
    /// Redrawn in place, on a terminal.
    Live,
    /// Only the final state.
    FinalOnly,
    /// Hidden.
    Off,
}

/// Formats the bar: `Progress: [████░░░░] completed/total`.
pub(super) fn bar(done: usize, total: usize) -> String {
    let filled = (done * BAR_WIDTH).checked_div(total).unwrap_or(BAR_WIDTH);
    let (full, rest) = ("█".repeat(filled), "░".repeat(BAR_WIDTH - filled));
    format!("Progress: [{full}{rest}] {done}/{total}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bar_is_fifty_wide() {
        let empty = format!("Progress: [{}] 0/17", "░".repeat(50));
        let some = format!("Progress: [{}{}] 5/17", "█".repeat(14), "░".repeat(36));
        let full = format!("Progress: [{}] 17/17", "█".repeat(50));
        assert_eq!([bar(0, 17), bar(5, 17), bar(17, 17)], [empty, some, full]);
        assert_eq!(bar(0, 0), format!("Progress: [{}] 0/0", "█".repeat(50)));
    }
}
