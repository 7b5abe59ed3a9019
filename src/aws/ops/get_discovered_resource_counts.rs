//! `config:GetDiscoveredResourceCounts`: how many resources of each type a region records.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_GetDiscoveredResourceCounts.html>. It
//! counts what the recorder records now: nothing at all where the recorder is off.

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, Service, Wire};
use crate::aws::protocol::json::{List, Object, Text};
use crate::aws::protocol::{Unreadable, json};
use crate::model::{KnownTypes, ResourceType};

/// How many types one request may name.
pub const MAX_TYPES: usize = 20;

/// The call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct GetDiscoveredResourceCounts<'a> {
    /// The types to count, at most [`MAX_TYPES`]; all when empty.
    #[serde(skip_serializing_if = "<[_]>::is_empty")]
    pub resource_types: &'a [ResourceType],
    /// The token that the page before gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
    /// The types that need not be read from their text once more.
    #[serde(skip)]
    pub known: Option<&'a KnownTypes>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many resources all pages together name.
    pub total: u64,
    /// The types of this page, with the number of their resources.
    pub counts: Vec<(ResourceType, u64)>,
    /// Those of them that were not known.
    pub new: Vec<ResourceType>,
    /// The token of the next page; none on the last.
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
    // Both required: a body without them is not a page, and never a zero.
    total_discovered_resources: u64,
    #[serde(borrow)]
    resource_counts: List<Object<Count<'a>>>,
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
    type Output = Page;

    fn wire(&self) -> Wire {
        Wire::config_json(Self::NAME, self)
    }

    fn parse(&self, body: &[u8]) -> Result<Page, Unreadable> {
        let reply: Reply = json::reply(body)?;
        let asked = self.resource_types;
        let known = self.known.map(KnownTypes::held);
        let mut new = Vec::new();
        let count = |Object(count): Object<Count<'_>>| {
            // Its text stays whole: of one that is cut here, half a secret could not be taken out.
            let Text(text) = &count.resource_type;
            let known = known.as_ref().and_then(|known| known.get(&**text));
            let resource_type = if let Some(known) = known {
                known.clone()
            } else {
                let read: ResourceType = text.parse().map_err(|_| {
                    let why = format!("a count of what is no resource type in it: {text}");
                    Unreadable::foreign(why)
                })?;
                new.push(read.clone());
                read
            };
            if !asked.is_empty() && !asked.contains(&resource_type) {
                let why = format!("a count of the type {resource_type} in it");
                return Err(Unreadable::foreign(why));
            }
            Ok((resource_type, count.count))
        };
        let counts = reply.resource_counts.0.into_iter().map(count);
        Ok(Page {
            total: reply.total_discovered_resources,
            counts: counts.collect::<Result<_, _>>()?,
            new,
            next_token: reply.next_token.filter(|token| !token.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(asked: &[&str], body: &str) -> Result<Page, Unreadable> {
        let asked: Vec<ResourceType> = asked.iter().map(|t| t.parse().unwrap()).collect();
        let operation = GetDiscoveredResourceCounts {
            resource_types: &asked,
            next_token: None,
            known: None,
        };
        operation.parse(body.as_bytes())
    }

    #[test]
    fn the_request_is_as_documented() {
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
                known: None,
            };
            let Wire::Json { target, body } = operation.wire() else {
                panic!("JSON")
            };
            assert_eq!(target, "StarlingDoveService.GetDiscoveredResourceCounts");
            let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
            assert_eq!(body, expected);
        }
    }

    #[test]
    fn a_page_is_read() {
        let page = parse(
            &[],
            r#"{"totalDiscoveredResources": 9, "nextToken": "x", "resourceCounts": [
                {"resourceType": "AWS::EC2::VPC", "count": 7, "new": {}},
                {"resourceType": "AWS::S3::Bucket", "count": 2}]}"#,
        );
        let types: Vec<ResourceType> = ["AWS::EC2::VPC", "AWS::S3::Bucket"]
            .map(|t| t.parse().unwrap())
            .into();
        let expected = Page {
            total: 9,
            counts: types.iter().cloned().zip([7, 2]).collect(),
            new: types,
            next_token: Some("x".to_owned()),
        };
        assert_eq!(page.unwrap(), expected);
        let none = r#"{"totalDiscoveredResources": 0, "resourceCounts": [], "nextToken": ""}"#;
        assert_eq!(parse(&[], none).unwrap().next_token, None);
    }

    #[test]
    fn a_type_that_is_known_is_held_once() {
        let known = KnownTypes::default();
        let parse = |types: [&str; 2]| {
            let counts = types.map(|t| serde_json::json!({"resourceType": t, "count": 1}));
            let body = serde_json::json!({"totalDiscoveredResources": 2, "resourceCounts": counts});
            let operation = GetDiscoveredResourceCounts {
                resource_types: &[],
                next_token: None,
                known: Some(&known),
            };
            let page = operation.parse(body.to_string().as_bytes()).unwrap();
            let named: Vec<_> = page.counts.into_iter().map(|(t, _)| t).collect();
            assert_eq!(
                named.iter().map(ResourceType::as_str).collect::<Vec<_>>(),
                types
            );
            known.add(page.new.clone());
            (named, page.new)
        };
        let (first, new) = parse(["AWS::EC2::VPC", "AWS::S3::Bucket"]);
        assert_eq!(new, first);
        let (second, new) = parse(["AWS::S3::Bucket", "AWS::EC2::Volume"]);
        assert_eq!(new, second[1..]);
        assert!(std::ptr::eq(first[1].as_str(), second[0].as_str()));
    }

    #[test]
    fn what_is_no_page_is_never_a_zero() {
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
            assert!(!parse(&["AWS::EC2::VPC"], body).unwrap_err().cut, "{body}");
        }
        assert!(
            parse(&[], r#"{"totalDiscoveredResources": 1, "resou"#)
                .unwrap_err()
                .cut
        );
    }
}
