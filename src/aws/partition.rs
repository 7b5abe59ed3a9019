//! The AWS partitions: their regions and DNS suffixes.
//!
//! From the `partitions.json` of the SDKs:
//! <https://github.com/boto/botocore/blob/develop/botocore/data/partitions.json>

use crate::model::Region;

/// A partition.
#[derive(Debug, PartialEq, Eq)]
pub struct Partition {
    /// The ID, the second field of an ARN.
    pub id: &'static str,
    /// The prefixes of the region names; a word and a number follow.
    region_prefixes: &'static [&'static str],
    /// The suffix of the host names.
    pub dns_suffix: &'static str,
    /// The suffix of the dual-stack host names; `None` if the SDKs reject the variant.
    pub dual_stack_suffix: Option<&'static str>,
    /// True if the plain host names are the FIPS ones.
    pub plain_is_fips: bool,
    /// The region of global calls if no region of this partition is configured.
    global_region: &'static str,
    /// The host names of IAM, which is a global service.
    pub iam: Hosts,
    /// The signing region of IAM requests; `None` for the global region.
    iam_region: Option<&'static str>,
}

/// The host names of one service in a partition. Names that AWS's endpoint rules only compose from
/// a pattern are omitted, because such a host may not exist.
#[derive(Debug, PartialEq, Eq)]
pub struct Hosts {
    /// The default host name.
    pub plain: &'static str,
    /// The FIPS host name.
    pub fips: Option<&'static str>,
    /// The dual-stack host name.
    pub dual_stack: Option<&'static str>,
    /// The host name for FIPS and dual-stack.
    pub both: Option<&'static str>,
}

/// All partitions; the first is the default for unknown regions.
const PARTITIONS: [Partition; 8] = [
    Partition {
        id: "aws",
        region_prefixes: &[
            "us-", "eu-", "ap-", "sa-", "ca-", "me-", "af-", "il-", "mx-",
        ],
        dns_suffix: "amazonaws.com",
        dual_stack_suffix: Some("api.aws"),
        plain_is_fips: false,
        global_region: "us-east-1",
        iam: Hosts {
            plain: "iam.amazonaws.com",
            fips: Some("iam-fips.amazonaws.com"),
            dual_stack: Some("iam.global.api.aws"),
            both: Some("iam-fips.global.api.aws"),
        },
        iam_region: None,
    },
    Partition {
        id: "aws-cn",
        region_prefixes: &["cn-"],
        dns_suffix: "amazonaws.com.cn",
        dual_stack_suffix: Some("api.amazonwebservices.com.cn"),
        plain_is_fips: false,
        global_region: "cn-northwest-1",
        iam: Hosts {
            plain: "iam.cn-north-1.amazonaws.com.cn",
            fips: None,
            dual_stack: Some("iam.global.api.amazonwebservices.com.cn"),
            both: None,
        },
        iam_region: Some("cn-north-1"),
    },
    Partition {
        id: "aws-us-gov",
        region_prefixes: &["us-gov-"],
        dns_suffix: "amazonaws.com",
        dual_stack_suffix: Some("api.aws"),
        plain_is_fips: true,
        global_region: "us-gov-west-1",
        iam: Hosts {
            plain: "iam.us-gov.amazonaws.com",
            fips: Some("iam.us-gov.amazonaws.com"),
            dual_stack: Some("iam.us-gov.api.aws"),
            both: Some("iam.us-gov.api.aws"),
        },
        iam_region: None,
    },
    Partition {
        id: "aws-eusc",
        region_prefixes: &["eusc-de-"],
        dns_suffix: "amazonaws.eu",
        dual_stack_suffix: Some("api.amazonwebservices.eu"),
        plain_is_fips: false,
        global_region: "eusc-de-east-1",
        iam: Hosts {
            plain: "iam.eusc-de-east-1.amazonaws.eu",
            fips: None,
            dual_stack: Some("iam.api.amazonwebservices.eu"),
            both: None,
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso",
        region_prefixes: &["us-iso-"],
        dns_suffix: "c2s.ic.gov",
        dual_stack_suffix: Some("api.aws.ic.gov"),
        plain_is_fips: false,
        global_region: "us-iso-east-1",
        iam: Hosts {
            plain: "iam.us-iso-east-1.c2s.ic.gov",
            fips: Some("iam-fips.us-iso-east-1.c2s.ic.gov"),
            dual_stack: Some("iam.api.aws.ic.gov"),
            both: None,
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso-b",
        region_prefixes: &["us-isob-"],
        dns_suffix: "sc2s.sgov.gov",
        dual_stack_suffix: Some("api.aws.scloud"),
        plain_is_fips: false,
        global_region: "us-isob-east-1",
        iam: Hosts {
            plain: "iam.us-isob-east-1.sc2s.sgov.gov",
            fips: Some("iam-fips.us-isob-east-1.sc2s.sgov.gov"),
            dual_stack: Some("iam.api.aws.scloud"),
            both: None,
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso-e",
        region_prefixes: &["eu-isoe-"],
        dns_suffix: "cloud.adc-e.uk",
        dual_stack_suffix: None,
        plain_is_fips: false,
        global_region: "eu-isoe-west-1",
        iam: Hosts {
            plain: "iam.eu-isoe-west-1.cloud.adc-e.uk",
            fips: None,
            dual_stack: None,
            both: None,
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso-f",
        region_prefixes: &["us-isof-"],
        dns_suffix: "csp.hci.ic.gov",
        dual_stack_suffix: None,
        plain_is_fips: false,
        global_region: "us-isof-south-1",
        iam: Hosts {
            plain: "iam.us-isof-south-1.csp.hci.ic.gov",
            fips: None,
            dual_stack: None,
            both: None,
        },
        iam_region: None,
    },
];

impl Partition {
    /// Returns the partition of `region`; `aws` for an unknown region, as in the SDKs.
    #[must_use]
    pub fn for_region(region: &Region) -> &'static Self {
        let known = PARTITIONS.iter().find(|p| p.has(region));
        known.unwrap_or(&PARTITIONS[0])
    }

    /// Returns the partition with the ID `id`.
    #[must_use]
    pub fn by_id(id: &str) -> Option<&'static Self> {
        PARTITIONS.iter().find(|p| p.id == id)
    }

    /// Returns the region of global calls if no region of this partition is configured.
    ///
    /// # Panics
    /// Never: a test checks the regions of the table.
    #[must_use]
    pub fn global_region(&self) -> Region {
        region(self.global_region)
    }

    /// Returns the signing region of IAM requests.
    #[must_use]
    pub fn iam_region(&self) -> Region {
        region(self.iam_region.unwrap_or(self.global_region))
    }

    /// Returns true if the region name has the form of this partition: `{prefix}{word}-{number}`.
    fn has(&self, region: &Region) -> bool {
        let word_and_number = |rest: &str| {
            rest.split_once('-').is_some_and(|(word, number)| {
                let is_word = |b: u8| b.is_ascii_alphanumeric() || b == b'_';
                !word.is_empty()
                    && word.bytes().all(is_word)
                    && !number.is_empty()
                    && number.bytes().all(|b| b.is_ascii_digit())
            })
        };
        let rest = |prefix: &&str| region.as_str().strip_prefix(*prefix);
        self.region_prefixes
            .iter()
            .filter_map(rest)
            .any(word_and_number)
    }
}

fn region(text: &str) -> Region {
    text.parse().expect("the table contains valid regions")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn regions_have_their_partitions() {
        for (code, id) in [
            ("us-east-1", "aws"),
            ("ap-southeast-7", "aws"),
            ("mx-central-1", "aws"),
            ("cn-north-1", "aws-cn"),
            ("us-gov-west-1", "aws-us-gov"),
            ("eusc-de-east-1", "aws-eusc"),
            ("us-iso-west-1", "aws-iso"),
            ("us-isob-east-1", "aws-iso-b"),
            ("eu-isoe-west-1", "aws-iso-e"),
            ("us-isof-south-1", "aws-iso-f"),
            ("moon-base-1", "aws"),
        ] {
            assert_eq!(Partition::for_region(&region(code)).id, id, "{code}");
        }
    }

    #[test]
    fn partition_table_is_consistent() {
        for partition in &PARTITIONS {
            assert_eq!(Partition::by_id(partition.id), Some(partition));
            assert_eq!(Partition::for_region(&partition.global_region()), partition);
            assert_eq!(Partition::for_region(&partition.iam_region()), partition);
            let Hosts { plain, fips, .. } = partition.iam;
            for host in [plain, fips.unwrap_or(plain)] {
                assert!(
                    host.ends_with(&format!(".{}", partition.dns_suffix)),
                    "{host}"
                );
            }
            let Hosts {
                dual_stack, both, ..
            } = partition.iam;
            for host in [dual_stack, both].into_iter().flatten() {
                let suffix = partition.dual_stack_suffix.unwrap();
                assert!(host.ends_with(&format!(".{suffix}")), "{host}");
            }
        }
        assert_eq!(Partition::by_id("aws-mars"), None);
    }
}
