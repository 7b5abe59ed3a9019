//! Hostile text from the network: output, log and files show it on one line, without control characters.

use std::path::Path;

use serde_json::json;

use crate::assertions;
use crate::fault_point::{BUCKET, CHECKED_REGION, SCANNED_REGION, VPC};
use crate::support::{Account, Call, FollowUp, Outcome, Program, Reply, Server};

/// Colors, a window title, a bell, line breaks, DEL, a one-byte control sequence, and characters that
/// reorder or hide text.
const HOSTILE: &str = "\u{1b}[31mRED\u{1b}]0;title\u{7}\r\nnext\tline\u{8}\u{7f}\u{9b}2J\u{202e}rtl\
                       \u{2028}\u{200b}\u{feff}[FATAL] Region: forged";

const ROLE: &str = "AWS::IAM::Role";

fn account() -> Account {
    Account::new()
        .alias("acme-prod")
        .region(CHECKED_REGION, &[(VPC, 2), (BUCKET, 7)])
        .region(SCANNED_REGION, &[(VPC, 3), (BUCKET, 250)])
}

/// Runs the program with all outputs.
fn run(server: &Server, args: &[&str]) -> Outcome {
    let program = Program::new(server)
        .args(["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"])
        .args(["--coverage", "--report", "report.json", "--debug"])
        .args(["--max-attempts", "1"]);
    let run = program.args(args).run();
    assertions::assert_printable(&run)
        .unwrap_or_else(|error| panic!("{error}\n{}", run.describe()));
    run
}

/// The name of the row, the reply with the text, the value of `--method`, the exit code, and the number of
/// lines in the log.
type Row = (
    &'static str,
    fn(&Call) -> Option<Reply>,
    &'static str,
    i32,
    usize,
);

/// Returns `Some` for a request of the scan; for listings, only for the VPCs.
fn in_scan(call: &Call, operation: &str) -> Option<()> {
    let is_other_type = call.field("resourceType").is_some_and(|t| t != VPC);
    (call.is(operation, SCANNED_REGION) && !is_other_type).then_some(())
}

fn error(call: &Call, code: &str) -> Reply {
    Reply::error(call, 400, code, HOSTILE)
}

/// Returns a response with this status line and these headers.
fn head(text: &str) -> Reply {
    let head = format!("HTTP/1.1 {text}\r\ncontent-length: 2\r\n\r\n{{}}");
    Reply::bytes_then(head, FollowUp::Keep)
}

const ROWS: &[Row] = &[
    (
        "error message",
        |call| {
            in_scan(call, "ListDiscoveredResources").map(|()| error(call, "ValidationException"))
        },
        "list",
        0,
        1,
    ),
    (
        "error code",
        |call| in_scan(call, "ListDiscoveredResources").map(|()| error(call, HOSTILE)),
        "list",
        0,
        1,
    ),
    (
        "error code of the counts",
        |call| in_scan(call, "GetDiscoveredResourceCounts").map(|()| error(call, HOSTILE)),
        "counts",
        0,
        1,
    ),
    (
        "error code of a recorder",
        |call| in_scan(call, "DescribeConfigurationRecorders").map(|()| error(call, HOSTILE)),
        "list",
        0,
        0,
    ),
    (
        "error code in a check",
        |call| (call.service == "sts").then(|| error(call, HOSTILE)),
        "list",
        1,
        1,
    ),
    (
        "error code in all checks",
        |call| Some(error(call, HOSTILE)),
        "list",
        1,
        5,
    ),
    (
        "error with an unparsable body",
        |call| {
            let body = HOSTILE.as_bytes();
            in_scan(call, "ListDiscoveredResources")
                .map(|()| Reply::response(400, "text/plain", body))
        },
        "list",
        0,
        1,
    ),
    (
        "response with an unparsable body",
        |call| {
            let body = HOSTILE.as_bytes();
            in_scan(call, "ListDiscoveredResources")
                .map(|()| Reply::response(200, "text/plain", body))
        },
        "list",
        0,
        1,
    ),
    (
        "captive portal in the checks",
        |_| {
            Some(Reply::response(
                200,
                "text/html",
                format!("<p>{HOSTILE}</p>").into_bytes(),
            ))
        },
        "list",
        1,
        5,
    ),
    (
        "resource type in a listing",
        |call| {
            let page = json!({"resourceIdentifiers": [{"resourceType": HOSTILE}]});
            in_scan(call, "ListDiscoveredResources").map(|()| Reply::json(&page))
        },
        "list",
        0,
        1,
    ),
    (
        "unknown JSON member",
        |call| {
            let page = json!({"resourceIdentifiers": [{HOSTILE: HOSTILE}], HOSTILE: [HOSTILE]});
            let page = page.to_string().replace("[{", "[7,{");
            in_scan(call, "ListDiscoveredResources").map(|()| Reply::json_bytes(page.into_bytes()))
        },
        "list",
        0,
        1,
    ),
    (
        "resource type in the counts",
        |call| {
            let page = json!({
                "totalDiscoveredResources": 1,
                "resourceCounts": [{"resourceType": HOSTILE, "count": 1}],
            });
            in_scan(call, "GetDiscoveredResourceCounts").map(|()| Reply::json(&page))
        },
        "counts",
        0,
        1,
    ),
    (
        "total in the counts",
        |call| {
            let page = json!({"totalDiscoveredResources": HOSTILE, "resourceCounts": []});
            in_scan(call, "GetDiscoveredResourceCounts").map(|()| Reply::json(&page))
        },
        "counts",
        0,
        1,
    ),
    (
        "all members of a recorder",
        |call| {
            let recorder = json!({
                "name": HOSTILE,
                "arn": HOSTILE,
                "recordingGroup": {
                    "resourceTypes": [HOSTILE],
                    "recordingStrategy": {"useOnly": HOSTILE},
                    "exclusionByResourceTypes": {"resourceTypes": [HOSTILE]},
                },
            });
            let recorders = json!({"ConfigurationRecorders": [recorder]});
            (call.operation == "DescribeConfigurationRecorders").then(|| Reply::json(&recorders))
        },
        "list",
        0,
        0,
    ),
    (
        "all members of a recorder status",
        |call| {
            let status = json!({"recording": true, "name": HOSTILE, "lastStatus": HOSTILE,
                "lastErrorCode": HOSTILE, "lastErrorMessage": HOSTILE,
                "lastStatusChangeTime": HOSTILE});
            let statuses = json!({"ConfigurationRecordersStatus": [status]});
            (call.operation == "DescribeConfigurationRecorderStatus")
                .then(|| Reply::json(&statuses))
        },
        "list",
        0,
        // One line for each of the two regions: the recorder has no last status.
        2,
    ),
    (
        "ARN and user ID of the caller",
        |call| {
            (call.service == "sts").then(|| {
                let text = crate::support::escape(HOSTILE);
                Reply::xml(format!(
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Arn>{text}</Arn>\
                 <UserId>{text}</UserId><Account>012345678901</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
                ))
            })
        },
        "list",
        0,
        0,
    ),
    (
        "account ID",
        |call| {
            (call.service == "sts").then(|| {
                let text = crate::support::escape(HOSTILE);
                Reply::xml(format!(
                    "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{text}</Account>\
                 </GetCallerIdentityResult></GetCallerIdentityResponse>"
                ))
            })
        },
        "list",
        1,
        1,
    ),
    (
        "request ID in a header",
        |call| {
            let text = "\u{9b}31m\u{202e}\u{200b}";
            let reply = Reply::error(call, 400, "ValidationException", "");
            in_scan(call, "ListDiscoveredResources")
                .map(|()| reply.header("x-amzn-requestid", text))
        },
        "list",
        0,
        1,
    ),
    (
        "request ID in a body",
        |call| {
            (call.service == "iam").then(|| {
                let text = crate::support::escape(HOSTILE);
                let body = format!(
                    "<ErrorResponse><Error><Code>{text}</Code><Message>{text}</Message></Error>\
                 <RequestId>{text}</RequestId></ErrorResponse>"
                );
                response_without_id(400, &body)
            })
        },
        "list",
        1,
        1,
    ),
    (
        "error code in a header",
        |call| {
            let text = "\u{9b}31m\u{202e}\u{200b}";
            let reply = Reply::error(call, 400, "", "");
            in_scan(call, "ListDiscoveredResources")
                .map(|()| reply.header("x-amzn-errortype", text))
        },
        "list",
        0,
        1,
    ),
    (
        "invalid header",
        |call| {
            in_scan(call, "ListDiscoveredResources")
                .map(|()| head("400 Bad\r\nx-amzn-requestid: \u{1b}[31m"))
        },
        "list",
        0,
        2,
    ),
    (
        "reason phrase",
        |call| in_scan(call, "ListDiscoveredResources").map(|()| head("500 \u{9b}31m\u{1b}[31m")),
        "list",
        0,
        2,
    ),
    (
        "location of a redirect",
        |call| {
            in_scan(call, "ListDiscoveredResources")
                .map(|()| head("302 Found\r\nlocation: http://\u{9b}31m.example/"))
        },
        "list",
        0,
        1,
    ),
];

/// Returns a response without a request ID in its headers.
fn response_without_id(status: u16, body: &str) -> Reply {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Bad\r\ncontent-length: {length}\r\n\r\n{body}");
    Reply::bytes_then(head, FollowUp::Keep)
}

#[test]
fn hostile_text_stays_on_one_line() {
    for (name, reply, method, code, lines) in ROWS {
        let account = account();
        let server = account.serve_with(reply);
        let run = run(&server, &["--method", method]);
        assert_eq!(run.code, Some(*code), "{name}: {}", run.describe());
        let log = run.errors();
        assert_eq!(log.lines().count(), *lines, "{name}: {log}");
        for line in log.lines() {
            let head = line.split("Message: ").next().unwrap_or_default();
            assert!(
                !head.contains("forged") && line.starts_with("[20"),
                "{name}: {line}"
            );
        }
        let is_complete = *lines == 0 || *name == "all members of a recorder status";
        if *code == 0 && is_complete {
            assert_eq!(run.csv(), account.csv(), "{name}");
        } else if *code == 0 {
            let row = format!("{SCANNED_REGION},{VPC},");
            assert!(!run.csv().contains(&row), "{name}: {}", run.csv());
            assert!(
                run.csv().contains(",us-east-1,AWS::EC2::VPC,2\r\n"),
                "{name}"
            );
        }
    }
}

/// The program compares a resource ID with those of other regions, ignores the name, and returns the page
/// token unchanged.
#[test]
fn resource_ids_and_tokens_are_never_shown() {
    let account = account();
    let server = account.serve_with(|call| {
        let page = json!({
            "resourceIdentifiers": [
                {"resourceType": ROLE, "resourceId": HOSTILE, "resourceName": HOSTILE},
            ],
            "nextToken": HOSTILE,
        });
        let token = call.field("nextToken");
        let last = json!({"resourceIdentifiers": []});
        call.lists(ROLE, SCANNED_REGION).then(|| match token {
            None => Reply::json(&page),
            Some(token) if token == HOSTILE => Reply::json(&last),
            Some(other) => panic!("{other:?}"),
        })
    });
    for method in ["list", "verify"] {
        let run = run(&server, &["--resource-types", ROLE, "--method", method]);
        assert_eq!(run.code, Some(0), "{}", run.describe());
        let row = ",acme-prod,eu-west-1,AWS::IAM::Role,1\r\n";
        assert!(run.csv().contains(row), "{}", run.describe());
        assert!(!run.describe().contains("RED"), "{}", run.describe());
    }
}

#[test]
fn hostile_alias_stays_in_output_directory() {
    let long = "a".repeat(10_000);
    for alias in [
        "../../../../tmp/evil",
        "..",
        ".",
        "/etc/passwd",
        "a/../b",
        "..\\..\\b",
        "C:\\con",
        "-rf",
        "$(touch evil)",
        "acme prod",
        "Acme",
        "acme--prod",
        "%2e%2e%2f",
        "\u{e9}\u{65e5}\u{672c}",
        "\"quoted, and more\"",
        HOSTILE,
        &long,
    ] {
        let account = account().alias(alias);
        let server = account.serve();
        let run = run(&server, &[]);
        assert_eq!(run.code, Some(0), "{alias:?}: {}", run.describe());
        let files = run.files();
        assert_eq!(files.len(), 3, "{alias:?}: {files:?}");
        for file in files.iter().filter(|file| file.starts_with("out")) {
            assert_eq!(
                file.parent(),
                Some(Path::new("out")),
                "{alias:?}: {files:?}"
            );
            let name = file.file_name().unwrap().to_str().unwrap();
            let kinds = ["resource_count", "coverage"];
            let mut starts = kinds
                .map(|kind| format!("aws_config_{kind}_012345678901_"))
                .into_iter();
            assert!(
                starts.any(|start| name.starts_with(&start)) && name.len() < 250,
                "{alias:?}: {name}"
            );
            let is_allowed = |c: char| c.is_ascii_alphanumeric() || "-_%.".contains(c);
            let stem = name.strip_suffix(".csv").unwrap();
            assert!(
                name.chars().all(is_allowed) && !stem.contains('.'),
                "{alias:?}: {name}"
            );
        }
        let csv = run.csv();
        let mut rows = csv::Reader::from_reader(csv.as_bytes());
        let rows: Vec<_> = rows.records().map(Result::unwrap).collect();
        assert_eq!(rows.len(), 4, "{alias:?}: {csv}");
        let totals: Vec<_> = rows.iter().map(|row| &row[4]).collect();
        assert_eq!(totals, ["3", "250", "2", "7"], "{alias:?}");
        if alias.chars().count() < 30 {
            assert!(rows.iter().all(|row| &row[1] == alias), "{alias:?}: {csv}");
        }
    }
}

#[test]
fn invalid_region_name_is_never_a_host() {
    let long = "a".repeat(300);
    let names = [
        "evil.example/#",
        "eu-west-1.evil.example",
        "evil.example/?",
        "eu-west-1@evil.example",
        "eu-west-1:8080",
        "eu-west-1/",
        "..",
        "-eu-west-1",
        "eu-west-1-",
        "127",
        "eu_west_1",
        "eu west 1",
        "eu-west-1\nhost: evil.example",
        "\u{1b}[31meu-west-1",
        "\u{435}u-west-1",
        "eu-west-1\u{200b}",
        "%65u-west-1",
        HOSTILE,
        "",
        &long,
    ];
    let items = names.map(|name| {
        format!(
            "<item><regionName>{}</regionName></item>",
            crate::support::escape(name)
        )
    });
    let items = items.concat();
    let account = account();
    let server = account.serve_with(move |call| {
        let good = "<item><regionName> eu-west-1\n</regionName></item>\
                    <item><regionName>us-east-1</regionName></item>";
        (call.service == "ec2").then(|| {
            Reply::xml(format!(
                "<DescribeRegionsResponse><regionInfo>{items}{good}</regionInfo>\
                 </DescribeRegionsResponse>"
            ))
        })
    });
    for (args, code) in [(&[][..], 0), (&["--strict"], 3)] {
        let run = run(&server, args);
        assert_eq!(run.code, Some(code), "{}", run.describe());
        assert_eq!(run.csv(), account.csv());
        let lines = assertions::parse_log(&run).unwrap();
        assert_eq!(lines.len(), names.len(), "{}", run.describe());
        for (line, message) in lines {
            assert_eq!(
                (line.error_type.as_str(), line.region),
                ("UNEXPECTED", None)
            );
            assert!(message.contains("is not a region code"), "{message}");
            assert!(message.len() < 1000, "{message}");
        }
        assert_eq!(run.coverage().lines().count(), 5, "{}", run.coverage());
    }
    let requests =
        server.count(|call| call.region != CHECKED_REGION && call.region != SCANNED_REGION);
    assert_eq!(requests, 0, "requests for an invalid region");
}
