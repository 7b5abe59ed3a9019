//! The result of a run, and its exit code.

/// The result of a run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// The CSV is written; counts may be missing.
    Done,
    /// A check or another required step failed.
    Failed,
    /// The options are invalid, according to AWS.
    Usage,
    /// The CSV is written, and it has gaps that `--strict` does not allow.
    Partial,
    /// A signal ended the run.
    Interrupted(i32),
}

impl Exit {
    /// Returns the exit code: 0, 1, 2, 3, or 128 + the signal number. (clap uses 2 for usage errors too.)
    #[must_use]
    pub fn code(self) -> u8 {
        match self {
            Self::Done => 0,
            Self::Failed => 1,
            Self::Usage => 2,
            Self::Partial => 3,
            Self::Interrupted(signal) => u8::try_from(128 + signal).unwrap_or(130),
        }
    }
}
