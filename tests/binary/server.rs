//! That the server does what the other tests believe.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Account, Call, Recorder, Reply, Server};

const BODY: &str = r#"{"resourceType":"AWS::S3::Bucket"}"#;

/// A request of config:ListDiscoveredResources in eu-west-1 with `body`.
fn request(body: &str) -> String {
    request_of("ListDiscoveredResources", "eu-west-1", body)
}

/// A request of AWS Config's `operation` in `region` with `body`.
fn request_of(operation: &str, region: &str, body: &str) -> String {
    format!(
        "POST / HTTP/1.1\r\nHost: x\r\nAuthorization: AWS4-HMAC-SHA256 \
         Credential=AKID/20261124/{region}/config/aws4_request, SignedHeaders=host, \
         Signature=0\r\nX-Amz-Target: StarlingDoveService.{operation}\r\n\
         Content-Length: {}\r\n\r\n{body}",
        body.len()
    )
}

fn connect(server: &Server) -> TcpStream {
    TcpStream::connect(server.host()).unwrap()
}

/// Sends one request and reads until the server closes.
fn ask(server: &Server) -> Result<String, ErrorKind> {
    let mut socket = connect(server);
    socket.write_all(request(BODY).as_bytes()).unwrap();
    let mut answer = String::new();
    match socket.read_to_string(&mut answer) {
        Ok(_) => Ok(answer),
        Err(e) => Err(e.kind()),
    }
}

/// Sends a request and reads one whole answer's body.
fn exchange(socket: &mut TcpStream, body: &str) -> Value {
    send(socket, &request(body))
}

fn send(socket: &mut TcpStream, request: &str) -> Value {
    socket.write_all(request.as_bytes()).unwrap();
    let mut answer = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = socket.read(&mut buffer).unwrap();
        assert!(n > 0);
        answer.extend(&buffer[..n]);
        let text = str::from_utf8(&answer).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.rsplit("content-length: ").next().unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return serde_json::from_str(body).unwrap();
            }
        }
    }
}

#[test]
fn a_request_is_taken_apart_even_where_it_comes_in_pieces() {
    let server = Server::new(|_| Reply::json_bytes(*b"{}").then_close());
    let mut socket = connect(&server);
    for byte in request(BODY).as_bytes() {
        socket.write_all(&[*byte]).unwrap();
    }
    let mut answer = String::new();
    socket.read_to_string(&mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200 OK\r\n"), "{answer}");
    assert!(
        answer.ends_with("\r\ncontent-length: 2\r\n\r\n{}"),
        "{answer}"
    );
    let calls = server.calls();
    let call: &Call = &calls[0];
    assert!(call.lists("AWS::S3::Bucket", "eu-west-1"));
    assert_eq!((call.service.as_str(), call.connection), ("config", 1));
    assert_eq!(call.header("HOST"), Some("x"));
}

#[test]
fn every_fault_is_what_it_says() {
    let answer = || Reply::json_bytes(*b"0123456789");
    let faulty = |reply: Reply| ask(&Server::new(move |_| reply.clone()));
    if cfg!(target_os = "linux") {
        assert_eq!(faulty(Reply::reset()), Err(ErrorKind::ConnectionReset));
    }
    assert_eq!(faulty(Reply::close()), Ok(String::new()));
    assert_eq!(faulty(Reply::bytes(*b"abc")), Ok("abc".to_owned()));
    for (reply, end) in [
        (
            answer().then_close(),
            "content-length: 10\r\n\r\n0123456789",
        ),
        (answer().half(), "content-length: 10\r\n\r\n01234"),
        (
            answer().declared(12),
            "content-length: 12\r\n\r\n0123456789",
        ),
    ] {
        let text = faulty(reply).unwrap();
        assert!(text.ends_with(end), "{text}");
    }
}

#[test]
fn a_stalled_connection_ends_with_the_server() {
    let server = Server::new(|_| Reply::stall());
    let mut socket = connect(&server);
    socket.write_all(request(BODY).as_bytes()).unwrap();
    server.wait_for(|_| true);
    let short = Some(Duration::from_millis(50));
    socket.set_read_timeout(short).unwrap();
    let error = socket.read(&mut [0]).unwrap_err().kind();
    assert!(
        matches!(error, ErrorKind::WouldBlock | ErrorKind::TimedOut),
        "{error}"
    );
    drop(server);
    socket.set_read_timeout(None).unwrap();
    assert_eq!(socket.read(&mut [0]).unwrap(), 0);
}

#[test]
fn a_delay_ends_with_the_server() {
    let server = Server::new(|_| Reply::json_bytes(*b"{}").after(Duration::from_hours(1)));
    let mut socket = connect(&server);
    socket.write_all(request(BODY).as_bytes()).unwrap();
    server.wait_for(|_| true);
    drop(server);
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
}

#[test]
fn a_listing_is_paged_as_the_real_one() {
    let server = Account::new()
        .region("eu-west-1", &[("AWS::S3::Bucket", 205)])
        .serve();
    let mut socket = connect(&server);
    let mut ids = std::collections::BTreeSet::new();
    let mut sizes = Vec::new();
    let mut token = String::new();
    loop {
        let body = format!(r#"{{"resourceType":"AWS::S3::Bucket"{token}}}"#);
        let page = exchange(&mut socket, &body);
        let found = page["resourceIdentifiers"].as_array().unwrap();
        sizes.push(found.len());
        ids.extend(
            found
                .iter()
                .map(|r| r["resourceId"].as_str().unwrap().to_owned()),
        );
        match page["nextToken"].as_str() {
            Some(next) => token = format!(r#","nextToken":"{next}""#),
            None => break,
        }
    }
    assert_eq!(sizes, [100, 100, 5]);
    assert_eq!(ids.len(), 205, "every resource once");
    assert_eq!(server.connections(), 1);

    let mut error = |body: &str| exchange(&mut socket, body)["__type"].clone();
    let foreign = format!(r#"{{"resourceType":"AWS::EC2::VPC"{token}}}"#);
    assert_eq!(error(&foreign), "InvalidNextTokenException");
    let limit = r#"{"resourceType":"AWS::EC2::VPC","limit":101}"#;
    assert_eq!(error(limit), "InvalidLimitException");
    let small = exchange(
        &mut socket,
        r#"{"resourceType":"AWS::S3::Bucket","limit":2}"#,
    );
    assert_eq!(small["resourceIdentifiers"].as_array().unwrap().len(), 2);
}

#[test]
fn counts_are_those_of_what_is_recorded() {
    let types: Vec<String> = (0..105).map(|n| format!("AWS::EC2::Type{n:03}")).collect();
    let counts: Vec<(&str, usize)> = types.iter().enumerate().map(|(n, t)| (&**t, n)).collect();
    let server = Account::new()
        .region("eu-west-1", &counts)
        .leaving_out("eu-west-1", &[&types[104]])
        .region_with("eu-west-2", Recorder::Stopped, &counts)
        .region_with("eu-west-3", Recorder::None, &counts)
        .serve();
    let mut socket = connect(&server);
    let mut count = |region: &str, body: &Value| {
        let request = request_of("GetDiscoveredResourceCounts", region, &body.to_string());
        send(&mut socket, &request)
    };
    let first = count("eu-west-1", &json!({}));
    let page = first["resourceCounts"].as_array().unwrap();
    assert_eq!(page.len(), 100);
    assert_eq!(
        page[0],
        json!({"resourceType": types[103], "count": 103}),
        "biggest first"
    );
    let token = &first["nextToken"];
    let last = count("eu-west-1", &json!({"nextToken": token}));
    let expected = json!({
        // The sum of 1 to 103; a type without resources is not among them.
        "totalDiscoveredResources": 5356,
        "resourceCounts": [
            {"resourceType": types[3], "count": 3},
            {"resourceType": types[2], "count": 2},
            {"resourceType": types[1], "count": 1},
        ],
    });
    assert_eq!(last, expected);
    let named = count(
        "eu-west-1",
        &json!({"resourceTypes": [types[7], types[0], types[104]]}),
    );
    let expected = json!({
        "totalDiscoveredResources": 7,
        "resourceCounts": [{"resourceType": types[7], "count": 7}],
    });
    assert_eq!(named, expected);

    for (input, code) in [
        (json!({"resourceTypes": types[..21]}), "ValidationException"),
        (json!({"limit": 101}), "InvalidLimitException"),
        (
            json!({"limit": 10, "nextToken": token}),
            "InvalidNextTokenException",
        ),
    ] {
        assert_eq!(count("eu-west-1", &input)["__type"], code);
    }
    let none = json!({"totalDiscoveredResources": 0, "resourceCounts": []});
    assert_eq!(count("eu-west-2", &json!({})), none, "stopped");
    assert_eq!(count("eu-west-3", &json!({})), none, "no recorder");
}

#[test]
fn a_recorder_says_what_it_records() {
    let server = Account::new()
        .region_with("eu-west-1", Recorder::Stopped, &[])
        .region("eu-west-2", &[])
        .leaving_out("eu-west-2", &["AWS::IAM::Role"])
        .region_with("eu-west-3", Recorder::None, &[])
        .serve();
    let mut socket = connect(&server);
    let mut recorders = |region: &str| {
        let request = request_of("DescribeConfigurationRecorders", region, "{}");
        send(&mut socket, &request)["ConfigurationRecorders"].clone()
    };
    let group = &recorders("eu-west-1")[0]["recordingGroup"];
    assert_eq!(group["allSupported"], true);
    assert_eq!(group["includeGlobalResourceTypes"], true);
    assert_eq!(
        group["recordingStrategy"]["useOnly"],
        "ALL_SUPPORTED_RESOURCE_TYPES"
    );
    let group = &recorders("eu-west-2")[0]["recordingGroup"];
    assert_eq!(group["allSupported"], false);
    let left_out = &group["exclusionByResourceTypes"]["resourceTypes"];
    assert_eq!(*left_out, json!(["AWS::IAM::Role"]));
    assert_eq!(
        group["recordingStrategy"]["useOnly"],
        "EXCLUSION_BY_RESOURCE_TYPES"
    );
    assert_eq!(recorders("eu-west-3"), json!([]));
}

#[test]
fn every_region_names_the_same_roles_and_its_own_buckets() {
    let counts = [("AWS::IAM::Role", 3), ("AWS::S3::Bucket", 3)];
    let server = Account::new()
        .region("eu-west-1", &counts)
        .region("eu-west-2", &counts)
        .serve();
    let mut socket = connect(&server);
    let mut list = |region: &str, resource_type: &str| {
        let body = json!({"resourceType": resource_type}).to_string();
        send(
            &mut socket,
            &request_of("ListDiscoveredResources", region, &body),
        )
    };
    let roles = "AWS::IAM::Role";
    assert_eq!(list("eu-west-1", roles), list("eu-west-2", roles));
    let buckets = "AWS::S3::Bucket";
    assert_ne!(list("eu-west-1", buckets), list("eu-west-2", buckets));
}
