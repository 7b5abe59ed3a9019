//! The domain types of the program: regions, resource types, accounts and counts.

use std::borrow::Cow;
use std::fmt;
use std::str::FromStr;
use std::sync::Arc;

use serde::{Serialize, Serializer};

use crate::redact;
use crate::text::{encode_alias, near_matches, sanitize};

mod known_types;
mod organization;
mod parse_error;

pub use organization::OrganizationalUnitSelector;
pub use parse_error::ParseNameError;

/// An AWS region code, such as `eu-west-1`.
///
/// It becomes part of a host name, so it must be a DNS label: 1 to 63 letters, digits and inner
/// hyphens, not only digits. Parsing converts it to lower case, as AWS writes it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Region(Arc<str>);

fn region_code(text: &str) -> Option<Arc<str>> {
    let is_label = (1..=63).contains(&text.len())
        && text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
        && !text.starts_with('-')
        && !text.ends_with('-')
        && !text.bytes().all(|b| b.is_ascii_digit());
    is_label.then(|| text.to_ascii_lowercase().into())
}

/// The identifier of a resource type, such as `AWS::EC2::Instance`.
///
/// Three parts of 2 to 64 letters and digits each, joined by `::`. Third-party types of the
/// `CloudFormation` registry have the same format. Parsing gives a known type the spelling of AWS:
/// `aws::ec2::instance` becomes `AWS::EC2::Instance`.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ResourceType(Arc<str>);

impl ResourceType {
    /// Returns the ten types that are counted by default.
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

    /// Returns true if the resources belong to the account instead of a region: every region that
    /// records such a type lists the same resources. These are the global IAM types and Aurora's global
    /// clusters; other global types are recorded only in one region.
    ///
    /// <https://docs.aws.amazon.com/config/latest/APIReference/API_RecordingGroup.html>
    #[must_use]
    pub fn is_global(&self) -> bool {
        self.is_global_iam() || self.as_str() == "AWS::RDS::GlobalCluster"
    }

    /// Returns true for the global IAM types, which a recorder of all types records only on request.
    #[must_use]
    pub fn is_global_iam(&self) -> bool {
        let name = self.0.strip_prefix("AWS::IAM::");
        matches!(name, Some("Group" | "Policy" | "Role" | "User"))
    }

    /// Returns true if the name is one of AWS's that this version of the program does not know: a new
    /// type or a misspelled one. Types of others are never unknown.
    #[must_use]
    pub fn is_unknown(&self) -> bool {
        self.0.starts_with(AWS_PREFIX) && known_types::find(&self.0).is_none()
    }

    /// Returns the names of the types that this version of the program knows.
    #[must_use]
    pub fn known() -> &'static [&'static str] {
        known_types::all()
    }

    /// Returns the known types that `text` may be a misspelling of, the nearest first.
    #[must_use]
    pub fn near(text: &str) -> Vec<&'static str> {
        let near = near_matches(text, known_types::all().iter().copied());
        if near.is_empty() && !text.to_ascii_lowercase().starts_with("aws") {
            let text = format!("{AWS_PREFIX}{text}");
            return near_matches(&text, known_types::all().iter().copied());
        }
        near
    }
}

/// The start of the types of AWS's services.
const AWS_PREFIX: &str = "AWS::";

fn resource_type(text: &str) -> Option<Arc<str>> {
    let is_part =
        |p: &str| (2..=64).contains(&p.len()) && p.bytes().all(|b| b.is_ascii_alphanumeric());
    if text.split("::").count() != 3 || !text.split("::").all(is_part) {
        return None;
    }
    Some(
        match (known_types::find(text), text.split_at(AWS_PREFIX.len())) {
            (Some(known), _) => known.into(),
            (None, (start, rest)) if start.eq_ignore_ascii_case(AWS_PREFIX) => {
                format!("{AWS_PREFIX}{rest}").into()
            }
            _ => text.into(),
        },
    )
}

/// An AWS account ID: 12 digits, stored as text because of leading zeros.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct AccountId(String);

fn account_id(text: &str) -> Option<String> {
    let is_id = text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit());
    is_id.then(|| text.into())
}

/// The name of an IAM role with its path, such as `audit/ReadOnly`; without a slash at its start.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateRole.html>
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RoleName(String);

impl RoleName {
    /// The maximum length of a name, 64 characters, and of a path, 512 characters.
    const MAX: usize = 576;

    /// Returns the name of the role that AWS Organizations creates in new accounts.
    #[must_use]
    pub fn organization_default() -> Self {
        Self("OrganizationAccountAccessRole".to_owned())
    }

    /// Returns the path, which begins and ends with a slash, and the name without it.
    #[must_use]
    pub fn path_and_name(&self) -> (String, &str) {
        match self.0.rsplit_once('/') {
            Some((path, name)) => (format!("/{path}/"), name),
            None => ("/".to_owned(), &self.0),
        }
    }
}

fn role_name(text: &str) -> Option<String> {
    let name = text.trim().trim_start_matches('/');
    let is_valid = |b: u8| b.is_ascii_alphanumeric() || b"_+=,.@-/".contains(&b);
    let is_name = (1..=RoleName::MAX).contains(&name.len())
        && name.bytes().all(is_valid)
        && !name.ends_with('/')
        && !name.contains("//");
    is_name.then(|| name.to_owned())
}

/// Implements what the names have in common: parsing, which needs a valid text and otherwise
/// returns at most `$shown` characters of it, and their text for messages, files and JSON.
macro_rules! impl_name {
    ($($name:ident($normalize:ident, $shown:literal))*) => {$(
        impl FromStr for $name {
            type Err = ParseNameError;

            fn from_str(text: &str) -> Result<Self, ParseNameError> {
                let name = $normalize(text).map(Self);
                name.ok_or_else(|| ParseNameError::$name(sanitize(&redact::setting(text), $shown)))
            }
        }

        impl $name {
            /// Returns the text of the name.
            #[must_use]
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(&self.0)
            }
        }

        impl Serialize for $name {
            fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
                serializer.serialize_str(&self.0)
            }
        }
    )*};
}

impl_name! {
    Region(region_code, 80)
    ResourceType(resource_type, 200)
    AccountId(account_id, 40)
    RoleName(role_name, 80)
}

/// The resource types that a run counts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ResourceTypes {
    /// All types that the account has.
    All,
    /// These types, without duplicates.
    Named(Vec<ResourceType>),
}

impl ResourceTypes {
    /// Returns the named types; `None` for [`Self::All`].
    #[must_use]
    pub fn named(&self) -> Option<&[ResourceType]> {
        match self {
            Self::All => None,
            Self::Named(types) => Some(types),
        }
    }

    /// Returns true if the run counts `resource_type`.
    #[must_use]
    pub fn includes(&self, resource_type: &ResourceType) -> bool {
        self.named()
            .is_none_or(|types| types.contains(resource_type))
    }
}

/// Counts that a run is expected not to have.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum ExpectedGap {
    /// All counts of a region.
    Region(Region),
    /// The counts of a type in all regions.
    Type(ResourceType),
    /// One count.
    Count(Region, ResourceType),
}

impl ExpectedGap {
    /// Returns the region, if there is one.
    #[must_use]
    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::Region(region) | Self::Count(region, _) => Some(region),
            Self::Type(_) => None,
        }
    }

    /// Returns the type, if there is one.
    #[must_use]
    pub fn resource_type(&self) -> Option<&ResourceType> {
        match self {
            Self::Type(resource_type) | Self::Count(_, resource_type) => Some(resource_type),
            Self::Region(_) => None,
        }
    }
}

impl fmt::Display for ExpectedGap {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Region(region) => region.fmt(f),
            Self::Type(resource_type) => resource_type.fmt(f),
            Self::Count(region, resource_type) => write!(f, "{region}/{resource_type}"),
        }
    }
}

impl Serialize for ExpectedGap {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.collect_str(self)
    }
}

/// The caller's account and its alias.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Account {
    /// The account ID.
    pub id: AccountId,
    /// The account alias as received from IAM, if the account has one.
    pub alias: Option<String>,
}

impl Account {
    /// Returns the alias as it appears in output files: sanitized, which does not change an alias that
    /// AWS allows.
    #[must_use]
    pub fn shown_alias(&self) -> Option<Cow<'_, str>> {
        let alias = self.alias.as_deref()?;
        let shown = sanitize(alias, MAX_ALIAS);
        // Borrowed if possible, because every row of a table has it.
        Some(if shown == alias {
            alias.into()
        } else {
            shown.into()
        })
    }

    /// Returns the name of the CSV or the error log of this account:
    /// `aws_config_resource_count_{id}[_{alias}]{suffix}`.
    #[must_use]
    pub fn file_name(&self, suffix: &str) -> String {
        self.named("aws_config_resource_count", suffix)
    }

    /// Returns the name of the coverage file (`coverage`) or the file of differences (`verify`):
    /// `aws_config_{kind}_{id}[_{alias}].csv`. Its beginning differs from that of the CSV, so that no
    /// pattern and no alias confuses them.
    #[must_use]
    pub fn table_name(&self, kind: &str) -> String {
        self.named(&format!("aws_config_{kind}"), ".csv")
    }

    /// Returns true if `name` is the name of such a file of this account, with any alias.
    #[must_use]
    pub fn is_table_name(&self, kind: &str, name: &str) -> bool {
        let name = name.strip_prefix(&format!("aws_config_{kind}_{}", self.id));
        let alias = name.and_then(|rest| rest.strip_suffix(".csv"));
        alias.is_some_and(|alias| alias.is_empty() || alias.starts_with('_'))
    }

    fn named(&self, prefix: &str, suffix: &str) -> String {
        format!("{prefix}_{}{suffix}", self.file_stem())
    }

    /// Returns the part `{id}[_{alias}]` of the names of its files.
    ///
    /// The alias is percent-encoded and truncated to 150 bytes, so that the name is valid on all
    /// file systems; this does not change an alias that AWS allows.
    #[must_use]
    pub fn file_stem(&self) -> String {
        let alias = self.alias.as_deref().map(encode_alias);
        let mut alias = alias.map(|a| format!("_{a}")).unwrap_or_default();
        alias.truncate(1 + MAX_FILE_ALIAS);
        format!("{}{alias}", self.id)
    }
}

/// The maximum length of a percent-encoded alias in a file name, in bytes.
const MAX_FILE_ALIAS: usize = 150;

/// The maximum number of characters of an alias in output; AWS allows at most 63:
/// `^[a-z0-9]([a-z0-9]|-(?!-)){1,61}[a-z0-9]$`.
///
/// <https://docs.aws.amazon.com/IAM/latest/APIReference/API_CreateAccountAlias.html>
const MAX_ALIAS: usize = 200;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_must_be_a_dns_label() {
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
    fn resource_type_must_have_three_parts() {
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
    fn names_are_normalized() {
        for (text, name) in [
            ("aws::ec2::instance", "AWS::EC2::Instance"),
            ("AWS::IAM::ROLE", "AWS::IAM::Role"),
            ("aws::Moon::Crater", "AWS::Moon::Crater"),
            ("myorg::Thing::Kind", "myorg::Thing::Kind"),
        ] {
            assert_eq!(text.parse::<ResourceType>().unwrap().as_str(), name);
        }
        for text in ["EU-WEST-1", "eu-west-1", "Eu-West-1"] {
            assert_eq!(text.parse::<Region>().unwrap().as_str(), "eu-west-1");
        }
    }

    #[test]
    fn unknown_types_have_near_matches() {
        for (text, is_unknown, near) in [
            ("AWS::EC2::Instance", false, Some("AWS::EC2::Instance")),
            ("AWS::EC2::Instnace", true, Some("AWS::EC2::Instance")),
            ("aws::rds::instance", true, Some("AWS::RDS::DBInstance")),
            ("AWS::Moon::Crater", true, None),
            ("MyOrg::Thing::Kind", false, None),
            ("AWSQS::EKS::Cluster", false, None),
        ] {
            let parsed: ResourceType = text.parse().unwrap();
            assert_eq!(parsed.is_unknown(), is_unknown, "{text}");
            if parsed.is_unknown() {
                assert_eq!(ResourceType::near(text).first().copied(), near, "{text}");
            }
        }
        for text in ["ec2:instance", "EC2::Instance", "AWS.EC2.Instance"] {
            assert_eq!(ResourceType::near(text)[0], "AWS::EC2::Instance", "{text}");
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
        let table = account(Some("acme")).table_name("coverage");
        assert_eq!(table, "aws_config_coverage_012345678901_acme.csv");
        let is_table = |name| account(None).is_table_name("verify", name);
        assert!(is_table("aws_config_verify_012345678901.csv"));
        assert!(is_table("aws_config_verify_012345678901_acme.csv"));
        for other in [
            "aws_config_verify_0123456789012.csv",
            "aws_config_coverage_012345678901.csv",
            "aws_config_verify_012345678901.csv.bak",
        ] {
            assert!(!is_table(other), "{other}");
        }
    }

    #[test]
    fn role_names_may_have_a_path() {
        for (text, name) in [
            ("Audit", "Audit"),
            ("/audit/Read-Only", "audit/Read-Only"),
            (" a+=,.@_-b ", "a+=,.@_-b"),
        ] {
            assert_eq!(text.parse::<RoleName>().unwrap().as_str(), name);
        }
        let long = "a".repeat(577);
        for bad in [
            "",
            "/",
            "a b",
            "a/",
            "a//b",
            "arn:aws:iam::1:role/x",
            "é",
            &long,
        ] {
            assert!(bad.parse::<RoleName>().is_err(), "{bad}");
        }
    }
}
