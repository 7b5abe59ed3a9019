//! `config:DescribeConfigurationRecorderStatus`: returns the status of a region's recorder.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_DescribeConfigurationRecorderStatus.html>.
//! In a region without a recorder, the list is empty.

use serde::{Deserialize, Deserializer, Serialize};
use serde_json::Value;
use time::OffsetDateTime;
use time::format_description::well_known::Rfc3339;

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{ParseError, json};

/// The request, for all recorders of the region.
#[derive(Serialize)]
pub struct DescribeConfigurationRecorderStatus {}

/// The status of a recorder. An optional member of an unexpected type is absent: only `recording` is required.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RecorderStatus {
    /// The name.
    #[serde(default, deserialize_with = "text")]
    pub name: Option<String>,
    /// The service that owns a service-linked recorder.
    #[serde(default, deserialize_with = "text")]
    pub service_principal: Option<String>,
    /// True if it is recording; after it stops, the inventory becomes stale.
    pub recording: bool,
    /// The result of the last attempt to record: Pending, Success, Failure or `NotApplicable`, in any
    /// case.
    #[serde(default, deserialize_with = "text")]
    pub last_status: Option<String>,
    /// The error code of the last attempt.
    #[serde(default, deserialize_with = "text")]
    pub last_error_code: Option<String>,
    /// The time when it stopped.
    #[serde(default, deserialize_with = "time")]
    pub last_stop_time: Option<OffsetDateTime>,
    /// The time when the status changed.
    #[serde(default, deserialize_with = "time")]
    pub last_status_change_time: Option<OffsetDateTime>,
}

fn text<'de, D: Deserializer<'de>>(value: D) -> Result<Option<String>, D::Error> {
    Ok(Value::deserialize(value)?.as_str().map(str::to_owned))
}

fn time<'de, D: Deserializer<'de>>(value: D) -> Result<Option<OffsetDateTime>, D::Error> {
    Ok(parse_time(&Value::deserialize(value)?))
}

/// Parses a time: seconds since 1970, or RFC 3339, which some emulators return.
fn parse_time(value: &Value) -> Option<OffsetDateTime> {
    if let Some(text) = value.as_str() {
        return OffsetDateTime::parse(text, &Rfc3339).ok();
    }
    let milliseconds = value.as_f64()? * 1000.0;
    #[allow(
        clippy::cast_possible_truncation,
        reason = "a number outside of i64 becomes its limit, which is not a valid time"
    )]
    let milliseconds = milliseconds.round() as i64;
    OffsetDateTime::from_unix_timestamp_nanos(i128::from(milliseconds) * 1_000_000).ok()
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
        RequestBody::json(self)
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<RecorderStatus>, ParseError> {
        let reply: DescribeConfigurationRecorderStatusResponse = json::reply(body)?;
        Ok(reply.recorders.into_objects().collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Vec<RecorderStatus>, ParseError> {
        DescribeConfigurationRecorderStatus {}.parse(body.as_bytes())
    }

    #[test]
    fn recorder_list_may_be_empty() {
        let one = r#"{"ConfigurationRecordersStatus": [{"name": "default", "recording": true,
            "lastStatus": "SUCCESS", "lastStartTime": 1.5}]}"#;
        let [status] = &parse(one).unwrap()[..] else {
            panic!("one recorder")
        };
        assert_eq!(status.name.as_deref(), Some("default"));
        assert_eq!(status.last_status.as_deref(), Some("SUCCESS"));
        assert!(status.recording && status.service_principal.is_none());
        assert_eq!(
            parse(r#"{"ConfigurationRecordersStatus": []}"#).unwrap(),
            []
        );
        assert!(parse("{}").is_err());
        assert!(parse("[[]]").is_err());
        assert!(parse(r#"{"ConfigurationRecordersStatus": [[true]]}"#).is_err());
        assert!(parse(r#"{"ConfigurationRecordersStatus": [{"name": "default"}]}"#).is_err());
        let RequestBody::Json { body, .. } =
            (DescribeConfigurationRecorderStatus {}).request_body()
        else {
            panic!("JSON")
        };
        assert_eq!(body, b"{}");
    }

    #[test]
    fn times_are_seconds_or_text() {
        for (time, expected) in [
            ("1786000000", Some("2026-08-06T07:06:40.000Z")),
            ("1786000000.25", Some("2026-08-06T07:06:40.250Z")),
            ("1.786E9", Some("2026-08-06T07:06:40.000Z")),
            (
                r#""2026-08-06T07:06:40Z""#,
                Some("2026-08-06T07:06:40.000Z"),
            ),
            (
                r#""2026-08-06T09:06:40+02:00""#,
                Some("2026-08-06T07:06:40.000Z"),
            ),
            ("null", None),
            ("1e300", None),
            ("-1e300", None),
            (r#""yesterday""#, None),
            ("[]", None),
        ] {
            let body = format!(
                r#"{{"ConfigurationRecordersStatus": [{{"recording": false, "lastStopTime": {time}}}]}}"#
            );
            let stopped = parse(&body).unwrap()[0].last_stop_time;
            assert_eq!(
                stopped.map(crate::error_log::timestamp).as_deref(),
                expected,
                "{time}"
            );
        }
    }
}
