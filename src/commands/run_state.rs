//! The progress of a run, for the message of an interrupt.

use std::fmt;

/// The part of a run that is done.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct RunState {
    /// The number of finished regions and of all, once the scan has started.
    pub(super) regions: Option<(usize, usize)>,
    /// True if there is a CSV of an earlier run.
    pub(super) has_old_csv: bool,
    pub(super) files: WrittenFiles,
}

/// The output files that are written.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum WrittenFiles {
    /// No file.
    #[default]
    None,
    /// The error log of a run without a CSV.
    ErrorLog,
    /// The CSV and the error log; other files may be written too.
    Csv,
    /// All files.
    All,
}

impl fmt::Display for RunState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.regions {
            None => f.write_str("the scan was not started; ")?,
            Some((done, total)) => write!(f, "{done} of {total} regions were counted; ")?,
        }
        f.write_str(match self.files {
            WrittenFiles::None => "nothing was written",
            WrittenFiles::ErrorLog => "only the error log was written",
            WrittenFiles::Csv => "the CSV was written, the output after it is incomplete",
            WrittenFiles::All => "all files were written",
        })?;
        let is_old = matches!(self.files, WrittenFiles::None | WrittenFiles::ErrorLog);
        match self.regions {
            Some(_) if is_old && self.has_old_csv => f.write_str(", the last CSV is unchanged"),
            None if self.files == WrittenFiles::None => {
                f.write_str(", existing files are unchanged")
            }
            _ => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn state_says_what_is_done_and_written() {
        for (regions, has_old_csv, files, expected) in [
            (
                None,
                false,
                WrittenFiles::None,
                "the scan was not started; nothing was written, existing files are unchanged",
            ),
            (
                None,
                false,
                WrittenFiles::ErrorLog,
                "the scan was not started; only the error log was written",
            ),
            (
                Some((15, 17)),
                true,
                WrittenFiles::None,
                "15 of 17 regions were counted; nothing was written, the last CSV is unchanged",
            ),
            (
                Some((15, 17)),
                false,
                WrittenFiles::None,
                "15 of 17 regions were counted; nothing was written",
            ),
            (
                Some((17, 17)),
                true,
                WrittenFiles::ErrorLog,
                "17 of 17 regions were counted; only the error log was written, the last CSV is \
                 unchanged",
            ),
            (
                Some((17, 17)),
                true,
                WrittenFiles::Csv,
                "17 of 17 regions were counted; the CSV was written, the output after it is \
                 incomplete",
            ),
            (
                Some((17, 17)),
                true,
                WrittenFiles::All,
                "17 of 17 regions were counted; all files were written",
            ),
        ] {
            let state = RunState {
                regions,
                has_old_csv,
                files,
            };
            assert_eq!(state.to_string(), expected);
        }
    }
}
