//! The table of recorded runs.

use super::case::Case;

const TWO_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket";
const ONE_TYPE: &str = "--resource-types=AWS::EC2::VPC";
const THREE_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket,AWS::DynamoDB::Table";
const FOUR_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket,AWS::DynamoDB::Table,\
    AWS::Lambda::Function";
const ROLES: &str = "--resource-types=AWS::IAM::Role";
const ROLES_AND_USERS: &str = "--resource-types=AWS::IAM::Role,AWS::IAM::User";
const VPCS_AND_ROLES: &str = "--resource-types=AWS::EC2::VPC,AWS::IAM::Role";
const MANY_TYPES: &str = "--resource-types=@fixtures/counts/over_twenty_types/types.txt";
/// The checks list the first type.
const SIX_TYPES: &str = "--resource-types=AWS::Lambda::Function,AWS::EC2::VPC,AWS::S3::Bucket,\
    AWS::IAM::Role,AWS::IAM::User,AWS::DynamoDB::Table";
/// The ten default types; the checks list the first one.
const TEN_TYPES: &str = "--resource-types=AWS::DynamoDB::Table,AWS::EC2::Instance,\
    AWS::EC2::Volume,AWS::EC2::SecurityGroup,AWS::EC2::VPC,AWS::S3::Bucket,AWS::RDS::DBInstance,\
    AWS::Lambda::Function,AWS::IAM::Role,AWS::IAM::User";

/// Returns a case that is laid over the base `standard`.
const fn case(name: &'static str, args: &'static [&'static str], exit_code: u8) -> Case {
    Case {
        name,
        base: Some("standard"),
        args,
        exit_code,
    }
}

/// Returns a case whose directory is a complete recording.
const fn complete(name: &'static str, args: &'static [&'static str], exit_code: u8) -> Case {
    Case {
        base: None,
        ..case(name, args, exit_code)
    }
}

/// Returns a case that is laid over the base `govcloud`.
const fn govcloud(name: &'static str, args: &'static [&'static str], exit_code: u8) -> Case {
    Case {
        base: Some("govcloud"),
        ..case(name, args, exit_code)
    }
}

/// Returns a case of a session of IAM Identity Center that is laid over the base `portal`.
const fn portal(name: &'static str, args: &'static [&'static str], exit_code: u8) -> Case {
    Case {
        base: Some("portal"),
        ..case(name, args, exit_code)
    }
}

/// The organization of the documentation.
pub const ORGANIZATION: Case = complete("demo-organization", &["--organization"], 0);

const SESSION: &str = "--sso-session=corp";
const AUDIT: &str = "--role-name=Audit";

/// The runs of many accounts, whose expected files are in their directory `expected`, each with the name that the run
/// gives it.
pub const MANY_ACCOUNTS: &[Case] = &[
    ORGANIZATION,
    portal("accounts/portal_pages", &[ONE_TYPE, SESSION, "--strict"], 0),
    portal(
        "accounts/portal_401_once",
        &[ONE_TYPE, SESSION, AUDIT, "--strict"],
        0,
    ),
    portal(
        "accounts/portal_401_refreshed",
        &[ONE_TYPE, SESSION, AUDIT, "--strict"],
        0,
    ),
    portal(
        "accounts/portal_403",
        &[ONE_TYPE, SESSION, AUDIT, "--strict"],
        3,
    ),
    portal(
        "accounts/portal_429",
        &[ONE_TYPE, SESSION, AUDIT, "--strict"],
        0,
    ),
    complete("accounts/portal_token_expired", &[SESSION], 1),
    complete("accounts/profiles", &[ONE_TYPE, "--profiles=*"], 0),
];

/// The directories of cases in `fixtures`, with their titles.
pub const GROUPS: [(&str, &str); 7] = [
    ("scan", "Responses during the scan"),
    ("checks", "The checks before the scan"),
    ("regions", "The choice of regions"),
    ("endpoints", "Partitions and endpoints"),
    ("coverage", "Statuses of regions and types"),
    ("counts", "Methods of counting, all resource types"),
    (
        "accounts",
        "Many accounts: the portal of IAM Identity Center, and profiles",
    ),
];

impl Case {
    /// Returns the row of this name.
    pub fn named(name: &str) -> &'static Self {
        CASES.iter().find(|c| c.name == name).unwrap()
    }
}

/// All recorded runs.
pub const CASES: &[Case] = &[
    complete("demo", &[], 0),
    case("scan/no_alias", &[TWO_TYPES], 0),
    case("scan/empty_account", &[TWO_TYPES, "--coverage"], 0),
    case(
        "scan/third_party_type",
        &["--resource-types=Datadog::Monitors::Monitor", "--coverage"],
        0,
    ),
    case("scan/throttled_always", &[TWO_TYPES, "--coverage"], 0),
    case("scan/throttled_first", &[TWO_TYPES], 0),
    case("scan/recorder_missing", &[TWO_TYPES, "--coverage"], 0),
    case(
        "scan/types_denied",
        &[TWO_TYPES, "--strict", "--coverage"],
        3,
    ),
    case("scan/account_not_subscribed", &[TWO_TYPES], 0),
    case("scan/region_not_opted_in", &[TWO_TYPES, "--coverage"], 0),
    case("scan/region_rejects_session_token", &[TWO_TYPES], 0),
    case(
        "scan/type_never_discovered",
        &[TWO_TYPES, "--strict", "--coverage"],
        0,
    ),
    case("scan/connection_reset", &[THREE_TYPES, "--coverage"], 0),
    case("scan/response_timeout", &[THREE_TYPES, "--coverage"], 0),
    case("scan/host_not_found", &[THREE_TYPES, "--coverage"], 0),
    case(
        "scan/certificate_untrusted",
        &[THREE_TYPES, "--coverage"],
        0,
    ),
    case("scan/response_too_large", &[TWO_TYPES], 0),
    case("scan/credentials_expired", &[TWO_TYPES, "--coverage"], 1),
    case("scan/clock_wrong", &[TWO_TYPES], 1),
    case("scan/other_error_codes", &[TWO_TYPES, "--coverage"], 0),
    case("scan/listings_invalid", &[SIX_TYPES, "--coverage"], 0),
    case("scan/error_formats", &[TEN_TYPES], 0),
    case("scan/page_truncated_once", &[TWO_TYPES, "--strict"], 0),
    case("scan/page_truncated_always", &[TWO_TYPES, "--strict"], 3),
    case("scan/empty_pages", &[TWO_TYPES], 0),
    case(
        "scan/second_page_invalid_token",
        &[TWO_TYPES, "--strict"],
        3,
    ),
    case("scan/second_page_denied", &[TWO_TYPES], 0),
    case(
        "scan/second_page_connection_lost",
        &[TWO_TYPES, "--coverage"],
        0,
    ),
    case("scan/page_token_repeated", &[TWO_TYPES], 0),
    case(
        "scan/resource_repeated",
        &[TWO_TYPES, "--coverage", "--strict"],
        3,
    ),
    case("scan/hostile_texts", &[TWO_TYPES, "--coverage"], 0),
    case("scan/response_not_recorded", &[TWO_TYPES, "--coverage"], 0),
    complete("checks/no_credentials", &[], 1),
    complete("checks/region_variable_invalid", &[], 1),
    complete("checks/sso_token_missing", &[], 1),
    case("checks/identity_rejected", &[], 1),
    case("checks/alias_denied", &[], 1),
    case("checks/regions_denied", &[], 1),
    case("checks/listing_denied", &[], 1),
    case("checks/config_disabled", &[], 1),
    case("checks/access_key_invalid", &[], 1),
    case("checks/secret_wrong", &[], 1),
    case("checks/clock_wrong", &[], 1),
    case("checks/captive_portal", &[], 1),
    case("checks/minimum_permissions", &[TWO_TYPES, "--coverage"], 0),
    case("checks/minimum_permissions_no_recorder", &[TWO_TYPES], 0),
    case("checks/config_in_other_region", &[TWO_TYPES], 0),
    case("checks/recorder_stopped", &[TWO_TYPES, "--coverage"], 0),
    case("checks/profile_option", &[ONE_TYPE, "--profile=audit"], 0),
    case(
        "checks/skipped",
        &[TWO_TYPES, "--skip-checks", "--coverage"],
        0,
    ),
    complete("checks/skipped_no_credentials", &["--skip-checks"], 1),
    case("checks/skipped_alias_denied", &["--skip-checks"], 1),
    complete("regions/start_region_of_profile", &[TWO_TYPES], 0),
    case("regions/included", &[TWO_TYPES, "--regions=eu-west-1"], 0),
    case(
        "regions/excluded",
        &[TWO_TYPES, "--exclude-regions=us-east-1,eu-central-1"],
        0,
    ),
    case(
        "regions/not_enabled",
        &[ONE_TYPE, "--regions=eu-west-1,ap-east-1", "--coverage"],
        0,
    ),
    case(
        "regions/none_left",
        &[ONE_TYPE, "--exclude-regions=eu-west-1,us-east-1"],
        1,
    ),
    govcloud("endpoints/govcloud", &[TWO_TYPES], 0),
    complete("endpoints/china", &[TWO_TYPES], 0),
    complete("endpoints/url_for_all_services", &[TWO_TYPES], 0),
    govcloud("endpoints/govcloud_fips", &[TWO_TYPES], 0),
    complete("endpoints/profile_fips_dual_stack", &[TWO_TYPES], 0),
    complete("endpoints/fips_with_custom_url", &[TWO_TYPES], 0),
    complete("endpoints/profile_services", &[TWO_TYPES], 0),
    complete("endpoints/services_section_missing", &[], 1),
    case(
        "coverage/all_statuses",
        &[FOUR_TYPES, "--coverage", "--max-attempts=3"],
        0,
    ),
    case(
        "coverage/recorder_partly_known",
        &[THREE_TYPES, "--coverage", "--strict"],
        3,
    ),
    case(
        "coverage/types_not_recorded",
        &[THREE_TYPES, "--coverage", "--strict"],
        3,
    ),
    case(
        "coverage/global_by_id",
        &[ROLES, "--coverage", "--strict"],
        0,
    ),
    case(
        "coverage/global_by_largest_region",
        &[ROLES_AND_USERS, "--method=counts", "--coverage"],
        0,
    ),
    case(
        "coverage/global_in_one_region",
        &[VPCS_AND_ROLES, "--coverage", "--strict"],
        0,
    ),
    case(
        "counts/one_call",
        &[THREE_TYPES, "--method=counts", "--coverage", "--strict"],
        0,
    ),
    case(
        "counts/all_types",
        &["--resource-types=all", "--method=counts", "--coverage"],
        0,
    ),
    case(
        "counts/total_mismatch",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts/recorder_stopped",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts/recorder_missing",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts/recorder_unknown",
        &[THREE_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts/region_denied",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts/over_twenty_types",
        &[MANY_TYPES, "--method=counts", "--coverage"],
        0,
    ),
    case(
        "counts/list_all_types",
        &["--resource-types=all", "--coverage"],
        0,
    ),
    case(
        "counts/list_all_types_denied",
        &[
            "--resource-types=all",
            "--exclude-regions=us-east-1",
            "--coverage",
            "--strict",
        ],
        1,
    ),
    case(
        "counts/verify_equal",
        &[TWO_TYPES, "--method=verify", "--coverage", "--strict"],
        0,
    ),
    case(
        "counts/verify_different",
        &[THREE_TYPES, "--method=verify", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts/verify_counts_denied",
        &[TWO_TYPES, "--method=verify", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts/verify_all_types",
        &[
            "--resource-types=all",
            "--method=verify",
            "--coverage",
            "--strict",
        ],
        3,
    ),
];
