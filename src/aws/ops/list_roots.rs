//! `organizations:ListRoots`: returns the root of the caller's organization; there is one.
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListRoots.html>

use serde::{Deserialize, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::page::Page;
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{ParseError, json};

/// The request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListRoots<'a> {
    /// The page token of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListRootsResponse {
    roots: List<Object<Root>>,
    next_token: Option<String>,
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct Root {
    id: String,
}

impl Operation for ListRoots<'_> {
    const NAME: &'static str = "ListRoots";
    const SERVICE: Service = Service::Organizations;
    /// The IDs of the roots.
    type Output = Page<String>;

    fn request_body(&self) -> RequestBody {
        RequestBody::json(self)
    }

    fn parse(&self, body: &[u8]) -> Result<Self::Output, ParseError> {
        let reply: ListRootsResponse = json::reply(body)?;
        let ids = reply.roots.into_objects().map(|root| root.id);
        Ok(Page::new(ids, reply.next_token))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn root_ids_are_parsed() {
        let parse = |body: &str| ListRoots { next_token: None }.parse(body.as_bytes());
        let page = parse(r#"{"Roots":[{"Id":"r-ab12","Name":"Root"}]}"#).unwrap();
        assert_eq!(page.items, ["r-ab12"]);
        assert!(parse(r#"{"Roots":[{}]}"#).is_err());
        assert!(parse("{}").is_err());
    }
}
