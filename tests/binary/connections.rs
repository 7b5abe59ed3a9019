//! Tests of connections whose bytes are not one response per request.

use crate::support::{Account, Call, Certificate, FollowUp, Outcome, Program, Reply, Server};
use crate::{BUCKET, TYPES, VPC};

/// Returns an account with a different number of resources in each region and type.
fn account() -> Account {
    Account::new()
        .region("us-east-1", &[(VPC, 2), (BUCKET, 30)])
        .region("eu-west-1", &[(VPC, 1), (BUCKET, 20)])
        .region("eu-north-1", &[(VPC, 3), (BUCKET, 10)])
}

/// Returns the bytes of a response.
fn response(head: &str, body: &[u8]) -> Vec<u8> {
    let length = body.len();
    let head =
        format!("HTTP/1.1 {head}\r\nx-amzn-requestid: r-1\r\ncontent-length: {length}\r\n\r\n");
    [head.as_bytes(), body].concat()
}

/// Returns a listing of 99 resources of each type, which no region has.
fn foreign(call: &Call) -> Vec<u8> {
    let resource_type = call.field("resourceType").unwrap_or(VPC);
    let item =
        |n| format!("{{\"resourceType\":\"{resource_type}\",\"resourceId\":\"foreign-{n}\"}}");
    let items: Vec<_> = (0..99).map(item).collect();
    format!("{{\"resourceIdentifiers\":[{}]}}", items.join(",")).into_bytes()
}

/// Returns the bytes before and after the response to a listing.
type Extra = fn(&Call) -> (Vec<u8>, Vec<u8>);

const EXTRAS: [(&str, Extra); 8] = [
    ("a second response", |call| {
        (Vec::new(), response("200 OK", &foreign(call)))
    }),
    ("a second, empty listing", |_| {
        (
            Vec::new(),
            response("200 OK", b"{\"resourceIdentifiers\":[]}"),
        )
    }),
    ("one more byte", |_| (Vec::new(), b"}".to_vec())),
    ("the body of another response", |call| {
        (Vec::new(), foreign(call))
    }),
    ("a hundred responses", |call| {
        (Vec::new(), response("200 OK", &foreign(call)).repeat(100))
    }),
    ("100 before", |_| {
        (b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), Vec::new())
    }),
    ("102 and 103 before", |_| {
        let early = "HTTP/1.1 102 Processing\r\n\r\nHTTP/1.1 103 Early Hints\r\nlink: </a>\r\n\r\n";
        (early.as_bytes().to_vec(), Vec::new())
    }),
    ("100 before and a byte after", |_| {
        (b"HTTP/1.1 100 Continue\r\n\r\n".to_vec(), b"}".to_vec())
    }),
];

/// Returns the reply of AWS with more bytes around it, if `call` lists.
fn reply_with(extra: Extra, call: &Call, reply: Reply) -> Reply {
    if call.operation != "ListDiscoveredResources" {
        return reply;
    }
    let (before, after) = extra(call);
    let bytes = [before, response("200 OK", reply.body()), after].concat();
    Reply::bytes_then(bytes, FollowUp::Keep)
}

fn assert_counted(run: &Outcome, case: &str) {
    assert_eq!(
        (run.code, run.errors()),
        (Some(0), String::new()),
        "{case}: {}",
        run.describe()
    );
    assert_eq!(run.csv(), account().csv(), "{case}");
}

#[test]
fn extra_bytes_answer_no_other_request() {
    for (case, extra) in EXTRAS {
        let responder = account().responder();
        let server = Server::new(move |call| reply_with(extra, call, responder.respond(call)));
        let run = Program::new(&server)
            .args(TYPES)
            .args(["--strict", "--region-concurrency", "1"])
            .run();
        assert_counted(&run, case);
    }
}

/// Runs the program over TLS with these replies.
fn run_over_tls(reply: impl Fn(&Call, Reply) -> Reply + Send + Sync + 'static) -> Outcome {
    let certificate = Certificate::valid();
    let responder = account().responder();
    let server = Server::with_tls(&certificate, move |call| {
        reply(call, responder.respond(call))
    });
    let program = Program::new(&server);
    let bundle = program.directory().join("home/ca.pem");
    std::fs::write(&bundle, &certificate.ca_pem).unwrap();
    let program = program
        .args(TYPES)
        .args(["--strict", "--region-concurrency", "1"]);
    program.arg("--ca-bundle").arg(bundle).run()
}

#[test]
fn extra_bytes_over_tls_answer_no_other_request() {
    for (case, extra) in EXTRAS {
        let run = run_over_tls(move |call, reply| reply_with(extra, call, reply));
        assert_counted(&run, case);
    }
}

/// The length of the data of a full TLS record.
const RECORD: usize = 16 * 1024;

/// A full record ends with the response, and the next records, which arrive with it, have more. The
/// bytes are left in different buffers, by the number of responses.
#[test]
fn extra_tls_records_answer_no_other_request() {
    for (records, extra) in [(1, 1), (1, 3), (1, 20), (2, 1), (3, 10)] {
        let run = run_over_tls(move |call, reply| {
            if call.operation != "ListDiscoveredResources" {
                return reply;
            }
            let length = records * RECORD - response("200 OK", &[b' '; 10_000]).len() + 10_000;
            let mut body = reply.body().to_vec();
            body.resize(length, b' ');
            let first = response("200 OK", &body);
            assert_eq!(first.len(), records * RECORD);
            let more = response("200 OK", &foreign(call)).repeat(extra);
            Reply::bytes_then([first, more].concat(), FollowUp::Keep)
        });
        assert_counted(&run, &format!("{records} {extra}"));
    }
}

#[test]
fn response_without_body_leaves_no_row() {
    for status in [101, 204, 205, 304] {
        for body in [&b""[..], b"{\"resourceIdentifiers\":[]}"] {
            let server = account().serve_with(move |call| {
                let is_listed = call.lists(VPC, "eu-west-1");
                let bytes = response(&format!("{status} X"), body);
                is_listed.then(|| Reply::bytes_then(bytes, FollowUp::Keep))
            });
            let run = Program::new(&server)
                .args(TYPES)
                .args(["--max-attempts", "1"])
                .run();
            let lost = crate::without_cell(&account().csv(), "eu-west-1", VPC);
            if status == 205 && !body.is_empty() {
                continue;
            }
            assert_eq!(run.csv(), lost, "{status}: {}", run.describe());
            assert_eq!(
                run.errors().lines().count(),
                1,
                "{status}: {}",
                run.errors()
            );
        }
    }
}

#[test]
fn tls_connection_is_used_for_many_requests() {
    let certificate = Certificate::valid();
    let account = Account::new().region("us-east-1", &[(BUCKET, 3000)]);
    let server = account.serve_tls(&certificate);
    let program = Program::new(&server);
    let bundle = program.directory().join("home/ca.pem");
    std::fs::write(&bundle, &certificate.ca_pem).unwrap();
    let run = program.args(TYPES).arg("--ca-bundle").arg(bundle).run();
    assert_eq!(run.csv(), account.csv(), "{}", run.describe());
    let requests = server.calls().len();
    assert!(
        requests > 30 && server.connections() < 12,
        "{}",
        server.connections()
    );
}
