//! `organizations:ListOrganizationalUnitsForParent`: returns one page of the organizational units directly in a root or
//! another unit.
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListOrganizationalUnitsForParent.html>

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::page::Page;
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{ParseError, json};
use crate::untrusted::Untrusted;

/// The request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListOrganizationalUnitsForParent<'a> {
    /// The ID of the root or the organizational unit.
    pub parent_id: &'a str,
    /// The maximum number of units on the page.
    pub max_results: u8,
    /// The page token of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
}

/// An organizational unit.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationalUnit {
    /// The ID.
    pub id: String,
    /// The name, which may contain any character.
    #[serde(default)]
    pub name: Untrusted,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct UnitsResponse {
    organizational_units: List<Object<OrganizationalUnit>>,
    next_token: Option<String>,
}

impl Operation for ListOrganizationalUnitsForParent<'_> {
    const NAME: &'static str = "ListOrganizationalUnitsForParent";
    const SERVICE: Service = Service::Organizations;
    type Output = Page<OrganizationalUnit>;

    fn request_body(&self) -> RequestBody {
        RequestBody::json(self)
    }

    fn parse(&self, body: &[u8]) -> Result<Self::Output, ParseError> {
        let reply: UnitsResponse = json::reply(body)?;
        let units = reply.organizational_units.into_objects();
        Ok(Page::new(units, reply.next_token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn units_are_parsed_with_any_name() {
        let operation = ListOrganizationalUnitsForParent {
            parent_id: "r-ab12",
            max_results: 20,
            next_token: None,
        };
        let body =
            r#"{"OrganizationalUnits":[{"Id":"ou-ab12-11111111","Name":"a/b"}],"NextToken":"t"}"#;
        let page = operation.parse(body.as_bytes()).unwrap();
        assert_eq!(page.items[0].name.raw(), "a/b");
        assert_eq!(page.next_token.as_deref(), Some("t"));
        assert!(operation.parse(b"{}").is_err());
    }
}
