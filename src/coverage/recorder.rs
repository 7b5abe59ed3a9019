//! The configuration recorders of a region, and their recording status of a type.

use std::collections::HashSet;

use super::recorder_state::{RecorderState, StaleKind, StaleState};
use super::status::Gap;
use crate::aws::ops::describe_configuration_recorder_status::RecorderStatus;
use crate::aws::ops::describe_configuration_recorders::{ConfigurationRecorder, Frequency};
use crate::aws::partition::Partition;
use crate::error_log::ErrorType;
use crate::model::{Region, ResourceType};

/// The customer managed recorders of a region, from two calls that can each fail. AWS Config allows
/// one; without any, the region has no recorder.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Recorder(Vec<NamedRecorder>);

/// One recorder of a region.
#[derive(Debug, Clone, PartialEq, Eq)]
struct NamedRecorder {
    /// The state, or the gap if the call failed.
    state: Result<RecorderState, Gap>,
    /// The recording group and mode, or the gap if the call failed.
    settings: Result<ConfigurationRecorder, Gap>,
}

/// The recording status of one type.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RecordingStatus {
    /// The type is recorded: a resource that AWS Config does not know does not exist.
    Recorded(Frequency),
    /// The region has no recorder.
    Missing,
    /// The type is in the recording group, but the recorder does not record now.
    Stale(StaleState),
    /// The recorder does not record the type.
    NotRecorded,
    /// The status is unknown, for this reason.
    Unknown(Gap),
}

/// Returns the state of a region's recorder from the statuses that AWS Config returned; `None` if the
/// region has no customer managed recorder.
#[must_use]
pub fn recorder_state(statuses: &[RecorderStatus]) -> Option<RecorderState> {
    let own = statuses
        .iter()
        .filter(|s| !is_service_linked(s.name.as_ref(), s.service_principal.as_ref()));
    own.map(RecorderState::new).max_by_key(rank_of_state)
}

impl Recorder {
    /// Creates the recorder of a region without one.
    #[must_use]
    pub fn missing() -> Self {
        Self(Vec::new())
    }

    /// Creates a recorder with one state and these settings.
    #[must_use]
    pub fn new(
        state: Result<RecorderState, Gap>,
        settings: Result<ConfigurationRecorder, Gap>,
    ) -> Self {
        Self(vec![NamedRecorder { state, settings }])
    }

    /// Creates a recorder with unknown state and settings.
    #[must_use]
    pub fn unknown(gap: &Gap) -> Self {
        Self::new(Err(gap.clone()), Err(gap.clone()))
    }

    /// Pairs the statuses of recorders with their settings by name, in any order. Service-linked
    /// recorders are left out: they record for another service. Either call can report that the
    /// region has no recorder.
    #[must_use]
    pub fn pair(
        mut statuses: Result<Vec<RecorderStatus>, Gap>,
        mut recorders: Result<Vec<ConfigurationRecorder>, Gap>,
    ) -> Self {
        remove_service_linked(&mut statuses, &mut recorders);
        match (statuses, recorders) {
            (Ok(statuses), _) if statuses.is_empty() => Self::missing(),
            (_, Ok(recorders)) if recorders.is_empty() => Self::missing(),
            (Ok(statuses), recorders) => {
                let pair = |status: &RecorderStatus| NamedRecorder {
                    state: Ok(RecorderState::new(status)),
                    settings: settings_of(status, &recorders),
                };
                Self(statuses.iter().map(pair).collect())
            }
            (Err(gap), Ok(recorders)) => {
                let unknown = |settings| NamedRecorder {
                    state: Err(gap.clone()),
                    settings: Ok(settings),
                };
                Self(recorders.into_iter().map(unknown).collect())
            }
            (Err(state), Err(settings)) => Self::new(Err(state), Err(settings)),
        }
    }

    /// Returns the recording status of `resource_type` in `region`.
    #[must_use]
    pub fn recording_status(
        &self,
        region: &Region,
        resource_type: &ResourceType,
    ) -> RecordingStatus {
        let statuses = self.0.iter().map(|r| r.recording_status(resource_type));
        match statuses.max_by_key(rank_of_status) {
            None => RecordingStatus::Missing,
            Some(_) if resource_type.is_global_iam() && !can_record_global(region) => {
                RecordingStatus::NotRecorded
            }
            Some(status) => status,
        }
    }

    /// Returns the reason why the state or the settings are unknown, if they are.
    #[must_use]
    pub fn unknown_why(&self) -> Option<&Gap> {
        let mut gaps = self.0.iter().filter_map(|r| {
            let state = r.state.as_ref().err();
            state.or_else(|| r.settings.as_ref().err())
        });
        gaps.next()
    }

    /// Returns the state of the recorder; `None` if it is unknown or missing.
    #[must_use]
    pub fn state(&self) -> Option<&RecorderState> {
        let states = self.0.iter().filter_map(|r| r.state.as_ref().ok());
        states.max_by_key(|state| rank_of_state(state))
    }

    /// Returns the state as `recording`, `stopped`, `failed`, `pending`, `missing` or `unknown`.
    #[must_use]
    pub fn as_str(&self) -> &'static str {
        match self.state() {
            Some(state) => state.as_str(),
            None if self.0.is_empty() => "missing",
            None => "unknown",
        }
    }
}

impl NamedRecorder {
    fn recording_status(&self, resource_type: &ResourceType) -> RecordingStatus {
        match (&self.state, &self.settings) {
            (_, Ok(settings)) if !settings.records(resource_type) => RecordingStatus::NotRecorded,
            (Ok(RecorderState::Stale(state)), _) => RecordingStatus::Stale(state.clone()),
            (Err(why), _) | (_, Err(why)) => RecordingStatus::Unknown(why.clone()),
            (Ok(RecorderState::Recording), Ok(settings)) => {
                RecordingStatus::Recorded(settings.frequency(resource_type))
            }
        }
    }
}

/// Removes the service-linked recorders, which either response may mark.
fn remove_service_linked(
    statuses: &mut Result<Vec<RecorderStatus>, Gap>,
    recorders: &mut Result<Vec<ConfigurationRecorder>, Gap>,
) {
    let of_statuses = statuses.iter().flatten();
    let of_statuses = of_statuses.map(|s| (&s.name, &s.service_principal));
    let of_recorders = recorders.iter().flatten();
    let of_recorders = of_recorders.map(|r| (&r.name, &r.service_principal));
    let linked = of_statuses.chain(of_recorders);
    let linked =
        linked.filter(|(name, principal)| is_service_linked(name.as_ref(), principal.as_ref()));
    let linked: HashSet<String> = linked.filter_map(|(name, _)| name.clone()).collect();
    let is_own = |name: &Option<String>, principal: &Option<String>| {
        let is_linked = name.as_ref().is_some_and(|name| linked.contains(name));
        !is_linked && !is_service_linked(name.as_ref(), principal.as_ref())
    };
    if let Ok(statuses) = statuses {
        statuses.retain(|s| is_own(&s.name, &s.service_principal));
    }
    if let Ok(recorders) = recorders {
        recorders.retain(|r| is_own(&r.name, &r.service_principal));
    }
}

/// Returns the settings with the name of `status`, or the gap of a recorder whose recorded types are not known.
fn settings_of(
    status: &RecorderStatus,
    recorders: &Result<Vec<ConfigurationRecorder>, Gap>,
) -> Result<ConfigurationRecorder, Gap> {
    let mut recorders = recorders.as_ref().map_err(Gap::clone)?.iter();
    let detail = match recorders.find(|r| r.name == status.name) {
        Some(settings) if settings.has_known_strategy() => return Ok(settings.clone()),
        Some(_) => {
            "this version does not know the recording strategy that config:DescribeConfigurationRecorders returned"
        }
        None => {
            "config:DescribeConfigurationRecorders did not return the recorder that \
             config:DescribeConfigurationRecorderStatus returned"
        }
    };
    Err(Gap::new(ErrorType::ApiError, detail))
}

/// Ranks the statuses of one type by several recorders; the highest applies.
fn rank_of_status(status: &RecordingStatus) -> (u8, Option<StaleKind>) {
    match status {
        RecordingStatus::Missing => (0, None),
        RecordingStatus::NotRecorded => (1, None),
        RecordingStatus::Stale(state) => (2, Some(state.kind)),
        RecordingStatus::Unknown(_) => (3, None),
        RecordingStatus::Recorded(_) => (4, None),
    }
}

/// Ranks the states of several recorders; the highest applies to the region.
fn rank_of_state(state: &RecorderState) -> (u8, Option<StaleKind>) {
    match state {
        RecorderState::Stale(state) => (0, Some(state.kind)),
        RecorderState::Recording => (1, None),
    }
}

/// The beginning of the names of service-linked recorders.
///
/// <https://docs.aws.amazon.com/config/latest/developerguide/configuration-recorder-service-linked.html>
const SERVICE_LINKED: &str = "AWSConfigurationRecorderFor";

/// Returns true if a recorder with this name and service principal belongs to a service.
fn is_service_linked(name: Option<&String>, principal: Option<&String>) -> bool {
    principal.is_some_and(|p| !p.is_empty()) || name.is_some_and(|n| n.starts_with(SERVICE_LINKED))
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
    use crate::aws::operation::Operation;
    use crate::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
    use crate::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
    use crate::coverage::Status;

    const VPC: &str = "AWS::EC2::VPC";
    const BUCKET: &str = "AWS::S3::Bucket";
    const ROLE: &str = "AWS::IAM::Role";
    const ALL: &str = r#"{"includeGlobalResourceTypes": true}"#;
    const ONLY_VPC: &str = r#"{"resourceTypes": ["AWS::EC2::VPC"]}"#;

    fn denied() -> Gap {
        Gap::new(ErrorType::Permission, "denied")
    }

    fn settings(group: &str) -> ConfigurationRecorder {
        serde_json::from_str(&format!(r#"{{"recordingGroup": {group}}}"#)).unwrap()
    }

    fn stale(kind: StaleKind) -> StaleState {
        StaleState {
            kind,
            since: None,
            code: None,
        }
    }

    /// Formats the recording status of a type.
    fn shown(recorder: &Recorder, region: &str, resource_type: &str) -> String {
        let region = region.parse().unwrap();
        match recorder.recording_status(&region, &resource_type.parse().unwrap()) {
            S::Recorded(Frequency::Continuous) => "recorded".to_owned(),
            S::Recorded(Frequency::Daily) => "daily".to_owned(),
            S::Missing => "missing".to_owned(),
            S::NotRecorded => "not recorded".to_owned(),
            S::Stale(state) => state.to_string(),
            S::Unknown(gap) => gap.detail.to_string(),
        }
    }

    /// Pairs the recorders of two responses.
    fn pair(statuses: &[&str], recorders: &[&str]) -> Recorder {
        let body = |list: &str, items: &[&str]| format!(r#"{{"{list}": [{}]}}"#, items.join(", "));
        let statuses = body("ConfigurationRecordersStatus", statuses);
        let recorders = body("ConfigurationRecorders", recorders);
        Recorder::pair(
            Ok(DescribeConfigurationRecorderStatus {}
                .parse(statuses.as_bytes())
                .unwrap()),
            Ok(DescribeConfigurationRecorders {}
                .parse(recorders.as_bytes())
                .unwrap()),
        )
    }

    #[test]
    fn global_types_are_recorded_in_older_regions() {
        let recorder = Recorder::new(Ok(RecorderState::Recording), Ok(settings(ALL)));
        for (region, resource_type, expected) in [
            ("eu-west-1", ROLE, "recorded"),
            // AWS Config was added here after February 2022.
            ("me-central-1", ROLE, "not recorded"),
            ("mx-central-1", ROLE, "not recorded"),
            ("me-central-1", VPC, "recorded"),
            ("cn-north-1", ROLE, "recorded"),
            ("us-gov-west-1", ROLE, "recorded"),
        ] {
            let status = shown(&recorder, region, resource_type);
            assert_eq!(status, expected, "{region} {resource_type}");
        }
    }

    #[test]
    fn recording_status_by_state_and_group() {
        let recording = || Ok(RecorderState::Recording);
        let stopped = || Ok(RecorderState::Stale(stale(StaleKind::Stopped)));
        let failed = || Ok(RecorderState::Stale(stale(StaleKind::Failed)));
        let vpc = || Ok(settings(ONLY_VPC));
        for (state, settings, of_vpc, of_bucket) in [
            (recording(), vpc(), "recorded", "not recorded"),
            // A type outside the recording group is not recorded, even if the recorder is stopped.
            (stopped(), vpc(), "recorder stopped", "not recorded"),
            (failed(), vpc(), "recorder failed", "not recorded"),
            (Err(denied()), vpc(), "denied", "not recorded"),
            (recording(), Err(denied()), "denied", "denied"),
            (
                stopped(),
                Err(denied()),
                "recorder stopped",
                "recorder stopped",
            ),
            (Err(denied()), Err(denied()), "denied", "denied"),
        ] {
            let recorder = Recorder::new(state, settings);
            let found = [VPC, BUCKET].map(|t| shown(&recorder, "eu-west-1", t));
            assert_eq!(found, [of_vpc, of_bucket], "{recorder:?}");
        }
        assert_eq!(shown(&Recorder::missing(), "eu-west-1", VPC), "missing");
    }

    #[test]
    fn recorders_are_paired_by_name_in_any_order() {
        let recording = r#"{"name": "a", "recording": true, "lastStatus": "SUCCESS"}"#;
        let stopped = r#"{"name": "b", "recording": false}"#;
        let of_vpc = r#"{"name": "a", "recordingGroup": {"resourceTypes": ["AWS::EC2::VPC"]}}"#;
        let of_bucket =
            r#"{"name": "b", "recordingGroup": {"resourceTypes": ["AWS::S3::Bucket"]}}"#;
        for statuses in [[recording, stopped], [stopped, recording]] {
            for recorders in [[of_vpc, of_bucket], [of_bucket, of_vpc]] {
                let recorder = pair(&statuses, &recorders);
                assert_eq!(recorder.as_str(), "recording");
                let found = [VPC, BUCKET, ROLE].map(|t| shown(&recorder, "eu-west-1", t));
                assert_eq!(found, ["recorded", "recorder stopped", "not recorded"]);
            }
        }
        let unpaired = pair(&[recording], &[of_bucket]);
        assert!(shown(&unpaired, "eu-west-1", BUCKET).contains("did not return the recorder"));
        assert!(unpaired.unknown_why().is_some());
    }

    #[test]
    fn unknown_strategy_proves_nothing() {
        let recording = r#"{"name": "a", "recording": true, "lastStatus": "SUCCESS"}"#;
        let group =
            r#"{"name": "a", "recordingGroup": {"recordingStrategy": {"useOnly": "A_NEW_ONE"}}}"#;
        let recorder = pair(&[recording], &[group]);
        assert!(
            shown(&recorder, "eu-west-1", VPC).contains("does not know the recording strategy")
        );
        assert!(recorder.unknown_why().is_some());
    }

    #[test]
    fn service_linked_recorders_are_left_out() {
        let own = r#"{"name": "default", "recording": false}"#;
        let linked = r#"{"name": "AWSConfigurationRecorderForX", "recording": true, "lastStatus": "SUCCESS"}"#;
        let principal = r#"{"name": "x", "recording": true, "lastStatus": "SUCCESS",
            "servicePrincipal": "x.amazonaws.com"}"#;
        let of_own = r#"{"name": "default", "recordingGroup": {"allSupported": true}}"#;
        let of_linked = r#"{"name": "AWSConfigurationRecorderForX", "recordingGroup": {"resourceTypes": ["AWS::EC2::VPC"]}}"#;
        let of_principal = r#"{"name": "x", "servicePrincipal": "x.amazonaws.com"}"#;
        let unmarked = r#"{"name": "x"}"#;
        for (statuses, recorders, state, vpc) in [
            (
                vec![own, linked],
                vec![of_linked, of_own],
                "stopped",
                "recorder stopped",
            ),
            (
                vec![linked, own],
                vec![of_own, of_linked],
                "stopped",
                "recorder stopped",
            ),
            (
                vec![principal, own],
                vec![unmarked, of_own],
                "stopped",
                "recorder stopped",
            ),
            (
                vec![principal, own],
                vec![of_principal, of_own],
                "stopped",
                "recorder stopped",
            ),
            (vec![linked], vec![of_linked], "missing", "missing"),
            (vec![principal], vec![of_principal], "missing", "missing"),
            (vec![own, linked], vec![of_linked], "missing", "missing"),
        ] {
            let recorder = pair(&statuses, &recorders);
            let found = (recorder.as_str(), &*shown(&recorder, "eu-west-1", VPC));
            assert_eq!(found, (state, vpc), "{statuses:?} {recorders:?}");
        }
    }

    #[test]
    fn unknown_recorder_has_a_reason() {
        assert_eq!(denied().status, Status::AccessDenied);
        let unknown = Recorder::unknown(&denied());
        assert_eq!(
            (unknown.as_str(), unknown.unknown_why()),
            ("unknown", Some(&denied()))
        );
        let half = Recorder::new(Ok(RecorderState::Recording), Err(denied()));
        assert_eq!(
            (half.as_str(), half.unknown_why()),
            ("recording", Some(&denied()))
        );
        // The settings of a missing recorder do not matter.
        let missing = Recorder::pair(Ok(Vec::new()), Err(denied()));
        assert_eq!((missing.as_str(), missing.unknown_why()), ("missing", None));
    }
}
