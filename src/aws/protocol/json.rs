//! AWS JSON 1.1.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{MapAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
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
/// The body is no JSON object, is cut, or lacks a member that the reply must have.
pub fn reply<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, Unreadable> {
    let Object(reply) = serde_json::from_slice(body)
        .map_err(|e| Unreadable::of(body, e.is_eof() || ends_in_number(body, &e), &e))?;
    Ok(reply)
}

/// Whether `error` is an end in the middle of a number, which serde_json does not tell as such.
fn ends_in_number(body: &[u8], error: &serde_json::Error) -> bool {
    let line = body.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let begun = line.last().is_some_and(|b| b"-+.eE".contains(b));
    error.is_syntax() && begun && error.column() == line.len()
}

/// A struct that stands there as an object. By itself serde takes a list for one too, its items for
/// the members in their order: `[[], null]` for a page without resources.
pub struct Object<T>(pub T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members(PhantomData))
    }
}

struct Members<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Members<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object<T>, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
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
            ("{\n\"other\": 1795522913.", true),
            (r#"{"other":-"#, true),
            (r#"{"other":1e"#, true),
            (r#"{"other":1E+"#, true),
            (r#"{"list":[-"#, true),
            (r#"{"other":x."#, false),
            (r#"{"list":[true."#, false),
            (r#"{"other":[]}"#, false),
            ("[[1]]", false),
            ("<html></html>", false),
            ("", false),
            ("  ", false),
        ] {
            let error = reply::<Page>(body.as_bytes()).unwrap_err();
            assert_eq!(error.cut, cut, "{body}: {error}");
        }
    }
}
