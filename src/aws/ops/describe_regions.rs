//! `ec2:DescribeRegions`: returns the regions that are enabled for the account, or all of its partition.
//!
//! <https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_DescribeRegions.html>. Without
//! `AllRegions`, these are the regions that need no opt-in and those that are opted in. The list is
//! unordered and not paginated.

use serde::Deserialize;

use crate::aws::operation::{Operation, RequestBody, Service};
use crate::aws::protocol::{ParseError, query};
use crate::untrusted::Untrusted;

/// The request.
pub struct DescribeRegions {
    /// If true, the regions that are not enabled are listed too.
    pub all: bool,
}

#[derive(Deserialize)]
enum DescribeRegionsResponse {
    DescribeRegionsResponse {
        #[serde(rename = "regionInfo")]
        regions: RegionItems,
    },
}

#[derive(Deserialize)]
struct RegionItems {
    #[serde(rename = "item", default)]
    items: Vec<Item>,
}

#[derive(Deserialize)]
struct Item {
    #[serde(rename = "regionName")]
    name: String,
}

impl Operation for DescribeRegions {
    const NAME: &'static str = "DescribeRegions";
    const SERVICE: Service = Service::Ec2;
    /// The names as received; the caller handles invalid ones.
    type Output = Vec<Untrusted>;

    fn request_body(&self) -> RequestBody {
        let all = self.all.then_some("true");
        RequestBody::query(Self::NAME, "2016-11-15", [("AllRegions", all)])
    }

    fn parse(&self, body: &[u8]) -> Result<Vec<Untrusted>, ParseError> {
        let DescribeRegionsResponse::DescribeRegionsResponse { regions } = query::reply(body)?;
        let names = regions
            .items
            .into_iter()
            .map(|item| item.name.trim().into());
        Ok(names.collect())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn region_names_are_read() {
        let body = r#"<?xml version="1.0" encoding="UTF-8"?>
            <DescribeRegionsResponse xmlns="http://ec2.amazonaws.com/doc/2016-11-15/">
            <requestId>r</requestId><regionInfo>
            <item><regionName>us-west-2</regionName><regionEndpoint>x</regionEndpoint>
            <optInStatus>opt-in-not-required</optInStatus></item>
            <item><regionName>af-south-1</regionName></item>
            </regionInfo></DescribeRegionsResponse>"#;
        let names = DescribeRegions { all: false }
            .parse(body.as_bytes())
            .unwrap();
        assert_eq!(names, ["us-west-2", "af-south-1"].map(Untrusted::from));
    }

    #[test]
    fn request_for_all_regions_says_so() {
        for (all, expected) in [(false, false), (true, true)] {
            let RequestBody::Query(fields) = (DescribeRegions { all }).request_body() else {
                panic!("a query")
            };
            let field = ("AllRegions".to_owned(), "true".to_owned());
            assert_eq!(fields.contains(&field), expected);
        }
    }

    #[test]
    fn invalid_response_is_not_an_empty_list() {
        for body in [
            "<html><body/></html>",
            "<DescribeRegionsResponse></DescribeRegionsResponse>",
            "<DescribeRegionsResponse><regionInfo><item/></regionInfo></DescribeRegionsResponse>",
        ] {
            assert!(
                DescribeRegions { all: false }
                    .parse(body.as_bytes())
                    .is_err(),
                "{body}"
            );
        }
        let truncated = "<DescribeRegionsResponse><regionInfo><item><regionName>us-w";
        assert!(
            DescribeRegions { all: false }
                .parse(truncated.as_bytes())
                .unwrap_err()
                .is_truncated()
        );
        let truncated = "<DescribeRegionsResponse><regionInfo><item>";
        assert!(
            DescribeRegions { all: false }
                .parse(truncated.as_bytes())
                .unwrap_err()
                .is_truncated()
        );
        let empty = "<DescribeRegionsResponse><regionInfo/></DescribeRegionsResponse>";
        assert_eq!(
            DescribeRegions { all: false }
                .parse(empty.as_bytes())
                .unwrap(),
            []
        );
    }
}
