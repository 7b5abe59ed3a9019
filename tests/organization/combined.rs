//! Tests of the combined files and of the files of each account.

use crate::support::{ORGANIZATION, Organization, Program};
use crate::{VPC, file, organization, run, statuses};

#[test]
fn all_accounts_are_counted_over_several_pages() {
    let organization = organization(45);
    let server = organization.serve();
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let numbers: Vec<usize> = (1..=45).collect();
    let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
    assert_eq!(file(&run, &name), Some(organization.csv(&numbers)));
    assert_eq!(server.count(|call| call.operation == "ListAccounts"), 3);
    assert_eq!(server.count(|call| call.operation == "AssumeRole"), 44);
    for number in [1, 2, 45] {
        let id = Organization::id(number);
        let name = format!("aws_config_resource_count_{id}_alias-{number}.csv");
        assert_eq!(file(&run, &name), Some(organization.csv(&[number])), "{id}");
    }
    let complete = |(_, status): &(String, String)| status == "complete";
    assert!(statuses(&run, ORGANIZATION).iter().all(complete));
    assert!(
        run.stdout.contains("Accounts: 45 (45 complete"),
        "{}",
        run.stdout
    );
}

#[test]
fn account_files_can_be_omitted() {
    let server = organization(3).serve();
    let run = run(&server, &["--organization", "--no-account-files"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let files: Vec<String> = run
        .files()
        .iter()
        .map(|path| path.file_name().unwrap().to_string_lossy().into_owned())
        .filter(|name| name.starts_with("aws_config_resource_count_"))
        .collect();
    assert_eq!(files, [""; 0]);
}

#[test]
fn names_are_one_cell_and_no_formula() {
    let mut organization = organization(3);
    organization.member(2).name = "=cmd|' /C calc'!A0".to_owned();
    organization.member(3).name = "pay,\"ments\"\n\u{1b}[31m".to_owned();
    organization.member(3).state = "=1+1".to_owned();
    organization.member(2).account.alias = Some("@SUM(A1)".to_owned());
    let server = organization.serve();
    let run = run(&server, &["--organization"]);
    let table = file(
        &run,
        &format!("aws_config_combined_accounts_{ORGANIZATION}.csv"),
    )
    .unwrap();
    let column = |number: usize| {
        let mut reader = csv::Reader::from_reader(table.as_bytes());
        let rows = reader.records().map(Result::unwrap);
        rows.map(|row| row[number].to_owned()).collect::<Vec<_>>()
    };
    assert_eq!(column(1), ["alias-1", "'@SUM(A1)", ""]);
    assert_eq!(
        column(2),
        ["team-1", "'=cmd|' /C calc'!A0", "pay,\"ments\" \\u{1b}[31m"]
    );
    assert_eq!(column(4), ["ACTIVE", "ACTIVE", "'=1+1"]);
    assert!(!run.stdout.contains('\u{1b}') && !run.stderr.contains('\u{1b}'));
}

#[test]
fn files_of_earlier_runs_are_named() {
    let mut organization = organization(3);
    organization.member(2).has_role = false;
    let server = organization.serve();
    let earlier = [
        "aws_config_combined_coverage_o-abcdefghij.csv",
        "aws_config_coverage_100000000001_alias-1.csv",
        "aws_config_resource_count_100000000001_renamed.csv",
        "aws_config_resource_count_100000000002_alias-2.csv",
        "aws_config_resource_count_999999999999.csv",
    ];
    let others = [
        "aws_config_combined_count_o-other.csv",
        "aws_config_resource_count_100000000003_alias-3_errors.txt",
        "aws_config_resource_count_errors.txt",
        "aws_config_resource_count_of_yesterday.csv",
        "aws_config_combined_errors.txt",
    ];
    for (args, listed) in [
        (&["--organization"][..], &earlier[..]),
        (
            &[
                "--organization",
                "--coverage",
                "--exclude-accounts=100000000002",
            ],
            &earlier[2..],
        ),
    ] {
        let program = Program::new(&server).args(["--resource-types", VPC]);
        let out = program.directory().join("out");
        for name in earlier.iter().chain(&others) {
            std::fs::write(out.join(name), "old").unwrap();
        }
        let run = program.args(args).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let line = format!(
            "\n{} files of earlier runs, which this run has not written: {}{}\n",
            listed.len(),
            listed[..listed.len().min(4)].join(", "),
            if listed.len() > 4 { " and 1 more" } else { "" },
        );
        assert!(run.stdout.contains(&line), "{}", run.stdout);
        for name in &earlier[2..] {
            assert_eq!(file(&run, name).as_deref(), Some("old"));
        }
        for name in [others[1], others[4]] {
            assert_eq!(file(&run, name), None, "{name}: no such errors now");
        }
    }
}

/// The alias is other text in the file names than in the rows.
#[test]
fn files_of_odd_alias_are_not_earlier_ones() {
    let mut organization = organization(2);
    for alias in ["a\u{202e}b", "../c", "a b"] {
        organization.member(2).account.alias = Some(alias.to_owned());
        let run = run(&organization.serve(), &["--organization", "--coverage"]);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        assert!(!run.stdout.contains("earlier run"), "{}", run.stdout);
    }
}
