//! The faults, and the effect of each according to `decisions.md`.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::fault_point::{FaultPoint, Purpose};
use crate::support::{Call, FollowUp, Reply};

/// The effect of a fault at every attempt.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Effect {
    /// No effect: the response is unusual but valid.
    None,
    Throttle,
    ApiError,
    Connection,
    Unexpected,
    Permission,
    NoRecorder,
    RegionDisabled,
    /// The clock of this machine is wrong.
    ClockSkew,
    Expired,
}

/// A fault and its effect.
pub struct Fault {
    /// The name in failure messages.
    pub name: &'static str,
    /// The effect if the fault occurs at every attempt.
    pub effect: Effect,
    /// A part of the message about it.
    pub message_part: &'static str,
    /// True if the program retries, and after which wait.
    retry: Retry,
    /// Returns the faulty reply for a call and its correct reply.
    make: fn(&Call, &Reply) -> Reply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Retry {
    No,
    Yes,
    /// Yes, after the read time-out.
    AfterTimeout,
}

impl Fault {
    /// Returns true if the program retries.
    pub fn is_retried(&self) -> bool {
        self.retry != Retry::No
    }

    /// Returns true if the attempt ends at the read time-out.
    pub fn is_timeout(&self) -> bool {
        self.retry == Retry::AfterTimeout
    }

    /// Returns the faulty reply that replaces the `correct` one.
    pub fn reply(&self, call: &Call, correct: &Reply) -> Reply {
        (self.make)(call, correct)
    }

    /// Returns the status of the response, or `None` if no complete response arrives.
    pub fn status(&self) -> Option<u16> {
        if self.is_timeout() || self.message_part == NO_RESPONSE {
            return None;
        }
        let call = Call::parse(b"GET / HTTP/1.1\r\n\r\n", 1).unwrap();
        // A reply of raw bytes is a correct response, or one without a body.
        let status = self.reply(&call, &Reply::xml("<a/>")).status();
        status.or(Some(if self.effect == Effect::None {
            200
        } else {
            204
        }))
    }

    /// Returns true if the reply that replaces a JSON response is JSON.
    pub fn is_json(&self) -> bool {
        let call = Call {
            service: "config".to_owned(),
            ..Call::parse(b"GET / HTTP/1.1\r\n\r\n", 1).unwrap()
        };
        let reply = self.reply(&call, &Reply::json(&json!({"a": 1})));
        let body = reply.received_body().unwrap_or_default();
        serde_json::from_slice::<Value>(body).is_ok()
    }

    /// Returns true if the fault can occur at `point`: calls for the identity and the account depend on
    /// no recorder or region, and `GetDiscoveredResourceCounts` succeeds without a recorder.
    pub fn applies_to(&self, point: &FaultPoint) -> bool {
        match self.effect {
            Effect::RegionDisabled => !matches!(point.purpose, Purpose::Check(_)),
            Effect::NoRecorder => {
                !matches!(point.purpose, Purpose::Check(_))
                    && point.operation != "GetDiscoveredResourceCounts"
            }
            _ => true,
        }
    }
}

/// A part of the message if no complete response arrives.
const NO_RESPONSE: &str = "no response";

/// A part of the message after a read time-out.
const TIMEOUT: &str = "timed out";

/// A part of the message if the program cannot parse the response.
const INVALID: &str = "an unreadable response";

/// A part of the message about an error without a code.
const HTTP_400_WITHOUT_CODE: &str = "HTTP 400 (no error code";

/// A fault that the program retries.
const fn retried(
    name: &'static str,
    effect: Effect,
    message_part: &'static str,
    make: fn(&Call, &Reply) -> Reply,
) -> Fault {
    Fault {
        name,
        effect,
        message_part,
        retry: Retry::Yes,
        make,
    }
}

/// A fault that ends at the read time-out and that the program retries.
const fn timeout(name: &'static str, make: fn(&Call, &Reply) -> Reply) -> Fault {
    Fault {
        retry: Retry::AfterTimeout,
        ..retried(name, Effect::Connection, TIMEOUT, make)
    }
}

/// A fault that the program does not retry.
const fn not_retried(
    name: &'static str,
    effect: Effect,
    message_part: &'static str,
    make: fn(&Call, &Reply) -> Reply,
) -> Fault {
    Fault {
        retry: Retry::No,
        ..retried(name, effect, message_part, make)
    }
}

/// A fault with an error code of AWS and its HTTP status.
macro_rules! code {
    ($function:ident $effect:ident $code:literal $status:literal) => {
        $function($code, Effect::$effect, $code, |call, _| {
            Reply::error(call, $status, $code, "This is a fault.")
        })
    };
}

/// A fault with an HTTP status and an HTML body.
macro_rules! status {
    ($function:ident $effect:ident $status:literal) => {
        $function(
            concat!("HTTP ", $status, " in HTML"),
            Effect::$effect,
            concat!("HTTP ", $status, " (no error code"),
            |_, _| Reply::response($status, "text/html", HTML).header("location", "/elsewhere"),
        )
    };
}

/// A 200 response that is not one of the operation.
const fn invalid(name: &'static str, make: fn(&Call, &Reply) -> Reply) -> Fault {
    not_retried(name, Effect::Unexpected, INVALID, make)
}

const MIB: usize = 1024 * 1024;

/// The depth of a nested document, still within the body limit.
const DEEP: usize = MIB / 8;

const HTML: [u8; 109] =
    *b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please log in.<br></p>\
    <hr></body></html>    ";

pub const FAULTS: &[Fault] = &[
    // Error codes of AWS.
    code!(retried Throttle "Throttling" 400),
    code!(retried Throttle "ThrottlingException" 400),
    code!(retried Throttle "ThrottledException" 400),
    code!(retried Throttle "RequestThrottledException" 400),
    code!(retried Throttle "TooManyRequestsException" 429),
    code!(retried Throttle "ProvisionedThroughputExceededException" 400),
    code!(retried Throttle "TransactionInProgressException" 400),
    code!(retried Throttle "RequestLimitExceeded" 503),
    code!(retried Throttle "BandwidthLimitExceeded" 509),
    code!(retried Throttle "LimitExceededException" 400),
    code!(retried Throttle "RequestThrottled" 400),
    code!(retried Throttle "SlowDown" 503),
    code!(retried Throttle "EC2ThrottledException" 400),
    retried(
        "throttling code only in a header",
        Effect::Throttle,
        "ThrottlingException",
        |_, _| {
            Reply::response(400, "application/x-amz-json-1.1", []).header(
                "x-amzn-errortype",
                "com.amazonaws.config#ThrottlingException:http://internal/",
            )
        },
    ),
    retried(
        "x-amz-retry-after of three years",
        Effect::Throttle,
        "SlowDown",
        |call, _| {
            // The program waits at most five seconds.
            Reply::error(call, 503, "SlowDown", "").header("x-amz-retry-after", "99999999999")
        },
    ),
    retried(
        "x-amz-retry-after without a number",
        Effect::Throttle,
        "SlowDown",
        |call, _| Reply::error(call, 503, "SlowDown", "").header("x-amz-retry-after", "-1e9"),
    ),
    status!(retried Throttle 429),
    code!(retried ApiError "InternalFailure" 500),
    code!(retried ApiError "ServiceUnavailable" 503),
    code!(retried ApiError "PriorRequestNotComplete" 400),
    code!(retried ApiError "RequestTimeout" 408),
    code!(retried ApiError "RequestTimeoutException" 400),
    status!(retried ApiError 500),
    status!(retried ApiError 502),
    status!(retried ApiError 503),
    status!(retried ApiError 504),
    retried(
        "HTTP 500 without a body",
        Effect::ApiError,
        "HTTP 500 (no error code",
        |_, _| Reply::response(500, "text/plain", []),
    ),
    code!(not_retried ApiError "ValidationException" 400),
    code!(not_retried ApiError "SignatureDoesNotMatch" 403),
    code!(not_retried Permission "AccessDenied" 403),
    code!(not_retried Permission "AccessDeniedException" 400),
    code!(not_retried Permission "UnauthorizedOperation" 403),
    code!(not_retried NoRecorder "NoAvailableConfigurationRecorderException" 400),
    code!(not_retried NoRecorder "NoSuchConfigurationRecorderException" 400),
    code!(not_retried RegionDisabled "OptInRequired" 401),
    code!(not_retried RegionDisabled "UnrecognizedClientException" 400),
    code!(not_retried RegionDisabled "InvalidClientTokenId" 403),
    code!(not_retried RegionDisabled "AuthFailure" 401),
    code!(not_retried Expired "ExpiredToken" 403),
    code!(not_retried Expired "ExpiredTokenException" 400),
    code!(not_retried Expired "RequestExpired" 400),
    not_retried(
        "clock behind",
        Effect::ClockSkew,
        "clock is 90 minutes behind",
        |call, _| clock_skew(call, "SignatureDoesNotMatch", 90),
    ),
    not_retried(
        "clock ahead",
        Effect::ClockSkew,
        "clock is 90 minutes ahead",
        |call, _| clock_skew(call, "InvalidSignatureException", -90),
    ),
    not_retried(
        "request expired because of the clock",
        Effect::ClockSkew,
        "clock is 90 minutes",
        |call, _| clock_skew(call, "RequestExpired", 90),
    ),
    not_retried(
        "error with an unparsable body",
        Effect::ApiError,
        HTTP_400_WITHOUT_CODE,
        |_, _| Reply::response(400, "text/plain", *b"\xff\xfe no { < document \x1b[31m\n"),
    ),
    not_retried(
        "deeply nested error",
        Effect::ApiError,
        HTTP_400_WITHOUT_CODE,
        |call, _| {
            let body = if is_json(call) {
                format!("{{\"__type\":{}1{}}}", "[".repeat(DEEP), "]".repeat(DEEP))
            } else {
                format!("<ErrorResponse><Error><Code>{}", "<a>".repeat(DEEP))
            };
            Reply::response(400, "text/plain", body.into_bytes())
        },
    ),
    // Responses of proxies and captive portals.
    status!(not_retried ApiError 300),
    status!(not_retried ApiError 301),
    status!(not_retried ApiError 302),
    status!(not_retried ApiError 303),
    status!(not_retried ApiError 307),
    status!(not_retried ApiError 308),
    status!(not_retried ApiError 403),
    status!(not_retried ApiError 404),
    status!(not_retried ApiError 407),
    status!(not_retried ApiError 511),
    invalid("captive portal", |_, _| {
        Reply::response(200, "text/html", HTML)
    }),
    // Connections.
    retried(
        "connection reset",
        Effect::Connection,
        NO_RESPONSE,
        |_, _| Reply::reset(),
    ),
    retried(
        "connection reset in the body",
        Effect::Connection,
        NO_RESPONSE,
        |call, correct| Reply::bytes_then(truncate(&raw(call, correct)), FollowUp::Reset),
    ),
    retried(
        "connection closed without a response",
        Effect::Connection,
        NO_RESPONSE,
        |_, _| Reply::close(),
    ),
    retried(
        "truncated status line",
        Effect::Connection,
        NO_RESPONSE,
        |_, _| Reply::bytes(*b"HTTP/1.1 2"),
    ),
    retried(
        "truncated header",
        Effect::Connection,
        NO_RESPONSE,
        |_, _| Reply::bytes(*b"HTTP/1.1 200 OK\r\ncontent-le"),
    ),
    retried(
        "truncated body",
        Effect::Connection,
        NO_RESPONSE,
        |_, correct| correct.clone().truncated(),
    ),
    retried(
        "content-length too large",
        Effect::Connection,
        NO_RESPONSE,
        |_, correct| {
            correct
                .clone()
                .with_content_length(correct.body_length() + 1)
        },
    ),
    retried(
        "content-length too small",
        Effect::Unexpected,
        INVALID,
        |_, correct| {
            correct
                .clone()
                .with_content_length(correct.body_length() - 2)
        },
    ),
    retried(
        "content-length of half the body",
        Effect::Unexpected,
        INVALID,
        |_, correct| {
            correct
                .clone()
                .with_content_length(correct.body_length() / 2)
        },
    ),
    retried(
        "content-length without a number",
        Effect::Connection,
        NO_RESPONSE,
        |_, correct| with_length("twelve", correct),
    ),
    retried(
        "negative content-length",
        Effect::Connection,
        NO_RESPONSE,
        |_, correct| with_length("-1", correct),
    ),
    retried(
        "response of another protocol",
        Effect::Connection,
        NO_RESPONSE,
        |_, _| Reply::bytes(*b"SSH-2.0-OpenSSH_9.9\r\n"),
    ),
    retried("random bytes", Effect::Connection, NO_RESPONSE, |_, _| {
        Reply::bytes((0..=255).collect::<Vec<u8>>())
    }),
    timeout("time-out", |_, _| Reply::stall()),
    timeout("time-out in the headers", |_, _| {
        Reply::bytes_then(*b"HTTP/1.1 200 OK\r\ncontent-le", FollowUp::Stall)
    }),
    timeout("time-out in the body", |call, correct| {
        Reply::bytes_then(truncate(&raw(call, correct)), FollowUp::Stall)
    }),
    timeout("one byte per second", |call, correct| {
        Reply::bytes_then([], FollowUp::Drip(raw(call, correct)))
    }),
    timeout("one body byte per second", |call, correct| {
        let (head, body) = (head(call, correct.body().len()), correct.body().to_vec());
        Reply::bytes_then(head, FollowUp::Drip(body))
    }),
    timeout("time-out in a chunk", |call, correct| {
        let (chunked, _) = chunked(call, correct);
        Reply::bytes_then(truncate(&chunked), FollowUp::Stall)
    }),
    // Transfer encodings.
    not_retried("chunked encoding", Effect::None, "", |call, correct| {
        let (chunked, end) = chunked(call, correct);
        Reply::bytes_then([chunked, end].concat(), FollowUp::Keep)
    }),
    not_retried(
        "body that ends with the connection",
        Effect::None,
        "",
        |_, correct| Reply::bytes([b"HTTP/1.1 200 OK\r\n\r\n", correct.body()].concat()),
    ),
    not_retried(
        "connection closed after a complete response",
        Effect::None,
        "",
        |_, correct| correct.clone().then_close(),
    ),
    retried(
        "truncated chunk",
        Effect::Connection,
        NO_RESPONSE,
        |call, correct| Reply::bytes(truncate(&chunked(call, correct).0)),
    ),
    retried(
        "missing final chunk",
        Effect::Connection,
        NO_RESPONSE,
        |call, correct| Reply::bytes(chunked(call, correct).0),
    ),
    retried(
        "chunk size without a number",
        Effect::Connection,
        NO_RESPONSE,
        |call, _| {
            let head = chunked_head(call);
            Reply::bytes([head.as_slice(), b"zz\r\n{}\r\n0\r\n\r\n"].concat())
        },
    ),
    not_retried("two responses", Effect::None, "", |call, correct| {
        Reply::bytes_then(
            [raw(call, correct), unrequested_error()].concat(),
            FollowUp::Keep,
        )
    }),
    not_retried(
        "two responses, the first chunked",
        Effect::None,
        "",
        |call, correct| {
            let (chunked, end) = chunked(call, correct);
            Reply::bytes_then([chunked, end, unrequested_error()].concat(), FollowUp::Keep)
        },
    ),
    invalid("HTTP 204 with a body", |call, correct| {
        let head = head(call, correct.body().len());
        let head = String::from_utf8(head)
            .unwrap()
            .replace("200 OK", "204 No Content");
        let bytes = [head.as_bytes(), correct.body(), &unrequested_error()].concat();
        Reply::bytes_then(bytes, FollowUp::Keep)
    }),
    // Bodies and headers above the limit.
    too_large("body of 256 MiB", |call, correct| {
        let head = [
            head(call, correct.body().len() + 256 * MIB).as_slice(),
            correct.body(),
        ]
        .concat();
        Reply::bytes_then(head, FollowUp::Flood(blanks(), 256))
    }),
    too_large("chunked body of 256 MiB", |call, _| {
        let chunk = [b"100000\r\n".to_vec(), vec![b' '; MIB], b"\r\n".to_vec()].concat();
        Reply::bytes_then(chunked_head(call), FollowUp::Flood(chunk.into(), 256))
    }),
    too_large("body of 256 MiB without content-length", |_, _| {
        Reply::bytes_then(*b"HTTP/1.1 200 OK\r\n\r\n", FollowUp::Flood(blanks(), 256))
    }),
    too_large("header of 16 MiB", |_, _| {
        Reply::bytes_then(
            *b"HTTP/1.1 200 OK\r\nx-header: ",
            FollowUp::Flood(blanks(), 16),
        )
    }),
    too_large("16 MiB of headers", |_, _| {
        let lines = b"x-header: 0123456789012345678901\r\n".repeat(MIB / 34);
        Reply::bytes_then(*b"HTTP/1.1 200 OK\r\n", FollowUp::Flood(lines.into(), 16))
    }),
    // Invalid responses.
    invalid("empty body", |_, _| Reply::response(200, "text/plain", [])),
    invalid("blank body", |_, _| {
        Reply::response(200, "text/plain", *b" \r\n ")
    }),
    invalid("HTTP 204", |call, _| {
        let head = format!(
            "HTTP/1.1 204 No Content\r\nx-amzn-requestid: {}\r\n\r\n",
            call.request_id()
        );
        Reply::bytes_then(head, FollowUp::Keep)
    }),
    invalid("HTTP 202 without a body", |_, _| {
        Reply::response(202, "text/plain", [])
    }),
    invalid("null", |_, _| Reply::response(200, "text/plain", *b"null")),
    invalid("neither JSON nor XML", |_, _| {
        Reply::response(200, "text/plain", *b"{]<a></b>")
    }),
    invalid("XML instead of JSON or JSON instead of XML", |call, _| {
        let body: &[u8] = if is_json(call) {
            b"<a>b</a>"
        } else {
            b"{\"a\": \"b\"}"
        };
        Reply::response(200, "text/plain", body)
    }),
    invalid("response of a different operation", |call, _| {
        let body: &[u8] = if is_json(call) {
            br#"{"rules": [], "nextToken": null}"#
        } else {
            b"<ListUsersResponse><ListUsersResult><Users/></ListUsersResult></ListUsersResponse>"
        };
        Reply::response(200, "text/plain", body)
    }),
    invalid("error with status 200", |call, _| {
        Reply::response(200, "text/plain", Reply::throttled(call).body())
    }),
    invalid("wrong type", wrong_type),
    invalid("response body twice", |_, correct| {
        Reply::response(200, "text/plain", [correct.body(), correct.body()].concat())
    }),
    invalid("deeply nested body", |call, _| {
        let (open, close) = if is_json(call) {
            ("[", "]")
        } else {
            ("<a>", "</a>")
        };
        let body = open.repeat(DEEP) + &close.repeat(DEEP);
        Reply::response(200, "text/plain", body.into_bytes())
    }),
    invalid("invalid UTF-8", |_, correct| {
        let mut body = correct.body().to_vec();
        // In the middle of a text.
        let letters = body.iter_mut().filter(|b| b.is_ascii_lowercase());
        letters.for_each(|b| *b = 0xff);
        Reply::response(200, "text/plain", body)
    }),
    invalid("UTF-16", |_, correct| {
        let text = str::from_utf8(correct.body()).unwrap();
        let text = format!("\u{feff}{text}");
        let body: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Reply::response(200, "text/plain", body)
    }),
    invalid("entity bomb", |call, _| bomb(call, 200)),
    not_retried(
        "entity bomb in an error",
        Effect::ApiError,
        HTTP_400_WITHOUT_CODE,
        |call, _| bomb(call, 400),
    ),
    invalid("external entity", |call, _| {
        let entity = "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
        Reply::response(
            200,
            "text/xml",
            (entity.to_owned() + &document(call, "&e;")).into_bytes(),
        )
    }),
];

/// A response with more bytes than the program reads.
const fn too_large(name: &'static str, make: fn(&Call, &Reply) -> Reply) -> Fault {
    not_retried(name, Effect::Unexpected, NO_RESPONSE, make)
}

fn is_json(call: &Call) -> bool {
    call.service == "config"
}

fn blanks() -> Arc<[u8]> {
    vec![b' '; MIB].into()
}

fn truncate(bytes: &[u8]) -> Vec<u8> {
    // The body is usually longer than the head, so that this ends within the body.
    bytes[..bytes.len() - bytes.len() / 8 - 1].to_vec()
}

/// Returns the head of a response with a body of `length` bytes.
fn head(call: &Call, length: usize) -> Vec<u8> {
    let id = call.request_id();
    format!("HTTP/1.1 200 OK\r\nx-amzn-requestid: {id}\r\ncontent-length: {length}\r\n\r\n").into()
}

/// Returns the bytes of the correct response.
fn raw(call: &Call, correct: &Reply) -> Vec<u8> {
    [&head(call, correct.body().len()), correct.body()].concat()
}

fn with_length(length: &str, correct: &Reply) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    Reply::bytes([head.as_bytes(), correct.body()].concat())
}

/// Returns an unrequested but valid error response.
fn unrequested_error() -> Vec<u8> {
    let body = r#"{"__type":"AccessDeniedException","message":"unrequested"}"#;
    let length = body.len();
    format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {length}\r\n\r\n{body}").into()
}

fn chunked_head(call: &Call) -> Vec<u8> {
    let id = call.request_id();
    format!("HTTP/1.1 200 OK\r\nx-amzn-requestid: {id}\r\ntransfer-encoding: chunked\r\n\r\n")
        .into()
}

/// Returns the correct response in chunks of 40 bytes, and the final chunk.
fn chunked(call: &Call, correct: &Reply) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = chunked_head(call);
    for chunk in correct.body().chunks(40) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    (bytes, b"0\r\n\r\n".to_vec())
}

/// Returns an error about the request time from a service whose clock is `minutes` ahead.
fn clock_skew(call: &Call, code: &str, minutes: i64) -> Reply {
    let rfc2822 = &time::format_description::well_known::Rfc2822;
    // Half a minute more, so that the program rounds to these minutes.
    let seconds = minutes * 60 + minutes.signum() * 30;
    let service_time = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    let reply = Reply::error(call, 403, code, "Signature not yet current or expired.");
    reply.header("date", service_time.format(rfc2822).unwrap())
}

/// Returns an XML response of the operation that contains `text`.
fn document(call: &Call, text: &str) -> String {
    match call.operation.as_str() {
        "GetCallerIdentity" => format!(
            "<GetCallerIdentityResponse><GetCallerIdentityResult><Account>{text}</Account>\
             </GetCallerIdentityResult></GetCallerIdentityResponse>"
        ),
        name @ ("AssumeRole" | "AssumeRoleWithWebIdentity") => format!(
            "<{name}Response><{name}Result><Credentials><AccessKeyId>{text}</AccessKeyId>\
             <SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken>\
             <Expiration>2099-01-01T00:00:00Z</Expiration></Credentials></{name}Result>\
             </{name}Response>"
        ),
        "ListAccountAliases" => format!(
            "<ListAccountAliasesResponse><ListAccountAliasesResult><AccountAliases><member>{text}\
             </member></AccountAliases></ListAccountAliasesResult></ListAccountAliasesResponse>"
        ),
        _ => format!(
            "<DescribeRegionsResponse><regionInfo><item><regionName>{text}</regionName></item>\
             </regionInfo></DescribeRegionsResponse>"
        ),
    }
}

/// Returns an entity bomb that expands to 3 × 10⁹ letters.
fn bomb(call: &Call, status: u16) -> Reply {
    let mut body = "<?xml version=\"1.0\"?><!DOCTYPE a [<!ENTITY e0 \"lol\">".to_owned();
    for n in 1..10 {
        let many = format!("&e{};", n - 1).repeat(10);
        let _ = write!(body, "<!ENTITY e{n} \"{many}\">");
    }
    body += "]>";
    body += &match status {
        200 => document(call, "&e9;"),
        _ => "<ErrorResponse><Error><Code>&e9;</Code></Error></ErrorResponse>".to_owned(),
    };
    Reply::response(status, "text/xml", body.into_bytes())
}

/// Returns the correct response with a number instead of each list or value.
fn wrong_type(call: &Call, correct: &Reply) -> Reply {
    if !is_json(call) {
        let body = match call.operation.as_str() {
            "GetCallerIdentity" => "<GetCallerIdentityResponse>7</GetCallerIdentityResponse>",
            "ListAccountAliases" => "<ListAccountAliasesResponse>7</ListAccountAliasesResponse>",
            "AssumeRole" => "<AssumeRoleResponse>7</AssumeRoleResponse>",
            "AssumeRoleWithWebIdentity" => {
                "<AssumeRoleWithWebIdentityResponse>7</AssumeRoleWithWebIdentityResponse>"
            }
            _ => "<DescribeRegionsResponse>7</DescribeRegionsResponse>",
        };
        return Reply::xml(body);
    }
    let mut body: Value = serde_json::from_slice(correct.body()).unwrap();
    let members = body.as_object_mut().unwrap();
    // A response with credentials has no list; replace all its members.
    let lists = members.values().any(Value::is_array);
    for member in members.values_mut() {
        if member.is_array() || !lists {
            *member = json!(7);
        }
    }
    Reply::json(&body)
}
