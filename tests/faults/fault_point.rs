//! The requests at which faults occur: each operation, in the checks and in the scan, on its first page
//! and on a later page.

use crate::support::{Account, Call};

pub const VPC: &str = "AWS::EC2::VPC";
pub const BUCKET: &str = "AWS::S3::Bucket";

/// The region of the first checks.
pub const CHECKED_REGION: &str = "us-east-1";
/// The region that only the scan reads.
pub const SCANNED_REGION: &str = "eu-west-1";

/// A request of a run at which faults occur.
pub struct FaultPoint {
    /// The name in failure messages.
    pub name: &'static str,
    /// The operation of the request.
    pub operation: &'static str,
    /// The region of the request.
    pub region: &'static str,
    /// Returns true for the requests at this point.
    pub matches: fn(&Call) -> bool,
    /// The purpose of the request.
    pub purpose: Purpose,
    /// The options of the run.
    pub args: &'static [&'static str],
}

/// The purpose of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Purpose {
    /// The check with this name.
    Check(&'static str),
    /// The check with this name; the scan uses the same response to count this resource type (if
    /// absent, all types).
    CheckAndCount(&'static str, Option<&'static str>),
    /// The check that at least one region has a recorder.
    CheckAnyRecorder,
    /// The count of one resource type (if absent, of all types).
    Count(Option<&'static str>),
    /// The counts to compare with a region's listings.
    Compare,
    /// The recorder of a region, on which no count depends.
    ReadRecorder,
}

const LIST_ARGS: &[&str] = &["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"];
const COUNTS_ARGS: &[&str] = &["--method", "counts", "--resource-types", "all"];
const VERIFY_ARGS: &[&str] = &[
    "--method",
    "verify",
    "--resource-types",
    "AWS::EC2::VPC,AWS::S3::Bucket",
];

pub const CONFIG_ENABLED_CHECK: &str = "AWS Config enabled in at least one region";

const fn check(
    operation: &'static str,
    matches: fn(&Call) -> bool,
    name: &'static str,
) -> FaultPoint {
    FaultPoint {
        name: operation,
        operation,
        region: CHECKED_REGION,
        matches,
        purpose: Purpose::Check(name),
        args: LIST_ARGS,
    }
}

pub const IDENTITY_CHECK: FaultPoint = check(
    "GetCallerIdentity",
    |call| call.operation == "GetCallerIdentity",
    "IAM permission: sts:GetCallerIdentity",
);
pub const ALIAS_CHECK: FaultPoint = check(
    "ListAccountAliases",
    |call| call.operation == "ListAccountAliases",
    "IAM permission: iam:ListAccountAliases",
);
pub const REGIONS_CHECK: FaultPoint = check(
    "DescribeRegions",
    |call| call.operation == "DescribeRegions",
    "IAM permission: ec2:DescribeRegions",
);
pub const LIST_CHECK: FaultPoint = FaultPoint {
    purpose: Purpose::CheckAndCount("IAM permission: config:ListDiscoveredResources", Some(VPC)),
    ..check(
        "ListDiscoveredResources",
        |call| call.lists(VPC, CHECKED_REGION),
        "",
    )
};
pub const COUNTS_CHECK: FaultPoint = FaultPoint {
    purpose: Purpose::CheckAndCount("IAM permission: config:GetDiscoveredResourceCounts", None),
    args: COUNTS_ARGS,
    ..check(
        "GetDiscoveredResourceCounts",
        |call| call.is("GetDiscoveredResourceCounts", CHECKED_REGION),
        "",
    )
};
pub const STATUS_CHECK: FaultPoint = FaultPoint {
    purpose: Purpose::ReadRecorder,
    ..check(
        "DescribeConfigurationRecorderStatus",
        |call| call.is("DescribeConfigurationRecorderStatus", CHECKED_REGION),
        "",
    )
};
pub const RECORDER_CHECK: FaultPoint = FaultPoint {
    name: "every DescribeConfigurationRecorderStatus",
    purpose: Purpose::CheckAnyRecorder,
    matches: |call| call.operation == "DescribeConfigurationRecorderStatus",
    ..STATUS_CHECK
};

const fn scan(operation: &'static str, matches: fn(&Call) -> bool, purpose: Purpose) -> FaultPoint {
    FaultPoint {
        name: operation,
        operation,
        region: SCANNED_REGION,
        matches,
        purpose,
        args: LIST_ARGS,
    }
}

pub const LIST: FaultPoint = scan(
    "ListDiscoveredResources",
    |call| call.lists(VPC, SCANNED_REGION),
    Purpose::Count(Some(VPC)),
);
pub const LIST_SECOND_PAGE: FaultPoint = FaultPoint {
    name: "second page of ListDiscoveredResources",
    ..scan(
        "ListDiscoveredResources",
        // A page token begins with the offset of the page, in hex.
        |call| {
            let second = |token: &str| token.starts_with("00000064");
            call.lists(BUCKET, SCANNED_REGION) && call.field("nextToken").is_some_and(second)
        },
        Purpose::Count(Some(BUCKET)),
    )
};
pub const COUNTS: FaultPoint = FaultPoint {
    args: COUNTS_ARGS,
    ..scan(
        "GetDiscoveredResourceCounts",
        |call| {
            call.is("GetDiscoveredResourceCounts", SCANNED_REGION)
                && call.field("nextToken").is_none()
        },
        Purpose::Count(None),
    )
};
pub const COUNTS_SECOND_PAGE: FaultPoint = FaultPoint {
    name: "second page of GetDiscoveredResourceCounts",
    matches: |call| {
        call.is("GetDiscoveredResourceCounts", SCANNED_REGION) && call.field("nextToken").is_some()
    },
    ..COUNTS
};
pub const RECORDER_STATUS: FaultPoint = scan(
    "DescribeConfigurationRecorderStatus",
    |call| call.is("DescribeConfigurationRecorderStatus", SCANNED_REGION),
    Purpose::ReadRecorder,
);
pub const RECORDERS: FaultPoint = scan(
    "DescribeConfigurationRecorders",
    |call| call.is("DescribeConfigurationRecorders", SCANNED_REGION),
    Purpose::ReadRecorder,
);

pub const VERIFY_LIST: FaultPoint = FaultPoint {
    name: "ListDiscoveredResources with --method verify",
    args: VERIFY_ARGS,
    ..LIST
};
pub const VERIFY_LIST_SECOND_PAGE: FaultPoint = FaultPoint {
    name: "second page of ListDiscoveredResources with --method verify",
    args: VERIFY_ARGS,
    ..LIST_SECOND_PAGE
};
pub const VERIFY_COUNTS: FaultPoint = FaultPoint {
    name: "GetDiscoveredResourceCounts with --method verify",
    purpose: Purpose::Compare,
    args: VERIFY_ARGS,
    ..COUNTS
};

/// All points.
pub const ALL: [&FaultPoint; 16] = [
    &IDENTITY_CHECK,
    &ALIAS_CHECK,
    &REGIONS_CHECK,
    &LIST_CHECK,
    &COUNTS_CHECK,
    &STATUS_CHECK,
    &RECORDER_CHECK,
    &LIST,
    &LIST_SECOND_PAGE,
    &COUNTS,
    &COUNTS_SECOND_PAGE,
    &VERIFY_LIST,
    &VERIFY_LIST_SECOND_PAGE,
    &VERIFY_COUNTS,
    &RECORDER_STATUS,
    &RECORDERS,
];

impl FaultPoint {
    /// Returns true if the run compares listings with counts.
    pub fn verifies(&self) -> bool {
        self.args == VERIFY_ARGS
    }

    /// Returns true if the run counts with `GetDiscoveredResourceCounts`.
    pub fn counts_all(&self) -> bool {
        self.args == COUNTS_ARGS
    }

    /// Returns an account with two regions; one of them has three pages of buckets, and two pages of
    /// counts if the run counts all types.
    pub fn account(&self) -> Account {
        let many: Vec<String> = (100..220).map(|n| format!("AWS::EC2::Type{n}")).collect();
        let mut scanned = vec![(VPC, 3), (BUCKET, 250)];
        if self.counts_all() {
            scanned.extend(many.iter().map(|name| (name.as_str(), 1)));
        }
        Account::new()
            .alias("acme-prod")
            .region(CHECKED_REGION, &[(VPC, 2), (BUCKET, 7)])
            .region(SCANNED_REGION, &scanned)
    }
}
