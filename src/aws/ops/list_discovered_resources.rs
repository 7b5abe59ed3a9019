//! `config:ListDiscoveredResources`: one page of the resources of one type in a region.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>

use std::hash::{DefaultHasher, Hash, Hasher};

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, Service, Wire};
use crate::aws::protocol::json::{List, Object, Text};
use crate::aws::protocol::{Unreadable, json};
use crate::model::ResourceType;

/// The call.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ListDiscoveredResources<'a> {
    /// The type to list.
    pub resource_type: &'a ResourceType,
    /// The token that the page before gave.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Page {
    /// How many resources it names.
    pub resources: u64,
    /// Their ids where the type is a global one, by which a resource is known again in another
    /// region; else empty, for there may be many.
    pub ids: Vec<String>,
    /// What the page is known by: equal for pages of the same resources in the same order; none for
    /// an empty page, and where a resource has no id.
    pub fingerprint: Option<u64>,
    /// The token of the next page; none on the last.
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Reply<'a> {
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
    type Output = Page;

    fn wire(&self) -> Wire {
        Wire::config_json(Self::NAME, self)
    }

    fn parse(&self, body: &[u8]) -> Result<Page, Unreadable> {
        let reply: Reply = json::reply(body)?;
        let List(identifiers) = &reply.resource_identifiers;
        let asked = self.resource_type.as_str();
        let mut types = identifiers
            .iter()
            .filter_map(|Object(i)| i.resource_type.as_ref());
        if let Some(Text(other)) = types.find(|Text(t)| t != asked) {
            return Err(Unreadable::foreign(format!(
                "a resource of the type {other} in it"
            )));
        }
        let ids = identifiers
            .iter()
            .filter(|_| self.resource_type.is_global())
            .map(|Object(i)| {
                let id = i.resource_id.as_ref();
                id.map(|Text(id)| id.clone().into_owned())
                    .ok_or_else(|| Unreadable::foreign("a resource without an id in it"))
            });
        let mut hash = DefaultHasher::new();
        let mut known = !identifiers.is_empty();
        for Object(identifier) in identifiers {
            let id = identifier.resource_id.as_ref().map(|Text(id)| id);
            id.hash(&mut hash);
            known &= id.is_some();
        }
        Ok(Page {
            resources: identifiers.len() as u64,
            fingerprint: known.then(|| hash.finish()),
            ids: ids.collect::<Result<_, _>>()?,
            next_token: reply.next_token.filter(|token| !token.is_empty()),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<Page, Unreadable> {
        let resource_type = "AWS::EC2::VPC".parse().unwrap();
        let operation = ListDiscoveredResources {
            resource_type: &resource_type,
            next_token: None,
        };
        operation.parse(body.as_bytes())
    }

    #[test]
    fn the_request_is_as_documented() {
        let resource_type = "AWS::EC2::VPC".parse().unwrap();
        let first = ListDiscoveredResources {
            resource_type: &resource_type,
            next_token: Some("t"),
        };
        let Wire::Json { target, body } = first.wire() else {
            panic!("JSON")
        };
        assert_eq!(target, "StarlingDoveService.ListDiscoveredResources");
        let body: serde_json::Value = serde_json::from_slice(&body).unwrap();
        let expected = serde_json::json!({"resourceType": "AWS::EC2::VPC", "nextToken": "t"});
        assert_eq!(body, expected);
    }

    #[test]
    fn a_page_is_counted() {
        let page = parse(
            r#"{"nextToken": "x", "resourceIdentifiers": [
                {"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-1", "new": {}},
                {"resourceId": "vpc-2"}]}"#,
        );
        let expected = Page {
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
    fn a_page_is_known_by_its_resources() {
        let of = |ids: &str| {
            parse(&format!(r#"{{"resourceIdentifiers": [{ids}]}}"#))
                .unwrap()
                .fingerprint
        };
        let (a, b) = (r#"{"resourceId": "a"}"#, r#"{"resourceId": "b"}"#);
        assert_eq!(of(&format!("{a}, {b}")), of(&format!("{a}, {b}")));
        assert_ne!(of(&format!("{a}, {b}")), of(&format!("{b}, {a}")));
        assert_ne!(of(a), of(&format!("{a}, {a}")));
        assert_eq!(
            of(&format!("{a}, {{}}")),
            None,
            "nothing is known without ids"
        );
    }

    #[test]
    fn what_is_no_page_is_never_a_zero() {
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
            assert!(!parse(body).unwrap_err().cut, "{body}");
        }
        assert!(
            parse(r#"{"resourceIdentifiers": [{"resou"#)
                .unwrap_err()
                .cut
        );
    }
}
