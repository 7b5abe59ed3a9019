//! `config:ListDiscoveredResources`: returns one page of the resources of one type in a region.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::json::{List, Object, Text};
use crate::aws::protocol::{ParseError, json};
use crate::model::ResourceType;

/// The request.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListDiscoveredResources<'a> {
    /// The type to list.
    pub resource_type: &'a ResourceType,
    /// The page token of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePage {
    /// The number of resources on the page.
    pub resources: u64,
    /// The hashes of the resource IDs if the type is global, to find the same resources in other
    /// regions; otherwise empty, because there may be many.
    pub ids: Vec<u64>,
    /// A hash of the resource IDs in their order, to recognize a repeated page; `None` if the page
    /// is empty or a resource has no ID.
    pub fingerprint: Option<u64>,
    /// The page token of the next page; `None` on the last page.
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListDiscoveredResourcesResponse<'a> {
    // Required: a body without the list is not a page, and never a zero.
    #[serde(borrow)]
    resource_identifiers: List<Object<Identifier<'a>>>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identifier<'a> {
    #[serde(borrow)]
    resource_type: Option<Text<'a>>,
    #[serde(borrow)]
    resource_id: Option<Text<'a>>,
}

impl Operation for ListDiscoveredResources<'_> {
    const NAME: &'static str = "ListDiscoveredResources";
    const SERVICE: Service = Service::Config;
    type Output = ResourcePage;

    fn request_body(&self) -> RequestBody {
        RequestBody::config_json(Self::NAME, self)
    }

    fn resource_type(&self) -> Option<&ResourceType> {
        Some(self.resource_type)
    }

    fn parse(&self, body: &[u8]) -> Result<ResourcePage, ParseError> {
        let reply: ListDiscoveredResourcesResponse = json::reply(body)?;
        let List(identifiers) = &reply.resource_identifiers;
        let requested = self.resource_type.as_str();
        let mut types = identifiers
            .iter()
            .filter_map(|Object(i)| i.resource_type.as_ref());
        if let Some(Text(other)) = types.find(|Text(t)| t != requested) {
            return Err(ParseError::unexpected(format!(
                "unexpected type {other} in the response"
            )));
        }
        let ids = identifiers
            .iter()
            .filter(|_| self.resource_type.is_global())
            .map(|Object(i)| {
                let id = i.resource_id.as_ref();
                id.map(|Text(id)| hash_id(id))
                    .ok_or_else(|| ParseError::unexpected("resource without an ID in the response"))
            });
        let mut hash = DefaultHasher::new();
        let mut has_ids = !identifiers.is_empty();
        for Object(identifier) in identifiers {
            let id = identifier.resource_id.as_ref().map(|Text(id)| id);
            id.hash(&mut hash);
            has_ids &= id.is_some();
        }
        Ok(ResourcePage {
            resources: identifiers.len() as u64,
            fingerprint: has_ids.then(|| hash.finish()),
            ids: ids.collect::<Result<_, _>>()?,
            next_token: reply.next_token.filter(|token| !token.is_empty()),
        })
    }
}

/// Returns the hash of a resource ID, the same in every listing.
fn hash_id(id: &str) -> u64 {
    let mut hash = DefaultHasher::new();
    id.hash(&mut hash);
    hash.finish()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<ResourcePage, ParseError> {
        let resource_type = "AWS::EC2::VPC".parse().unwrap();
        let operation = ListDiscoveredResources {
            resource_type: &resource_type,
            next_token: None,
        };
        operation.parse(body.as_bytes())
    }

    #[test]
    fn request_has_documented_form() {
        let resource_type = "AWS::EC2::VPC".parse().unwrap();
        let first = ListDiscoveredResources {
            resource_type: &resource_type,
            next_token: Some("t"),
        };
        let RequestBody::Json { target, body } = first.request_body() else {
            panic!("JSON")
        };
        assert_eq!(target, "StarlingDoveService.ListDiscoveredResources");
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected = serde_json::json!({"resourceType": "AWS::EC2::VPC", "nextToken": "t"});
        assert_eq!(body, expected);
    }

    #[test]
    fn page_is_counted() {
        let page = parse(
            r#"{"nextToken": "x", "resourceIdentifiers": [
                {"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-1", "new": {}},
                {"resourceId": "vpc-2"}]}"#,
        );
        let expected = ResourcePage {
            resources: 2,
            ids: Vec::new(),
            fingerprint: page.as_ref().unwrap().fingerprint,
            next_token: Some("x".to_owned()),
        };
        assert_eq!(page.unwrap(), expected);
        let last = parse(r#"{"resourceIdentifiers": [], "nextToken": ""}"#).unwrap();
        assert_eq!((last.next_token, last.fingerprint), (None, None));
    }

    #[test]
    fn fingerprint_depends_on_resource_ids() {
        let fingerprint = |ids: &str| {
            parse(&format!(r#"{{"resourceIdentifiers": [{ids}]}}"#))
                .unwrap()
                .fingerprint
        };
        let (a, b) = (r#"{"resourceId": "a"}"#, r#"{"resourceId": "b"}"#);
        assert_eq!(
            fingerprint(&format!("{a}, {b}")),
            fingerprint(&format!("{a}, {b}"))
        );
        assert_ne!(
            fingerprint(&format!("{a}, {b}")),
            fingerprint(&format!("{b}, {a}"))
        );
        assert_ne!(fingerprint(a), fingerprint(&format!("{a}, {a}")));
        assert_eq!(
            fingerprint(&format!("{a}, {{}}")),
            None,
            "no fingerprint without IDs"
        );
    }

    #[test]
    fn invalid_response_is_never_a_zero() {
        for body in [
            "",
            "{}",
            "null",
            "[]",
            "[[], null]",
            r#"{"resourceIdentifiers": [[null, null]]}"#,
            r#"{"ResourceIdentifiers": []}"#,
            r#"{"resourceIdentifiers": null}"#,
            r#"{"resourceIdentifiers": [7]}"#,
            r#"{"resourceIdentifiers": [{"resourceType": "AWS::S3::Bucket"}]}"#,
            r#"{"resourceIdentifiers": [], "nextToken": 7}"#,
            "<html></html>",
        ] {
            assert!(!parse(body).unwrap_err().is_truncated(), "{body}");
        }
        assert!(
            parse(r#"{"resourceIdentifiers": [{"resou"#)
                .unwrap_err()
                .is_truncated()
        );
    }
}
