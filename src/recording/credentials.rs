//! Records the response of a credential endpoint: rebuilt from its parsed fields, or not at all.

use quick_xml::Reader;
use quick_xml::escape::{escape, unescape};
use quick_xml::events::Event;
use serde_json::Value;

use crate::redact::{self, REDACTED};
use crate::secret::Redactor;

/// The fields whose values are recorded, in lower case; those of all others are redacted.
const KEPT: [&str; 16] = [
    "arn",
    "assumedroleid",
    "audience",
    "code",
    "error",
    "__type",
    "expiration",
    "expires_in",
    "expiresat",
    "expiresin",
    "lastupdated",
    "packedpolicysize",
    "requestid",
    "tokentype",
    "type",
    "version",
];

fn is_kept(name: &str) -> bool {
    KEPT.contains(&&*name.to_ascii_lowercase())
}

/// Returns the value of a field as it is recorded.
fn value_of(name: &str, text: &str, redactor: &Redactor) -> String {
    if is_kept(name) {
        redact::source(&redactor.apply(text))
    } else {
        REDACTED.to_owned()
    }
}

/// Redacts all values in the JSON of a credential endpoint, except the kept ones.
pub(super) fn redact_json(value: &mut Value, redactor: &Redactor) {
    redact_member("", value, redactor);
}

fn redact_member(name: &str, value: &mut Value, redactor: &Redactor) {
    match value {
        Value::Object(members) => {
            for (name, mut inner) in std::mem::take(members) {
                redact_member(&name, &mut inner, redactor);
                members.insert(redact::source(&redactor.apply(&name)), inner);
            }
        }
        Value::Array(list) => {
            for inner in list {
                redact_member(name, inner, redactor);
            }
        }
        Value::String(text) => *text = value_of(name, text, redactor),
        Value::Number(_) if !is_kept(name) => *value = REDACTED.into(),
        Value::Number(_) | Value::Bool(_) | Value::Null => {}
    }
}

/// Returns the XML of a credential endpoint with all values redacted, except the kept ones, and
/// without attributes, comments and instructions; `None` if it is not a complete document.
pub(super) fn redact_xml(document: &str, redactor: &Redactor) -> Option<String> {
    let mut reader = Reader::from_str(document);
    let (mut out, mut names, mut text) = (String::new(), Vec::new(), String::new());
    loop {
        let event = reader.read_event().ok()?;
        match &event {
            Event::Text(part) => text.push_str(part),
            Event::CData(part) => text.push_str(&escape(&**part)),
            Event::GeneralRef(name) => text.extend(["&", name, ";"]),
            _ => {
                let name = names.last().map_or("", String::as_str);
                out.push_str(&content(name, &std::mem::take(&mut text), redactor)?);
            }
        }
        match event {
            Event::Start(tag) => {
                let name = tag.name().into_inner();
                out.extend(["<", name, ">"]);
                let local = name.rsplit(':').next().unwrap_or(name);
                names.push(local.to_owned());
            }
            Event::End(tag) => {
                let name = tag.name().into_inner();
                out.extend(["</", name, ">"]);
                names.pop();
            }
            Event::Eof => return (names.is_empty() && out.contains('<')).then_some(out),
            _ => {}
        }
    }
}

/// Returns the content of the element `name`, escaped; `None` if it has an unknown reference.
fn content(name: &str, text: &str, redactor: &Redactor) -> Option<String> {
    let text = unescape(text).ok()?;
    if text.trim().is_empty() {
        return Some(text.into_owned());
    }
    Some(escape(value_of(name, &text, redactor)).into_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn xml_keeps_only_known_fields() {
        for (document, expected) in [
            (
                "<?xml version=\"1.0\"?><R xmlns=\"x\">\n<ns:SecretAccessKey>s3</ns:SecretAccessKey><Expiration>2026</Expiration></R>",
                Some(
                    "<R>\n<ns:SecretAccessKey>REDACTED</ns:SecretAccessKey><Expiration>2026</Expiration></R>",
                ),
            ),
            (
                "<R><Key a=\"s3\">s<!-- s3 -->3&#51;<![CDATA[s3]]></Key><Odd/></R>",
                Some("<R><Key>REDACTEDREDACTED</Key></R>"),
            ),
            (
                "<R><Code>a &lt;b&gt; {\"SecretAccessKey\": \"s3\"}</Code></R>",
                Some(
                    "<R><Code>a &lt;b&gt; {&quot;SecretAccessKey&quot;: &quot;REDACTED&quot;}</Code></R>",
                ),
            ),
            ("<R><Key>s3", None),
            ("<R><Key>s3</R>", None),
            ("s3", None),
            ("", None),
        ] {
            let found = redact_xml(document, &Redactor::default());
            assert_eq!(found.as_deref(), expected, "{document}");
        }
    }

    #[test]
    fn json_keeps_only_known_fields() {
        let mut value = serde_json::json!({
            "roleCredentials": {"accessKeyId": "s3", "expiration": 1, "pin": 7, "note": "s3"},
            "Code": "\"SecretAccessKey\": \"s3\"", "list": [["s3", null, true]],
            "nested": "{\"SecretAccessKey\": \"s3\"}"
        });
        redact_json(&mut value, &Redactor::default());
        let expected = serde_json::json!({
            "roleCredentials": {"accessKeyId": "REDACTED", "expiration": 1, "pin": "REDACTED", "note": "REDACTED"},
            "Code": "\"SecretAccessKey\": \"REDACTED\"", "list": [["REDACTED", null, true]],
            "nested": "REDACTED"
        });
        assert_eq!(value, expected);
    }
}
