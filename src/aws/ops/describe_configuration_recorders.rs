//! `config:DescribeConfigurationRecorders`: which types a region's recorder records.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorders.html>.
//! A region without one answers with an empty list. Without a name it tells of the customer managed
//! recorder, of which there is one at most.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, Service, Wire};
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{Unreadable, json};
use crate::model::ResourceType;

/// The call, for all of the region's recorders.
#[derive(Serialize)]
pub struct DescribeConfigurationRecorders {}

/// A recorder, as far as it is looked at.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ConfigurationRecorder {
    /// What it records; without one, all supported types but the global ones.
    #[serde(default)]
    pub recording_group: Option<RecordingGroup>,
}

/// Which types are recorded.
///
/// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html>
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecordingGroup {
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

impl RecordingGroup {
    /// Whether it takes `resource_type` in.
    ///
    /// A third-party type counts as taken in: what its owner hands over is recorded, whatever the
    /// group says of AWS's own types. A strategy that is not known takes all in, since nothing says
    /// otherwise.
    #[must_use]
    pub fn records(&self, resource_type: &ResourceType) -> bool {
        let named = |list: Option<&List<String>>| {
            list.is_some_and(|list| list.0.iter().any(|t| t == resource_type.as_str()))
        };
        let excluded = self.exclusion_by_resource_types.as_ref();
        let excluded = excluded.and_then(|e| e.resource_types.as_ref());
        if !resource_type.as_str().starts_with("AWS::") {
            return true;
        }
        match self.strategy() {
            "INCLUSION_BY_RESOURCE_TYPES" => named(self.resource_types.as_ref()),
            // The switch for global types has no say here.
            "EXCLUSION_BY_RESOURCE_TYPES" => !named(excluded),
            "ALL_SUPPORTED_RESOURCE_TYPES" => {
                !resource_type.is_global() || self.include_global_resource_types == Some(true)
            }
            _ => true,
        }
    }

    /// The strategy, which older recorders do not name.
    fn strategy(&self) -> &str {
        let listed = |list: Option<&List<String>>| list.is_some_and(|list| !list.0.is_empty());
        let named = self.recording_strategy.as_ref();
        if let Some(name) = named.and_then(|s| s.use_only.as_deref()) {
            name
        } else if listed(self.resource_types.as_ref()) {
            "INCLUSION_BY_RESOURCE_TYPES"
        } else if self.exclusion_by_resource_types.is_some() {
            "EXCLUSION_BY_RESOURCE_TYPES"
        } else {
            "ALL_SUPPORTED_RESOURCE_TYPES"
        }
    }
}

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "ConfigurationRecorders")]
    recorders: List<Object<ConfigurationRecorder>>,
}

impl Operation for DescribeConfigurationRecorders {
    const NAME: &'static str = "DescribeConfigurationRecorders";
    const SERVICE: Service = Service::Config;
    type Output = Vec<ConfigurationRecorder>;

    fn wire(&self) -> Wire {
        Wire::config_json(Self::NAME, self)
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<ConfigurationRecorder>, Unreadable> {
        let reply: Reply = json::reply(body)?;
        Ok(reply.recorders.0.into_iter().map(|Object(r)| r).collect())
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

    /// Which of [`TYPES`] a recorder with this group records.
    fn recorded(group: &str) -> [bool; 4] {
        let body = format!(
            r#"{{"ConfigurationRecorders": [{{"name": "default", "recordingGroup": {group}}}]}}"#
        );
        let recorders = DescribeConfigurationRecorders {}
            .parse(body.as_bytes())
            .unwrap();
        let group = recorders[0].recording_group.clone().unwrap_or_default();
        TYPES.map(|t| group.records(&t.parse().unwrap()))
    }

    #[test]
    fn every_strategy_and_the_older_form_of_each() {
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
                r#"{"recordingStrategy": {"useOnly": "A_NEW_ONE"}}"#,
                [true; 4],
            ),
        ] {
            assert_eq!(recorded(group), expected, "{group}");
        }
    }

    #[test]
    fn recorders_and_none() {
        let parse = |body: &str| DescribeConfigurationRecorders {}.parse(body.as_bytes());
        assert_eq!(parse(r#"{"ConfigurationRecorders": []}"#).unwrap(), []);
        let unnamed = parse(r#"{"ConfigurationRecorders": [{"name": "default"}]}"#).unwrap();
        assert_eq!(
            unnamed,
            [ConfigurationRecorder {
                recording_group: None
            }]
        );
        assert!(parse("{}").is_err());
        assert!(parse("[[]]").is_err());
        let Wire::Json { target, body } = (DescribeConfigurationRecorders {}).wire() else {
            panic!("JSON")
        };
        assert_eq!(target, "StarlingDoveService.DescribeConfigurationRecorders");
        assert_eq!(body, b"{}");
    }
}
