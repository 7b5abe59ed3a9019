//! The Query form of STS, IAM and EC2, with replies in XML.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-query-protocol.html>,
//! <https://smithy.io/2.0/aws/protocols/aws-ec2-query-protocol.html>

use quick_xml::DeError;
use quick_xml::errors::{Error, IllFormedError};
use serde::Deserialize;
use serde::de::DeserializeOwned;

use super::{ErrorBody, Unreadable};

/// The content type of a request.
pub const CONTENT_TYPE: &str = "application/x-www-form-urlencoded; charset=utf-8";

/// The body of a request.
#[must_use]
pub fn body(parameters: &[(String, String)]) -> Vec<u8> {
    form_urlencoded::Serializer::new(String::new())
        .extend_pairs(parameters)
        .finish()
        .into_bytes()
}

/// The reply in `body`; `T` is an enum of the names that the root element may have, since a struct
/// would take any document for an empty reply.
///
/// # Errors
/// The body is not XML, is cut, or is another document.
pub fn reply<T: DeserializeOwned>(body: &[u8]) -> Result<T, Unreadable> {
    let text = std::str::from_utf8(body).map_err(|e| {
        // Where its length is not known, the body ends in the middle of a character.
        let cut = e.error_len().is_none() && body.trim_ascii_start().starts_with(b"<");
        Unreadable::of(body, cut, &e)
    })?;
    let mut document = quick_xml::de::Deserializer::from_str(text.trim_ascii_end());
    let reply = T::deserialize(&mut document).map_err(|e| {
        // A document that was cut ends before its root element is closed; every syntax error is an
        // end within a tag, whose attributes may hold a `>`.
        let cut = !text.trim_end().ends_with('>')
            || matches!(e, DeError::UnexpectedEof)
            || matches!(
                e,
                DeError::InvalidXml(
                    Error::IllFormed(IllFormedError::MissingEndTag(_)) | Error::Syntax(_)
                )
            );
        Unreadable::of(body, cut && text.trim_start().starts_with('<'), &e)
    })?;
    // As JSON's reader does on its own.
    if document.is_empty() {
        Ok(reply)
    } else {
        Err(Unreadable::foreign("more after the end of the document"))
    }
}

/// The code and text of an error answer; `None` where the body is no error document.
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
        code: code.trim().to_owned(),
        message: message.unwrap_or_default().trim().to_owned(),
        request_id: request_id.map(|id| id.trim().to_owned()),
    })
}

#[derive(Deserialize)]
enum Document {
    /// STS and IAM.
    ErrorResponse {
        #[serde(rename = "Error")]
        error: Option<Fault>,
        // botocore reads this shape too, and emulators answer in it.
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
    fn a_form_is_encoded() {
        let pair = |a: &str, b: &str| (a.to_owned(), b.to_owned());
        assert_eq!(
            body(&[pair("Action", "A"), pair("B", "a b&é")]),
            b"Action=A&B=a+b%26%C3%A9"
        );
    }

    #[test]
    fn a_cut_document_is_told_from_a_foreign_one() {
        let whole = r#"<ErrorResponse a=">"><Error><Code>é></Code></Error></ErrorResponse>"#;
        assert!(reply::<Document>(whole.as_bytes()).is_ok());
        for end in 1..whole.len() {
            let part = &whole.as_bytes()[..end];
            let error = reply::<Document>(part).err().unwrap();
            assert!(error.cut, "{}: {error}", String::from_utf8_lossy(part));
        }
        for foreign in [&b""[..], b" ", b"{}", b"\xff", b"<\xff>", b"<html></html>"] {
            assert!(!reply::<Document>(foreign).err().unwrap().cut);
        }
    }

    #[test]
    fn errors_of_both_shapes() {
        let sts = r#"<ErrorResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">
            <Error><Type>Sender</Type><Code>InvalidClientTokenId</Code><Message>bad &amp; wrong</Message></Error>
            <RequestId>r-1</RequestId></ErrorResponse>"#;
        let ec2 = r#"<?xml version="1.0" encoding="UTF-8"?>
            <Response><Errors><Error><Code>AuthFailure</Code><Message>no</Message></Error></Errors>
            <RequestID>r-2</RequestID></Response>"#;
        let read = |xml: &str| error_body(xml.as_bytes()).unwrap();
        assert_eq!(read(sts).code, "InvalidClientTokenId");
        assert_eq!(read(sts).message, "bad & wrong");
        assert_eq!(read(sts).request_id.as_deref(), Some("r-1"));
        assert_eq!(read(ec2).code, "AuthFailure");
        assert_eq!(read(ec2).request_id.as_deref(), Some("r-2"));
        let mixed = "<ErrorResponse><Errors><Error><Code>AccessDenied</Code></Error></Errors></ErrorResponse>";
        assert_eq!(read(mixed).code, "AccessDenied");
        assert_eq!(error_body(b"<html><body>portal</body></html>"), None);
        assert_eq!(error_body(b"<ErrorResponse>"), None);
    }

    #[test]
    fn a_document_is_all_there_is() {
        let document = "<Response><Errors><Error><Code>A</Code></Error></Errors></Response>";
        for more in ["", " \r\n", "<!-- the end -->\n"] {
            let body = format!("{document}{more}");
            assert_eq!(reply::<Document>(body.as_bytes()).err(), None, "{more}");
        }
        for more in [document, "more", "<"] {
            let body = format!("{document}{more}");
            let error = reply::<Document>(body.as_bytes()).err().expect(more);
            assert!(!error.cut, "{more}: {error}");
        }
    }
}
