//! `config:ListDiscoveredResources`: returns one page of the resources of one type in a region.
//!
//! <https://docs.aws.amazon.com/config/latest/APIReference/API_ListDiscoveredResources.html>

use std::hash::{BuildHasher, RandomState};
use std::sync::LazyLock;

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::json::{Bytes, List, Object, Text};
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
    /// The number of the page, from 1; not sent.
    #[serde(skip)]
    pub page: usize,
}

/// One page.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ResourcePage {
    /// The hashes of the resource IDs, one per resource; the same ID has the same hash on every page,
    /// in every region, until the program ends.
    pub ids: Vec<u64>,
    /// The page token of the next page; `None` on the last page.
    pub next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct ListDiscoveredResourcesResponse<'a> {
    // Required: a body without the list is not a page, and never a zero.
    #[serde(borrow)]
    resource_identifiers: List<Object<Identifier<'a>>>,
    // Other operations of AWS Config, and so emulators of this one, write it in upper case.
    #[serde(alias = "NextToken")]
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Identifier<'a> {
    #[serde(borrow)]
    resource_type: Option<Text<'a>>,
    #[serde(borrow)]
    resource_id: Option<Bytes<'a>>,
}

impl Operation for ListDiscoveredResources<'_> {
    const NAME: &'static str = "ListDiscoveredResources";
    const SERVICE: Service = Service::Config;
    type Output = ResourcePage;

    fn request_body(&self) -> RequestBody {
        RequestBody::json(self)
    }

    fn resource_type(&self) -> Option<&ResourceType> {
        Some(self.resource_type)
    }

    fn page(&self) -> Option<usize> {
        Some(self.page)
    }

    fn parse(&self, body: &[u8]) -> Result<ResourcePage, ParseError> {
        let reply: ListDiscoveredResourcesResponse = json::reply(body)?;
        let List(identifiers) = &reply.resource_identifiers;
        let ids = identifiers.iter().map(|Object(item)| self.hash_id(item));
        Ok(ResourcePage {
            ids: ids.collect::<Result<_, _>>()?,
            next_token: reply.next_token.filter(|token| !token.is_empty()),
        })
    }
}

impl ListDiscoveredResources<'_> {
    /// Returns the hash of the ID of `item`.
    ///
    /// # Errors
    /// The item lacks its type or its ID, or has another type than the requested one.
    fn hash_id(&self, item: &Identifier<'_>) -> Result<u64, ParseError> {
        let requested = self.resource_type.as_str();
        match (&item.resource_type, &item.resource_id) {
            (None, _) => Err(ParseError::invalid_item("resource without a type")),
            (Some(Text(t)), _) if t.is_empty() => {
                Err(ParseError::invalid_item("resource with an empty type"))
            }
            (Some(Text(other)), _) if !other.eq_ignore_ascii_case(requested) => {
                let why = format!("unexpected type {other} in the response");
                Err(ParseError::invalid_item(why))
            }
            (_, None) => Err(ParseError::invalid_item("resource without an ID")),
            (_, Some(Bytes(id))) if id.is_empty() => {
                Err(ParseError::invalid_item("resource with an empty ID"))
            }
            (_, Some(Bytes(id))) => Ok(HASH_KEY.hash_one(id)),
        }
    }
}

/// The random key of the hashes of this run.
static HASH_KEY: LazyLock<RandomState> = LazyLock::new(RandomState::new);

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(body: &str) -> Result<ResourcePage, ParseError> {
        parse_bytes(body.as_bytes())
    }

    #[test]
    fn request_has_documented_form() {
        let resource_type = "AWS::EC2::VPC".parse().unwrap();
        let first = ListDiscoveredResources {
            resource_type: &resource_type,
            next_token: Some("t"),
            page: 2,
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
    fn page_has_the_hash_of_each_id() {
        let page = parse(
            r#"{"nextToken": "x", "resourceIdentifiers": [
                {"resourceType": "AWS::EC2::VPC", "resourceId": "vpc-1", "new": {}},
                {"resourceName": "two", "resourceId": "vpc-2", "resourceType": "AWS::EC2::VPC"},
                {"resourceType": "AWS::EC2::VPC", "resourceId": "\u0076pc-1"}]}"#,
        )
        .unwrap();
        assert_eq!(page.next_token.as_deref(), Some("x"));
        let [first, second, third] = page.ids[..] else {
            panic!("{page:?}")
        };
        assert_ne!(first, second);
        assert_eq!(first, third, "the same ID in another spelling");
        let upper = parse(r#"{"NextToken": "x", "resourceIdentifiers": []}"#).unwrap();
        assert_eq!(upper.next_token.as_deref(), Some("x"));
        let last = parse(r#"{"resourceIdentifiers": [], "nextToken": ""}"#).unwrap();
        assert_eq!((last.next_token, last.ids), (None, Vec::new()));
    }

    fn parse_bytes(body: &[u8]) -> Result<ResourcePage, ParseError> {
        let resource_type = "AWS::EC2::VPC".parse().unwrap();
        let operation = ListDiscoveredResources {
            resource_type: &resource_type,
            next_token: None,
            page: 1,
        };
        operation.parse(body)
    }

    #[test]
    fn id_of_invalid_text_has_a_hash() {
        let ids: [&[u8]; 8] = [
            br"\ud800",
            br"\udc00",
            br"\ud800\ud800",
            br"\ud800x",
            b"\xff",
            b"\xff\xff",
            b"caf\xe9",
            br"\u0000",
        ];
        let items = ids.map(|id| {
            [
                br#"{"resourceType":"AWS::EC2::VPC","resourceId":""#,
                id,
                b"\"}",
            ]
            .concat()
        });
        let page = [
            br#"{"resourceIdentifiers":["#,
            &items.join(&b","[..])[..],
            b"]}",
        ]
        .concat();
        let page = parse_bytes(&page).unwrap();
        let different: std::collections::HashSet<u64> = page.ids.iter().copied().collect();
        assert_eq!((page.ids.len(), different.len()), (8, 8));
    }

    #[test]
    fn invalid_item_is_retried_once() {
        for (item, why) in [
            ("{}", "resource without a type"),
            (r#"{"resourceId": "a"}"#, "resource without a type"),
            (
                r#"{"resourceType": null, "resourceId": "a"}"#,
                "resource without a type",
            ),
            (
                r#"{"resourceType": "", "resourceId": "a"}"#,
                "resource with an empty type",
            ),
            (
                r#"{"resourceType": "AWS::EC2::VPC"}"#,
                "resource without an ID",
            ),
            (
                r#"{"resourceType": "AWS::EC2::VPC", "resourceId": null}"#,
                "resource without an ID",
            ),
            (
                r#"{"resourceType": "AWS::EC2::VPC", "resourceId": ""}"#,
                "resource with an empty ID",
            ),
            (
                r#"{"resourceType": "AWS::S3::Bucket", "resourceId": "a"}"#,
                "unexpected type AWS::S3::Bucket in the response",
            ),
        ] {
            let good = r#"{"resourceType": "aws::ec2::vpc", "resourceId": "a"}"#;
            let page = format!(r#"{{"resourceIdentifiers": [{good}, {item}]}}"#);
            let error = parse(&page).unwrap_err();
            assert_eq!((error.reason().raw(), error.max_retries()), (why, 1));
        }
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
            r#"{"resourceIdentifiers": [{"resourceType": "AWS::EC2::VPC", "resourceId": 7}]}"#,
            r#"{"resourceIdentifiers": [{"resourceType": "AWS::EC2::VPC", "resourceId": [7]}]}"#,
            r#"{"resourceIdentifiers": [], "nextToken": 7}"#,
            "<html></html>",
        ] {
            assert_eq!(parse(body).unwrap_err().max_retries(), 0, "{body}");
        }
        assert!(
            parse(r#"{"resourceIdentifiers": [{"resou"#)
                .unwrap_err()
                .is_truncated()
        );
    }
}
