//! `organizations:ListAccountsForParent`: returns one page of the accounts directly in a root or an organizational unit.
//!
//! <https://docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html>

use serde::Serialize;

use super::list_accounts::{OrganizationAccount, account_page};
use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::page::Page;
use crate::aws::protocol::ParseError;

/// The request.
#[derive(Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct ListAccountsForParent<'a> {
    /// The ID of the root or the organizational unit.
    pub parent_id: &'a str,
    /// The maximum number of accounts on the page.
    pub max_results: u8,
    /// The page token of the previous page.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub next_token: Option<&'a str>,
}

impl Operation for ListAccountsForParent<'_> {
    const NAME: &'static str = "ListAccountsForParent";
    const SERVICE: Service = Service::Organizations;
    type Output = Page<OrganizationAccount>;

    fn request_body(&self) -> RequestBody {
        RequestBody::json(self)
    }

    fn parse(&self, body: &[u8]) -> Result<Self::Output, ParseError> {
        account_page(body)
    }
}
