//! The Query protocol of STS, IAM and EC2, with responses in XML.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>,
//! <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>

use quick_xml::DeError;
use quick_xml::errors::{Error, IllFormedError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::error::{ErrorBody, ParseError};

/// The content type of a request.
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// Returns the body of a request, encoded as by botocore: some emulators of AWS encode the parsed form in this way again
/// to check its signature.
#[must_use]
pub fn body(parameters: &[(String, String)]) -> Vec<u8> {
    let form = form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish();
    form.replace('*', "%2A").replace("%7E", "~").into_bytes()
}

/// Parses the response in `body`. `T` is an enum of the allowed names of the root element: a struct
/// would accept any document as an empty response.
///
/// # Errors
/// The body is not XML, is truncated, or is another document.
pub fn reply<T: DeserializeOwned>(body: &[u8]) -> Result<T, ParseError> {
    let text = std::str::from_utf8(body).map_err(|e| {
        // Without an error length, the body ends within a character.
        let truncated = e.error_len().is_none() && body.trim_ascii_start().starts_with(b"<");
        ParseError::from_error(body, truncated, &e)
    })?;
    let mut document = quick_xml::de::Deserializer::from_str(text.trim_ascii_end());
    let reply = T::deserialize(&mut document).map_err(|e| {
        // A truncated document ends before its root element is closed. Every syntax error is an end
        // within a tag, whose attributes may contain a `>`.
        let truncated = !text.trim_end().ends_with('>')
            || matches!(e, DeError::UnexpectedEof)
            || matches!(
                e,
                DeError::InvalidXml(
                    Error::IllFormed(IllFormedError::MissingEndTag(_)) | Error::Syntax(_)
                )
            );
        ParseError::from_error(body, truncated && text.trim_start().starts_with('<'), &e)
    })?;
    // serde_json rejects trailing data by default.
    if document.is_empty() {
        Ok(reply)
    } else {
        Err(ParseError::unexpected("data after the end of the document"))
    }
}

/// Parses the code and message of an error response; `None` if the body is not an error document.
#[must_use]
pub fn error_body(body: &[u8]) -> Option<ErrorBody> {
    let (fault, request_id) = match reply::<Document>(body).ok()? {
        Document::ErrorResponse {
            error,
            errors,
            request_id,
        } => (error.or(errors.map(|e| e.error))?, request_id),
        Document::Response { errors, request_id } => (errors.error, request_id),
    };
    let Fault { code, message } = fault;
    Some(ErrorBody {
        code: code.trim().into(),
        message: message.unwrap_or_default().trim().into(),
        request_id: request_id.map(|id| id.trim().into()),
    })
}

#[derive(Deserialize)]
enum Document {
    /// STS and IAM.
    ErrorResponse {
        #[serde(rename = "Error")]
        error: Option<Fault>,
        // botocore also accepts this form, which emulators use.
        #[serde(rename = "Errors")]
        errors: Option<Faults>,
        #[serde(rename = "RequestId", alias = "RequestID")]
        request_id: Option<String>,
    },
    /// EC2.
    Response {
        #[serde(rename = "Errors")]
        errors: Faults,
        #[serde(rename = "RequestID", alias = "RequestId")]
        request_id: Option<String>,
    },
}

#[derive(Deserialize)]
struct Faults {
    #[serde(rename = "Error")]
    error: Fault,
}

#[derive(Deserialize)]
struct Fault {
    #[serde(rename = "Code")]
    code: String,
    #[serde(rename = "Message")]
    message: Option<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn form_is_percent_encoded() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            body(&[pair("Action", "A"), pair("B", "a b&é*~-._")]),
            b"Action=A&B=a+b%26%C3%A9%2A~-._"
        );
    }

    #[test]
    fn truncated_xml_differs_from_unexpected_document() {
        let whole = r#"<ErrorResponse a=">"><Error><Code>é></Code></Error></ErrorResponse>"#;
        assert!(reply::<Document>(whole.as_bytes()).is_ok());
        for end in 1..whole.len() {
            let part = &whole.as_bytes()[..end];
            let error = reply::<Document>(part).err().unwrap();
            assert!(
                error.is_truncated(),
                "{}: {error}",
                String::from_utf8_lossy(part)
            );
        }
        for unexpected in [&b""[..], b" ", b"{}", b"\xff", b"<\xff>", b"<html></html>"] {
            assert!(!reply::<Document>(unexpected).err().unwrap().is_truncated());
        }
    }

    #[test]
    fn errors_of_both_formats_are_read() {
        let sts = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>bad &amp; wrong</Message></Error>
            <RequestId>r-1</RequestId></ErrorResponse>"#;
        let ec2 = r#"<?xml version="1.0" encoding="UTF-8"?>
            <Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors>
            <RequestID>r-2</RequestID></Response>"#;
        let read = |xml: &str| error_body(xml.as_bytes()).unwrap();
        assert_eq!(read(sts).code.raw(), "InvalidClientTokenId");
        assert_eq!(read(sts).message.raw(), "bad & wrong");
        assert_eq!(read(sts).request_id, Some("r-1".into()));
        assert_eq!(read(ec2).code.raw(), "AuthFailure");
        assert_eq!(read(ec2).request_id, Some("r-2".into()));
        let mixed = "<ErrorResponse><Errors><Error><Code>AccessDenied</Code></Error></Errors></ErrorResponse>";
        assert_eq!(read(mixed).code.raw(), "AccessDenied");
        assert_eq!(error_body(b"<html><body>portal</body></html>"), None);
        assert_eq!(error_body(b"<ErrorResponse>"), None);
    }

    #[test]
    fn data_after_document_is_an_error() {
        let document = "<Response><Errors><Error><Code>A</Code></Error></Errors></Response>";
        for more in ["", " \r\n", "<!-- the end -->\n"] {
            let body = format!("{document}{more}");
            assert_eq!(reply::<Document>(body.as_bytes()).err(), None, "{more}");
        }
        for more in [document, "more", "<"] {
            let body = format!("{document}{more}");
            let error = reply::<Document>(body.as_bytes()).err().expect(more);
            assert!(!error.is_truncated(), "{more}: {error}");
        }
    }
}
