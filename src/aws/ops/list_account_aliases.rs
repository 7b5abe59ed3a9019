//! `iam:ListAccountAliases`: returns the account's alias, at most one.
//!
//! <https://docs.aws.amazon.com/IAM/latest/APIReference/API_ListAccountAliases.html>

use serde::Deserialize;

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::{ParseError, query};
use crate::untrusted::Untrusted;

/// The request; its optional parameters are only for longer lists.
pub struct ListAccountAliases;

#[derive(Deserialize)]
enum ListAccountAliasesResponse {
    ListAccountAliasesResponse {
        #[serde(rename = "ListAccountAliasesResult")]
        result: Aliases,
    },
}

#[derive(Deserialize)]
struct Aliases {
    #[serde(rename = "AccountAliases")]
    aliases: AliasMembers,
}

#[derive(Deserialize)]
struct AliasMembers {
    #[serde(rename = "member", default)]
    members: Vec<String>,
}

impl Operation for ListAccountAliases {
    const NAME: &'static str = "ListAccountAliases";
    const SERVICE: Service = Service::Iam;
    type Output = Option<Untrusted>;

    fn request_body(&self) -> RequestBody {
        RequestBody::query(Self::NAME, "2010-05-08", [])
    }

    fn parse(&self, body: &[u8]) -> Result<Option<Untrusted>, ParseError> {
        let ListAccountAliasesResponse::ListAccountAliasesResponse { result } = query::reply(body)?;
        let members = result.aliases.members;
        let alias = members.iter().map(|a| a.trim()).find(|a| !a.is_empty());
        Ok(alias.map(Untrusted::from))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(aliases: &str) -> Result<Option<Untrusted>, ParseError> {
        let body = format!(
            r#"<ListAccountAliasesResponse xmlns="https://iam.amazonaws.com/doc/2010-05-08/">
            <ListAccountAliasesResult><IsTruncated>false</IsTruncated>{aliases}
            </ListAccountAliasesResult></ListAccountAliasesResponse>"#
        );
        ListAccountAliases.parse(body.as_bytes())
    }

    #[test]
    fn alias_is_optional() {
        let one = "<AccountAliases><member>acme-prod</member></AccountAliases>";
        assert_eq!(parse(one).unwrap(), Some("acme-prod".into()));
        assert_eq!(parse("<AccountAliases/>").unwrap(), None);
        assert_eq!(parse("<AccountAliases></AccountAliases>").unwrap(), None);
        assert!(parse("").is_err(), "the list is required");
    }
}
