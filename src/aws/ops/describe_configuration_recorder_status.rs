//! `config:DescribeConfigurationRecorderStatus`: returns the status of a region's recorder.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html>.
//! In a region without a recorder, the list is empty.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{ParseError, json};

/// The request, for all recorders of the region.
#[derive(Serialize)]
pub struct DescribeConfigurationRecorderStatus {}

/// The status of a recorder.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct RecorderStatus {
    /// True if it is recording; after it stops, the inventory becomes stale.
    pub recording: bool,
}

#[derive(Deserialize)]
struct DescribeConfigurationRecorderStatusResponse {
    #[serde(rename = "ConfigurationRecordersStatus")]
    recorders: List<Object<RecorderStatus>>,
}

impl Operation for DescribeConfigurationRecorderStatus {
    const NAME: &'static str = "DescribeConfigurationRecorderStatus";
    const SERVICE: Service = Service::Config;
    type Output = Vec<RecorderStatus>;

    fn request_body(&self) -> RequestBody {
        RequestBody::config_json(Self::NAME, self)
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<RecorderStatus>, ParseError> {
        let reply: DescribeConfigurationRecorderStatusResponse = json::reply(body)?;
        Ok(reply.recorders.0.into_iter().map(|Object(r)| r).collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn recorder_list_may_be_empty() {
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
        let RequestBody::Json { body, .. } =
            (DescribeConfigurationRecorderStatus {}).request_body()
        else {
            panic!("JSON")
        };
        assert_eq!(body, b"{}");
    }
}
