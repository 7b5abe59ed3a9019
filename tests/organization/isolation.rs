//! Tests of isolation: a faulty account costs only itself. The files of the other accounts are those of a run without it.

use std::collections::BTreeSet;
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use serde_json::json;

use crate::support::{Account, Call, ORGANIZATION, Organization, Outcome, Reply, assumed_role};
use crate::{BUCKET, VPC, file, organization, run, statuses};

/// The number of the account with the fault.
const BAD: usize = 3;

/// The maximum time of a run whose fault ends without a time-out.
const SOON: Duration = Duration::from_secs(30);

/// Replaces replies.
type Fault = fn(&Call) -> Option<Reply>;

/// Runs an organization of five accounts in which `replies` replaces the replies to the requests for the account
/// [`BAD`]. Asserts that the status of this account is `status`, and that the other accounts have the same files as in a
/// run without it. Returns the run.
fn assert_costs_only_itself(
    status: &str,
    args: &[&str],
    replies: impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static,
) -> Outcome {
    let organization = organization(5);
    let server = organization.serve_with(move |account, call| {
        let id = Organization::id(BAD);
        let is_role = call.field("RoleArn").is_some_and(|arn| arn.contains(&id));
        (is_role || account == id).then(|| replies(call)).flatten()
    });
    let args = [&["--organization"][..], args].concat();
    let before = Instant::now();
    let with = run(&server, &args);
    let took = before.elapsed();
    assert!(took < SOON, "{took:?} {}", with.describe());
    assert_eq!(with.code, Some(0), "{}", with.describe());
    let id = Organization::id(BAD);
    let without = run(&server, &[&args[..], &["--exclude-accounts", &id]].concat());
    for number in (1..=5).filter(|number| *number != BAD) {
        let id = Organization::id(number);
        let name = format!("aws_config_resource_count_{id}_alias-{number}.csv");
        let own = file(&with, &name);
        assert_eq!(
            own,
            Some(organization.csv(&[number])),
            "{}",
            with.describe()
        );
        assert_eq!(own, file(&without, &name));
        let errors = format!("aws_config_resource_count_{id}_alias-{number}_errors.txt");
        assert_eq!(file(&with, &errors), None, "{}", with.describe());
    }
    let (account, found) = statuses(&with, ORGANIZATION).swap_remove(BAD - 1);
    assert_eq!(
        (account, found.as_str()),
        (id, status),
        "{}",
        with.describe()
    );
    with
}

/// Returns the entries of all accounts.
fn errors(run: &Outcome) -> String {
    let name = format!("aws_config_combined_errors_{ORGANIZATION}.txt");
    file(run, &name).unwrap_or_else(|| panic!("{}", run.describe()))
}

/// Asserts that each log line names the account with the fault, and that one line has `text`.
fn assert_logged(run: &Outcome, text: &str) {
    let errors = errors(run);
    let account = format!("Account: {}, ", Organization::id(BAD));
    assert!(
        errors.lines().all(|line| line.contains(&account)),
        "{errors}"
    );
    assert!(errors.contains(text), "{errors}");
}

/// Returns the first row of the combined counts with the account; `None` for no row.
fn row_of_bad_account(run: &Outcome) -> Option<String> {
    let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
    let table = file(run, &name).unwrap();
    let id = Organization::id(BAD);
    table
        .lines()
        .find(|line| line.starts_with(&id))
        .map(str::to_owned)
}

fn is_config(call: &Call) -> bool {
    call.service == "config"
}

#[test]
fn denied_role() {
    let run = assert_costs_only_itself("access_denied", &[], |call| {
        (call.operation == "AssumeRole")
            .then(|| Reply::error(call, 403, "AccessDenied", "not authorized"))
    });
    assert_logged(&run, "[PERMISSION]");
    assert_eq!(row_of_bad_account(&run), None);
}

#[test]
fn denied_regions() {
    let run = assert_costs_only_itself("access_denied", &[], |call| {
        (call.operation == "DescribeRegions")
            .then(|| Reply::error(call, 403, "UnauthorizedOperation", "not authorized"))
    });
    assert_logged(&run, "[PERMISSION]");
    assert_logged(&run, "ec2:DescribeRegions");
}

#[test]
fn denied_alias_leaves_counts() {
    let run = assert_costs_only_itself("complete", &[], |call| {
        (call.operation == "ListAccountAliases")
            .then(|| Reply::error(call, 403, "AccessDenied", "not authorized"))
    });
    assert_logged(&run, "[PERMISSION]");
    assert_logged(&run, "iam:ListAccountAliases");
    let id = Organization::id(BAD);
    assert_eq!(
        row_of_bad_account(&run),
        Some(format!("{id},,eu-west-1,{VPC},1"))
    );
}

#[test]
fn denied_counts() {
    let run = assert_costs_only_itself("failed", &[], |call| {
        is_config(call).then(|| Reply::error(call, 400, "AccessDeniedException", "not authorized"))
    });
    assert_logged(&run, "[PERMISSION]");
    assert_eq!(row_of_bad_account(&run), None);
    let table = format!("aws_config_combined_accounts_{ORGANIZATION}.csv");
    let table = file(&run, &table).unwrap();
    let row = table.lines().nth(BAD).unwrap();
    let reason = "\"config:ListDiscoveredResources failed with AccessDeniedException";
    assert!(row.contains(reason), "{row}");
}

#[test]
fn unreadable_alias_leaves_counts() {
    let run = assert_costs_only_itself("complete", &[], |call| {
        (call.operation == "ListAccountAliases")
            .then(|| Reply::response(200, "text/html", &b"<html/>"[..]))
    });
    assert_logged(&run, "[UNEXPECTED]");
}

#[test]
fn account_throttled_to_the_end() {
    let args = ["--max-attempts", "3", "--max-time", "20"];
    let run = assert_costs_only_itself("failed", &args, |call| {
        is_config(call).then(|| Reply::throttled(call))
    });
    assert_logged(&run, "[THROTTLE]");
}

#[test]
fn role_throttled_to_the_end() {
    let run = assert_costs_only_itself("failed", &["--max-attempts", "2"], |call| {
        (call.operation == "AssumeRole").then(|| Reply::throttled(call))
    });
    assert_logged(&run, "[THROTTLE]");
}

#[test]
fn stalled_account() {
    let args = ["--max-attempts", "2", "--read-timeout", "1"];
    let run = assert_costs_only_itself("failed", &args, |call| is_config(call).then(Reply::stall));
    assert_logged(&run, "[CONNECTION]");
}

#[test]
fn stalled_region_leaves_other_one() {
    let args = ["--max-attempts", "2", "--read-timeout", "1"];
    let run = assert_costs_only_itself("partial", &args, |call| {
        (is_config(call) && call.region == "eu-west-1").then(Reply::stall)
    });
    assert_logged(&run, "[CONNECTION]");
    let id = Organization::id(BAD);
    let row = format!("{id},alias-{BAD},us-east-1,{VPC},{BAD}");
    assert_eq!(row_of_bad_account(&run), Some(row));
}

#[test]
fn stalled_role_and_regions() {
    let args = ["--max-attempts", "2", "--read-timeout", "1"];
    for operation in ["AssumeRole", "DescribeRegions"] {
        let run = assert_costs_only_itself("failed", &args, move |call| {
            (call.operation == operation).then(Reply::stall)
        });
        assert_logged(&run, "[CONNECTION]");
    }
}

#[test]
fn garbage_instead_of_pages() {
    for body in [
        "",
        "<html>\u{1b}[31m</html>",
        "{\"resourceIdentifiers\": 7}",
        "[[[[",
    ] {
        let run = assert_costs_only_itself("failed", &["--max-attempts", "2"], move |call| {
            is_config(call).then(|| Reply::response(200, "text/html", body.as_bytes()))
        });
        assert_logged(&run, "[UNEXPECTED]");
        assert!(!run.stderr.contains('\u{1b}'), "{}", run.stderr);
        assert_eq!(row_of_bad_account(&run), None);
    }
}

#[test]
fn garbage_instead_of_role() {
    let run = assert_costs_only_itself("failed", &["--max-attempts", "2"], |call| {
        (call.operation == "AssumeRole").then(|| Reply::xml("<AssumeRoleResponse/>"))
    });
    assert_eq!(row_of_bad_account(&run), None);
}

#[test]
fn huge_response() {
    let huge = "x".repeat(40_000_000);
    let run = assert_costs_only_itself("failed", &["--max-attempts", "2"], move |call| {
        is_config(call).then(|| Reply::response(200, "application/x-amz-json-1.1", huge.as_bytes()))
    });
    assert_eq!(row_of_bad_account(&run), None);
}

#[test]
fn session_of_other_account() {
    let run = assert_costs_only_itself("wrong_account", &[], |call| {
        (call.operation == "AssumeRole").then(|| assumed_role(&Organization::id(2)))
    });
    assert_logged(&run, "[FATAL]");
    assert_eq!(row_of_bad_account(&run), None);
}

#[test]
fn resources_of_other_type() {
    let run = assert_costs_only_itself("failed", &["--max-attempts", "2"], |call| {
        let page = json!({"resourceIdentifiers": [{"resourceType": "AWS::Lambda::Function", "resourceId": "f"}]});
        (call.operation == "ListDiscoveredResources").then(|| Reply::json(&page))
    });
    assert_eq!(row_of_bad_account(&run), None);
}

#[test]
fn expired_session_is_replaced() {
    let run = assert_costs_only_itself(
        "complete",
        &[],
        expiring(|id| renamed(&assumed_role(id), id)),
    );
    let id = Organization::id(BAD);
    let row = format!("{id},alias-{BAD},eu-west-1,{VPC},1");
    assert_eq!(row_of_bad_account(&run), Some(row));
}

#[test]
fn expired_session_without_new_one() {
    let denied = "<ErrorResponse><Error><Code>AccessDenied</Code><Message>no</Message></Error></ErrorResponse>";
    let run = assert_costs_only_itself(
        "failed",
        &[],
        expiring(move |_| Reply::response(403, "text/xml", denied.as_bytes())),
    );
    assert_logged(&run, "[FATAL]");
    assert_eq!(row_of_bad_account(&run), None);
}

#[test]
fn new_session_of_other_account() {
    let run = assert_costs_only_itself(
        "wrong_account",
        &[],
        expiring(|_| {
            let other = Organization::id(2);
            renamed(&assumed_role(&other), &other)
        }),
    );
    assert_logged(&run, "[FATAL]");
    assert_eq!(row_of_bad_account(&run), None);
}

/// A region rejects the session, and GetCallerIdentity returns another account: not even the other region is used.
#[test]
fn session_becomes_one_of_other_account() {
    let run = assert_costs_only_itself("wrong_account", &[], |call| {
        if call.operation == "GetCallerIdentity" {
            return Some(Account::new().responder().respond(call));
        }
        let is_rejected = is_config(call) && call.region == "eu-west-1";
        is_rejected.then(|| Reply::error(call, 400, "UnrecognizedClientException", "invalid"))
    });
    assert_logged(&run, "[FATAL]");
    assert_eq!(row_of_bad_account(&run), None);
    let id = Organization::id(BAD);
    let name = format!("aws_config_resource_count_{id}_alias-{BAD}.csv");
    assert_eq!(file(&run, &name), None);
}

/// Returns the reply to AssumeRole with another access key ID of the account `id`.
fn renamed(reply: &Reply, id: &str) -> Reply {
    let key = format!("ASIA{id}");
    let body = String::from_utf8(reply.body().to_vec()).unwrap();
    Reply::xml(body.replace(&key, &format!("{key}NEXT")))
}

/// The first session is rejected as expired by AWS Config; the second one is what `next` returns for the account ID.
fn expiring(
    next: impl Fn(&str) -> Reply + Send + Sync + 'static,
) -> impl Fn(&Call) -> Option<Reply> + Send + Sync + 'static {
    let sessions = std::sync::atomic::AtomicUsize::new(0);
    move |call| {
        let id = Organization::id(BAD);
        if call.operation == "AssumeRole" {
            let number = sessions.fetch_add(1, std::sync::atomic::Ordering::SeqCst);
            return (number > 0).then(|| next(&id));
        }
        let is_new = call
            .header("authorization")
            .is_some_and(|a| a.contains("NEXT/"));
        let is_expired = !is_new && (is_config(call) || call.operation == "GetCallerIdentity");
        is_expired.then(|| Reply::error(call, 400, "ExpiredTokenException", "The token is expired"))
    }
}

#[test]
fn counts_denied_in_one_type() {
    let run = assert_costs_only_itself("partial", &[], |call| {
        call.lists(BUCKET, "us-east-1")
            .then(|| Reply::error(call, 400, "AccessDeniedException", "not authorized"))
    });
    assert_logged(&run, BUCKET);
}

/// The checks use the first account that they can.
#[test]
fn first_accounts_do_not_stop_run() {
    let args = [
        "--organization",
        "--max-attempts",
        "1",
        "--read-timeout",
        "1",
    ];
    let faults: [(&str, Fault); 4] = [
        ("access_denied", |call| {
            (call.operation == "DescribeRegions")
                .then(|| Reply::error(call, 403, "UnauthorizedOperation", "not authorized"))
        }),
        ("failed", |call| {
            (call.operation == "DescribeRegions").then(Reply::stall)
        }),
        ("failed", |call| is_config(call).then(Reply::reset)),
        ("failed", |call| {
            let code = "NoAvailableConfigurationRecorderException";
            is_config(call).then(|| Reply::error(call, 400, code, "none"))
        }),
    ];
    for (status, fault) in faults {
        let organization = organization(4);
        let server = organization.serve_with(move |account, call| {
            let is_bad = [1, 2].iter().any(|n| account == Organization::id(*n));
            is_bad.then(|| fault(call)).flatten()
        });
        let run = run(&server, &args);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let found: Vec<String> = statuses(&run, ORGANIZATION)
            .into_iter()
            .map(|(_, s)| s)
            .collect();
        assert_eq!(
            found,
            [status, status, "complete", "complete"],
            "{}",
            run.describe()
        );
        let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
        assert_eq!(file(&run, &name), Some(organization.csv(&[3, 4])));
    }
}

/// More accounts fail than are opened during the checks.
#[test]
fn many_failing_accounts_do_not_stop_run() {
    fn page() -> Reply {
        Reply::response(200, "text/html", &b"<html>Sign in</html>"[..])
    }
    let faults: [Fault; 3] = [
        |call| (call.operation == "AssumeRole").then(page),
        |call| (call.operation == "DescribeRegions").then(page),
        |call| {
            let code = "NoAvailableConfigurationRecorderException";
            is_config(call).then(|| Reply::error(call, 400, code, "none"))
        },
    ];
    for (case, fault) in faults.into_iter().enumerate() {
        let organization = organization(25);
        let server = organization.serve_with(move |account, call| {
            let role = call.field("RoleArn").and_then(|arn| arn.split(':').nth(4));
            let is_bad = (2..=23).any(|n| role.unwrap_or(account) == Organization::id(n));
            is_bad.then(|| fault(call)).flatten()
        });
        let args = ["--organization", "--exclude-accounts", "100000000001"];
        let run = run(&server, &args);
        assert_eq!(run.code, Some(0), "{case}: {}", run.describe());
        let found = statuses(&run, ORGANIZATION);
        let failed = found.iter().filter(|(_, status)| status == "failed");
        assert_eq!(failed.count(), 22, "{case}: {}", run.describe());
        let name = format!("aws_config_combined_count_{ORGANIZATION}.csv");
        assert_eq!(file(&run, &name), Some(organization.csv(&[24, 25])));
    }
}

/// Each search for a recorder may take minutes.
#[test]
fn failing_searches_end_after_ten_accounts() {
    let searched: Arc<Mutex<BTreeSet<String>>> = Arc::default();
    let seen = searched.clone();
    let server = organization(25).serve_with(move |account, call| {
        is_config(call).then(|| {
            seen.lock().unwrap().insert(account.to_owned());
            Reply::error(call, 400, "ValidationException", "a reason")
        })
    });
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let failure = "AWS Config enabled in at least one region: ";
    assert!(run.stdout.contains(failure), "{}", run.describe());
    assert_eq!(searched.lock().unwrap().len(), 10, "{}", run.describe());
}

/// Each reason is a paragraph of its own.
#[test]
fn accounts_with_different_reasons_are_not_one_problem() {
    let organization = organization(5);
    let server = organization.serve_with(|_, call| {
        let account = call.field("RoleArn")?.split(':').nth(4)?;
        let code = match account.strip_prefix("10000000000")? {
            "2" => "RegionDisabledException",
            "3" | "4" => "PackedPolicyTooLarge",
            _ => return None,
        };
        Some(Reply::error(call, 400, code, "a reason"))
    });
    let run = run(&server, &["--organization"]);
    assert_eq!(run.code, Some(0), "{}", run.describe());
    let paragraphs = [
        "\n1 account not counted, because a call failed: 100000000002 (team-2)\n",
        "\n2 accounts not counted, because a call failed: 100000000003 (team-3), 100000000004 (team-4)\n",
    ];
    for paragraph in paragraphs {
        assert!(run.stdout.contains(paragraph), "{}", run.stdout);
    }
    for advice in [
        "activate it in the account settings",
        "try --no-session-policy",
    ] {
        assert!(run.stdout.contains(advice), "{}", run.stdout);
        assert!(errors(&run).contains(advice));
    }
}

/// The summary names the error log, which is there although no account was counted.
#[test]
fn run_without_a_count_has_its_error_log() {
    let server = organization(2).serve_with(|_, call| {
        let is_count = call.operation == "ListDiscoveredResources";
        is_count.then(|| Reply::error(call, 400, "AccessDeniedException", "not authorized"))
    });
    let run = run(&server, &["--organization", "--skip-checks"]);
    assert_eq!(run.code, Some(1), "{}", run.describe());
    let name = format!("aws_config_combined_errors_{ORGANIZATION}.txt");
    let lines = errors(&run).lines().count();
    let figure = format!("Errors encountered: {lines} (see ");
    assert!(
        run.stdout.contains(&figure) && run.stdout.contains(&name),
        "{}",
        run.stdout
    );
    let counts = format!("aws_config_combined_count_{ORGANIZATION}.csv");
    assert_eq!(file(&run, &counts), None);
}
