//! The names of the CSV, the coverage file and the file of differences.

use crate::support::{Account, Outcome, Program};
use crate::{TYPES, account};

/// Returns the sorted names of the files in the output directory.
fn names(run: &Outcome) -> Vec<String> {
    let files = run.files().into_iter();
    let names = files.filter_map(|file| Some(file.strip_prefix("out").ok()?.to_owned()));
    names.map(|name| name.display().to_string()).collect()
}

fn with_alias(alias: Option<&str>) -> Account {
    let account = Account {
        alias: None,
        ..account()
    };
    match alias {
        Some(alias) => account.alias(alias),
        None => account,
    }
}

/// Every output file of one account has its own name, whatever the alias. The pattern of the counts
/// matches one file per run.
#[test]
fn no_alias_collides_with_other_files() {
    let aliases = ["coverage", "verify", "errors", "count", "012345678901"];
    for alias in aliases.map(Some).into_iter().chain([None]) {
        let account = with_alias(alias);
        let args = ["--coverage", "--method", "verify", "--resource-types"];
        let args = [&args[..], &[TYPES[1]]].concat();
        let run = Program::new(&account.serve()).args(&args).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let end = alias.map(|alias| format!("_{alias}")).unwrap_or_default();
        let name = |kind: &str| format!("aws_config_{kind}_012345678901{end}.csv");
        let expected = ["coverage", "resource_count", "verify"].map(name);
        assert_eq!(names(&run), expected, "{}", run.describe());
        let counts = std::fs::read_to_string(run.directory().join("out").join(&expected[1]));
        assert_eq!(counts.unwrap(), account.csv());
        assert!(
            run.coverage()
                .starts_with("account,alias,region,resource_type,status,class,")
        );
    }
}

/// Two accounts of which one has the alias `coverage`, in one directory: the counts are added once.
#[test]
fn pattern_of_counts_matches_counts_only() {
    let directory = tempfile::tempdir().unwrap();
    for (id, alias) in [("012345678901", None), ("123456789012", Some("coverage"))] {
        let account = Account {
            id: id.to_owned(),
            ..with_alias(alias)
        };
        let server = account.serve();
        let program = Program::new(&server).args(TYPES);
        let run = program.args(["--coverage", "--method", "verify"]).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        for name in names(&run) {
            let file = run.directory().join("out").join(&name);
            std::fs::copy(file, directory.path().join(&name)).unwrap();
        }
    }
    let mut sum = 0;
    for file in std::fs::read_dir(directory.path()).unwrap() {
        let path = file.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap();
        if name.starts_with("aws_config_resource_count_")
            && path.extension().is_some_and(|e| e == "csv")
        {
            let mut reader = csv::Reader::from_path(&path).unwrap();
            let records = reader.records().map(Result::unwrap);
            sum += records.map(|r| r[4].parse::<u64>().unwrap()).sum::<u64>();
        }
    }
    assert_eq!(sum, 2 * 260);
}

#[test]
fn summary_names_tables_of_earlier_run() {
    let server = account().serve();
    for (args, old, named) in [
        (
            &[][..],
            &["aws_config_coverage_012345678901_acme-prod.csv"][..],
            1,
        ),
        (
            &[],
            &[
                "aws_config_coverage_012345678901.csv",
                "aws_config_verify_012345678901_old-alias.csv",
            ],
            2,
        ),
        // The run replaces its own file.
        (
            &["--coverage"],
            &["aws_config_coverage_012345678901_acme-prod.csv"],
            0,
        ),
        (
            &["--method", "verify"],
            &[
                "aws_config_coverage_012345678901_acme-prod.csv",
                "aws_config_verify_012345678901_acme-prod.csv",
            ],
            1,
        ),
        (
            &[],
            &["aws_config_coverage_999999999999.csv", "coverage.csv"],
            0,
        ),
        (&[], &[], 0),
    ] {
        let program = Program::new(&server).args(TYPES).args(args);
        for name in old {
            std::fs::write(program.directory().join("out").join(name), "old\n").unwrap();
        }
        let run = program.run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let message = "Not of this run, but of an earlier one: ";
        let lines = run.stdout.lines().filter(|line| line.starts_with(message));
        assert_eq!(lines.count(), named, "{old:?}: {}", run.describe());
        if named > 0 {
            assert!(run.stdout.contains(old[0]), "{}", run.describe());
        }
    }
}
