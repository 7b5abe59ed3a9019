//! What is known of a region's configuration recorder, and what that says of a type.

use super::Loss;
use crate::aws::ops::describe_configuration_recorders::RecordingGroup;
use crate::aws::partition::Partition;
use crate::model::{Region, ResourceType};

/// What is known of a region's recorder, by two calls of which each may have failed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder {
    /// Whether there is one, and it runs.
    pub running: Result<Running, Loss>,
    /// What it records; meaningless where there is none.
    pub group: Result<RecordingGroup, Loss>,
}

/// Whether a region has a recorder, and it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Running {
    /// There is none.
    Missing,
    /// There is one, and it is stopped.
    Stopped,
    /// It records.
    Recording,
}

/// What a recorder says of one type.
#[derive(Debug, PartialEq, Eq)]
pub enum Standing<'a> {
    /// It records it: what it does not know is not there.
    Recorded,
    /// There is no recorder.
    Missing,
    /// The recorder is stopped.
    Stopped,
    /// The recorder leaves the type out.
    NotRecorded,
    /// Nobody knows, for this reason.
    Unknown(&'a Loss),
}

impl Recorder {
    /// A recorder of which nothing is known.
    #[must_use]
    pub fn unknown(why: &Loss) -> Self {
        Self {
            running: Err(why.clone()),
            group: Err(why.clone()),
        }
    }

    /// What it says of `resource_type` in `region`.
    #[must_use]
    pub fn standing(&self, region: &Region, resource_type: &ResourceType) -> Standing<'_> {
        if self.running == Ok(Running::Missing) {
            return Standing::Missing;
        }
        if resource_type.is_global() && !records_global(region) {
            return Standing::NotRecorded;
        }
        match (&self.running, &self.group) {
            (_, Ok(group)) if !group.records(resource_type) => Standing::NotRecorded,
            (Ok(Running::Stopped), _) => Standing::Stopped,
            (Err(why), _) | (_, Err(why)) => Standing::Unknown(why),
            (Ok(_), Ok(_)) => Standing::Recorded,
        }
    }

    /// Why something of it is unknown.
    #[must_use]
    pub fn unknown_why(&self) -> Option<&Loss> {
        match &self.running {
            Ok(Running::Missing) => None,
            Ok(_) => self.group.as_ref().err(),
            Err(why) => Some(why),
        }
    }

    /// One word: `recording`, `stopped`, `missing` or `unknown`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.running {
            Ok(Running::Recording) => "recording",
            Ok(Running::Stopped) => "stopped",
            Ok(Running::Missing) => "missing",
            Err(_) => "unknown",
        }
    }
}

/// The regions of the commercial partition in which AWS Config was available before February 2022.
/// IAM's types can be recorded in no later one.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html>
const GLOBAL_REGIONS: [&str; 22] = [
    "af-south-1",
    "ap-east-1",
    "ap-northeast-1",
    "ap-northeast-2",
    "ap-northeast-3",
    "ap-south-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-southeast-3",
    "ca-central-1",
    "eu-central-1",
    "eu-north-1",
    "eu-south-1",
    "eu-west-1",
    "eu-west-2",
    "eu-west-3",
    "me-south-1",
    "sa-east-1",
    "us-east-1",
    "us-east-2",
    "us-west-1",
    "us-west-2",
];

/// Whether IAM's types can be recorded in `region`; in partitions of which the documentation says
/// nothing they can.
fn records_global(region: &Region) -> bool {
    let aws = Partition::of(&"us-east-1".parse().expect("a region code"));
    Partition::of(region) != aws || GLOBAL_REGIONS.contains(&region.as_str())
}

#[cfg(test)]
mod tests {
    use super::Standing as S;
    use super::*;
    use crate::coverage::Status;
    use crate::error_log::ErrorType;

    fn group(json: &str) -> RecordingGroup {
        serde_json::from_str(json).unwrap()
    }

    const VPC: &str = "AWS::EC2::VPC";
    const BUCKET: &str = "AWS::S3::Bucket";
    const ROLE: &str = "AWS::IAM::Role";

    fn standing<'a>(recorder: &'a Recorder, region: &str, resource_type: &str) -> S<'a> {
        recorder.standing(&region.parse().unwrap(), &resource_type.parse().unwrap())
    }

    #[test]
    fn where_global_types_can_be_recorded() {
        let recorder = Recorder {
            running: Ok(Running::Recording),
            group: Ok(group(r#"{"includeGlobalResourceTypes": true}"#)),
        };
        for (region, resource_type, expected) in [
            ("eu-west-1", ROLE, S::Recorded),
            // AWS Config came here after February 2022.
            ("me-central-1", ROLE, S::NotRecorded),
            ("mx-central-1", ROLE, S::NotRecorded),
            ("me-central-1", VPC, S::Recorded),
            ("cn-north-1", ROLE, S::Recorded),
            ("us-gov-west-1", ROLE, S::Recorded),
        ] {
            let said = standing(&recorder, region, resource_type);
            assert_eq!(said, expected, "{region} {resource_type}");
        }
    }

    #[test]
    fn what_a_recorder_says_of_a_type() {
        let denied = Loss::of(ErrorType::Permission, "denied");
        let vpc = Ok(group(r#"{"resourceTypes": ["AWS::EC2::VPC"]}"#));
        let (unknown, no_group) = (Err(denied.clone()), Err(denied.clone()));
        let why = S::Unknown(&denied);
        for (running, group, of_vpc, of_bucket) in [
            (Ok(Running::Recording), &vpc, S::Recorded, S::NotRecorded),
            // What was never recorded was not stopped either.
            (Ok(Running::Stopped), &vpc, S::Stopped, S::NotRecorded),
            (Ok(Running::Missing), &vpc, S::Missing, S::Missing),
            (unknown.clone(), &vpc, why, S::NotRecorded),
            (
                Ok(Running::Recording),
                &no_group,
                S::Unknown(&denied),
                S::Unknown(&denied),
            ),
            (Ok(Running::Stopped), &no_group, S::Stopped, S::Stopped),
            (Ok(Running::Missing), &no_group, S::Missing, S::Missing),
            (unknown, &no_group, S::Unknown(&denied), S::Unknown(&denied)),
        ] {
            let recorder = Recorder {
                running,
                group: group.clone(),
            };
            assert_eq!(
                standing(&recorder, "eu-west-1", VPC),
                of_vpc,
                "{recorder:?}"
            );
            assert_eq!(
                standing(&recorder, "eu-west-1", BUCKET),
                of_bucket,
                "{recorder:?}"
            );
        }
    }

    #[test]
    fn why_it_is_unknown() {
        let denied = Loss::of(ErrorType::Permission, "denied");
        assert_eq!(denied.status, Status::Denied);
        let unknown = Recorder::unknown(&denied);
        assert_eq!(
            (unknown.as_str(), unknown.unknown_why()),
            ("unknown", Some(&denied))
        );
        let half = Recorder {
            running: Ok(Running::Recording),
            ..unknown.clone()
        };
        assert_eq!(
            (half.as_str(), half.unknown_why()),
            ("recording", Some(&denied))
        );
        // What a recorder that is not there would record is no question.
        let missing = Recorder {
            running: Ok(Running::Missing),
            ..unknown
        };
        assert_eq!((missing.as_str(), missing.unknown_why()), ("missing", None));
    }
}
