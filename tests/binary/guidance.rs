//! Tests of notes, warnings and errors that say what to do about an option or a failed check.

use std::fs;

use crate::support::{Program, Reply};
use crate::{TYPES, account};

#[test]
fn start_region_note_precedes_scan() {
    let note = "Start region eu-west-1; scanning all 2 enabled regions (only eu-west-1: --regions eu-west-1)";
    for (args, has_note) in [
        (&["--region", "eu-west-1"][..], true),
        (&["--region", "eu-west-1", "--regions", "eu-west-1"], false),
        (
            &["--region", "eu-west-1", "--regions", "eu-west-1,us-east-1"],
            false,
        ),
        (
            &["--region", "eu-west-1", "--exclude-regions", "us-east-1"],
            false,
        ),
        (&[], false),
    ] {
        let server = account().serve();
        let run = Program::new(&server).args(TYPES).args(args).run();
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let before_scan = format!("Found 2 enabled regions\n{note}\nScanning 2 regions...\n");
        assert_eq!(
            run.stdout.contains(&before_scan),
            has_note,
            "{}",
            run.describe()
        );
        assert_eq!(run.stdout.contains("Start region"), has_note, "{args:?}");
    }
}

#[test]
fn start_region_note_counts_excluded_regions() {
    let account = account().region("ap-south-1", &[]);
    let server = account.serve();
    let args = ["--region", "eu-west-1", "--exclude-regions", "ap-south-1"];
    let run = Program::new(&server).args(TYPES).args(args).run();
    let note = "Start region eu-west-1; scanning 2 of 3 enabled regions (only ";
    assert!(run.stdout.contains(note), "{}", run.describe());
}

#[test]
fn misspelled_start_region_is_warned_about() {
    for (region, near) in [
        ("us-east-l", Some("us-east-1, us-east-2")),
        ("eu-wset-1", Some("eu-west-1")),
        ("eu-west-1", None),
        ("EU-WEST-1", None),
        ("aws-global", None),
        ("local", None),
    ] {
        let server = account().serve();
        let run = Program::new(&server).args(["--region", region]).run();
        let warning = "is not a region that this version knows; did you mean ";
        match near {
            Some(near) => {
                let start = format!("warning: --region: {region} {warning}{near}");
                assert!(run.stderr.starts_with(&start), "{}", run.describe());
            }
            None => assert!(!run.stderr.contains("warning"), "{}", run.describe()),
        }
    }
}

#[test]
fn unknown_profile_names_found_profiles() {
    for (config, profile, found) in [
        (
            "[default]\n[profile prod]\n[profile audit-prod]\n",
            "prdo",
            " (found: audit-prod, default, prod; did you mean prod?); create it with",
        ),
        (
            "[profile Prod]\n",
            "prod",
            " (found: Prod; did you mean Prod?); create",
        ),
        (
            "[profile prod]\n",
            "sandbox",
            "/credentials (found: prod); create it",
        ),
        ("", "prod", "/credentials; create it"),
    ] {
        let server = account().serve();
        let program = Program::new(&server).args(["--profile", profile]);
        let directory = program.directory().join("home/.aws");
        fs::create_dir_all(&directory).unwrap();
        fs::write(directory.join("config"), config).unwrap();
        let run = program.run();
        assert_eq!(run.code, Some(1), "{}", run.describe());
        let text = format!("profile \"{profile}\" not found in ");
        let failure = run.stdout.lines().find(|line| line.contains(&text));
        assert!(
            failure.is_some_and(|f| f.contains(found)),
            "{}",
            run.describe()
        );
        let advice = "\nFix check 3 first; checks 4 to 8 depend on it\n";
        assert!(run.stdout.contains(advice), "{}", run.describe());
        assert!(
            !run.errors().contains("Fix check"),
            "the log has only errors"
        );
    }
}

#[test]
fn independent_failures_have_no_order() {
    let server = account().serve_with(|call| {
        (call.operation == "ListAccountAliases")
            .then(|| Reply::error(call, 403, "AccessDenied", "no"))
    });
    let run = Program::new(&server).args(TYPES).run();
    assert_eq!(run.code, Some(1), "{}", run.describe());
    assert!(!run.stdout.contains("Fix check"), "{}", run.describe());
    // The name of the check has the operation.
    let text = "IAM permission: iam:ListAccountAliases: in us-east-1: failed with AccessDenied (HTTP 403, ";
    assert!(run.stdout.contains(text), "{}", run.describe());
}

#[test]
fn recording_directory_with_files_exits_at_once() {
    let server = account().serve();
    let program = Program::new(&server);
    let directory = program.directory().join("recording");
    fs::create_dir(&directory).unwrap();
    fs::write(directory.join("file"), "").unwrap();
    let run = program.arg("--record").arg(&directory).run();
    assert_eq!(
        (run.code, run.stdout.as_str()),
        (Some(2), ""),
        "{}",
        run.describe()
    );
    let text = "recording: the directory is not empty; use a new or empty one\n";
    assert!(run.stderr.contains(text), "{}", run.describe());
    assert_eq!(server.count(|_| true), 0);
}

#[test]
fn denial_names_action_three_times() {
    let action = "config:ListDiscoveredResources";
    let message = format!(
        "User: arn:aws:iam::012345678901:user/a is not authorized to perform: {action} because no identity-based \
         policy allows the {action} action"
    );
    let server = account().serve_with(move |call| {
        let is_denied = call.is("ListDiscoveredResources", "eu-west-1");
        is_denied.then(|| Reply::error(call, 400, "AccessDeniedException", &message))
    });
    let run = Program::new(&server).args(TYPES).run();
    let errors = run.errors();
    assert_eq!(errors.lines().count(), 2, "{errors}");
    for line in errors.lines() {
        assert!(
            line.contains("because no identity-based policy allows it; allow "),
            "{line}"
        );
        assert_eq!(line.matches(action).count(), 3, "{line}");
        assert!(run.stderr.contains(line), "{}", run.describe());
    }
}

#[test]
fn type_file_error_names_near_matches() {
    let program = Program::without_server();
    let path = program.directory().join("current/types.txt");
    fs::write(path, "AWS::EC2::VPC\nEC2:Instance\n").unwrap();
    let run = program.args(["--resource-types", "@types.txt"]).run();
    assert_eq!(run.code, Some(2), "{}", run.describe());
    let text = "types.txt, line 2: \"EC2:Instance\" is not a resource type such as AWS::EC2::Instance; did you mean AWS::EC2::Instance";
    assert!(run.stderr.contains(text), "{}", run.describe());
}
