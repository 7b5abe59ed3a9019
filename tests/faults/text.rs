//! Text that the network sends: what is written shows it on one line, and acts on nothing.

use std::path::Path;

use serde_json::json;

use crate::seen;
use crate::site::{BUCKET, CHECKED, SCANNED, VPC};
use crate::support::{Account, Call, Outcome, Program, Reply, Server, Then};

/// Colours, the end of a line, a bell, an end of text, DEL, a control sequence of one byte, and marks
/// that reorder or hide.
const HOSTILE: &str = "\u{1b}[31mRED\u{1b}]0;title\u{7}\r\nnext\tline\u{8}\u{7f}\u{9b}2J\u{202e}rtl\
                       \u{2028}\u{200b}\u{feff}[FATAL] Region: forged";

const ROLE: &str = "AWS::IAM::Role";

fn account() -> Account {
    Account::new()
        .alias("acme-prod")
        .region(CHECKED, &[(VPC, 2), (BUCKET, 7)])
        .region(SCANNED, &[(VPC, 3), (BUCKET, 250)])
}

/// A run that writes all that can be written.
fn run(server: &Server, args: &[&str]) -> Outcome {
    let program = Program::new(server)
        .args(["--resource-types", "AWS::EC2::VPC,AWS::S3::Bucket"])
        .args(["--coverage", "--report", "report.json", "--debug"])
        .args(["--max-attempts", "1"]);
    let run = program.args(args).run();
    seen::clean(&run).unwrap_or_else(|why| panic!("{why}\n{}", run.told()));
    run
}

/// Where the text stands, how the run counts, its exit code and the lines of its log.
type Place = (
    &'static str,
    fn(&Call) -> Option<Reply>,
    &'static str,
    i32,
    usize,
);

/// In the scan, and not in the checks; of listings one alone.
fn scanned(call: &Call, operation: &str) -> Option<()> {
    let other = call.field("resourceType").is_some_and(|t| t != VPC);
    (call.is(operation, SCANNED) && !other).then_some(())
}

fn error(call: &Call, code: &str) -> Reply {
    Reply::error(call, 400, code, HOSTILE)
}

/// An answer whose first bytes are these, with the text in their headers.
fn head(text: &str) -> Reply {
    let head = format!("HTTP/1.1 {text}\r\ncontent-length: 2\r\n\r\n{{}}");
    Reply::bytes_then(head, Then::Keep)
}

const PLACES: &[Place] = &[
    (
        "the text of an error",
        |call| {
            scanned(call, "ListDiscoveredResources").map(|()| error(call, "ValidationException"))
        },
        "list",
        0,
        1,
    ),
    (
        "the code of an error",
        |call| scanned(call, "ListDiscoveredResources").map(|()| error(call, HOSTILE)),
        "list",
        0,
        1,
    ),
    (
        "the text of an error of the counts",
        |call| scanned(call, "GetDiscoveredResourceCounts").map(|()| error(call, HOSTILE)),
        "counts",
        0,
        1,
    ),
    (
        "the text of an error about a recorder",
        |call| scanned(call, "DescribeConfigurationRecorders").map(|()| error(call, HOSTILE)),
        "list",
        0,
        0,
    ),
    (
        "the text of a failed check",
        |call| (call.service == "sts").then(|| error(call, HOSTILE)),
        "list",
        1,
        1,
    ),
    (
        "the text of every failed check",
        |call| Some(error(call, HOSTILE)),
        "list",
        1,
        5,
    ),
    (
        "an error that is no document",
        |call| {
            let body = HOSTILE.as_bytes();
            scanned(call, "ListDiscoveredResources")
                .map(|()| Reply::answer(400, "text/plain", body))
        },
        "list",
        0,
        1,
    ),
    (
        "an answer that is no document",
        |call| {
            let body = HOSTILE.as_bytes();
            scanned(call, "ListDiscoveredResources")
                .map(|()| Reply::answer(200, "text/plain", body))
        },
        "list",
        0,
        1,
    ),
    (
        "a portal in the checks",
        |_| {
            Some(Reply::answer(
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
        "the type in a listing",
        |call| {
            let page = json!({"resourceIdentifiers": [{"resourceType": HOSTILE}]});
            scanned(call, "ListDiscoveredResources").map(|()| Reply::json(&page))
        },
        "list",
        0,
        1,
    ),
    (
        "a name that JSON does not know",
        |call| {
            let page = json!({"resourceIdentifiers": [{HOSTILE: HOSTILE}], HOSTILE: [HOSTILE]});
            let page = page.to_string().replace("[{", "[7,{");
            scanned(call, "ListDiscoveredResources").map(|()| Reply::json_bytes(page.into_bytes()))
        },
        "list",
        0,
        1,
    ),
    (
        "the type in the counts",
        |call| {
            let page = json!({
                "totalDiscoveredResources": 1,
                "resourceCounts": [{"resourceType": HOSTILE, "count": 1}],
            });
            scanned(call, "GetDiscoveredResourceCounts").map(|()| Reply::json(&page))
        },
        "counts",
        0,
        1,
    ),
    (
        "a number in the counts",
        |call| {
            let page = json!({"totalDiscoveredResources": HOSTILE, "resourceCounts": []});
            scanned(call, "GetDiscoveredResourceCounts").map(|()| Reply::json(&page))
        },
        "counts",
        0,
        1,
    ),
    (
        "all of a recorder",
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
        "all of a recorder's status",
        |call| {
            let status = json!({"recording": true, "name": HOSTILE, "lastErrorMessage": HOSTILE});
            let statuses = json!({"ConfigurationRecordersStatus": [status]});
            (call.operation == "DescribeConfigurationRecorderStatus")
                .then(|| Reply::json(&statuses))
        },
        "list",
        0,
        0,
    ),
    (
        "who asks",
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
        "the account's number",
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
        "the request id, of two bytes each",
        |call| {
            let text = "\u{9b}31m\u{202e}\u{200b}";
            let reply = Reply::error(call, 400, "ValidationException", "");
            scanned(call, "ListDiscoveredResources")
                .map(|()| reply.header("x-amzn-requestid", text))
        },
        "list",
        0,
        1,
    ),
    (
        "the request id in a body",
        |call| {
            (call.service == "iam").then(|| {
                let text = crate::support::escape(HOSTILE);
                let body = format!(
                    "<ErrorResponse><Error><Code>{text}</Code><Message>{text}</Message></Error>\
                 <RequestId>{text}</RequestId></ErrorResponse>"
                );
                head_of(400, &body)
            })
        },
        "list",
        1,
        1,
    ),
    (
        "the code in a header",
        |call| {
            let text = "\u{9b}31m\u{202e}\u{200b}";
            let reply = Reply::error(call, 400, "", "");
            scanned(call, "ListDiscoveredResources")
                .map(|()| reply.header("x-amzn-errortype", text))
        },
        "list",
        0,
        1,
    ),
    (
        "a header",
        |call| {
            scanned(call, "ListDiscoveredResources")
                .map(|()| head("400 Bad\r\nx-amzn-requestid: \u{1b}[31m"))
        },
        "list",
        0,
        2,
    ),
    (
        "the words beside the status",
        |call| scanned(call, "ListDiscoveredResources").map(|()| head("500 \u{9b}31m\u{1b}[31m")),
        "list",
        0,
        2,
    ),
    (
        "the place of a redirect",
        |call| {
            scanned(call, "ListDiscoveredResources")
                .map(|()| head("302 Found\r\nlocation: http://\u{9b}31m.example/"))
        },
        "list",
        0,
        1,
    ),
];

/// An answer without a request id in its headers.
fn head_of(status: u16, body: &str) -> Reply {
    let length = body.len();
    let head = format!("HTTP/1.1 {status} Bad\r\ncontent-length: {length}\r\n\r\n{body}");
    Reply::bytes_then(head, Then::Keep)
}

#[test]
fn text_from_the_network_stays_on_its_line() {
    for (place, differently, method, code, lines) in PLACES {
        let account = account();
        let server = account.serve_but(differently);
        let run = run(&server, &["--method", method]);
        assert_eq!(run.code, Some(*code), "{place}: {}", run.told());
        let log = run.errors();
        assert_eq!(log.lines().count(), *lines, "{place}: {log}");
        for line in log.lines() {
            let head = line.split("Message: ").next().unwrap_or_default();
            assert!(
                !head.contains("forged") && line.starts_with("[20"),
                "{place}: {line}"
            );
        }
        if *code == 0 && *lines == 0 {
            assert_eq!(run.csv(), account.csv(), "{place}");
        } else if *code == 0 {
            let row = format!("{SCANNED},{VPC},");
            assert!(!run.csv().contains(&row), "{place}: {}", run.csv());
            assert!(
                run.csv().contains(",us-east-1,AWS::EC2::VPC,2\r\n"),
                "{place}"
            );
        }
    }
}

/// An id is compared with those of other regions, and never shown; a name is passed over; a token
/// goes back as it came.
#[test]
fn ids_names_and_tokens_are_never_shown() {
    let account = account();
    let server = account.serve_but(|call| {
        let page = json!({
            "resourceIdentifiers": [
                {"resourceType": ROLE, "resourceId": HOSTILE, "resourceName": HOSTILE},
            ],
            "nextToken": HOSTILE,
        });
        let token = call.field("nextToken");
        let last = json!({"resourceIdentifiers": []});
        call.lists(ROLE, SCANNED).then(|| match token {
            None => Reply::json(&page),
            Some(token) if token == HOSTILE => Reply::json(&last),
            Some(other) => panic!("{other:?}"),
        })
    });
    for method in ["list", "verify"] {
        let run = run(&server, &["--resource-types", ROLE, "--method", method]);
        assert_eq!(run.code, Some(0), "{}", run.told());
        let row = ",acme-prod,eu-west-1,AWS::IAM::Role,1\r\n";
        assert!(run.csv().contains(row), "{}", run.told());
        assert!(!run.told().contains("RED"), "{}", run.told());
    }
}

#[test]
fn an_alias_stays_in_its_folder_and_on_its_line() {
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
        assert_eq!(run.code, Some(0), "{alias:?}: {}", run.told());
        let files = run.files();
        assert_eq!(files.len(), 3, "{alias:?}: {files:?}");
        for file in files.iter().filter(|file| file.starts_with("out")) {
            assert_eq!(
                file.parent(),
                Some(Path::new("out")),
                "{alias:?}: {files:?}"
            );
            let name = file.file_name().unwrap().to_str().unwrap();
            let start = "aws_config_resource_count_012345678901_";
            assert!(
                name.starts_with(start) && name.len() < 250,
                "{alias:?}: {name}"
            );
            let plain = |c: char| c.is_ascii_alphanumeric() || "-_%.".contains(c);
            let stem = name.strip_suffix(".csv").unwrap();
            assert!(
                name.chars().all(plain) && !stem.contains('.'),
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
fn a_name_that_is_no_regions_becomes_no_host() {
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
    let server = account.serve_but(move |call| {
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
        assert_eq!(run.code, Some(code), "{}", run.told());
        assert_eq!(run.csv(), account.csv());
        let told = seen::log(&run).unwrap();
        assert_eq!(told.len(), names.len(), "{}", run.told());
        for (line, message) in told {
            assert_eq!(
                (line.error_type.as_str(), line.region),
                ("UNEXPECTED", None)
            );
            assert!(message.contains("is not a region code"), "{message}");
            assert!(message.len() < 1000, "{message}");
        }
        assert_eq!(run.coverage().lines().count(), 5, "{}", run.coverage());
    }
    let asked = server.count(|call| call.region != CHECKED && call.region != SCANNED);
    assert_eq!(asked, 0, "no request is signed for such a region");
}
