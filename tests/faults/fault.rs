//! The faults, and what each means by the decisions' table.

use std::fmt::Write;
use std::sync::Arc;

use serde_json::{Value, json};

use crate::site::{Role, Site};
use crate::support::{Call, Reply, Then};

/// What a fault means once it stays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Means {
    /// Nothing: it is odd, and an answer.
    Fine,
    Throttle,
    ApiError,
    Connection,
    Unexpected,
    Permission,
    NoRecorder,
    RegionOff,
    /// This machine's clock is off.
    Clock,
    Expired,
}

/// A fault, and what it means.
pub struct Fault {
    /// What it is called here.
    pub name: &'static str,
    /// What it means once it stays.
    pub means: Means,
    /// A part of what is told of it.
    pub says: &'static str,
    /// Whether another attempt is made, and how long the server takes.
    again: Again,
    /// The fault, made of the call and of the right answer to it.
    make: fn(&Call, &Reply) -> Reply,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Again {
    No,
    Yes,
    /// Yes, after the read time-out.
    Slow,
}

impl Fault {
    /// Whether another attempt is made.
    pub fn is_retried(&self) -> bool {
        self.again != Again::No
    }

    /// Whether it ends by the read time-out.
    pub fn is_slow(&self) -> bool {
        self.again == Again::Slow
    }

    /// What the server does in the place of the `right` answer.
    pub fn happen(&self, call: &Call, right: &Reply) -> Reply {
        (self.make)(call, right)
    }

    /// The status of the answer that it is; none where no whole answer comes.
    pub fn status(&self) -> Option<u16> {
        if self.is_slow() || self.says == "no answer" {
            return None;
        }
        let call = Call::parse(b"GET / HTTP/1.1\r\n\r\n", 1).unwrap();
        // What is sent byte by byte is right, or has no body.
        let sent = self.happen(&call, &Reply::xml("<a/>")).status();
        sent.or(Some(if self.means == Means::Fine { 200 } else { 204 }))
    }

    /// Whether what arrives in the place of an answer in JSON is JSON.
    pub fn gives_json(&self) -> bool {
        let call = Call {
            service: "config".to_owned(),
            ..Call::parse(b"GET / HTTP/1.1\r\n\r\n", 1).unwrap()
        };
        let sent = self.happen(&call, &Reply::json(&json!({"a": 1})));
        let body = sent.arriving().unwrap_or_default();
        serde_json::from_slice::<Value>(body).is_ok()
    }

    /// Whether it can happen there: who asks has nothing to do with a recorder or a region, and
    /// `GetDiscoveredResourceCounts` counts nothing where there is no recorder.
    pub fn fits(&self, site: &Site) -> bool {
        match self.means {
            Means::RegionOff => !matches!(site.role, Role::Check(_)),
            Means::NoRecorder => {
                !matches!(site.role, Role::Check(_))
                    && site.operation != "GetDiscoveredResourceCounts"
            }
            _ => true,
        }
    }
}

/// A fault after which another attempt is made.
const fn again(
    name: &'static str,
    means: Means,
    says: &'static str,
    make: fn(&Call, &Reply) -> Reply,
) -> Fault {
    Fault {
        name,
        means,
        says,
        again: Again::Yes,
        make,
    }
}

/// A fault that ends by the read time-out, after which another attempt is made.
const fn slow(name: &'static str, make: fn(&Call, &Reply) -> Reply) -> Fault {
    Fault {
        again: Again::Slow,
        ..again(name, Means::Connection, "in time", make)
    }
}

/// A fault after which no other attempt is made.
const fn last(
    name: &'static str,
    means: Means,
    says: &'static str,
    make: fn(&Call, &Reply) -> Reply,
) -> Fault {
    Fault {
        again: Again::No,
        ..again(name, means, says, make)
    }
}

/// An error code with its status.
macro_rules! code {
    ($how:ident $means:ident $code:literal $status:literal) => {
        $how($code, Means::$means, $code, |call, _| {
            Reply::error(call, $status, $code, "This is a fault.")
        })
    };
}

/// A status with a body that is none of AWS's.
macro_rules! status {
    ($how:ident $means:ident $status:literal) => {
        $how(
            concat!("HTTP ", $status, " in HTML"),
            Means::$means,
            concat!("(HTTP ", $status),
            |_, _| Reply::answer($status, "text/html", HTML).header("location", "/elsewhere"),
        )
    };
}

/// An answer of 200 that is not the operation's.
macro_rules! foreign {
    ($name:literal, $make:expr) => {
        last($name, Means::Unexpected, "that cannot be read", $make)
    };
}

const MIB: usize = 1024 * 1024;

/// A nest as deep as this is still a body that is read.
const DEEP: usize = MIB / 8;

const HTML: [u8; 109] =
    *b"<!DOCTYPE html><html><head><title>Welcome</title></head><body><p>Please log in.<br></p>\
    <hr></body></html>    ";

pub const FAULTS: &[Fault] = &[
    // Codes that AWS answers with.
    code!(again Throttle "Throttling" 400),
    code!(again Throttle "ThrottlingException" 400),
    code!(again Throttle "ThrottledException" 400),
    code!(again Throttle "RequestThrottledException" 400),
    code!(again Throttle "TooManyRequestsException" 429),
    code!(again Throttle "ProvisionedThroughputExceededException" 400),
    code!(again Throttle "TransactionInProgressException" 400),
    code!(again Throttle "RequestLimitExceeded" 503),
    code!(again Throttle "BandwidthLimitExceeded" 509),
    code!(again Throttle "LimitExceededException" 400),
    code!(again Throttle "RequestThrottled" 400),
    code!(again Throttle "SlowDown" 503),
    code!(again Throttle "EC2ThrottledException" 400),
    again(
        "a throttling code in a header alone",
        Means::Throttle,
        "ThrottlingException",
        |_, _| {
            Reply::answer(400, "application/x-amz-json-1.1", []).header(
                "x-amzn-errortype",
                "com.amazonaws.config#ThrottlingException:http://internal/",
            )
        },
    ),
    again(
        "a wish to wait for three years",
        Means::Throttle,
        "SlowDown",
        |call, _| {
            // Five seconds are waited at the most.
            Reply::error(call, 503, "SlowDown", "").header("x-amz-retry-after", "99999999999")
        },
    ),
    again(
        "a wish to wait that is no number",
        Means::Throttle,
        "SlowDown",
        |call, _| Reply::error(call, 503, "SlowDown", "").header("x-amz-retry-after", "-1e9"),
    ),
    status!(again Throttle 429),
    code!(again ApiError "InternalFailure" 500),
    code!(again ApiError "ServiceUnavailable" 503),
    code!(again ApiError "PriorRequestNotComplete" 400),
    code!(again ApiError "RequestTimeout" 408),
    code!(again ApiError "RequestTimeoutException" 400),
    status!(again ApiError 500),
    status!(again ApiError 502),
    status!(again ApiError 503),
    status!(again ApiError 504),
    again(
        "HTTP 500 without a body",
        Means::ApiError,
        "(HTTP 500",
        |_, _| Reply::answer(500, "text/plain", []),
    ),
    code!(last ApiError "ValidationException" 400),
    code!(last ApiError "SignatureDoesNotMatch" 403),
    code!(last Permission "AccessDenied" 403),
    code!(last Permission "AccessDeniedException" 400),
    code!(last Permission "UnauthorizedOperation" 403),
    code!(last NoRecorder "NoAvailableConfigurationRecorderException" 400),
    code!(last NoRecorder "NoSuchConfigurationRecorderException" 400),
    code!(last RegionOff "OptInRequired" 401),
    code!(last RegionOff "UnrecognizedClientException" 400),
    code!(last RegionOff "InvalidClientTokenId" 403),
    code!(last RegionOff "AuthFailure" 401),
    code!(last Expired "ExpiredToken" 403),
    code!(last Expired "ExpiredTokenException" 400),
    code!(last Expired "RequestExpired" 400),
    last(
        "a clock that is off",
        Means::Clock,
        "clock is 90 minutes behind",
        |call, _| clock(call, "SignatureDoesNotMatch", 90),
    ),
    last(
        "a clock that is off the other way",
        Means::Clock,
        "clock is 90 minutes ahead",
        |call, _| clock(call, "InvalidSignatureException", -90),
    ),
    last(
        "a clock that makes the request expire",
        Means::Clock,
        "clock is 90 minutes",
        |call, _| clock(call, "RequestExpired", 90),
    ),
    last(
        "an error that is no document",
        Means::ApiError,
        "without a code (HTTP 400",
        |_, _| Reply::answer(400, "text/plain", *b"\xff\xfe no { < document \x1b[31m\n"),
    ),
    last(
        "an error that is nested deep",
        Means::ApiError,
        "without a code (HTTP 400",
        |call, _| {
            let body = if is_json(call) {
                format!("{{\"__type\":{}1{}}}", "[".repeat(DEEP), "]".repeat(DEEP))
            } else {
                format!("<ErrorResponse><Error><Code>{}", "<a>".repeat(DEEP))
            };
            Reply::answer(400, "text/plain", body.into_bytes())
        },
    ),
    // What stands between here and AWS.
    status!(last ApiError 300),
    status!(last ApiError 301),
    status!(last ApiError 302),
    status!(last ApiError 303),
    status!(last ApiError 307),
    status!(last ApiError 308),
    status!(last ApiError 403),
    status!(last ApiError 404),
    status!(last ApiError 407),
    status!(last ApiError 511),
    foreign!("a captive portal", |_, _| Reply::answer(
        200,
        "text/html",
        HTML
    )),
    // Connections.
    again("a reset", Means::Connection, "no answer", |_, _| {
        Reply::reset()
    }),
    again(
        "a reset in the body",
        Means::Connection,
        "no answer",
        |call, right| Reply::bytes_then(half(&raw(call, right)), Then::Reset),
    ),
    again("no answer", Means::Connection, "no answer", |_, _| {
        Reply::close()
    }),
    again(
        "half a status line",
        Means::Connection,
        "no answer",
        |_, _| Reply::bytes(*b"HTTP/1.1 2"),
    ),
    again("half a header", Means::Connection, "no answer", |_, _| {
        Reply::bytes(*b"HTTP/1.1 200 OK\r\ncontent-le")
    }),
    again("half a body", Means::Connection, "no answer", |_, right| {
        right.clone().half()
    }),
    again(
        "a length that is too great",
        Means::Connection,
        "no answer",
        |_, right| right.clone().declared(right.body_length() + 1),
    ),
    again(
        "a length that is too small",
        Means::Unexpected,
        "cannot be read",
        |_, right| right.clone().declared(right.body_length() - 2),
    ),
    again(
        "a length of half the body",
        Means::Unexpected,
        "cannot be read",
        |_, right| right.clone().declared(right.body_length() / 2),
    ),
    again(
        "a length that is no number",
        Means::Connection,
        "no answer",
        |_, right| with_length("twelve", right),
    ),
    again(
        "a length below zero",
        Means::Connection,
        "no answer",
        |_, right| with_length("-1", right),
    ),
    again("no HTTP", Means::Connection, "no answer", |_, _| {
        Reply::bytes(*b"SSH-2.0-OpenSSH_9.9\r\n")
    }),
    again("noise", Means::Connection, "no answer", |_, _| {
        Reply::bytes((0..=255).collect::<Vec<u8>>())
    }),
    slow("silence", |_, _| Reply::stall()),
    slow("silence in the headers", |_, _| {
        Reply::bytes_then(*b"HTTP/1.1 200 OK\r\ncontent-le", Then::Stall)
    }),
    slow("silence in the body", |call, right| {
        Reply::bytes_then(half(&raw(call, right)), Then::Stall)
    }),
    slow("a byte a second", |call, right| {
        Reply::bytes_then([], Then::Drip(raw(call, right)))
    }),
    slow("a byte of the body a second", |call, right| {
        let (head, body) = (head(call, right.body().len()), right.body().to_vec());
        Reply::bytes_then(head, Then::Drip(body))
    }),
    slow("a chunk that does not come", |call, right| {
        let (chunked, _) = chunked(call, right);
        Reply::bytes_then(half(&chunked), Then::Stall)
    }),
    // Ways to send a body.
    last("chunks", Means::Fine, "", |call, right| {
        let (chunked, end) = chunked(call, right);
        Reply::bytes_then([chunked, end].concat(), Then::Keep)
    }),
    last(
        "a body up to the end of the connection",
        Means::Fine,
        "",
        |_, right| Reply::bytes([b"HTTP/1.1 200 OK\r\n\r\n", right.body()].concat()),
    ),
    last(
        "the end of the connection after a whole answer",
        Means::Fine,
        "",
        |_, right| right.clone().then_close(),
    ),
    again(
        "chunks that break off",
        Means::Connection,
        "no answer",
        |call, right| Reply::bytes(half(&chunked(call, right).0)),
    ),
    again(
        "chunks without the last one",
        Means::Connection,
        "no answer",
        |call, right| Reply::bytes(chunked(call, right).0),
    ),
    again(
        "a chunk whose size is no number",
        Means::Connection,
        "no answer",
        |call, _| {
            let head = chunked_head(call);
            Reply::bytes([head.as_slice(), b"zz\r\n{}\r\n0\r\n\r\n"].concat())
        },
    ),
    last(
        "a second answer behind the first",
        Means::Fine,
        "",
        |call, right| Reply::bytes_then([raw(call, right), error_behind()].concat(), Then::Keep),
    ),
    last("an answer behind chunks", Means::Fine, "", |call, right| {
        let (chunked, end) = chunked(call, right);
        Reply::bytes_then([chunked, end, error_behind()].concat(), Then::Keep)
    }),
    foreign!("HTTP 204 with a body", |call, right| {
        let head = head(call, right.body().len());
        let head = String::from_utf8(head)
            .unwrap()
            .replace("200 OK", "204 No Content");
        let bytes = [head.as_bytes(), right.body(), &error_behind()].concat();
        Reply::bytes_then(bytes, Then::Keep)
    }),
    // What is too much.
    large("a body of 256 MiB", |call, right| {
        let head = [
            head(call, right.body().len() + 256 * MIB).as_slice(),
            right.body(),
        ]
        .concat();
        Reply::bytes_then(head, Then::Flood(blanks(), 256))
    }),
    large("a body of 256 MiB in chunks", |call, _| {
        let chunk = [b"100000\r\n".to_vec(), vec![b' '; MIB], b"\r\n".to_vec()].concat();
        Reply::bytes_then(chunked_head(call), Then::Flood(chunk.into(), 256))
    }),
    large("a body of 256 MiB without a length", |_, _| {
        Reply::bytes_then(*b"HTTP/1.1 200 OK\r\n\r\n", Then::Flood(blanks(), 256))
    }),
    large("a header of 16 MiB", |_, _| {
        Reply::bytes_then(*b"HTTP/1.1 200 OK\r\nx-header: ", Then::Flood(blanks(), 16))
    }),
    large("16 MiB of headers", |_, _| {
        let lines = b"x-header: 0123456789012345678901\r\n".repeat(MIB / 34);
        Reply::bytes_then(*b"HTTP/1.1 200 OK\r\n", Then::Flood(lines.into(), 16))
    }),
    // Answers that are none.
    foreign!("an empty answer", |_, _| Reply::answer(
        200,
        "text/plain",
        []
    )),
    foreign!("blanks", |_, _| Reply::answer(
        200,
        "text/plain",
        *b" \r\n "
    )),
    foreign!("HTTP 204", |call, _| {
        let head = format!(
            "HTTP/1.1 204 No Content\r\nx-amzn-requestid: {}\r\n\r\n",
            call.request_id()
        );
        Reply::bytes_then(head, Then::Keep)
    }),
    foreign!("HTTP 202 without a body", |_, _| Reply::answer(
        202,
        "text/plain",
        []
    )),
    foreign!("null", |_, _| Reply::answer(200, "text/plain", *b"null")),
    foreign!("no JSON and no XML", |_, _| Reply::answer(
        200,
        "text/plain",
        *b"{]<a></b>"
    )),
    foreign!("an answer in the other language", |call, _| {
        let body: &[u8] = if is_json(call) {
            b"<a>b</a>"
        } else {
            b"{\"a\": \"b\"}"
        };
        Reply::answer(200, "text/plain", body)
    }),
    foreign!("an answer to another question", |call, _| {
        let body: &[u8] = if is_json(call) {
            br#"{"rules": [], "nextToken": null}"#
        } else {
            b"<ListUsersResponse><ListUsersResult><Users/></ListUsersResult></ListUsersResponse>"
        };
        Reply::answer(200, "text/plain", body)
    }),
    foreign!("an error as a good answer", |call, _| {
        Reply::answer(200, "text/plain", Reply::throttled(call).body())
    }),
    foreign!("a wrong type", wrong_type),
    foreign!("a whole answer and more", |_, right| {
        Reply::answer(200, "text/plain", [right.body(), right.body()].concat())
    }),
    foreign!("a deep nest", |call, _| {
        let (open, close) = if is_json(call) {
            ("[", "]")
        } else {
            ("<a>", "</a>")
        };
        let body = open.repeat(DEEP) + &close.repeat(DEEP);
        Reply::answer(200, "text/plain", body.into_bytes())
    }),
    foreign!("bytes that are no UTF-8", |_, right| {
        let mut body = right.body().to_vec();
        // In the middle of a text.
        let letters = body.iter_mut().filter(|b| b.is_ascii_lowercase());
        letters.for_each(|b| *b = 0xff);
        Reply::answer(200, "text/plain", body)
    }),
    foreign!("UTF-16", |_, right| {
        let text = str::from_utf8(right.body()).unwrap();
        let text = format!("\u{feff}{text}");
        let body: Vec<u8> = text.encode_utf16().flat_map(u16::to_le_bytes).collect();
        Reply::answer(200, "text/plain", body)
    }),
    foreign!("an entity bomb", |call, _| bomb(call, 200)),
    last(
        "an entity bomb as an error",
        Means::ApiError,
        "(HTTP 400",
        |call, _| bomb(call, 400),
    ),
    foreign!("an entity of a file", |call, _| {
        let entity = "<!DOCTYPE a [<!ENTITY e SYSTEM \"file:///etc/passwd\">]>";
        Reply::answer(
            200,
            "text/xml",
            (entity.to_owned() + &document(call, "&e;")).into_bytes(),
        )
    }),
];

/// A body or a head that is not read to its end.
const fn large(name: &'static str, make: fn(&Call, &Reply) -> Reply) -> Fault {
    last(name, Means::Unexpected, "no answer", make)
}

fn is_json(call: &Call) -> bool {
    call.service == "config"
}

fn blanks() -> Arc<[u8]> {
    vec![b' '; MIB].into()
}

fn half(bytes: &[u8]) -> Vec<u8> {
    // The body is the longer part, as a rule; three quarters are in the middle of it.
    bytes[..bytes.len() - bytes.len() / 8 - 1].to_vec()
}

/// The head of an answer with a body of that length.
fn head(call: &Call, length: usize) -> Vec<u8> {
    let id = call.request_id();
    format!("HTTP/1.1 200 OK\r\nx-amzn-requestid: {id}\r\ncontent-length: {length}\r\n\r\n").into()
}

/// The right answer as it stands on the wire.
fn raw(call: &Call, right: &Reply) -> Vec<u8> {
    [&head(call, right.body().len()), right.body()].concat()
}

fn with_length(length: &str, right: &Reply) -> Reply {
    let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {length}\r\n\r\n");
    Reply::bytes([head.as_bytes(), right.body()].concat())
}

/// An answer that nobody has asked for, and that would be believed.
fn error_behind() -> Vec<u8> {
    let body = r#"{"__type":"AccessDeniedException","message":"not asked for"}"#;
    let length = body.len();
    format!("HTTP/1.1 400 Bad Request\r\ncontent-length: {length}\r\n\r\n{body}").into()
}

fn chunked_head(call: &Call) -> Vec<u8> {
    let id = call.request_id();
    format!("HTTP/1.1 200 OK\r\nx-amzn-requestid: {id}\r\ntransfer-encoding: chunked\r\n\r\n")
        .into()
}

/// The right answer in chunks of forty bytes, and the end of the last one.
fn chunked(call: &Call, right: &Reply) -> (Vec<u8>, Vec<u8>) {
    let mut bytes = chunked_head(call);
    for chunk in right.body().chunks(40) {
        bytes.extend(format!("{:x}\r\n", chunk.len()).bytes());
        bytes.extend(chunk);
        bytes.extend(b"\r\n");
    }
    (bytes, b"0\r\n\r\n".to_vec())
}

/// A refusal for the time, by a service whose clock is so many minutes ahead of ours.
fn clock(call: &Call, code: &str, minutes: i64) -> Reply {
    let rfc2822 = &time::format_description::well_known::Rfc2822;
    // Half a minute more, so that the minutes are whole however long this takes.
    let seconds = minutes * 60 + minutes.signum() * 30;
    let theirs = time::OffsetDateTime::now_utc() + time::Duration::seconds(seconds);
    let reply = Reply::error(call, 403, code, "Signature not yet current or expired.");
    reply.header("date", theirs.format(rfc2822).unwrap())
}

/// A reply to XML's operations with this text in it.
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

/// Ten to the ninth times three letters.
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
    Reply::answer(status, "text/xml", body.into_bytes())
}

/// The right answer with a number in the place of what it is about.
fn wrong_type(call: &Call, right: &Reply) -> Reply {
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
    let mut body: Value = serde_json::from_slice(right.body()).unwrap();
    let members = body.as_object_mut().unwrap();
    // Of keys, which are in no list, all.
    let lists = members.values().any(Value::is_array);
    for member in members.values_mut() {
        if member.is_array() || !lists {
            *member = json!(7);
        }
    }
    Reply::json(&body)
}
