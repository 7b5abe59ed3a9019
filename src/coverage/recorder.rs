//! The configuration recorder of a region, and its recording status of a type.

use super::status::Gap;
use crate::aws::ops::describe_configuration_recorder_status::RecorderStatus;
use crate::aws::ops::describe_configuration_recorders::RecordingGroup;
use crate::aws::partition::Partition;
use crate::model::{Region, ResourceType};

/// The recorder of a region, from two calls that can each fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    /// The state of the recorder, or the gap if the call failed.
    pub running: Result<RecorderState, Gap>,
    /// The recording group, or the gap if the call failed; ignored if there is no recorder.
    pub group: Result<RecordingGroup, Gap>,
}

/// The state of a region's recorder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RecorderState {
    /// The region has no recorder.
    Missing,
    /// The recorder is stopped.
    Stopped,
    /// The recorder is recording.
    Recording,
}

/// The recording status of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingStatus {
    /// The type is recorded: a resource that AWS Config does not know does not exist.
    Recorded,
    /// The region has no recorder.
    Missing,
    /// The recorder is stopped.
    Stopped,
    /// The recorder does not record the type.
    NotRecorded,
    /// The status is unknown, for this reason.
    Unknown(Gap),
}

/// Returns the recorder state of a region from the statuses that AWS Config returned.
#[must_use]
pub fn recorder_state(statuses: &[RecorderStatus]) -> RecorderState {
    if statuses.is_empty() {
        RecorderState::Missing
    } else if statuses.iter().any(|s| s.recording) {
        RecorderState::Recording
    } else {
        RecorderState::Stopped
    }
}

impl Recorder {
    /// Creates a recorder with unknown state and recording group.
    #[must_use]
    pub fn unknown(gap: &Gap) -> Self {
        Self {
            running: Err(gap.clone()),
            group: Err(gap.clone()),
        }
    }

    /// Returns the recording status of `resource_type` in `region`.
    #[must_use]
    pub fn recording_status(
        &self,
        region: &Region,
        resource_type: &ResourceType,
    ) -> RecordingStatus {
        if self.running == Ok(RecorderState::Missing) {
            return RecordingStatus::Missing;
        }
        if resource_type.is_global() && !can_record_global(region) {
            return RecordingStatus::NotRecorded;
        }
        match (&self.running, &self.group) {
            (_, Ok(group)) if !group.records(resource_type) => RecordingStatus::NotRecorded,
            (Ok(RecorderState::Stopped), _) => RecordingStatus::Stopped,
            (Err(why), _) | (_, Err(why)) => RecordingStatus::Unknown(why.clone()),
            (Ok(_), Ok(_)) => RecordingStatus::Recorded,
        }
    }

    /// Returns the reason why the state or the recording group is unknown, if it is.
    #[must_use]
    pub fn unknown_why(&self) -> Option<&Gap> {
        match &self.running {
            Ok(RecorderState::Missing) => None,
            Ok(_) => self.group.as_ref().err(),
            Err(why) => Some(why),
        }
    }

    /// Returns the state as `recording`, `stopped`, `missing` or `unknown`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.running {
            Ok(RecorderState::Recording) => "recording",
            Ok(RecorderState::Stopped) => "stopped",
            Ok(RecorderState::Missing) => "missing",
            Err(_) => "unknown",
        }
    }
}

/// The regions of the commercial partition in which AWS Config was available before February 2022.
/// IAM types cannot be recorded in regions added later.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html>
const GLOBAL_REGIONS: &str = "\
    af-south-1 ap-east-1 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 ap-southeast-1 \
    ap-southeast-2 ap-southeast-3 ca-central-1 eu-central-1 eu-north-1 eu-south-1 eu-west-1 \
    eu-west-2 eu-west-3 me-south-1 sa-east-1 us-east-1 us-east-2 us-west-1 us-west-2";

/// Returns true if IAM types can be recorded in `region`. The documentation covers only the
/// commercial partition; other partitions are assumed to allow it.
fn can_record_global(region: &Region) -> bool {
    let mut global_regions = GLOBAL_REGIONS.split(' ');
    Partition::for_region(region).id != "aws" || global_regions.any(|r| r == region.as_str())
}

#[cfg(test)]
mod tests {
    use super::RecordingStatus as S;
    use super::*;
    use crate::coverage::Status;
    use crate::error_log::ErrorType;

    fn group(json: &str) -> RecordingGroup {
        serde_json::from_str(json).unwrap()
    }

    const VPC: &str = "AWS::EC2::VPC";
    const BUCKET: &str = "AWS::S3::Bucket";
    const ROLE: &str = "AWS::IAM::Role";

    fn recording_status(recorder: &Recorder, region: &str, resource_type: &str) -> S {
        recorder.recording_status(&region.parse().unwrap(), &resource_type.parse().unwrap())
    }

    #[test]
    fn global_types_are_recorded_in_older_regions() {
        let recorder = Recorder {
            running: Ok(RecorderState::Recording),
            group: Ok(group(r#"{"includeGlobalResourceTypes": true}"#)),
        };
        for (region, resource_type, expected) in [
            ("eu-west-1", ROLE, S::Recorded),
            // AWS Config was added here after February 2022.
            ("me-central-1", ROLE, S::NotRecorded),
            ("mx-central-1", ROLE, S::NotRecorded),
            ("me-central-1", VPC, S::Recorded),
            ("cn-north-1", ROLE, S::Recorded),
            ("us-gov-west-1", ROLE, S::Recorded),
        ] {
            let status = recording_status(&recorder, region, resource_type);
            assert_eq!(status, expected, "{region} {resource_type}");
        }
    }

    #[test]
    fn recording_status_by_state_and_group() {
        let denied = Gap::new(ErrorType::Permission, "denied");
        let vpc = Ok(group(r#"{"resourceTypes": ["AWS::EC2::VPC"]}"#));
        let (unknown, no_group) = (Err(denied.clone()), Err(denied.clone()));
        let why = S::Unknown(denied.clone());
        for (running, group, of_vpc, of_bucket) in [
            (
                Ok(RecorderState::Recording),
                &vpc,
                S::Recorded,
                S::NotRecorded,
            ),
            // A type outside the recording group is not recorded, even if the recorder is stopped.
            (Ok(RecorderState::Stopped), &vpc, S::Stopped, S::NotRecorded),
            (Ok(RecorderState::Missing), &vpc, S::Missing, S::Missing),
            (unknown.clone(), &vpc, why, S::NotRecorded),
            (
                Ok(RecorderState::Recording),
                &no_group,
                S::Unknown(denied.clone()),
                S::Unknown(denied.clone()),
            ),
            (
                Ok(RecorderState::Stopped),
                &no_group,
                S::Stopped,
                S::Stopped,
            ),
            (
                Ok(RecorderState::Missing),
                &no_group,
                S::Missing,
                S::Missing,
            ),
            (
                unknown,
                &no_group,
                S::Unknown(denied.clone()),
                S::Unknown(denied.clone()),
            ),
        ] {
            let recorder = Recorder {
                running,
                group: group.clone(),
            };
            assert_eq!(
                recording_status(&recorder, "eu-west-1", VPC),
                of_vpc,
                "{recorder:?}"
            );
            assert_eq!(
                recording_status(&recorder, "eu-west-1", BUCKET),
                of_bucket,
                "{recorder:?}"
            );
        }
    }

    #[test]
    fn unknown_recorder_has_a_reason() {
        let denied = Gap::new(ErrorType::Permission, "denied");
        assert_eq!(denied.status, Status::Denied);
        let unknown = Recorder::unknown(&denied);
        assert_eq!(
            (unknown.as_str(), unknown.unknown_why()),
            ("unknown", Some(&denied))
        );
        let half = Recorder {
            running: Ok(RecorderState::Recording),
            ..unknown.clone()
        };
        assert_eq!(
            (half.as_str(), half.unknown_why()),
            ("recording", Some(&denied))
        );
        // The recording group of a missing recorder does not matter.
        let missing = Recorder {
            running: Ok(RecorderState::Missing),
            ..unknown
        };
        assert_eq!((missing.as_str(), missing.unknown_why()), ("missing", None));
    }
}
