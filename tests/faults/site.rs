//! Where faults happen: each operation, in the checks and in the scan, at its first page and in the
//! middle.

use crate::support::{Account, Call};

pub const VPC: &str = "AWS::EC2::VPC";
pub const BUCKET: &str = "AWS::S3::Bucket";

/// Where the checks ask first.
pub const CHECKED: &str = "us-east-1";
/// Where nothing but the scan asks.
pub const SCANNED: &str = "eu-west-1";

/// A call of a run.
pub struct Site {
    /// What it is called here.
    pub name: &'static str,
    /// The operation.
    pub operation: &'static str,
    /// The region that it is called in.
    pub region: &'static str,
    /// Which calls are it.
    pub picks: fn(&Call) -> bool,
    /// What it is for.
    pub role: Role,
    /// How the run counts.
    pub args: &'static [&'static str],
}

/// What a call is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Role {
    /// The check of this name.
    Check(&'static str),
    /// The check of a count, whose answer is the scan's too: of this type, or of all.
    CheckedCount(&'static str, Option<&'static str>),
    /// Whether any region has a recorder.
    AnyRecorder,
    /// The count of one type, or of all.
    Count(Option<&'static str>),
    /// The counts that a region's listings are compared with.
    Compared,
    /// A region's recorder, which no count depends on.
    Recorder,
}

const LISTED: &[&str] = &["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"];
const COUNTED: &[&str] = &["--method", "counts", "--resource-types", "all"];
const VERIFIED: &[&str] = &[
    "--method",
    "verify",
    "--resource-types",
    "AWS::EC2::VPC,AWS::S3::Bucket",
];

pub const ENABLED: &str = "AWS Config enabled in at least one region";

const fn check(operation: &'static str, picks: fn(&Call) -> bool, name: &'static str) -> Site {
    Site {
        name: operation,
        operation,
        region: CHECKED,
        picks,
        role: Role::Check(name),
        args: LISTED,
    }
}

pub const IDENTITY: Site = check(
    "GetCallerIdentity",
    |call| call.operation == "GetCallerIdentity",
    "IAM permission: sts:GetCallerIdentity",
);
pub const ALIAS: Site = check(
    "ListAccountAliases",
    |call| call.operation == "ListAccountAliases",
    "IAM permission: iam:ListAccountAliases",
);
pub const REGIONS: Site = check(
    "DescribeRegions",
    |call| call.operation == "DescribeRegions",
    "IAM permission: ec2:DescribeRegions",
);
pub const CHECKED_LIST: Site = Site {
    role: Role::CheckedCount("IAM permission: config:ListDiscoveredResources", Some(VPC)),
    ..check(
        "ListDiscoveredResources",
        |call| call.lists(VPC, CHECKED),
        "",
    )
};
pub const CHECKED_COUNTS: Site = Site {
    role: Role::CheckedCount("IAM permission: config:GetDiscoveredResourceCounts", None),
    args: COUNTED,
    ..check(
        "GetDiscoveredResourceCounts",
        |call| call.is("GetDiscoveredResourceCounts", CHECKED),
        "",
    )
};
pub const CHECKED_STATUS: Site = Site {
    role: Role::Recorder,
    ..check(
        "DescribeConfigurationRecorderStatus",
        |call| call.is("DescribeConfigurationRecorderStatus", CHECKED),
        "",
    )
};
pub const ALL_STATUSES: Site = Site {
    name: "every DescribeConfigurationRecorderStatus",
    role: Role::AnyRecorder,
    picks: |call| call.operation == "DescribeConfigurationRecorderStatus",
    ..CHECKED_STATUS
};

const fn scan(operation: &'static str, picks: fn(&Call) -> bool, role: Role) -> Site {
    Site {
        name: operation,
        operation,
        region: SCANNED,
        picks,
        role,
        args: LISTED,
    }
}

pub const LIST: Site = scan(
    "ListDiscoveredResources",
    |call| call.lists(VPC, SCANNED),
    Role::Count(Some(VPC)),
);
pub const MIDDLE_OF_A_LIST: Site = Site {
    name: "the second page of three of ListDiscoveredResources",
    ..scan(
        "ListDiscoveredResources",
        // A token begins with the offset of its page, in hex.
        |call| {
            let second = |token: &str| token.starts_with("00000064");
            call.lists(BUCKET, SCANNED) && call.field("nextToken").is_some_and(second)
        },
        Role::Count(Some(BUCKET)),
    )
};
pub const COUNTS: Site = Site {
    args: COUNTED,
    ..scan(
        "GetDiscoveredResourceCounts",
        |call| call.is("GetDiscoveredResourceCounts", SCANNED) && call.field("nextToken").is_none(),
        Role::Count(None),
    )
};
pub const MIDDLE_OF_THE_COUNTS: Site = Site {
    name: "the second page of GetDiscoveredResourceCounts",
    picks: |call| {
        call.is("GetDiscoveredResourceCounts", SCANNED) && call.field("nextToken").is_some()
    },
    ..COUNTS
};
pub const STATUS: Site = scan(
    "DescribeConfigurationRecorderStatus",
    |call| call.is("DescribeConfigurationRecorderStatus", SCANNED),
    Role::Recorder,
);
pub const RECORDERS: Site = scan(
    "DescribeConfigurationRecorders",
    |call| call.is("DescribeConfigurationRecorders", SCANNED),
    Role::Recorder,
);

pub const VERIFIED_LIST: Site = Site {
    name: "ListDiscoveredResources, to be compared",
    args: VERIFIED,
    ..LIST
};
pub const VERIFIED_MIDDLE_OF_A_LIST: Site = Site {
    name: "the second page of three of ListDiscoveredResources, to be compared",
    args: VERIFIED,
    ..MIDDLE_OF_A_LIST
};
pub const VERIFIED_COUNTS: Site = Site {
    name: "GetDiscoveredResourceCounts, to be compared with",
    role: Role::Compared,
    args: VERIFIED,
    ..COUNTS
};

impl Site {
    /// Whether the run compares both ways of counting.
    pub fn verifies(&self) -> bool {
        self.args == VERIFIED
    }

    /// Whether the run counts by `GetDiscoveredResourceCounts`.
    pub fn counts_all(&self) -> bool {
        self.args == COUNTED
    }

    /// Two regions, of which the one has three pages of buckets, and two pages of counts where those
    /// of all types are asked for.
    pub fn account(&self) -> Account {
        let many: Vec<String> = (100..220).map(|n| format!("AWS::EC2::Type{n}")).collect();
        let mut scanned = vec![(VPC, 3), (BUCKET, 250)];
        if self.counts_all() {
            scanned.extend(many.iter().map(|name| (name.as_str(), 1)));
        }
        Account::new()
            .alias("acme-prod")
            .region(CHECKED, &[(VPC, 2), (BUCKET, 7)])
            .region(SCANNED, &scanned)
    }
}
