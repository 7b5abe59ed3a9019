use proptest::collection::{btree_map, vec};
use proptest::option;
use proptest::prelude::*;
use proptest::sample::select;
use serde::Serialize;

use super::rows::{CountRow, CoverageRow, DifferenceRow};
use super::*;
use crate::coverage::{Coverage, Difference, Gap, RegionResult};
use crate::error_log::ErrorType;
use crate::inventory::{Listed, Method};
use crate::model::{Account, Region, ResourceType, ResourceTypes};

const COLUMNS: [&str; 5] = ["account", "alias", "region", "resource_type", "total"];

/// Returns the alias as the files show it.
fn shown(alias: Option<&str>) -> String {
    account(alias)
        .shown_alias()
        .unwrap_or_default()
        .into_owned()
}

fn account(alias: Option<&str>) -> Account {
    Account {
        id: "012345678901".parse().unwrap(),
        alias: alias.map(str::to_owned),
    }
}

fn render(alias: Option<&str>, counts: &[(&str, &str, u64)]) -> String {
    let account = account(alias);
    let parsed = counts
        .iter()
        .map(|(r, t, total)| (r.parse().unwrap(), t.parse().unwrap(), *total));
    let counts: Vec<(Region, ResourceType, u64)> = parsed.collect();
    let counts = counts.iter().map(|(region, t, total)| (region, t, *total));
    let rows = CountRow::rows(&account, counts);
    String::from_utf8(bytes(CountRow::HEADER, rows)).unwrap()
}

fn bytes<R: Serialize>(header: &str, rows: impl Iterator<Item = R>) -> Vec<u8> {
    let mut bytes = Vec::new();
    write_csv(header, rows, &mut bytes).unwrap();
    bytes
}

/// Writes the rows, reads them back and returns them; asserts the header.
fn read_back<R: Serialize>(header: &str, rows: impl Iterator<Item = R>) -> Vec<Vec<String>> {
    let bytes = bytes(header, rows);
    let mut reader = ::csv::Reader::from_reader(&bytes[..]);
    assert!(reader.headers().unwrap().iter().eq(header.split(',')));
    let fields = |row: ::csv::StringRecord| row.iter().map(str::to_owned).collect();
    reader.records().map(|row| fields(row.unwrap())).collect()
}

/// Asserts that the header has the names of the fields of a row.
fn assert_names_fields<R: Serialize>(header: &str, mut rows: impl Iterator<Item = R>) {
    let mut writer = ::csv::Writer::from_writer(Vec::new());
    writer.serialize(rows.next().unwrap()).unwrap();
    let bytes = writer.into_inner().unwrap();
    assert_eq!(
        std::str::from_utf8(&bytes).unwrap().lines().next(),
        Some(header)
    );
}

/// Any text, and text with characters that are special in CSV.
fn any_text() -> impl Strategy<Value = String> {
    prop_oneof![any::<String>(), "[\",\r\n =@+-]{0,6}"]
}

#[test]
fn only_totals_above_zero_are_written() {
    let counts = [
        ("eu-west-1", "AWS::EC2::VPC", 0),
        ("eu-west-1", "AWS::S3::Bucket", 300),
        ("us-east-1", "AWS::EC2::VPC", 20),
    ];
    assert_eq!(
        render(Some("acme"), &counts),
        "account,alias,region,resource_type,total\r\n\
         012345678901,acme,eu-west-1,AWS::S3::Bucket,300\r\n\
         012345678901,acme,us-east-1,AWS::EC2::VPC,20\r\n"
    );
    assert_eq!(
        render(None, &[]),
        "account,alias,region,resource_type,total\r\n"
    );
    let row = render(None, &counts[2..]);
    assert!(
        row.ends_with("\r\n012345678901,,us-east-1,AWS::EC2::VPC,20\r\n"),
        "{row}"
    );
}

/// The expected values are the output of `csv.DictWriter` of CPython 3.11 for the same fields.
#[test]
fn fields_are_quoted_like_python() {
    for (text, field) in [
        ("a b", "a b"),
        ("a,b", "\"a,b\""),
        ("a\"b", "\"a\"\"b\""),
        ("a\nb", "\"a\nb\""),
        ("a\rb", "\"a\rb\""),
        ("é", "é"),
        ("'", "'"),
        ("=1+1", "=1+1"),
    ] {
        let bytes = bytes("a,b,c", [("1", text, "2")].into_iter());
        let expected = format!("a,b,c\r\n1,{field},2\r\n");
        assert_eq!(String::from_utf8(bytes).unwrap(), expected);
    }
}

#[test]
fn headers_name_the_fields_of_rows() {
    let (account, region) = (account(None), "eu-west-1".parse().unwrap());
    let vpc: ResourceType = "AWS::EC2::VPC".parse().unwrap();
    let gap = Gap::new(ErrorType::ScanFailed, "not tried");
    let missing = RegionResult::missing(region, gap);
    let types = ResourceTypes::Named(vec![vpc.clone()]);
    let coverage = Coverage::new(vec![missing], &types, Method::List);
    let region = &coverage.regions[0].result.region;
    let count = (region, &vpc, 1);
    let difference = Difference {
        region,
        resource_type: &vpc,
        listed: 1,
        counted: 2,
        reason: "",
    };
    let counts = CountRow::rows(&account, [count].into_iter());
    assert_names_fields(CountRow::HEADER, counts);
    assert_names_fields(CoverageRow::HEADER, CoverageRow::rows(&account, &coverage));
    let differences = [difference];
    let differences = DifferenceRow::rows(&account, &differences);
    assert_names_fields(DifferenceRow::HEADER, differences);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn written_counts_are_read_back(
        alias in option::of(any::<String>()),
        totals in btree_map(("[a-z]{1,5}-[a-z]{1,5}-[0-9]", "AWS::[A-Z0-9]{2,4}::[A-Za-z]{2,9}"),
            any::<u64>(), 0..20),
    ) {
        let counts: Vec<_> = totals.iter()
            .map(|((region, resource_type), total)| (&**region, &**resource_type, *total))
            .collect();
        let text = render(alias.as_deref(), &counts);
        prop_assert!(text.ends_with("\r\n"));
        let mut reader = ::csv::Reader::from_reader(text.as_bytes());
        prop_assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
        let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
        let above_zero: Vec<_> = totals.iter().filter(|(_, total)| **total > 0).collect();
        prop_assert_eq!(rows.len(), above_zero.len());
        for (row, ((region, resource_type), total)) in rows.iter().zip(above_zero) {
            let alias = shown(alias.as_deref());
            let total = total.to_string();
            prop_assert_eq!(row, &["012345678901", &alias, region, resource_type, &total][..]);
        }
    }

    #[test]
    fn written_table_is_read_back(rows in vec(vec(any_text(), 4), 0..9)) {
        prop_assert_eq!(read_back("a,b,c,d", rows.iter()), rows);
    }

    #[test]
    fn written_coverage_is_read_back(
        alias in option::of(any_text()),
        failure in option::of((select(&ErrorType::ALL[..]), any_text())),
        totals in btree_map("AWS::[A-Z0-9]{2,4}::[A-Za-z]{2,9}", option::of(0..u64::MAX), 1..9),
    ) {
        let (error_type, detail) = failure.unwrap_or((ErrorType::ScanFailed, String::new()));
        let gap = Gap::new(error_type, &detail);
        let mut outcome = RegionResult::missing("eu-west-1".parse().unwrap(), gap.clone());
        outcome.listed = totals.iter().map(|(resource_type, total)| {
            let listed = |total| Listed { total, ..Listed::default() };
            (resource_type.parse().unwrap(), total.map(listed).ok_or(gap.clone()))
        }).collect();
        let types = ResourceTypes::Named(outcome.listed.keys().cloned().collect());
        let coverage = Coverage::new(vec![outcome], &types, Method::List);
        let account = account(alias.as_deref());
        let rows = read_back(CoverageRow::HEADER, CoverageRow::rows(&account, &coverage));
        prop_assert_eq!(rows.len(), totals.len(), "a row for each cell");
        let alias = shown(alias.as_deref());
        for (row, (_, resource_type, cell)) in rows.iter().zip(coverage.cells()) {
            prop_assert_eq!(&row[..4], &["012345678901", &alias, "eu-west-1", resource_type.as_str()]);
            prop_assert_eq!(&row[4], &cell.status().to_string());
            // A missing total is empty, not zero.
            prop_assert_eq!(&row[5], &cell.class().to_string());
            prop_assert_eq!(row[6].parse().ok(), cell.total());
            prop_assert_eq!(row[6].is_empty(), cell.total().is_none());
            prop_assert_eq!(&row[8], &cell.detail());
        }
    }

    #[test]
    fn written_differences_are_read_back(
        alias in option::of(any_text()),
        numbers in vec((any::<u64>(), any::<u64>()), 0..9),
    ) {
        let (region, vpc) = ("eu-west-1".parse().unwrap(), "AWS::EC2::VPC".parse().unwrap());
        let differences: Vec<_> = numbers.iter().map(|(listed, counted)| Difference {
            region: &region,
            resource_type: &vpc,
            listed: *listed,
            counted: *counted,
            reason: "a, \"b\"",
        }).collect();
        let account = account(alias.as_deref());
        let rows = read_back(DifferenceRow::HEADER, DifferenceRow::rows(&account, &differences));
        prop_assert_eq!(rows.len(), numbers.len());
        for (row, (listed, counted)) in rows.iter().zip(numbers) {
            prop_assert_eq!(&row[1], &shown(alias.as_deref()));
            let [l, c, delta] = [4, 5, 6].map(|n: usize| row[n].parse::<i128>().unwrap());
            prop_assert_eq!((l, c), (listed.into(), counted.into()));
            prop_assert_eq!(delta, l - c);
            prop_assert_eq!(&row[7], "a, \"b\"");
        }
    }
}
