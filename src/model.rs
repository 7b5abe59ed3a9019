//! The nouns of the program: regions, resource types, accounts and counts.

use std::borrow::{Borrow, Cow};
use std::collections::HashSet;
use std::fmt;
use std::ops::Deref;
use std::str::FromStr;
use std::sync::{Arc, PoisonError, RwLock};

use percent_encoding::{AsciiSet, NON_ALPHANUMERIC, utf8_percent_encode};

/// A text that is not what it was taken for; its `Display` says why.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invalid(String);

impl Invalid {
    /// Says why the text was refused.
    #[must_use]
    pub fn new(why: String) -> Self {
        Self(why)
    }
}

impl fmt::Display for Invalid {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Invalid {}

/// An AWS region code, such as `eu-west-1`.
///
/// It becomes part of a host name, so it is held to a DNS label: 1 to 63 letters, digits and
/// inner hyphens, not digits alone.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

impl Region {
    /// The region code.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let label = (1..=63).contains(&text.len())
            && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
            && !text.starts_with('-')
            && !text.ends_with('-')
            && !text.bytes().all(|b| b.is_ascii_digit());
        if label {
            Ok(Self(text.into()))
        } else {
            Err(Invalid(format!(
                "\"{}\" is not a region code such as eu-west-1",
                clean(text, 80)
            )))
        }
    }
}

impl fmt::Display for Region {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The identifier of a resource type, such as `AWS::EC2::Instance`.
///
/// Three parts of 2 to 64 letters and digits each, joined by `::`; third-party types of the
/// `CloudFormation` registry have the same form.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceType(Arc<str>);

impl serde::Serialize for ResourceType {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&self.0)
    }
}

impl Borrow<str> for ResourceType {
    fn borrow(&self) -> &str {
        &self.0
    }
}

impl ResourceType {
    /// The ten types that are counted when none are named.
    #[must_use]
    pub fn common() -> Vec<Self> {
        [
            "AWS::EC2::Instance",
            "AWS::EC2::Volume",
            "AWS::EC2::SecurityGroup",
            "AWS::EC2::VPC",
            "AWS::S3::Bucket",
            "AWS::RDS::DBInstance",
            "AWS::Lambda::Function",
            "AWS::IAM::Role",
            "AWS::IAM::User",
            "AWS::DynamoDB::Table",
        ]
        .map(|name| Self(name.into()))
        .into()
    }

    /// The identifier.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether its resources belong to the account and to no region: every region that records
    /// such a type names the same ones.
    ///
    /// <https://docs.aws.amazon.com/config/latest/developerguide/select-resources.html>
    #[must_use]
    pub fn is_global(&self) -> bool {
        GLOBAL.contains(&self.as_str())
    }
}

/// The types whose resources repeat in every region that records them.
const GLOBAL: [&str; 4] = [
    "AWS::IAM::Group",
    "AWS::IAM::Policy",
    "AWS::IAM::Role",
    "AWS::IAM::User",
];

impl FromStr for ResourceType {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        let part =
            |p: &str| (2..=64).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric());
        let mut parts = text.split("::");
        if parts.by_ref().take(3).filter(|p| part(p)).count() == 3 && parts.next().is_none() {
            Ok(Self(text.into()))
        } else {
            Err(Invalid(format!(
                "\"{}\" is not a resource type such as AWS::EC2::Instance",
                clean(text, 200)
            )))
        }
    }
}

impl fmt::Display for ResourceType {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The types that were named so far: a hundred regions name the same ones, of which each text is read
/// and held once.
#[derive(Debug, Default)]
pub struct KnownTypes(RwLock<HashSet<ResourceType>>);

impl KnownTypes {
    /// Those that are known, as long as the guard is held; to be looked up by their text.
    pub fn held(&self) -> impl Deref<Target = HashSet<ResourceType>> {
        self.0.read().unwrap_or_else(PoisonError::into_inner)
    }

    /// Knows these too from now on.
    pub fn add(&self, types: Vec<ResourceType>) {
        let mut known = self.0.write().unwrap_or_else(PoisonError::into_inner);
        known.extend(types);
    }
}

/// Which types a run counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceTypes {
    /// Whatever the account has.
    All,
    /// These, each once.
    Named(Vec<ResourceType>),
}

impl ResourceTypes {
    /// The types that were named; none where all are counted.
    #[must_use]
    pub fn named(&self) -> &[ResourceType] {
        match self {
            Self::All => &[],
            Self::Named(types) => types,
        }
    }
}

/// How many resources of one type one region holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct ResourceCount<'a> {
    /// The region that was asked.
    pub region: &'a Region,
    /// The type that was counted.
    pub resource_type: &'a ResourceType,
    /// The exact number: every page was read.
    pub total: u64,
}

/// An AWS account number: twelve digits, kept as text for its leading zeros.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct AccountId(String);

impl AccountId {
    /// The twelve digits.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = Invalid;

    fn from_str(text: &str) -> Result<Self, Invalid> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Invalid(format!(
                "\"{}\" is not an account number of twelve digits",
                clean(text, 40)
            )))
        }
    }
}

impl fmt::Display for AccountId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The caller's account and its alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account number.
    pub id: AccountId,
    /// The account alias as the network sent it, if there is one.
    pub alias: Option<String>,
}

/// What an alias outside AWS's pattern keeps in a file name: nothing that a shell, a terminal or
/// a file system could take for more than a letter.
const FILE_NAME: &AsciiSet = &NON_ALPHANUMERIC.remove(b'-').remove(b'_');

impl Account {
    /// The alias as files show it: of one that matches AWS's own pattern nothing changes.
    #[must_use]
    pub fn shown_alias(&self) -> Option<Cow<'_, str>> {
        self.alias.as_deref().map(|alias| {
            if is_account_alias(alias) {
                alias.into()
            } else {
                clean(alias, MAX_ALIAS).into()
            }
        })
    }

    /// The name of a file of this account: `aws_config_resource_count_{id}[_{alias}]{suffix}`.
    ///
    /// An alias that does not match AWS's own pattern is percent-encoded, and cut at 150 bytes so
    /// that the name stays one that file systems take.
    #[must_use]
    pub fn file_name(&self, suffix: &str) -> String {
        let id = &self.id;
        match self.alias.as_deref() {
            None => format!("{FILE_STEM}_{id}{suffix}"),
            Some(alias) if is_account_alias(alias) => format!("{FILE_STEM}_{id}_{alias}{suffix}"),
            Some(alias) => {
                let mut encoded = utf8_percent_encode(alias, FILE_NAME).to_string();
                encoded.truncate(150);
                format!("{FILE_STEM}_{id}_{encoded}{suffix}")
            }
        }
    }
}

/// What is shown of an alias, in characters; AWS's own have 63 at the most.
const MAX_ALIAS: usize = 200;

/// What the names of an account's output files begin with.
const FILE_STEM: &str = "aws_config_resource_count";

/// Whether `text` matches `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`, AWS's pattern of an alias.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html>
fn is_account_alias(text: &str) -> bool {
    (3..=63).contains(&text.len())
        && text
            .bytes()
            .all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.contains("--")
}

/// `1 region`, `2 regions`.
#[must_use]
pub fn plural(n: usize, noun: &str) -> String {
    format!("{n} {noun}{}", if n == 1 { "" } else { "s" })
}

/// `text` on one line, without anything a terminal would act on, at most `limit` characters.
///
/// Control characters and the marks that reorder or hide text are written as `\u{..}`.
#[must_use]
pub fn clean(text: &str, limit: usize) -> String {
    let mut out = String::new();
    for (n, c) in text.chars().enumerate() {
        if n == limit {
            out.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => out.push(' '),
            c if c.is_control() || is_invisible(c) => out.extend(c.escape_unicode()),
            c => out.push(c),
        }
    }
    out
}

/// Line separators, directional overrides and zero-width marks.
fn is_invisible(c: char) -> bool {
    matches!(c,
        '\u{ad}' | '\u{61c}' | '\u{180e}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}' | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

/// `text` with everything but letters, digits, `.`, `-` and `_` percent-encoded.
#[must_use]
pub fn file_safe(text: &str) -> String {
    const SAFE: &AsciiSet = &FILE_NAME.remove(b'.');
    utf8_percent_encode(text, SAFE).to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_region_is_a_dns_label() {
        for good in ["us-east-1", "us-gov-west-1", "eusc-de-east-1", "local"] {
            assert_eq!(good.parse::<Region>().unwrap().as_str(), good);
        }
        for bad in [
            "",
            "-a",
            "a-",
            "123",
            "a.b",
            "evil.example/#",
            "eu west",
            &"a".repeat(64),
        ] {
            assert!(bad.parse::<Region>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn a_resource_type_has_three_parts() {
        assert_eq!(ResourceType::common().len(), 10);
        for good in ResourceType::common() {
            assert_eq!(good.as_str().parse::<ResourceType>().unwrap(), good);
        }
        for bad in [
            "",
            "EC2",
            "AWS::EC2",
            "AWS::EC2::",
            "A::B::C",
            "AWS::EC2::In stance",
            "AWS::A1::B2::C3",
        ] {
            assert!(bad.parse::<ResourceType>().is_err(), "{bad:?}");
        }
    }

    #[test]
    fn file_names_with_and_without_alias() {
        let account = |alias: Option<&str>| Account {
            id: "012345678901".parse().unwrap(),
            alias: alias.map(str::to_owned),
        };
        let name = |alias| account(alias).file_name(".csv");
        assert_eq!(name(None), "aws_config_resource_count_012345678901.csv");
        assert_eq!(
            name(Some("my-alias")),
            "aws_config_resource_count_012345678901_my-alias.csv"
        );
        assert_eq!(
            name(Some("../../etc/x")),
            "aws_config_resource_count_012345678901_%2E%2E%2F%2E%2E%2Fetc%2Fx.csv"
        );
        assert!(name(Some(&"é".repeat(500))).len() < 255);
    }

    #[test]
    fn text_from_the_network_is_one_harmless_line() {
        assert_eq!(
            clean("a\nb\u{1b}[31m\u{202e}c", 80),
            "a b\\u{1b}[31m\\u{202e}c"
        );
        assert_eq!(clean("abcdef", 3), "abc…");
        assert_eq!(clean("abc", 3), "abc");
    }
}
