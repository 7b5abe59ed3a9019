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
    /// The regions that this version of the program knows, separated by spaces.
    regions: &'static str,
    /// The region name of the partition's global services.
    pseudo_region: Option<&'static str>,
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

/// The host names of one service in a partition, as the SDKs compose them: not every host exists.
#[derive(Debug, PartialEq, Eq)]
pub struct Hosts {
    /// The default host name.
    pub plain: &'static str,
    /// The FIPS host name.
    pub fips: &'static str,
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
        regions: "af-south-1 ap-east-1 ap-east-2 ap-northeast-1 ap-northeast-2 ap-northeast-3 ap-south-1 \
                  ap-south-2 ap-southeast-1 ap-southeast-2 ap-southeast-3 ap-southeast-4 \
                  ap-southeast-5 ap-southeast-6 ap-southeast-7 ca-central-1 ca-west-1 \
                  eu-central-1 eu-central-2 eu-north-1 eu-south-1 eu-south-2 eu-west-1 eu-west-2 \
                  eu-west-3 il-central-1 me-central-1 me-south-1 me-west-1 mx-central-1 \
                  sa-east-1 sa-west-1 us-east-1 us-east-2 us-west-1 us-west-2",
        pseudo_region: Some("aws-global"),
        dns_suffix: "amazonaws.com",
        dual_stack_suffix: Some("api.aws"),
        plain_is_fips: false,
        global_region: "us-east-1",
        iam: Hosts {
            plain: "iam.amazonaws.com",
            fips: "iam-fips.amazonaws.com",
            dual_stack: Some("iam.global.api.aws"),
            both: Some("iam-fips.global.api.aws"),
        },
        iam_region: None,
    },
    Partition {
        id: "aws-cn",
        region_prefixes: &["cn-"],
        regions: "cn-north-1 cn-northwest-1",
        pseudo_region: Some("aws-cn-global"),
        dns_suffix: "amazonaws.com.cn",
        dual_stack_suffix: Some("api.amazonwebservices.com.cn"),
        plain_is_fips: false,
        global_region: "cn-northwest-1",
        iam: Hosts {
            plain: "iam.cn-north-1.amazonaws.com.cn",
            fips: "iam-fips.amazonaws.com.cn",
            dual_stack: Some("iam.global.api.amazonwebservices.com.cn"),
            both: Some("iam-fips.api.amazonwebservices.com.cn"),
        },
        iam_region: Some("cn-north-1"),
    },
    Partition {
        id: "aws-us-gov",
        region_prefixes: &["us-gov-"],
        regions: "us-gov-east-1 us-gov-west-1",
        pseudo_region: Some("aws-us-gov-global"),
        dns_suffix: "amazonaws.com",
        dual_stack_suffix: Some("api.aws"),
        plain_is_fips: true,
        global_region: "us-gov-west-1",
        iam: Hosts {
            plain: "iam.us-gov.amazonaws.com",
            fips: "iam.us-gov.amazonaws.com",
            dual_stack: Some("iam.us-gov.api.aws"),
            both: Some("iam.us-gov.api.aws"),
        },
        iam_region: None,
    },
    Partition {
        id: "aws-eusc",
        region_prefixes: &["eusc-de-"],
        regions: "eusc-de-east-1",
        pseudo_region: None,
        dns_suffix: "amazonaws.eu",
        dual_stack_suffix: Some("api.amazonwebservices.eu"),
        plain_is_fips: false,
        global_region: "eusc-de-east-1",
        iam: Hosts {
            plain: "iam.eusc-de-east-1.amazonaws.eu",
            fips: "iam-fips.amazonaws.eu",
            dual_stack: Some("iam.global.api.amazonwebservices.eu"),
            both: Some("iam-fips.api.amazonwebservices.eu"),
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso",
        region_prefixes: &["us-iso-"],
        regions: "us-iso-east-1 us-iso-west-1",
        pseudo_region: Some("aws-iso-global"),
        dns_suffix: "c2s.ic.gov",
        dual_stack_suffix: Some("api.aws.ic.gov"),
        plain_is_fips: false,
        global_region: "us-iso-east-1",
        iam: Hosts {
            plain: "iam.us-iso-east-1.c2s.ic.gov",
            fips: "iam-fips.us-iso-east-1.c2s.ic.gov",
            dual_stack: Some("iam.api.aws.ic.gov"),
            both: Some("iam-fips.api.aws.ic.gov"),
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso-b",
        region_prefixes: &["us-isob-"],
        regions: "us-isob-east-1 us-isob-west-1",
        pseudo_region: Some("aws-iso-b-global"),
        dns_suffix: "sc2s.sgov.gov",
        dual_stack_suffix: Some("api.aws.scloud"),
        plain_is_fips: false,
        global_region: "us-isob-east-1",
        iam: Hosts {
            plain: "iam.us-isob-east-1.sc2s.sgov.gov",
            fips: "iam-fips.us-isob-east-1.sc2s.sgov.gov",
            dual_stack: Some("iam.api.aws.scloud"),
            both: Some("iam-fips.api.aws.scloud"),
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso-e",
        region_prefixes: &["eu-isoe-"],
        regions: "eu-isoe-west-1",
        pseudo_region: Some("aws-iso-e-global"),
        dns_suffix: "cloud.adc-e.uk",
        dual_stack_suffix: None,
        plain_is_fips: false,
        global_region: "eu-isoe-west-1",
        iam: Hosts {
            plain: "iam.eu-isoe-west-1.cloud.adc-e.uk",
            fips: "iam-fips.cloud.adc-e.uk",
            dual_stack: None,
            both: None,
        },
        iam_region: None,
    },
    Partition {
        id: "aws-iso-f",
        region_prefixes: &["us-isof-"],
        regions: "us-isof-east-1 us-isof-south-1",
        pseudo_region: Some("aws-iso-f-global"),
        dns_suffix: "csp.hci.ic.gov",
        dual_stack_suffix: None,
        plain_is_fips: false,
        global_region: "us-isof-south-1",
        iam: Hosts {
            plain: "iam.us-isof-south-1.csp.hci.ic.gov",
            fips: "iam-fips.csp.hci.ic.gov",
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
        Self::with_region(region)
            .or_else(|| Self::of_pseudo_region(region))
            .unwrap_or(&PARTITIONS[0])
    }

    /// Returns the partition whose pseudo region is `region`, such as `aws-global`.
    #[must_use]
    pub fn of_pseudo_region(region: &Region) -> Option<&'static Self> {
        let mut partitions = PARTITIONS.iter();
        partitions.find(|p| p.pseudo_region == Some(region.as_str()))
    }

    /// Returns the partition whose regions have names of the form of `region`.
    #[must_use]
    pub fn with_region(region: &Region) -> Option<&'static Self> {
        PARTITIONS.iter().find(|p| p.has(region))
    }

    /// Returns the regions of all partitions that this version of the program knows.
    pub fn known_regions() -> impl Iterator<Item = &'static str> {
        PARTITIONS.iter().flat_map(|p| p.regions.split(' '))
    }

    /// Returns true if this version of the program knows `region`. AWS may have opened it later.
    #[must_use]
    pub fn knows(region: &Region) -> bool {
        Self::known_regions().any(|known| known == region.as_str())
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
            ("aws-global", "aws"),
            ("aws-cn-global", "aws-cn"),
            ("aws-us-gov-global", "aws-us-gov"),
            ("aws-iso-f-global", "aws-iso-f"),
        ] {
            assert_eq!(Partition::for_region(&region(code)).id, id, "{code}");
        }
    }

    #[test]
    fn partition_table_is_consistent() {
        for partition in &PARTITIONS {
            for known in partition.regions.split(' ').map(region) {
                assert_eq!(Partition::with_region(&known), Some(partition));
                assert!(Partition::knows(&known));
            }
            let pseudo = partition.pseudo_region.map(region);
            assert!(pseudo.is_none_or(|r| Partition::with_region(&r).is_none()));
            let same_id = PARTITIONS.iter().filter(|p| p.id == partition.id);
            assert_eq!(same_id.count(), 1);
            assert_eq!(Partition::for_region(&partition.global_region()), partition);
            assert_eq!(Partition::for_region(&partition.iam_region()), partition);
            let Hosts { plain, fips, .. } = partition.iam;
            for host in [plain, fips] {
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
        assert_eq!(Partition::with_region(&region("moon-base-1")), None);
        assert!(!Partition::knows(&region("us-esat-1")));
    }
}
