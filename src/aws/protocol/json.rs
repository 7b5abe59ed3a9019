//! AWS JSON 1.1: the protocol of AWS Config.
//!
//! <https://smithy.io/2.0/aws/protocols/aws-json-1_1-protocol.html>

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Error as _, MapAccess, SeqAccess, Visitor};
use serde::{Deserialize, Deserializer, Serialize};
use serde_json::value::RawValue;

use super::error::{ErrorBody, ParseError};

/// The content type of a request.
pub const CONTENT_TYPE: &str = "application/x-amz-json-1.1";

/// Returns the body of a request.
///
/// # Panics
/// Never: inputs are structs of strings and numbers.
#[must_use]
pub fn body(input: &impl Serialize) -> Vec<u8> {
    serde_json::to_vec(input).expect("an input is a plain struct")
}

/// Parses the response in `body`.
///
/// # Errors
/// The body is not a JSON object, is truncated, or lacks a required member.
pub fn reply<'a, T: Deserialize<'a>>(body: &'a [u8]) -> Result<T, ParseError> {
    let Object(reply) = serde_json::from_slice(body)
        .map_err(|e| ParseError::from_error(body, e.is_eof() || ends_in_number(body, &e), &e))?;
    Ok(reply)
}

/// Returns true if the body ends within a number: serde_json reports that as a syntax error, not as
/// the end of the input.
fn ends_in_number(body: &[u8], error: &serde_json::Error) -> bool {
    let line = body.rsplit(|b| *b == b'\n').next().unwrap_or_default();
    let ends_open = line.last().is_some_and(|b| b"-+.eE".contains(b));
    error.is_syntax() && ends_open && error.column() == line.len()
}

/// A struct that must be an object in JSON. By default serde also accepts a list, with the members
/// in their order: `[[], null]` would be a page without resources.
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

/// A string that is borrowed from the body unless it contains an escape. By default serde copies
/// each string of an `Option<Cow<str>>`, several hundred per page.
#[derive(Deserialize)]
pub struct Text<'a>(#[serde(borrow)] pub Cow<'a, str>);

/// The bytes of a string, without the check that they are valid text: invalid UTF-8 stays as it is, and a lone surrogate
/// (`\ud800`) becomes the three bytes of its code point.
#[derive(Deserialize)]
pub struct Bytes<'a>(#[serde(borrow)] pub Cow<'a, [u8]>);

/// The maximum members of a list: a hundred times an AWS page, and more than the number of resource
/// types. A parsed list may need twenty times the memory of its text, in all regions concurrently.
const MAX_MEMBERS: usize = 10_000;

/// A list with a limited number of members.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct List<T>(pub Vec<T>);

impl<T> List<Object<T>> {
    /// Returns the objects.
    pub fn into_objects(self) -> impl Iterator<Item = T> {
        self.0.into_iter().map(|Object(object)| object)
    }
}

impl<'de, T: Deserialize<'de>> Deserialize<'de> for List<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_seq(Items(PhantomData))
    }
}

struct Items<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for Items<T> {
    type Value = List<T>;

    fn expecting(&self, f: &mut fmt::Formatter) -> fmt::Result {
        f.write_str("a list")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<List<T>, A::Error> {
        let mut items = Vec::new();
        while let Some(item) = list.next_element()? {
            if items.len() == MAX_MEMBERS {
                return Err(A::Error::custom(format_args!(
                    "a list of more than {MAX_MEMBERS} members"
                )));
            }
            items.push(item);
        }
        Ok(List(items))
    }
}

/// Parses the code and message of an error response; `None` if the body is not a JSON object.
#[must_use]
pub fn error_body(body: &[u8]) -> Option<ErrorBody> {
    let Object(error): Object<Error> = serde_json::from_slice(body).ok()?;
    // Some services return a value that is not a string.
    let text = |raw: &RawValue| serde_json::from_str::<String>(raw.get()).ok();
    let code = [error.code, error.upper_code, error.shape];
    let message = [error.message, error.upper_message, error.long_message];
    let first = |spellings: [Option<&RawValue>; 3]| spellings.into_iter().flatten().find_map(text);
    Some(ErrorBody {
        code: first(code)
            .as_deref()
            .map(bare_code)
            .unwrap_or_default()
            .into(),
        message: first(message).unwrap_or_default().into(),
        request_id: None,
    })
}

/// An error's code and message in all spellings; some responses have two of them. The values are
/// borrowed from the body, and no other member is kept.
#[derive(Deserialize)]
struct Error<'a> {
    #[serde(borrow)]
    code: Option<&'a RawValue>,
    #[serde(borrow, rename = "Code")]
    upper_code: Option<&'a RawValue>,
    #[serde(borrow, rename = "__type")]
    shape: Option<&'a RawValue>,
    #[serde(borrow)]
    message: Option<&'a RawValue>,
    #[serde(borrow, rename = "Message")]
    upper_message: Option<&'a RawValue>,
    #[serde(borrow, rename = "errorMessage")]
    long_message: Option<&'a RawValue>,
}

/// Returns only the code: the part before the first `:` and after the last `#`.
#[must_use]
pub fn bare_code(code: &str) -> String {
    let code = code.split(':').next().unwrap_or(code);
    code.rsplit('#').next().unwrap_or(code).trim().to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_is_copied_only_with_escape() {
        let texts: List<Option<Text>> =
            serde_json::from_str(r#"["plain", "a \"b\"", null]"#).unwrap();
        let [Some(Text(plain)), Some(Text(escaped)), None] = &texts.0[..] else {
            panic!("two strings and a null")
        };
        assert!(matches!(plain, Cow::Borrowed("plain")));
        assert!(matches!(escaped, Cow::Owned(text) if text == "a \"b\""));
    }

    #[test]
    fn error_body_is_read_in_every_spelling() {
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
            (
                r#"{"Code":[1,{}],"code":null,"__type":"Y","message":{"a":[]},"Message":"m"}"#,
                "Y",
                "m",
            ),
            (
                r#"{"code":true,"Code":-1,"__type":1.5,"x":{"code":"no"}}"#,
                "",
                "",
            ),
            ("{}", "", ""),
        ] {
            let read = error_body(body.as_bytes()).unwrap();
            assert_eq!((read.code.raw(), read.message.raw()), (code, message));
        }
        assert_eq!(error_body(b"<html>"), None);
    }

    #[test]
    fn list_above_maximum_is_an_error() {
        #[derive(Deserialize)]
        struct Page {
            list: List<serde_json::Map<String, serde_json::Value>>,
        }
        let list = |n: usize| format!(r#"{{"list":[{}]}}"#, vec!["{}"; n].join(","));
        let read = |n| reply::<Page>(list(n).as_bytes()).map(|page| page.list.0.len());
        assert_eq!(read(0), Ok(0));
        assert_eq!(read(MAX_MEMBERS), Ok(MAX_MEMBERS));
        let error = read(MAX_MEMBERS + 1).unwrap_err();
        assert!(
            !error.is_truncated() && error.reason().raw().contains("more than 10000"),
            "{error}"
        );
    }

    #[test]
    fn truncated_json_differs_from_unexpected_json() {
        #[derive(Deserialize, Debug)]
        #[allow(dead_code)]
        struct Page {
            list: Vec<u8>,
        }
        for (body, truncated) in [
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
            assert_eq!(error.is_truncated(), truncated, "{body}: {error}");
        }
    }
}
