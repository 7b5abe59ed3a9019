//! The line at the bottom of a terminal that is redrawn in place: the bar and what the run waits for.

use std::time::Duration;

use super::bar::bar;
use crate::text::elapsed;

/// The width of a terminal whose width is unknown.
const DEFAULT_COLUMNS: usize = 80;

/// The columns of the elapsed time, with the space before it.
const TIME_COLUMNS: usize = 9;

/// The columns of a short bar with its figures.
const MIN_BAR_COLUMNS: usize = 40;

/// The minimum length of a text that is cut off.
const MIN_CUT: usize = 24;

/// The elapsed time, and the calls that a run waits for.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct WaitStatus {
    /// The time since the start of the run.
    pub elapsed: Duration,
    /// The regions or calls that it waits for, and why.
    pub awaited: Vec<String>,
}

/// A line that is redrawn in place; by default it is hidden.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct LiveLine {
    /// The completed and total number of the bar, if it is shown.
    pub(super) progress: Option<(usize, usize)>,
    /// The finished and known regions, in a run of many accounts.
    pub(super) regions: Option<(usize, usize)>,
    pub(super) status: WaitStatus,
}

impl LiveLine {
    /// Returns true if the line is shown.
    pub(super) fn is_shown(&self) -> bool {
        self.progress.is_some() || !self.status.awaited.is_empty()
    }

    /// Returns the text for a terminal with `columns` columns: the bar, the elapsed time and what is awaited, as much as
    /// fits. Without a bar, only what is awaited.
    pub(super) fn text(&self, columns: Option<usize>) -> String {
        // A character in the last column may move the cursor to the next line.
        let room = columns.unwrap_or(DEFAULT_COLUMNS).saturating_sub(1);
        let awaited = self.status.awaited.join("; ");
        let Some((done, total)) = self.progress else {
            return cut(&format!("… {awaited}"), room);
        };
        let regions = self
            .regions
            .map(|(done, total)| format!("  {done}/{total} regions"));
        let mut text = bar(done, total, bar_columns(columns, regions.as_deref()));
        let mut width = text.chars().count();
        if let Some(regions) = regions.filter(|regions| width + regions.len() <= room) {
            text.push_str(&regions);
            width += regions.len();
        }
        let time = format!("  {}", elapsed(self.status.elapsed));
        if self.status.elapsed.as_secs() > 0 && width + time.len() <= room {
            text.push_str(&time);
            width += time.len();
        }
        if self.has_room(room.saturating_sub(width)) {
            text.push_str(&cut(&format!("  {awaited}"), room - width));
        }
        text
    }

    /// Returns true if a terminal with `columns` columns shows what is awaited.
    pub(super) fn shows_awaited(&self, columns: Option<usize>) -> bool {
        let with = self.text(columns);
        let mut without = self.clone();
        without.status.awaited.clear();
        self.progress.is_none() || with != without.text(columns)
    }

    /// Returns true if what is awaited fits into `room` columns after the bar, at least its start.
    fn has_room(&self, room: usize) -> bool {
        let awaited = self.status.awaited.first();
        awaited.is_some_and(|first| room >= MIN_CUT.min(2 + first.chars().count()))
    }
}

/// Returns the columns for the bar: fewer if the regions and the time follow it, and a short bar is left.
fn bar_columns(columns: Option<usize>, regions: Option<&str>) -> Option<usize> {
    let Some(regions) = regions else {
        return columns;
    };
    let columns = columns.unwrap_or(DEFAULT_COLUMNS);
    let left = columns.saturating_sub(regions.len() + TIME_COLUMNS);
    Some(if left < MIN_BAR_COLUMNS {
        columns
    } else {
        left
    })
}

/// Returns at most `room` characters of `text`; a text that is cut off ends with `…`.
fn cut(text: &str, room: usize) -> String {
    if text.chars().count() <= room {
        return text.to_owned();
    }
    let start: String = text.chars().take(room.saturating_sub(1)).collect();
    let end = if room > 0 { "…" } else { "" };
    format!("{}{end}", start.trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn line(progress: Option<(usize, usize)>) -> LiveLine {
        LiveLine {
            progress,
            regions: None,
            status: WaitStatus {
                elapsed: Duration::from_secs(72),
                awaited: vec![
                    "eu-west-3: retry 6 of 10".to_owned(),
                    "sa-east-1: no answer for 41 s".to_owned(),
                ],
            },
        }
    }

    #[test]
    fn status_follows_bar_as_far_as_it_fits() {
        let line = line(Some((15, 17)));
        let bar = bar(15, 17, None);
        for (columns, shown) in [
            (68, ""),
            (75, ""),
            (76, "  1m12s"),
            (99, "  1m12s"),
            (100, "  1m12s  eu-west-3: retry 6 of…"),
            (101, "  1m12s  eu-west-3: retry 6 of…"),
            (
                131,
                "  1m12s  eu-west-3: retry 6 of 10; sa-east-1: no answer for 4…",
            ),
            (
                133,
                "  1m12s  eu-west-3: retry 6 of 10; sa-east-1: no answer for 41 s",
            ),
            (
                300,
                "  1m12s  eu-west-3: retry 6 of 10; sa-east-1: no answer for 41 s",
            ),
        ] {
            let text = line.text(Some(columns));
            assert_eq!(text.strip_prefix(&bar), Some(shown), "{columns}");
            let is_named = shown.contains("eu-west-3");
            assert_eq!(line.shows_awaited(Some(columns)), is_named, "{columns}");
        }
        assert_eq!(line.text(None), format!("{bar}  1m12s"));
    }

    #[test]
    fn regions_follow_bar_of_accounts() {
        let line = LiveLine {
            regions: Some((203, 646)),
            ..line(Some((12, 38)))
        };
        for (columns, width, shown) in [
            (60, 42, ""),
            (80, 36, "  203/646 regions  1m12s"),
            (94, 50, "  203/646 regions  1m12s"),
            (
                300,
                50,
                "  203/646 regions  1m12s  eu-west-3: retry 6 of 10; sa-east-1: no answer for 41 s",
            ),
        ] {
            let text = line.text(Some(columns));
            let (_, end) = text.split_once(" 12/38").unwrap();
            assert_eq!(end, shown, "{columns}");
            let blocks = text.chars().filter(|c| matches!(c, '█' | '░')).count();
            assert_eq!(blocks, width, "{columns}");
        }
    }

    #[test]
    fn line_fits_every_width() {
        for progress in [None, Some((0, 17)), Some((17, 17)), Some((99, 100))] {
            for columns in 0..=300 {
                let text = line(progress).text(Some(columns));
                assert!(text.chars().count() <= columns, "{columns}: {text}");
            }
        }
    }

    #[test]
    fn line_without_bar_is_cut() {
        let mut line = line(None);
        assert!(line.is_shown() && line.shows_awaited(Some(20)));
        assert_eq!(line.text(Some(20)), "… eu-west-3: retry…");
        assert_eq!(
            line.text(Some(80)),
            "… eu-west-3: retry 6 of 10; sa-east-1: no answer for 41 s"
        );
        line.status.awaited.clear();
        assert!(!line.is_shown());
        line.progress = Some((0, 17));
        assert!(line.is_shown() && !line.shows_awaited(Some(300)));
    }
}
