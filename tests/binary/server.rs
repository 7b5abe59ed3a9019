//! Tests of the test server itself.

use std::io::{ErrorKind, Read, Write};
use std::net::TcpStream;
use std::time::Duration;

use serde_json::{Value, json};

use crate::support::{Account, Call, Recorder, Reply, Server};

const BODY: &str = r#"{"resourceType":"AWS::S3::Bucket"}"#;

/// Returns a request of config:ListDiscoveredResources in eu-west-1 with `body`.
fn list_request(body: &str) -> String {
    config_request("ListDiscoveredResources", "eu-west-1", body)
}

/// Returns a request of AWS Config's `operation` in `region` with `body`.
fn config_request(operation: &str, region: &str, body: &str) -> String {
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

/// Sends one request and reads until the server closes the connection.
fn send_and_read(server: &Server) -> Result<String, ErrorKind> {
    let mut socket = connect(server);
    socket.write_all(list_request(BODY).as_bytes()).unwrap();
    let mut response = String::new();
    match socket.read_to_string(&mut response) {
        Ok(_) => Ok(response),
        Err(e) => Err(e.kind()),
    }
}

/// Sends a request with `body` and returns the body of the response.
fn list(socket: &mut TcpStream, body: &str) -> Value {
    send(socket, &list_request(body))
}

/// Sends a request and returns the body of the response.
fn send(socket: &mut TcpStream, request: &str) -> Value {
    socket.write_all(request.as_bytes()).unwrap();
    let mut response = Vec::new();
    let mut buffer = [0; 4096];
    loop {
        let n = socket.read(&mut buffer).unwrap();
        assert!(n > 0);
        response.extend(&buffer[..n]);
        let text = str::from_utf8(&response).unwrap();
        if let Some((head, body)) = text.split_once("\r\n\r\n") {
            let length = head.rsplit("content-length: ").next().unwrap();
            if body.len() == length.parse::<usize>().unwrap() {
                return serde_json::from_str(body).unwrap();
            }
        }
    }
}

#[test]
fn request_in_pieces_is_parsed() {
    let server = Server::new(|_| Reply::json_bytes(*b"{}").then_close());
    let mut socket = connect(&server);
    for byte in list_request(BODY).as_bytes() {
        socket.write_all(&[*byte]).unwrap();
    }
    let mut response = String::new();
    socket.read_to_string(&mut response).unwrap();
    assert!(response.starts_with("HTTP/1.1 200 OK\r\n"), "{response}");
    assert!(
        response.ends_with("\r\ncontent-length: 2\r\n\r\n{}"),
        "{response}"
    );
    let calls = server.calls();
    let call: &Call = &calls[0];
    assert!(call.lists("AWS::S3::Bucket", "eu-west-1"));
    assert_eq!((call.service.as_str(), call.connection), ("config", 1));
    assert_eq!(call.header("HOST"), Some("x"));
}

#[test]
fn faults_are_seen_by_a_client() {
    let reply = || Reply::json_bytes(*b"0123456789");
    let result_of = |reply: Reply| send_and_read(&Server::new(move |_| reply.clone()));
    if cfg!(target_os = "linux") {
        assert_eq!(result_of(Reply::reset()), Err(ErrorKind::ConnectionReset));
    }
    assert_eq!(result_of(Reply::close()), Ok(String::new()));
    assert_eq!(result_of(Reply::bytes(*b"abc")), Ok("abc".to_owned()));
    for (reply, end) in [
        (reply().then_close(), "content-length: 10\r\n\r\n0123456789"),
        (reply().truncated(), "content-length: 10\r\n\r\n01234"),
        (
            reply().with_content_length(12),
            "content-length: 12\r\n\r\n0123456789",
        ),
    ] {
        let text = result_of(reply).unwrap();
        assert!(text.ends_with(end), "{text}");
    }
}

#[test]
fn stalled_connection_ends_with_the_server() {
    let server = Server::new(|_| Reply::stall());
    let mut socket = connect(&server);
    socket.write_all(list_request(BODY).as_bytes()).unwrap();
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
fn delay_ends_with_the_server() {
    let server = Server::new(|_| Reply::json_bytes(*b"{}").after(Duration::from_hours(1)));
    let mut socket = connect(&server);
    socket.write_all(list_request(BODY).as_bytes()).unwrap();
    server.wait_for(|_| true);
    drop(server);
    let mut rest = Vec::new();
    let _ = socket.read_to_end(&mut rest);
}

#[test]
fn listing_is_paged_like_the_api() {
    let server = Account::new()
        .region("eu-west-1", &[("AWS::S3::Bucket", 205)])
        .serve();
    let mut socket = connect(&server);
    let mut ids = std::collections::BTreeSet::new();
    let mut sizes = Vec::new();
    let mut token = String::new();
    loop {
        let body = format!(r#"{{"resourceType":"AWS::S3::Bucket"{token}}}"#);
        let page = list(&mut socket, &body);
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
    assert_eq!(ids.len(), 205, "each resource once");
    assert_eq!(server.connections(), 1);

    let mut error = |body: &str| list(&mut socket, body)["__type"].clone();
    let other_type = format!(r#"{{"resourceType":"AWS::EC2::VPC"{token}}}"#);
    assert_eq!(error(&other_type), "InvalidNextTokenException");
    let limit = r#"{"resourceType":"AWS::EC2::VPC","limit":101}"#;
    assert_eq!(error(limit), "InvalidLimitException");
    let small = list(
        &mut socket,
        r#"{"resourceType":"AWS::S3::Bucket","limit":2}"#,
    );
    assert_eq!(small["resourceIdentifiers"].as_array().unwrap().len(), 2);
}

#[test]
fn counts_are_of_recorded_types() {
    let types: Vec<String> = (0..105).map(|n| format!("AWS::EC2::Type{n:03}")).collect();
    let counts: Vec<(&str, usize)> = types.iter().enumerate().map(|(n, t)| (&**t, n)).collect();
    let server = Account::new()
        .region("eu-west-1", &counts)
        .not_recording("eu-west-1", &[&types[104]])
        .region_with("eu-west-2", Recorder::Stopped, &counts)
        .region_with("eu-west-3", Recorder::None, &counts)
        .serve();
    let mut socket = connect(&server);
    let mut count = |region: &str, body: &Value| {
        let request = config_request("GetDiscoveredResourceCounts", region, &body.to_string());
        send(&mut socket, &request)
    };
    let first = count("eu-west-1", &json!({}));
    let page = first["resourceCounts"].as_array().unwrap();
    assert_eq!(page.len(), 100);
    assert_eq!(
        page[0],
        json!({"resourceType": types[103], "count": 103}),
        "largest first"
    );
    let token = &first["nextToken"];
    let last = count("eu-west-1", &json!({"nextToken": token}));
    let expected = json!({
        // The sum of 1 to 103; a type without resources is not included.
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
fn recorder_lists_its_recording_group() {
    let server = Account::new()
        .region_with("eu-west-1", Recorder::Stopped, &[])
        .region("eu-west-2", &[])
        .not_recording("eu-west-2", &["AWS::IAM::Role"])
        .region_with("eu-west-3", Recorder::None, &[])
        .serve();
    let mut socket = connect(&server);
    let mut recorders = |region: &str| {
        let request = config_request("DescribeConfigurationRecorders", region, "{}");
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
    let not_recorded = &group["exclusionByResourceTypes"]["resourceTypes"];
    assert_eq!(*not_recorded, json!(["AWS::IAM::Role"]));
    assert_eq!(
        group["recordingStrategy"]["useOnly"],
        "EXCLUSION_BY_RESOURCE_TYPES"
    );
    assert_eq!(recorders("eu-west-3"), json!([]));
}

#[test]
fn roles_are_global_and_buckets_regional() {
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
            &config_request("ListDiscoveredResources", region, &body),
        )
    };
    let roles = "AWS::IAM::Role";
    assert_eq!(list("eu-west-1", roles), list("eu-west-2", roles));
    let buckets = "AWS::S3::Bucket";
    assert_ne!(list("eu-west-1", buckets), list("eu-west-2", buckets));
}
