//! `config:DescribeConfigurationRecorderStatus`: whether a region has a recorder, and it records.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html>.
//! A region without one answers with an empty list.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, Service, Wire};
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{Unreadable, json};

/// The call, for all of the region's recorders.
#[derive(Serialize)]
pub struct DescribeConfigurationRecorderStatus {}

/// What a recorder does.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecorderStatus {
    /// Whether it records now; a stopped one leaves an inventory that goes stale.
    pub recording: bool,
}

#[derive(Deserialize)]
struct Reply {
    #[serde(rename = "ConfigurationRecordersStatus")]
    recorders: List<Object<RecorderStatus>>,
}

impl Operation for DescribeConfigurationRecorderStatus {
    const NAME: &'static str = "DescribeConfigurationRecorderStatus";
    const SERVICE: Service = Service::Config;
    type Output = Vec<RecorderStatus>;

    fn wire(&self) -> Wire {
        Wire::config_json(Self::NAME, self)
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<RecorderStatus>, Unreadable> {
        let reply: Reply = json::reply(body)?;
        Ok(reply.recorders.0.into_iter().map(|Object(r)| r).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorders_and_none() {
        let parse = |body: &str| DescribeConfigurationRecorderStatus {}.parse(body.as_bytes());
        let one = r#"{"ConfigurationRecordersStatus": [{"name": "default", "recording": true,
            "lastStatus": "SUCCESS", "lastStartTime": 1.5}]}"#;
        assert_eq!(parse(one).unwrap(), [RecorderStatus { recording: true }]);
        assert_eq!(
            parse(r#"{"ConfigurationRecordersStatus": []}"#).unwrap(),
            []
        );
        assert!(parse("{}").is_err());
        assert!(parse("[[]]").is_err());
        assert!(parse(r#"{"ConfigurationRecordersStatus": [[true]]}"#).is_err());
        let Wire::Json { body, .. } = (DescribeConfigurationRecorderStatus {}).wire() else {
            panic!("JSON")
        };
        assert_eq!(body, b"{}");
    }
}
