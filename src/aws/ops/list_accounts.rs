//! `organizations:ListAccounts`: returns one page of the accounts of the caller's organization.
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html>. Only the management account and
//! delegated administrators may call it.

use serde::{Deserialize, Deserializer, Serialize};

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::page::Page;
use crate::aws::protocol::json::{List, Object};
use crate::aws::protocol::{ParseError, json};
use crate::untrusted::Untrusted;

/// The maximum number of accounts, roots or organizational units on a page.
pub const PAGE_SIZE: u8 = 20;

/// The request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccounts<'a> {
    /// The maximum number of accounts on the page.
    pub max_results: u8,
    /// The page token of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
}

/// An account of an organization. A missing text is empty.
#[derive(Debug, Clone, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "PascalCase")]
pub struct OrganizationAccount {
    /// The account ID.
    #[serde(default)]
    pub id: String,
    /// `arn:{partition}:organizations::{management account}:account/{organization}/{account}`.
    #[serde(default)]
    pub arn: String,
    /// The name, which may contain any character.
    #[serde(default, deserialize_with = "untrusted")]
    pub name: Untrusted,
    /// The state: `ACTIVE` or the reason why the account is not usable.
    pub state: Option<String>,
    /// The retired member that `state` replaces.
    pub status: Option<String>,
    /// The IDs of the root and the organizational units above the account:
    /// `o-exampleorgid/r-examplerootid111/ou-examplerootid111-exampleouid111/111111111111/`.
    pub paths: Option<Vec<String>>,
}

fn untrusted<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Untrusted, D::Error> {
    Ok(Option::deserialize(deserializer)?.unwrap_or_default())
}

#[derive(Deserialize)]
#[serde(rename_all = "PascalCase")]
struct ListAccountsResponse {
    // Required: a body without the list is not a page.
    accounts: List<Object<OrganizationAccount>>,
    next_token: Option<String>,
}

/// Parses a page of accounts.
///
/// # Errors
/// The body is not a page.
pub(super) fn account_page(body: &[u8]) -> Result<Page<OrganizationAccount>, ParseError> {
    let reply: ListAccountsResponse = json::reply(body)?;
    Ok(Page::new(reply.accounts.into_objects(), reply.next_token))
}

impl Operation for ListAccounts<'_> {
    const NAME: &'static str = "ListAccounts";
    const SERVICE: Service = Service::Organizations;
    type Output = Page<OrganizationAccount>;

    fn request_body(&self) -> RequestBody {
        RequestBody::json(self)
    }

    fn parse(&self, body: &[u8]) -> Result<Self::Output, ParseError> {
        account_page(body)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const FIRST: ListAccounts = ListAccounts {
        max_results: PAGE_SIZE,
        next_token: None,
    };

    #[test]
    fn request_has_page_size_and_token() {
        let body = |next_token| {
            let request = ListAccounts {
                next_token,
                ..FIRST
            };
            match request.request_body() {
                RequestBody::Json { target, body } => (target, String::from_utf8(body).unwrap()),
                RequestBody::Query(_) => panic!("JSON"),
            }
        };
        let (target, first) = body(None);
        assert_eq!(target, "AWSOrganizationsV20161128.ListAccounts");
        assert_eq!(first, r#"{"MaxResults":20}"#);
        assert_eq!(body(Some("t")).1, r#"{"MaxResults":20,"NextToken":"t"}"#);
    }

    #[test]
    fn accounts_are_parsed_with_optional_members() {
        let body = r#"{"Accounts":[
            {"Id":"111111111111","Arn":"arn:aws:organizations::222222222222:account/o-abc/111111111111",
             "Email":"a@example.com","Name":"pay\nments","Status":"ACTIVE","State":"ACTIVE",
             "Paths":["o-abc/r-ab12/ou-ab12-11111111/111111111111/"],"JoinedTimestamp":1.5},
            {"Id":"333333333333","Name":null,"Status":"SUSPENDED"}],"NextToken":""}"#;
        let page = FIRST.parse(body.as_bytes()).unwrap();
        assert_eq!(page.next_token, None);
        let [first, second] = &page.items[..] else {
            panic!("two accounts")
        };
        assert_eq!(first.name.raw(), "pay\nments");
        assert_eq!(first.paths.as_deref().unwrap().len(), 1);
        assert_eq!(second.status.as_deref(), Some("SUSPENDED"));
        assert_eq!((&second.state, second.name.raw()), (&None, ""));
        let empty = FIRST.parse(br#"{"Accounts":[],"NextToken":"t"}"#).unwrap();
        assert_eq!(empty.next_token.as_deref(), Some("t"));
        for bad in ["{}", "[]", r#"{"Accounts":null}"#, r#"{"Accounts":[[]]}"#] {
            assert!(FIRST.parse(bad.as_bytes()).is_err(), "{bad}");
        }
    }
}
