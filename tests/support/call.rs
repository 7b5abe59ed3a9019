//! A request that the server received, parsed as the real services parse it.

use std::time::Instant;

use serde_json::{Map, Value};

/// A request that the server received.
#[derive(Debug, Clone)]
pub struct Call {
    /// The request's number on this server, from 1; set by the request log.
    pub number: usize,
    /// The number of its connection, from 1.
    pub connection: usize,
    /// The time of arrival of its last byte.
    pub arrived: Instant,
    /// The HTTP method, usually `POST`.
    pub method: String,
    /// The path with the query.
    pub path: String,
    /// The header names, in the case in which they were sent, with their values.
    pub headers: Vec<(String, String)>,
    /// The service of the signature's scope: `config`, `ec2`, `iam` or `sts`.
    pub service: String,
    /// The region of the signature's scope.
    pub region: String,
    /// The operation's name, from `X-Amz-Target` or the form's `Action`.
    pub operation: String,
    /// The body.
    pub body: Vec<u8>,
    /// The JSON object of the body, or the form's fields as an object of strings.
    pub input: Value,
}

impl Call {
    /// Parses the bytes of one whole request; `None` if they are not HTTP.
    ///
    /// A request without a signature has an empty service and region; the handler decides what to
    /// do.
    pub fn parse(bytes: &[u8], connection: usize) -> Option<Self> {
        let (head, body) = bytes.split_at(head_length(bytes)?);
        let mut lines = str::from_utf8(head).ok()?.split("\r\n");
        let mut request_line = lines.next()?.split(' ');
        let (method, path) = (request_line.next()?, request_line.next()?);
        let headers = lines
            .take_while(|line| !line.is_empty())
            .map(|line| {
                let (name, value) = line.split_once(':')?;
                Some((name.to_owned(), value.trim().to_owned()))
            })
            .collect::<Option<_>>()?;
        let mut call = Self {
            number: 0,
            connection,
            arrived: Instant::now(),
            method: method.to_owned(),
            path: path.to_owned(),
            headers,
            service: String::new(),
            region: String::new(),
            operation: String::new(),
            body: body.to_owned(),
            input: Value::Null,
        };
        call.parse_input();
        Some(call)
    }

    /// Sets service, region, operation and input.
    fn parse_input(&mut self) {
        // Credential=AKID/20261124/eu-west-1/config/aws4_request
        let scope = self.header("authorization").unwrap_or_default();
        let scope = scope.split_once("Credential=").map_or("", |(_, rest)| rest);
        let scope = scope.split(',').next().unwrap_or_default();
        let mut parts = scope.rsplit('/').skip(1).map(str::to_owned);
        let (service, region) = (parts.next(), parts.next());
        let target = self.header("x-amz-target").map(str::to_owned);
        self.service = service.unwrap_or_default();
        self.region = region.unwrap_or_default();
        if let Some(target) = target {
            let operation = target.rsplit('.').next().unwrap_or_default();
            operation.clone_into(&mut self.operation);
            self.input = serde_json::from_slice(&self.body).unwrap_or_default();
        } else {
            let fields: Map<_, _> = form_urlencoded::parse(&self.body)
                .map(|(name, value)| (name.into_owned(), value.into_owned().into()))
                .collect();
            self.input = fields.into();
            self.operation = self.field("Action").unwrap_or_default().to_owned();
        }
    }

    /// Returns the value of the header `name`, in any case.
    pub fn header(&self, name: &str) -> Option<&str> {
        let is_named = |(n, _): &&(String, String)| n.eq_ignore_ascii_case(name);
        self.headers.iter().find(is_named).map(|(_, v)| v.as_str())
    }

    /// Returns a string of the input.
    pub fn field(&self, name: &str) -> Option<&str> {
        self.input.get(name)?.as_str()
    }

    /// Returns true if the request calls `operation` in `region`.
    pub fn is(&self, operation: &str, region: &str) -> bool {
        self.operation == operation && self.region == region
    }

    /// Returns true if the request lists a page of `resource_type` in `region`.
    pub fn lists(&self, resource_type: &str, region: &str) -> bool {
        self.is("ListDiscoveredResources", region)
            && self.field("resourceType") == Some(resource_type)
    }

    /// Returns the request ID of the reply: the request's number in the form of a UUID.
    pub fn request_id(&self) -> String {
        format!("00000000-0000-4000-8000-{:012}", self.number)
    }
}

/// Returns the length of the first request in `bytes`, if its head is complete.
pub fn request_length(bytes: &[u8]) -> Option<usize> {
    let head = head_length(bytes)?;
    let length = bytes[..head]
        .split(|b| *b == b'\n')
        .filter_map(|line| str::from_utf8(line).ok()?.split_once(':'))
        .find(|(name, _)| name.eq_ignore_ascii_case("content-length"))
        .and_then(|(_, value)| value.trim().parse::<usize>().ok());
    Some(head + length.unwrap_or(0))
}

fn head_length(bytes: &[u8]) -> Option<usize> {
    let end = b"\r\n\r\n";
    let at = bytes.windows(end.len()).position(|four| four == end)?;
    Some(at + end.len())
}
