//! CSV, byte for byte as Python's `csv.DictWriter` writes it: CRLF, and quotes only where needed.
//!
//! <https://docs.python.org/3/library/csv.html#csv.excel>

use csv::{QuoteStyle, Terminator, WriterBuilder};

use super::Table;

/// The header and a line per row.
pub fn render(table: &Table) -> Vec<u8> {
    let mut writer = WriterBuilder::new()
        .terminator(Terminator::CRLF)
        .quote_style(QuoteStyle::Necessary)
        .from_writer(Vec::new());
    let full = "a vector takes everything";
    writer.write_record(&table.columns).expect(full);
    for row in &table.rows {
        writer.write_record(row).expect(full);
    }
    writer.into_inner().expect("a vector takes everything")
}

#[cfg(test)]
mod tests {
    use proptest::collection::btree_map;
    use proptest::option;
    use proptest::prelude::*;

    use super::super::Format;
    use super::*;
    use crate::model::{Account, ResourceCount, clean};

    const COLUMNS: [&str; 5] = ["account", "alias", "region", "resource_type", "total"];

    fn count(region: &str, resource_type: &str, total: u64) -> ResourceCount {
        ResourceCount {
            region: region.parse().unwrap(),
            resource_type: resource_type.parse().unwrap(),
            total,
        }
    }

    fn render(alias: Option<&str>, counts: &[ResourceCount]) -> String {
        let account = Account {
            id: "012345678901".parse().unwrap(),
            alias: alias.map(str::to_owned),
        };
        let table = Table::counts(&account, counts);
        String::from_utf8(Format::Csv.render(&table)).unwrap()
    }

    #[test]
    fn columns_sort_and_only_totals_above_zero() {
        let counts = [
            count("us-east-1", "AWS::S3::Bucket", 1),
            count("us-east-1", "AWS::EC2::VPC", 20),
            count("eu-west-1", "AWS::S3::Bucket", 300),
            count("eu-west-1", "AWS::EC2::VPC", 0),
        ];
        assert_eq!(
            render(Some("acme"), &counts),
            "account,alias,region,resource_type,total\r\n\
             012345678901,acme,eu-west-1,AWS::S3::Bucket,300\r\n\
             012345678901,acme,us-east-1,AWS::EC2::VPC,20\r\n\
             012345678901,acme,us-east-1,AWS::S3::Bucket,1\r\n"
        );
        assert_eq!(
            render(None, &[]),
            "account,alias,region,resource_type,total\r\n"
        );
        let row = render(None, &counts[..1]);
        assert!(
            row.ends_with("\r\n012345678901,,us-east-1,AWS::S3::Bucket,1\r\n"),
            "{row}"
        );
    }

    /// What `csv.DictWriter` of CPython 3.11 wrote for the same fields.
    #[test]
    fn quotes_as_python_does() {
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
            let table = Table {
                columns: vec!["id", "alias", "region"],
                rows: vec![["1", text, "eu-west-1"].map(str::to_owned).into()],
            };
            let line = String::from_utf8(super::render(&table)).unwrap();
            assert_eq!(line, format!("id,alias,region\r\n1,{field},eu-west-1\r\n"));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

        #[test]
        fn a_reader_gets_the_rows_back(
            alias in option::of(any::<String>()),
            totals in btree_map(("[a-z]{1,5}-[a-z]{1,5}-[0-9]", "AWS::[A-Z0-9]{2,4}::[A-Za-z]{2,9}"),
                any::<u64>(), 0..20),
        ) {
            let counts: Vec<_> = totals.iter().rev()
                .map(|((region, resource_type), total)| count(region, resource_type, *total))
                .collect();
            let text = render(alias.as_deref(), &counts);
            prop_assert!(text.ends_with("\r\n"));
            let mut reader = ::csv::Reader::from_reader(text.as_bytes());
            prop_assert_eq!(reader.headers().unwrap(), &COLUMNS[..]);
            let rows: Vec<_> = reader.records().map(Result::unwrap).collect();
            let above_zero: Vec<_> = totals.iter().filter(|(_, total)| **total > 0).collect();
            prop_assert_eq!(rows.len(), above_zero.len());
            for (row, ((region, resource_type), total)) in rows.iter().zip(above_zero) {
                let alias = clean(alias.as_deref().unwrap_or_default(), 200);
                let total = total.to_string();
                prop_assert_eq!(row, &["012345678901", &alias, region, resource_type, &total][..]);
            }
        }
    }
}
