//! AWS JSON 1.1.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{ErrorBody, Unreadable};

/// The content type of a request.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// The body of a request.
///
/// # Panics
/// Never: inputs are structs of strings and numbers.
#[must_use]
pub fn body(input: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(input).expect("an input is a plain struct")
}

/// The reply in `body`.
///
/// # Errors
/// The body is not JSON, is cut, or lacks a member that the reply must have.
pub fn reply<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    serde_json::from_slice(body).map_err(|e| Unreadable::of(body, is_cut(body, &e), &e))
}

/// Whether `error` is that `body` ends in the middle: of one that ends in the middle of a number,
/// behind its point for instance, it is said to be no number.
fn is_cut(body: &[u8], error: &serde_json::Error) -> bool {
    let number = error.to_string().starts_with("invalid number");
    let last_line = body.rsplit(|b| *b == b'\n').next().map_or(0, <[u8]>::len);
    let lines = body.split(|b| *b == b'\n').count();
    error.is_eof() || (number && (error.line(), error.column()) == (lines, last_line))
}

/// The code and text of an error answer; `None` where the body is no JSON object.
#[must_use]
pub fn error_body(body: &[u8]) -> Option<ErrorBody> {
    // Read member by member: the text comes in several spellings, sometimes in two at once.
    let body: Map<String, Value> = serde_json::from_slice(body).ok()?;
    let text = |names: &[&str]| names.iter().find_map(|name| body.get(*name)?.as_str());
    Some(ErrorBody {
        code: text(&["code", "Code", "__type"])
            .map(bare_code)
            .unwrap_or_default(),
        message: text(&["message", "Message", "errorMessage"])
            .unwrap_or_default()
            .to_owned(),
        request_id: None,
    })
}

/// The code alone: what stands before the first `:` and after the last `#`.
#[must_use]
pub fn bare_code(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn error_bodies_in_every_spelling() {
        for (body, code, message) in [
            (
                r#"{"__type":"ThrottlingException","message":"Rate exceeded"}"#,
                "ThrottlingException",
                "Rate exceeded",
            ),
            (
                r#"{"__type":"com.amazon#AccessDeniedException:http://x/","Message":"no"}"#,
                "AccessDeniedException",
                "no",
            ),
            (r#"{"code":"X","errorMessage":"m"}"#, "X", "m"),
            (r#"{"code":7,"__type":"Y"}"#, "Y", ""),
            ("{}", "", ""),
        ] {
            let read = error_body(body.as_bytes()).unwrap();
            assert_eq!((read.code.as_str(), read.message.as_str()), (code, message));
        }
        assert_eq!(error_body(b"<html>"), None);
    }

    #[test]
    fn a_cut_body_is_told_from_a_foreign_one() {
        #[derive(Deserialize, Debug)]
        #[allow(dead_code)]
        struct Page {
            list: Vec<u8>,
        }
        for (body, cut) in [
            (r#"{"list":[1,"#, true),
            (r#"{"a":1.5, "list":[1."#, true),
            ("{\n\"list\":[-", true),
            ("{\n\"list\":[1e", true),
            (r#"{"list":[1.]}"#, false),
            (r#"{"other":[]}"#, false),
            ("<html></html>", false),
            ("", false),
            ("  ", false),
        ] {
            let error = reply::<Page>(body.as_bytes()).unwrap_err();
            assert_eq!(error.cut, cut, "{body}: {error}");
        }
    }
}
