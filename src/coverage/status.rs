//! What may be known of a region and a type.

use std::fmt;

use crate::error_log::ErrorType;

/// What is known of one region and type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Status {
    /// There are some, and their number is exact.
    Counted,
    /// There are none.
    Zero,
    /// Access was denied.
    Denied,
    /// The region has no configuration recorder.
    RecorderMissing,
    /// The recorder is stopped: what is listed is stale, what is not may exist.
    RecorderStopped,
    /// The recorder does not record the type.
    NotRecorded,
    /// The region is not enabled for the account.
    RegionDisabled,
    /// Requests were limited until all attempts were used up.
    Throttled,
    /// The network failed.
    ConnectionFailed,
    /// AWS answered with an error, or with what cannot be read.
    Error,
    /// Nobody asked: the region was given up, or the run stopped, before.
    NotTried,
}

impl Status {
    /// All of them.
    pub const ALL: [Self; 11] = [
        Self::Counted,
        Self::Zero,
        Self::Denied,
        Self::RecorderMissing,
        Self::RecorderStopped,
        Self::NotRecorded,
        Self::RegionDisabled,
        Self::Throttled,
        Self::ConnectionFailed,
        Self::Error,
        Self::NotTried,
    ];

    /// The name in files.
    #[must_use]
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Counted => "counted",
            Self::Zero => "zero",
            Self::Denied => "denied",
            Self::RecorderMissing => "recorder_missing",
            Self::RecorderStopped => "recorder_stopped",
            Self::NotRecorded => "not_recorded",
            Self::RegionDisabled => "region_disabled",
            Self::Throttled => "throttled",
            Self::ConnectionFailed => "connection_failed",
            Self::Error => "error",
            Self::NotTried => "not_tried",
        }
    }

    /// What an incident of that type leaves of a region and type.
    #[must_use]
    pub fn of(error_type: ErrorType) -> Self {
        match error_type {
            ErrorType::Throttle => Self::Throttled,
            ErrorType::Permission => Self::Denied,
            ErrorType::RegionDisabled => Self::RegionDisabled,
            ErrorType::ConfigDisabled => Self::RecorderMissing,
            ErrorType::Connection => Self::ConnectionFailed,
            ErrorType::ScanFailed => Self::NotTried,
            ErrorType::Prerequisite
            | ErrorType::ApiError
            | ErrorType::Fatal
            | ErrorType::Unexpected => Self::Error,
        }
    }

    /// What a person can do where counts are missing for it.
    #[must_use]
    pub fn advice(self) -> &'static str {
        match self {
            Self::Counted | Self::Zero => "nothing",
            Self::Denied => "allow what `iam-policy` prints, also in service control policies",
            Self::RecorderMissing => "turn AWS Config on there, or use --exclude-regions",
            Self::RecorderStopped => "start the recorder there",
            Self::NotRecorded => {
                "add the types to the recording group there (IAM's to that of one older region)"
            }
            Self::RegionDisabled => "enable the region for the account, or use --exclude-regions",
            Self::Throttled => "run again later, or with --method counts",
            Self::ConnectionFailed => "check the network, a firewall and the endpoint",
            Self::Error => "see the error log",
            Self::NotTried => "mend what the error log says of the region, and run again",
        }
    }
}

/// The name for a person: `recorder missing`.
impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.as_str().replace('_', " "))
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn eleven_names_each_its_own() {
        let names: BTreeSet<&str> = Status::ALL.iter().map(|s| s.as_str()).collect();
        assert_eq!(names.len(), 11);
        let advice: BTreeSet<&str> = Status::ALL.iter().map(|s| s.advice()).collect();
        assert_eq!(advice.len(), 10, "counted and zero want nothing done");
        assert_eq!(Status::NotRecorded.to_string(), "not recorded");
    }

    #[test]
    fn every_error_type_leaves_a_status_that_is_a_loss() {
        for error_type in ErrorType::ALL {
            let status = Status::of(error_type);
            assert!(
                !matches!(status, Status::Counted | Status::Zero),
                "{error_type}"
            );
        }
        assert_eq!(Status::of(ErrorType::Permission), Status::Denied);
        assert_eq!(Status::of(ErrorType::ScanFailed), Status::NotTried);
    }
}
