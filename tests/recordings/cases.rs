//! The table of recorded runs.

use std::path::{Path, PathBuf};

const TWO_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket";
const ONE_TYPE: &str = "--resource-types=AWS::EC2::VPC";
const THREE_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket,AWS::DynamoDB::Table";
const FOUR_TYPES: &str = "--resource-types=AWS::EC2::VPC,AWS::S3::Bucket,AWS::DynamoDB::Table,\
    AWS::Lambda::Function";
const ROLES: &str = "--resource-types=AWS::IAM::Role";
const ROLES_AND_USERS: &str = "--resource-types=AWS::IAM::Role,AWS::IAM::User";
const VPCS_AND_ROLES: &str = "--resource-types=AWS::EC2::VPC,AWS::IAM::Role";
const MANY_TYPES: &str = "--resource-types=@fixtures/counts_of_more_than_twenty_types/types.txt";
/// The checks list the first type.
const SIX_TYPES: &str = "--resource-types=AWS::Lambda::Function,AWS::EC2::VPC,AWS::S3::Bucket,\
    AWS::IAM::Role,AWS::IAM::User,AWS::DynamoDB::Table";
/// The ten default types; the checks list the first one.
const TEN_TYPES: &str = "--resource-types=AWS::DynamoDB::Table,AWS::EC2::Instance,\
    AWS::EC2::Volume,AWS::EC2::SecurityGroup,AWS::EC2::VPC,AWS::S3::Bucket,AWS::RDS::DBInstance,\
    AWS::Lambda::Function,AWS::IAM::Role,AWS::IAM::User";

/// A recorded run: the fixture directory, the command-line arguments and the exit code.
pub struct Case {
    pub directory: &'static str,
    pub args: &'static [&'static str],
    pub exit_code: u8,
}

impl Case {
    pub fn named(directory: &str) -> &'static Self {
        CASES.iter().find(|c| c.directory == directory).unwrap()
    }

    /// Returns the fixture directory relative to the package root, as on a user's command line.
    pub fn path(&self) -> PathBuf {
        Path::new("fixtures").join(self.directory)
    }

    pub fn expected(&self, file: &str) -> Option<Vec<u8>> {
        let path = self.path().join(file);
        path.exists().then(|| std::fs::read(&path).unwrap())
    }
}

const fn case(directory: &'static str, args: &'static [&'static str], exit_code: u8) -> Case {
    Case {
        directory,
        args,
        exit_code,
    }
}

pub const CASES: &[Case] = &[
    case("demo", &[], 0),
    // The account.
    case("no_alias", &[TWO_TYPES], 0),
    case("empty_account", &[TWO_TYPES, "--coverage"], 0),
    case(
        "third_party_type",
        &["--resource-types=Datadog::Monitors::Monitor", "--coverage"],
        0,
    ),
    // Responses in the scan.
    case("throttled_to_the_end", &[TWO_TYPES, "--coverage"], 0),
    case("throttled_and_then_answered", &[TWO_TYPES], 0),
    case("no_recorder_in_the_region", &[TWO_TYPES, "--coverage"], 0),
    case(
        "access_denied_type_by_type",
        &[TWO_TYPES, "--strict", "--coverage"],
        3,
    ),
    case("account_not_subscribed", &[TWO_TYPES], 0),
    case("region_not_opted_in", &[TWO_TYPES, "--coverage"], 0),
    case("session_token_of_the_global_endpoint", &[TWO_TYPES], 0),
    case(
        "type_never_discovered",
        &[TWO_TYPES, "--strict", "--coverage"],
        0,
    ),
    case("connection_lost", &[THREE_TYPES, "--coverage"], 0),
    case("no_answer_in_time", &[THREE_TYPES, "--coverage"], 0),
    case("host_not_found", &[THREE_TYPES, "--coverage"], 0),
    case("certificate_not_trusted", &[THREE_TYPES, "--coverage"], 0),
    case("answer_too_large", &[TWO_TYPES], 0),
    case(
        "credentials_expire_in_the_scan",
        &[TWO_TYPES, "--coverage"],
        1,
    ),
    case("clock_goes_wrong_in_the_scan", &[TWO_TYPES], 1),
    case("another_error_code", &[TWO_TYPES, "--coverage"], 0),
    case("answers_that_are_no_listing", &[SIX_TYPES, "--coverage"], 0),
    case("errors_of_every_shape", &[TEN_TYPES], 0),
    case("page_cut_on_its_way", &[TWO_TYPES, "--strict"], 0),
    case("page_cut_every_time", &[TWO_TYPES, "--strict"], 3),
    case("pages_with_and_without_resources", &[TWO_TYPES], 0),
    case(
        "listing_breaks_off_in_the_middle",
        &[TWO_TYPES, "--strict"],
        3,
    ),
    case("denied_in_the_middle_of_a_listing", &[TWO_TYPES], 0),
    case(
        "region_lost_in_the_middle_of_a_listing",
        &[TWO_TYPES, "--coverage"],
        0,
    ),
    case("same_page_token_twice", &[TWO_TYPES], 0),
    case("hostile_texts", &[TWO_TYPES, "--coverage"], 0),
    case("recording_with_a_gap", &[TWO_TYPES, "--coverage"], 0),
    // The checks.
    case("no_credentials", &[], 1),
    case("region_variable_is_no_region", &[], 1),
    case("profile_that_signs_in", &[], 1),
    case("identity_refused", &[], 1),
    case("alias_denied", &[], 1),
    case("regions_denied", &[], 1),
    case("listing_denied", &[], 1),
    case("config_enabled_nowhere", &[], 1),
    case("every_check_fails", &[], 1),
    case("wrong_secret", &[], 1),
    case("clock_wrong_from_the_start", &[], 1),
    case("captive_portal", &[], 1),
    case(
        "exactly_the_specified_permissions",
        &[TWO_TYPES, "--coverage"],
        0,
    ),
    case(
        "exactly_the_specified_permissions_and_no_recorder_at_home",
        &[TWO_TYPES],
        0,
    ),
    case("config_enabled_elsewhere", &[TWO_TYPES], 0),
    case("recorder_stopped", &[TWO_TYPES, "--coverage"], 0),
    // Partitions, profiles and regions.
    case("govcloud_account", &[TWO_TYPES], 0),
    case("china_account", &[TWO_TYPES], 0),
    case("profile_with_a_region", &[TWO_TYPES], 0),
    case(
        "profile_on_the_command_line",
        &[ONE_TYPE, "--profile=audit"],
        0,
    ),
    case("only_these_regions", &[TWO_TYPES, "--regions=eu-west-1"], 0),
    case(
        "all_regions_but_these",
        &[TWO_TYPES, "--exclude-regions=us-east-1,eu-central-1"],
        0,
    ),
    case(
        "asked_for_a_region_that_is_not_enabled",
        &[ONE_TYPE, "--regions=eu-west-1,ap-east-1", "--coverage"],
        0,
    ),
    case(
        "no_region_left",
        &[ONE_TYPE, "--exclude-regions=eu-west-1,us-east-1"],
        1,
    ),
    case("one_endpoint_for_all_services", &[TWO_TYPES], 0),
    // Endpoints.
    case("fips_in_govcloud", &[TWO_TYPES], 0),
    case("fips_and_dual_stack_of_a_profile", &[TWO_TYPES], 0),
    case("fips_with_an_endpoint_of_ones_own", &[], 1),
    case("services_section_of_a_profile", &[TWO_TYPES], 0),
    case("services_section_missing", &[], 1),
    // Statuses of regions and types.
    case(
        "every_status_at_once",
        &[FOUR_TYPES, "--coverage", "--max-attempts=3"],
        0,
    ),
    case(
        "recorder_half_known",
        &[THREE_TYPES, "--coverage", "--strict"],
        3,
    ),
    case(
        "types_not_recorded",
        &[THREE_TYPES, "--coverage", "--strict"],
        3,
    ),
    case(
        "global_resources_by_id",
        &[ROLES, "--coverage", "--strict"],
        0,
    ),
    case(
        "global_resources_by_the_largest_region",
        &[ROLES_AND_USERS, "--method=counts", "--coverage"],
        0,
    ),
    case(
        "global_resources_recorded_in_one_region",
        &[VPCS_AND_ROLES, "--coverage", "--strict"],
        0,
    ),
    // Methods of counting.
    case(
        "counts_in_one_call",
        &[THREE_TYPES, "--method=counts", "--coverage", "--strict"],
        0,
    ),
    case(
        "counts_of_all_types",
        &["--resource-types=all", "--method=counts", "--coverage"],
        0,
    ),
    case(
        "counts_that_do_not_add_up",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_with_the_recorder_stopped",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_without_a_recorder",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_with_recorder_unknown",
        &[THREE_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_denied_in_a_region",
        &[TWO_TYPES, "--method=counts", "--coverage", "--strict"],
        3,
    ),
    case(
        "counts_of_more_than_twenty_types",
        &[MANY_TYPES, "--method=counts", "--coverage"],
        0,
    ),
    case(
        "all_types_listed",
        &["--resource-types=all", "--coverage"],
        0,
    ),
    case(
        "all_types_nothing_reached",
        &[
            "--resource-types=all",
            "--exclude-regions=us-east-1",
            "--coverage",
            "--strict",
        ],
        3,
    ),
    case(
        "verify_without_a_difference",
        &[TWO_TYPES, "--method=verify", "--coverage", "--strict"],
        0,
    ),
    case(
        "verify_with_differences",
        &[THREE_TYPES, "--method=verify", "--coverage", "--strict"],
        3,
    ),
    case(
        "verify_where_the_counts_are_denied",
        &[TWO_TYPES, "--method=verify", "--coverage", "--strict"],
        3,
    ),
    case(
        "verify_of_all_types",
        &[
            "--resource-types=all",
            "--method=verify",
            "--coverage",
            "--strict",
        ],
        3,
    ),
    // Without the checks.
    case(
        "skip_checks",
        &[TWO_TYPES, "--skip-checks", "--coverage"],
        0,
    ),
    case("skip_checks_without_credentials", &["--skip-checks"], 1),
    case("skip_checks_alias_denied", &["--skip-checks"], 1),
];
