//! `config:GetDiscoveredResourceCounts`: returns the number of recorded resources of each type.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_GetDiscoveredResourceCounts.html>.
//! It only counts types that the recorder currently records: nothing if the recorder is stopped.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::json::{List, Object, Text};
use crate::aws::protocol::{ParseError, json};
use crate::model::ResourceType;

/// The maximum types in a request.
pub const MAX_TYPES: usize = 20;

/// The request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetDiscoveredResourceCounts<'a> {
    /// The types to count, at most [`MAX_TYPES`]; empty for all.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub resource_types: &'a [ResourceType],
    /// The page token of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
    /// The number of the page, from 1; not sent.
    #[serde(skip)]
    pub page: usize,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct CountsPage {
    /// The total of all pages.
    pub total: u64,
    /// The types of this page with their counts.
    pub counts: Vec<(ResourceType, u64)>,
    /// The page token of the next page; `None` on the last page.
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct GetDiscoveredResourceCountsResponse<'a> {
    // Both required: a body without them is not a page, and never a zero.
    total_discovered_resources: u64,
    #[serde(borrow)]
    resource_counts: List<Object<Count<'a>>>,
    // Other operations of AWS Config, and so emulators of this one, write it in upper case.
    #[serde(alias = "NextToken")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Count<'a> {
    #[serde(borrow)]
    resource_type: Text<'a>,
    count: u64,
}

impl Operation for GetDiscoveredResourceCounts<'_> {
    const NAME: &'static str = "GetDiscoveredResourceCounts";
    const SERVICE: Service = Service::Config;
    type Output = CountsPage;

    fn request_body(&self) -> RequestBody {
        RequestBody::json(self)
    }

    fn page(&self) -> Option<usize> {
        Some(self.page)
    }

    fn parse(&self, body: &[u8]) -> Result<CountsPage, ParseError> {
        let reply: GetDiscoveredResourceCountsResponse = json::reply(body)?;
        let requested = self.resource_types;
        let count = |Object(count): Object<Count<'_>>| {
            let Text(text) = &count.resource_type;
            let resource_type: ResourceType = text.parse().map_err(|_| {
                ParseError::unexpected(format!("invalid resource type in the response: {text}"))
            })?;
            if requested.is_empty() {
                return Ok((resource_type, count.count));
            }
            let is_same = |r: &&ResourceType| r.as_str().eq_ignore_ascii_case(text);
            let why = || format!("unexpected type {resource_type} in the response");
            let requested = requested.iter().find(is_same);
            let requested = requested.ok_or_else(|| ParseError::unexpected(why()))?;
            Ok((requested.clone(), count.count))
        };
        let counts = reply.resource_counts.0.into_iter().map(count);
        Ok(CountsPage {
            total: reply.total_discovered_resources,
            counts: counts.collect::<Result<_, _>>()?,
            next_token: reply.next_token.filter(|token| !token.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(requested: &[&str], body: &str) -> Result<CountsPage, ParseError> {
        let requested: Vec<ResourceType> = requested.iter().map(|t| t.parse().unwrap()).collect();
        let operation = GetDiscoveredResourceCounts {
            resource_types: &requested,
            next_token: None,
            page: 1,
        };
        operation.parse(body.as_bytes())
    }

    #[test]
    fn request_has_documented_form() {
        let types = ["AWS::EC2::VPC".parse().unwrap()];
        for (resource_types, next_token, expected) in [
            (&[][..], None, serde_json::json!({})),
            (
                &types,
                Some("t"),
                serde_json::json!({"resourceTypes": ["AWS::EC2::VPC"], "nextToken": "t"}),
            ),
        ] {
            let operation = GetDiscoveredResourceCounts {
                resource_types,
                next_token,
                page: 2,
            };
            let RequestBody::Json { target, body } = operation.request_body() else {
                panic!("JSON")
            };
            assert_eq!(target, "StarlingDoveService.GetDiscoveredResourceCounts");
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body, expected);
        }
    }

    #[test]
    fn page_is_read() {
        let page = parse(
            &[],
            r#"{"totalDiscoveredResources": 9, "nextToken": "x", "resourceCounts": [
                {"resourceType": "AWS::EC2::VPC", "count": 7, "new": {}},
                {"resourceType": "AWS::S3::Bucket", "count": 2}]}"#,
        );
        let types: Vec<ResourceType> = ["AWS::EC2::VPC", "AWS::S3::Bucket"]
            .map(|t| t.parse().unwrap())
            .into();
        let expected = CountsPage {
            total: 9,
            counts: types.iter().cloned().zip([7, 2]).collect(),
            next_token: Some("x".to_owned()),
        };
        assert_eq!(page.unwrap(), expected);
        let upper = r#"{"totalDiscoveredResources": 3, "NextToken": "y", "resourceCounts": [
            {"resourceType": "AWS::New::Thing", "count": 3}]}"#;
        let requested = "aws::new::thing".parse().unwrap();
        let upper = parse(&["aws::new::thing"], upper).unwrap();
        assert_eq!(upper.counts, [(requested, 3)]);
        assert_eq!(upper.next_token.as_deref(), Some("y"));
        let none = r#"{"totalDiscoveredResources": 0, "resourceCounts": [], "nextToken": ""}"#;
        assert_eq!(parse(&[], none).unwrap().next_token, None);
    }

    #[test]
    fn invalid_response_is_never_a_zero() {
        for body in [
            "",
            "{}",
            "[]",
            "[0, [], null]",
            r#"{"totalDiscoveredResources": 7, "resourceCounts": [["AWS::EC2::VPC", 7]]}"#,
            r#"{"totalDiscoveredResources": 0}"#,
            r#"{"resourceCounts": []}"#,
            r#"{"totalDiscoveredResources": null, "resourceCounts": []}"#,
            r#"{"totalDiscoveredResources": -1, "resourceCounts": []}"#,
            r#"{"totalDiscoveredResources": 1.5, "resourceCounts": []}"#,
            r#"{"totalDiscoveredResources": 1, "resourceCounts": [{"resourceType": "AWS::EC2::VPC"}]}"#,
            r#"{"totalDiscoveredResources": 1, "resourceCounts": [{"resourceType": "x", "count": 1}]}"#,
            r#"{"totalDiscoveredResources": 1, "resourceCounts": [
                {"resourceType": "AWS::S3::Bucket", "count": 1}]}"#,
            "<html></html>",
        ] {
            assert!(
                !parse(&["AWS::EC2::VPC"], body).unwrap_err().is_truncated(),
                "{body}"
            );
        }
        assert!(
            parse(&[], r#"{"totalDiscoveredResources": 1, "resou"#)
                .unwrap_err()
                .is_truncated()
        );
    }
}
