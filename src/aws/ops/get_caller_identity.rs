//! `sts:GetCallerIdentity`: returns the account of the credentials. It requires no permission.
//!
//! <https://docs.aws.amazon.com/STS/latest/APIReference/API_GetCallerIdentity.html>

use serde::Deserialize;

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::{ParseError, query};
use crate::model::AccountId;

/// The request; it has no parameters.
pub struct GetCallerIdentity;

#[derive(Deserialize)]
enum GetCallerIdentityResponse {
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

    fn request_body(&self) -> RequestBody {
        RequestBody::query(Self::NAME, "2011-06-15", [])
    }

    fn parse(&self, body: &[u8]) -> Result<AccountId, ParseError> {
        let GetCallerIdentityResponse::GetCallerIdentityResponse { result } = query::reply(body)?;
        let account = result.account.trim().parse();
        // The value is not quoted: it may contain anything.
        account.map_err(|_| ParseError::unexpected("Account is not 12 digits"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn account_id_is_read() {
        let body = r#"<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <GetCallerIdentityResult><Arn>arn:aws:iam::012345678901:user/a</Arn>
            <UserId>AIDA</UserId><Account> 012345678901 </Account></GetCallerIdentityResult>
            <ResponseMetadata><RequestId>r</RequestId></ResponseMetadata>
            </GetCallerIdentityResponse>"#;
        let account = GetCallerIdentity.parse(body.as_bytes()).unwrap();
        assert_eq!(account.as_str(), "012345678901");
    }

    #[test]
    fn invalid_response_is_an_error() {
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
