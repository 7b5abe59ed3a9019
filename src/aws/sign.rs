//! Signature Version 4, with the crate aws-sigv4.
//!
//! <https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_sigv.html>

use aws_credential_types::Credentials;
use aws_sigv4::http_request::{SignableBody, SignableRequest, SigningSettings, sign as sigv4};
use aws_sigv4::sign::v4;
use time::OffsetDateTime;

use super::error::SigningError;
use crate::http::Request;
use crate::model::Region;

/// Signs `request` for `service` in `region` at `time`: adds the headers of the signature.
///
/// # Errors
/// The request's URI or a header cannot be signed. The text contains the reason and no secret.
pub fn sign(
    request: &mut Request,
    credentials: &Credentials,
    service: &str,
    region: &Region,
    time: OffsetDateTime,
) -> Result<(), SigningError> {
    let identity = credentials.clone().into();
    let params = v4::SigningParams::builder()
        .identity(&identity)
        .region(region.as_str())
        .name(service)
        .time(time.into())
        .settings(SigningSettings::default())
        .build()
        .map_err(|e| SigningError::Signer(e.to_string()))?
        .into();
    let headers = request.headers.iter().map(|(n, v)| (*n, v.as_str()));
    let body = SignableBody::Bytes(&request.body);
    let signable = SignableRequest::new(request.method, &request.uri, headers, body)
        .map_err(|e| SigningError::Signer(e.to_string()))?;
    let (instructions, _) = sigv4(signable, &params)
        .map_err(|e| SigningError::Signer(e.to_string()))?
        .into_parts();
    let (signed, _) = instructions.into_parts();
    request
        .headers
        .extend(signed.iter().map(|h| (h.name(), h.value().to_owned())));
    Ok(())
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use time::macros::datetime;

    use super::*;
    use crate::aws::protocol::{json, query};

    const TOKEN: &str = "AQoDYXdzEJr/EXAMPLE+TOKEN==";

    /// Returns a POST request as the client sends it, signed with AWS's example credentials at
    /// 2026-11-24 12:34:56.
    fn signed(
        (service, region): (&str, &str),
        uri: &str,
        headers: Vec<(&'static str, String)>,
        body: &str,
        token: Option<&str>,
    ) -> Request {
        let mut request = Request {
            method: "POST",
            uri: uri.to_owned(),
            headers,
            body: body.as_bytes().to_vec(),
            scope: None,
            budget: Duration::from_secs(1),
            private: crate::http::Private::default(),
        };
        let keys = Credentials::new(
            "AKIAIOSFODNN7EXAMPLE",
            "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY",
            token.map(str::to_owned),
            None,
            "test",
        );
        let time = datetime!(2026-11-24 12:34:56 UTC);
        let region = region.parse().unwrap();
        sign(&mut request, &keys, service, &region, time).unwrap();
        request
    }

    fn authorization(scope: &str, signed_headers: &str, signature: &str) -> String {
        format!(
            "AWS4-HMAC-SHA256 Credential=AKIAIOSFODNN7EXAMPLE/20261124/{scope}/aws4_request, \
             SignedHeaders={signed_headers}, Signature={signature}"
        )
    }

    fn json_headers() -> Vec<(&'static str, String)> {
        let target = "StarlingDoveService.ListDiscoveredResources";
        vec![
            ("content-type", json::CONTENT_TYPE.to_owned()),
            ("x-amz-target", target.to_owned()),
        ]
    }

    // The expected signatures come from botocore 1.43: SigV4Auth with a fixed time, `add_auth` with
    // an AWSRequest of the same method, URL, headers and body, and the same credentials.

    #[test]
    fn json_signature_equals_botocore() {
        let request = signed(
            ("config", "eu-west-1"),
            "https://config.eu-west-1.amazonaws.com/",
            json_headers(),
            r#"{"resourceType":"AWS::EC2::VPC"}"#,
            Some(TOKEN),
        );
        assert_eq!(
            request.header("authorization").unwrap(),
            authorization(
                "eu-west-1/config",
                "content-type;host;x-amz-date;x-amz-security-token;x-amz-target",
                "2447ae2df813caec98c47a9c2d353df5ea980f2e1e376834bf4675e5fe36d3cf"
            )
        );
        assert_eq!(request.header("x-amz-date"), Some("20261124T123456Z"));
        assert_eq!(request.header("x-amz-security-token"), Some(TOKEN));
    }

    #[test]
    fn form_signature_equals_botocore() {
        for (service, region, host, body, signature) in [
            (
                "sts",
                "us-east-1",
                "sts.us-east-1.amazonaws.com",
                "Action=GetCallerIdentity&Version=2011-06-15",
                "6be00d42eac4ba812f572d41e14b2ec8841bef7dc814dd1b3fa2cc82d4133009",
            ),
            (
                "ec2",
                "cn-north-1",
                "ec2.cn-north-1.amazonaws.com.cn",
                "Action=DescribeRegions&Version=2016-11-15",
                "68a570e90ec941cb1e8d3c7c3fee517d0a8b6999530dd7c013dd2c0c31249f5c",
            ),
            (
                "iam",
                "us-east-1",
                "iam.amazonaws.com",
                "Action=ListAccountAliases&Version=2010-05-08",
                "ed863f8f9453191df9f5c39035f206f6278714f4951dc4dec504c4554b78caed",
            ),
        ] {
            let request = signed(
                (service, region),
                &format!("https://{host}/"),
                vec![("content-type", query::CONTENT_TYPE.to_owned())],
                body,
                None,
            );
            assert_eq!(
                request.header("authorization").unwrap(),
                authorization(
                    &format!("{region}/{service}"),
                    "content-type;host;x-amz-date",
                    signature
                ),
                "{service}"
            );
            assert_eq!(request.header("x-amz-security-token"), None);
        }
    }

    /// Covers an emulator on a local port and a proxy that serves AWS Config below a path.
    #[test]
    fn signature_covers_port_and_path() {
        for (uri, region, body, signature) in [
            (
                "http://127.0.0.1:5000/",
                "ap-southeast-7",
                r#"{"resourceType":"AWS::EC2::VPC","nextToken":"a/b="}"#,
                "02f5aabeaff3c82f4f46752bf96bb8d3b143f11425811b81dc83148ac8f8cc34",
            ),
            (
                "https://proxy.example:8443/aws/config",
                "eu-west-1",
                "{}",
                "ba16adfa1302b5862bf7f0a5a997bda569b8ceb4bc66ee4a6d3c58e8e7db07c9",
            ),
            (
                "https://proxy.example:443/",
                "eu-west-1",
                "{}",
                "64551d3560c138b1922f004899a22fe42ee7b5b05470dc42e0abf0bce5010869",
            ),
        ] {
            let request = signed(("config", region), uri, json_headers(), body, None);
            assert_eq!(
                request.header("authorization").unwrap(),
                authorization(
                    &format!("{region}/config"),
                    "content-type;host;x-amz-date;x-amz-target",
                    signature
                ),
                "{uri}"
            );
        }
    }

    #[test]
    fn invalid_uri_error_contains_no_secret() {
        let mut request = Request {
            method: "POST",
            uri: "not a uri".to_owned(),
            headers: Vec::new(),
            body: Vec::new(),
            scope: None,
            budget: Duration::from_secs(1),
            private: crate::http::Private::default(),
        };
        let keys = Credentials::new("the-key-id", "the-secret", None, None, "test");
        let region = "eu-west-1".parse().unwrap();
        let time = datetime!(2026-11-24 12:34:56 UTC);
        let why = sign(&mut request, &keys, "config", &region, time).unwrap_err();
        let why = why.to_string();
        assert!(!why.is_empty() && !why.contains("the-"), "{why}");
        assert_eq!(request.header("authorization"), None);
    }
}
