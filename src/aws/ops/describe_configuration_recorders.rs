//! `config:DescribeConfigurationRecorders`: returns the recording groups of a region's recorders.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorders.html>.
//! In a region without a recorder, the list is empty. Without a name in the request, the list
//! contains the customer managed recorder, at most one.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{ParseError, json};
use crate::model::ResourceType;

/// The request, for all recorders of the region.
#[derive(Serialize)]
pub struct DescribeConfigurationRecorders {}

/// A recorder, with the fields that the program uses.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct ConfigurationRecorder {
    /// The name.
    pub name: Option<String>,
    /// The service that owns a service-linked recorder.
    pub service_principal: Option<String>,
    /// The recording group; `None` means all supported types except the global ones.
    pub recording_group: Option<RecordingGroup>,
    /// The recording mode; `None` means continuous.
    pub recording_mode: Option<RecordingMode>,
}

/// The resource types that a recorder records.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingGroup {
    all_supported: Option<bool>,
    include_global_resource_types: Option<bool>,
    resource_types: Option<List<String>>,
    exclusion_by_resource_types: Option<Exclusion>,
    recording_strategy: Option<Strategy>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Exclusion {
    resource_types: Option<List<String>>,
}

#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Strategy {
    use_only: Option<String>,
}

/// The frequency with which a recorder records.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingMode.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
pub struct RecordingMode {
    recording_frequency: Option<String>,
    recording_mode_overrides: Option<List<Override>>,
}

#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Override {
    resource_types: Option<List<String>>,
    recording_frequency: Option<String>,
}

/// The frequency with which a recorder records a type.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Frequency {
    /// After every change.
    Continuous,
    /// Once a day.
    Daily,
}

impl ConfigurationRecorder {
    /// Returns true if the recording group includes `resource_type`.
    #[must_use]
    pub fn records(&self, resource_type: &ResourceType) -> bool {
        match &self.recording_group {
            Some(group) => group.records(resource_type),
            None => RecordingGroup::default().records(resource_type),
        }
    }

    /// Returns true if this version knows the recording strategy, and so the recorded types.
    #[must_use]
    pub fn has_known_strategy(&self) -> bool {
        let known = [ALL_SUPPORTED, INCLUSION, EXCLUSION];
        let group = self.recording_group.as_ref();
        group.is_none_or(|group| known.contains(&group.strategy()))
    }

    /// Returns how often the recorder records `resource_type`.
    #[must_use]
    pub fn frequency(&self, resource_type: &ResourceType) -> Frequency {
        let Some(mode) = &self.recording_mode else {
            return Frequency::Continuous;
        };
        let overrides = mode.recording_mode_overrides.iter().flat_map(|o| &o.0);
        let mut overrides = overrides.filter(|o| {
            let types = o.resource_types.as_ref();
            contains(types, resource_type)
        });
        let frequency = match overrides.next() {
            Some(own) => &own.recording_frequency,
            None => &mode.recording_frequency,
        };
        match frequency.as_deref() {
            Some(text) if text.eq_ignore_ascii_case("daily") => Frequency::Daily,
            _ => Frequency::Continuous,
        }
    }
}

impl RecordingGroup {
    /// Returns true if the group includes `resource_type`.
    ///
    /// Third-party types are always included: they are recorded when their owner publishes them,
    /// independent of the group.
    fn records(&self, resource_type: &ResourceType) -> bool {
        let named = |list| contains(list, resource_type);
        let excluded = self.exclusion_by_resource_types.as_ref();
        let excluded = excluded.and_then(|e| e.resource_types.as_ref());
        if !resource_type.as_str().starts_with("AWS::") {
            return true;
        }
        match self.strategy() {
            INCLUSION => named(self.resource_types.as_ref()),
            // includeGlobalResourceTypes does not apply here.
            EXCLUSION => !named(excluded),
            ALL_SUPPORTED => {
                !resource_type.is_global_iam() || self.include_global_resource_types == Some(true)
            }
            _ => true,
        }
    }

    /// Returns the strategy; derives it for older recorders, which do not have the field.
    fn strategy(&self) -> &str {
        let listed = |list: Option<&List<String>>| list.is_some_and(|list| !list.0.is_empty());
        let named = self.recording_strategy.as_ref();
        if let Some(name) = named.and_then(|s| s.use_only.as_deref()) {
            name
        } else if listed(self.resource_types.as_ref()) {
            INCLUSION
        } else if self.exclusion_by_resource_types.is_some() {
            EXCLUSION
        } else if self.all_supported == Some(false) {
            INCLUSION
        } else {
            ALL_SUPPORTED
        }
    }
}

/// The recording strategies.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingStrategy.html>
const ALL_SUPPORTED: &str = "ALL_SUPPORTED_RESOURCE_TYPES";
const INCLUSION: &str = "INCLUSION_BY_RESOURCE_TYPES";
const EXCLUSION: &str = "EXCLUSION_BY_RESOURCE_TYPES";

fn contains(list: Option<&List<String>>, resource_type: &ResourceType) -> bool {
    let is_same = |t: &String| t.eq_ignore_ascii_case(resource_type.as_str());
    list.is_some_and(|list| list.0.iter().any(is_same))
}

#[derive(Deserialize)]
struct DescribeConfigurationRecordersResponse {
    #[serde(rename = "ConfigurationRecorders")]
    recorders: List<Object<ConfigurationRecorder>>,
}

impl Operation for DescribeConfigurationRecorders {
    const NAME: &'static str = "DescribeConfigurationRecorders";
    const SERVICE: Service = Service::Config;
    type Output = Vec<ConfigurationRecorder>;

    fn request_body(&self) -> RequestBody {
        RequestBody::json(self)
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<ConfigurationRecorder>, ParseError> {
        let reply: DescribeConfigurationRecordersResponse = json::reply(body)?;
        Ok(reply.recorders.into_objects().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TYPES: [&str; 4] = [
        "AWS::EC2::VPC",
        "AWS::IAM::Role",
        "AWS::RDS::GlobalCluster",
        "Datadog::Monitors::Monitor",
    ];

    /// Returns true for each of [`TYPES`] that a recorder with this group records.
    fn recorded(group: &str) -> [bool; 4] {
        let body = format!(
            r#"{{"ConfigurationRecorders": [{{"name": "default", "recordingGroup": {group}}}]}}"#
        );
        let recorders = DescribeConfigurationRecorders {}
            .parse(body.as_bytes())
            .unwrap();
        TYPES.map(|t| recorders[0].records(&t.parse().unwrap()))
    }

    #[test]
    fn strategies_and_older_groups_select_types() {
        for (group, expected) in [
            ("null", [true, false, true, true]),
            ("{}", [true, false, true, true]),
            (
                r#"{"allSupported": true, "includeGlobalResourceTypes": false, "resourceTypes": []}"#,
                [true, false, true, true],
            ),
            (
                r#"{"allSupported": true, "includeGlobalResourceTypes": true,
                    "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"}}"#,
                [true; 4],
            ),
            (
                r#"{"allSupported": false, "resourceTypes": ["AWS::EC2::VPC"]}"#,
                [true, false, false, true],
            ),
            (
                r#"{"resourceTypes": ["AWS::IAM::Role"],
                    "recordingStrategy": {"useOnly": "INCLUSION_BY_RESOURCE_TYPES"}}"#,
                [false, true, false, true],
            ),
            (
                r#"{"exclusionByResourceTypes": {"resourceTypes": ["AWS::EC2::VPC"]}}"#,
                [false, true, true, true],
            ),
            (
                r#"{"includeGlobalResourceTypes": false,
                    "exclusionByResourceTypes": {"resourceTypes": ["AWS::IAM::Role"]},
                    "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"}}"#,
                [true, false, true, true],
            ),
            (
                r#"{"allSupported": false, "resourceTypes": []}"#,
                [false, false, false, true],
            ),
            (
                r#"{"allSupported": false, "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
                    "exclusionByResourceTypes": {"resourceTypes": ["aws::iam::role"]}}"#,
                [true, false, true, true],
            ),
        ] {
            assert_eq!(recorded(group), expected, "{group}");
        }
    }

    #[test]
    fn strategy_may_be_unknown() {
        for (group, expected) in [
            ("null", true),
            (r#"{"recordingStrategy": null}"#, true),
            (r#"{"recordingStrategy": {"useOnly": "A_NEW_ONE"}}"#, false),
            (
                r#"{"recordingStrategy": {"useOnly": "exclusion_by_resource_types"}}"#,
                false,
            ),
        ] {
            let body = format!(r#"{{"ConfigurationRecorders": [{{"recordingGroup": {group}}}]}}"#);
            let recorders = DescribeConfigurationRecorders {}.parse(body.as_bytes());
            let is_known = recorders.unwrap()[0].has_known_strategy();
            assert_eq!(is_known, expected, "{group}");
        }
    }

    #[test]
    fn recorder_list_may_be_empty() {
        let parse = |body: &str| DescribeConfigurationRecorders {}.parse(body.as_bytes());
        assert_eq!(parse(r#"{"ConfigurationRecorders": []}"#).unwrap(), []);
        let plain = parse(r#"{"ConfigurationRecorders": [{"name": "default"}]}"#).unwrap();
        assert_eq!(
            plain,
            [ConfigurationRecorder {
                name: Some("default".to_owned()),
                ..ConfigurationRecorder::default()
            }]
        );
        assert!(parse("{}").is_err());
        assert!(parse("[[]]").is_err());
        let RequestBody::Json { target, body } = (DescribeConfigurationRecorders {}).request_body()
        else {
            panic!("JSON")
        };
        assert_eq!(target, "StarlingDoveService.DescribeConfigurationRecorders");
        assert_eq!(body, b"{}");
    }

    #[test]
    fn overrides_set_the_frequency_of_types() {
        for (mode, vpc, role) in [
            ("null", "Continuous", "Continuous"),
            ("{}", "Continuous", "Continuous"),
            (
                r#"{"recordingFrequency": "CONTINUOUS"}"#,
                "Continuous",
                "Continuous",
            ),
            (r#"{"recordingFrequency": "DAILY"}"#, "Daily", "Daily"),
            (
                r#"{"recordingFrequency": "DAILY", "recordingModeOverrides": [
                    {"resourceTypes": ["AWS::IAM::Role"], "recordingFrequency": "CONTINUOUS"}]}"#,
                "Daily",
                "Continuous",
            ),
            (
                r#"{"recordingFrequency": "CONTINUOUS", "recordingModeOverrides": [
                    {"description": "x", "resourceTypes": ["AWS::EC2::VPC"], "recordingFrequency": "DAILY"},
                    {"resourceTypes": null}, {"resourceTypes": ["aws::iam::role"], "recordingFrequency": "DAILY"}]}"#,
                "Daily",
                "Daily",
            ),
        ] {
            let body = format!(r#"{{"ConfigurationRecorders": [{{"recordingMode": {mode}}}]}}"#);
            let recorders = DescribeConfigurationRecorders {}.parse(body.as_bytes());
            let recorder = &recorders.unwrap()[0];
            let frequency = |t: &str| format!("{:?}", recorder.frequency(&t.parse().unwrap()));
            let found = [TYPES[0], TYPES[1]].map(frequency);
            assert_eq!(found, [vpc, role], "{mode}");
        }
    }
}
