//! `sts:GetCallerIdentity`: whose credentials these are. It needs no permission.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use serde::Deserialize;

use crate::aws::operation::{Operation, Service, Wire};
use crate::aws::protocol::{Unreadable, query};
use crate::model::AccountId;

/// The call; it has no parameters.
pub struct GetCallerIdentity;

#[derive(Deserialize)]
enum Reply {
    GetCallerIdentityResponse {
        #[serde(rename = "GetCallerIdentityResult")]
        result: Identity,
    },
}

#[derive(Deserialize)]
struct Identity {
    #[serde(rename = "Account")]
    account: String,
}

impl Operation for GetCallerIdentity {
    const NAME: &'static str = "GetCallerIdentity";
    const SERVICE: Service = Service::Sts;
    type Output = AccountId;

    fn wire(&self) -> Wire {
        Wire::query(Self::NAME, "2011-06-15")
    }

    fn parse(&self, body: &[u8]) -> Result<AccountId, Unreadable> {
        let Reply::GetCallerIdentityResponse { result } = query::reply(body)?;
        let account = result.account.trim().parse();
        // The text itself is not quoted: nothing tells what it holds.
        account.map_err(|_| Unreadable::foreign("its Account is not twelve digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_account_is_read() {
        let body = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <GetCallerIdentityResult><Arn>arn:aws:iam::012345678901:user/a</Arn>
            <UserId>AIDA</UserId><Account> 012345678901 </Account></GetCallerIdentityResult>
            <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>
            </GetCallerIdentityResponse>"#;
        let account = GetCallerIdentity.parse(body.as_bytes()).unwrap();
        assert_eq!(account.as_str(), "012345678901");
    }

    #[test]
    fn anything_else_is_no_identity() {
        for body in [
            "",
            "<html><body>Sign in</body></html>",
            "<GetCallerIdentityResponse/>",
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>../x</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>",
        ] {
            assert!(GetCallerIdentity.parse(body.as_bytes()).is_err(), "{body}");
        }
    }
}
