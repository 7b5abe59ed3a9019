//! The state of a region's configuration recorder.

use std::fmt;
use std::sync::Arc;

use time::OffsetDateTime;

use super::status::Status;
use crate::aws::ops::describe_configuration_recorder_status::RecorderStatus;
use crate::error_log::timestamp;
use crate::text::sanitize;

/// The state of a recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecorderState {
    /// The recorder is recording, and its last attempt succeeded.
    Recording,
    /// The recorder does not record now.
    Stale(StaleState),
}

/// The state of a recorder that does not record now.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StaleState {
    /// The kind.
    pub kind: StaleKind,
    /// The time since which the recorder is in this state, if AWS Config returned it.
    pub since: Option<OffsetDateTime>,
    /// The error code, or the status if it is not success.
    pub code: Option<Arc<str>>,
}

/// The kind of a [`StaleState`], from the least to the most recent inventory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum StaleKind {
    /// The recorder is stopped.
    Stopped,
    /// The last attempt to record failed.
    Failed,
    /// The recorder has not recorded yet, or has no status.
    Pending,
}

/// The maximum length of an error code, in characters.
const MAX_CODE: usize = 100;

impl RecorderState {
    /// Returns the state of a recorder from its status. Only a recorder whose last status is success
    /// is recording; AWS Config returns the status in any case.
    #[must_use]
    pub fn new(status: &RecorderStatus) -> Self {
        let last = status.last_status.as_deref().unwrap_or_default();
        let code = |text: &str| (!text.is_empty()).then(|| sanitize(text, MAX_CODE).into());
        let error = status.last_error_code.as_deref().unwrap_or_default();
        let (kind, since, code) = if !status.recording {
            (StaleKind::Stopped, status.last_stop_time, None)
        } else if last.eq_ignore_ascii_case("success") {
            return Self::Recording;
        } else if last.eq_ignore_ascii_case("failure") {
            (
                StaleKind::Failed,
                status.last_status_change_time,
                code(error),
            )
        } else {
            (
                StaleKind::Pending,
                status.last_status_change_time,
                code(last),
            )
        };
        Self::Stale(StaleState { kind, since, code })
    }

    /// Returns the state as `recording`, `stopped`, `failed` or `pending`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self {
            Self::Recording => "recording",
            Self::Stale(state) => state.kind.as_str(),
        }
    }
}

impl StaleKind {
    fn as_str(self) -> &'static str {
        match self {
            Self::Stopped => "stopped",
            Self::Failed => "failed",
            Self::Pending => "pending",
        }
    }

    /// Returns the status of a count under such a recorder.
    pub(super) fn status(self) -> Status {
        match self {
            Self::Stopped => Status::RecorderStopped,
            Self::Failed => Status::RecorderFailed,
            Self::Pending => Status::RecorderPending,
        }
    }

    /// Returns what the state means for a count.
    pub(super) fn consequence(self) -> &'static str {
        match self {
            Self::Stopped => "the count dates from then",
            Self::Failed => "the count may be stale",
            Self::Pending => "the count may be incomplete",
        }
    }
}

/// Formats `recorder failed (AccessDenied) since 2026-08-06T07:06:40.000Z`.
impl fmt::Display for StaleState {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "recorder {}", self.kind.as_str())?;
        if let Some(code) = &self.code {
            write!(f, " ({code})")?;
        }
        match self.since {
            Some(since) => write!(f, " since {}", timestamp(since)),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::aws::operation::Operation;
    use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;

    fn state(status: &str) -> RecorderState {
        let body = format!(r#"{{"ConfigurationRecordersStatus": [{status}]}}"#);
        let statuses = DescribeConfigurationRecorderStatus {}.parse(body.as_bytes());
        RecorderState::new(&statuses.unwrap()[0])
    }

    #[test]
    fn only_success_is_recording() {
        for (status, expected) in [
            (
                r#"{"recording": true, "lastStatus": "SUCCESS"}"#,
                "recording",
            ),
            (
                r#"{"recording": true, "lastStatus": "Success"}"#,
                "recording",
            ),
            (
                r#"{"recording": true, "lastStatus": "success", "lastErrorCode": "X"}"#,
                "recording",
            ),
            (r#"{"recording": true, "lastStatus": "FAILURE"}"#, "failed"),
            (
                r#"{"recording": true, "lastStatus": "Failure", "lastStopTime": 5}"#,
                "failed",
            ),
            (r#"{"recording": true, "lastStatus": "Pending"}"#, "pending"),
            (
                r#"{"recording": true, "lastStatus": "NotApplicable"}"#,
                "pending",
            ),
            (
                r#"{"recording": true, "lastStatus": "NOT_APPLICABLE"}"#,
                "pending",
            ),
            (r#"{"recording": true, "lastStatus": null}"#, "pending"),
            (r#"{"recording": true, "lastStatus": 7}"#, "pending"),
            (r#"{"recording": true}"#, "pending"),
            (
                r#"{"recording": false, "lastStatus": "SUCCESS"}"#,
                "stopped",
            ),
            (
                r#"{"recording": false, "lastStatus": "FAILURE"}"#,
                "stopped",
            ),
            (r#"{"recording": false}"#, "stopped"),
        ] {
            assert_eq!(state(status).as_str(), expected, "{status}");
        }
    }

    #[test]
    fn state_has_time_and_code() {
        for (status, since, text) in [
            (
                r#"{"recording": false, "lastStopTime": 5.25, "lastStatusChangeTime": 9}"#,
                Some(5),
                "recorder stopped since 1970-01-01T00:00:05.250Z",
            ),
            (
                r#"{"recording": true, "lastStatus": "FAILURE", "lastErrorCode": "Insufficient\u0007Policy",
                    "lastStopTime": 5, "lastStatusChangeTime": 9}"#,
                Some(9),
                "recorder failed (Insufficient\\u{7}Policy) since 1970-01-01T00:00:09.000Z",
            ),
            (
                r#"{"recording": true, "lastStatus": "Pending", "lastStatusChangeTime": "no time"}"#,
                None,
                "recorder pending (Pending)",
            ),
            (r#"{"recording": true}"#, None, "recorder pending"),
        ] {
            let RecorderState::Stale(state) = state(status) else {
                panic!("{status}")
            };
            let seconds = state.since.map(OffsetDateTime::unix_timestamp);
            assert_eq!((seconds, &*state.to_string()), (since, text), "{status}");
        }
    }
}
