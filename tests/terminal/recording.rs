//! Writes recordings of whole accounts: every request of a scan, with the response of a test.

use std::fs;
use std::path::Path;

use aws_config_resource_count::model::ResourceType;
use serde_json::{Value, json};

use crate::support::Program;

/// The operation of a recorded request to AWS Config.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Operation {
    List(String),
    RecorderStatus,
    Recorders,
}

/// Returns the responses of a region to an operation, one for each attempt.
pub type Respond<'a> = &'a dyn Fn(&str, &Operation) -> Vec<Value>;

/// Prepares a run that replays an account with these regions and responses.
pub fn replay(regions: &[String], respond: Respond) -> Program {
    let program = Program::without_server().args(["--replay", "recording"]);
    let directory = program.directory().join("current/recording");
    write_base(&directory, regions);
    for region in regions {
        let host = format!("config.{region}.amazonaws.com");
        let lists = default_types().into_iter().map(Operation::List);
        let operations = lists.chain([Operation::RecorderStatus, Operation::Recorders]);
        let interactions: Vec<Value> = operations
            .flat_map(|operation| {
                let request = operation.request(&host);
                let with_request = move |mut reply: Value| {
                    reply["request"] = request.clone();
                    reply
                };
                respond(region, &operation).into_iter().map(with_request)
            })
            .collect();
        write_interactions(&directory, &host, &interactions);
    }
    program
}

/// Writes the environment, the identity and the alias, which are those of most fixtures, and the regions.
fn write_base(directory: &Path, regions: &[String]) {
    let base = Path::new("fixtures/_base/standard");
    fs::create_dir_all(directory.join("interactions")).unwrap();
    fs::copy(base.join("env.json"), directory.join("env.json")).unwrap();
    for entry in fs::read_dir(base.join("interactions")).unwrap() {
        let entry = entry.unwrap();
        let copy = directory.join("interactions").join(entry.file_name());
        fs::copy(entry.path(), copy).unwrap();
    }
    let items = regions.iter().map(|region| {
        format!(
            "<item><regionName>{region}</regionName><optInStatus>opt-in-not-required</optInStatus></item>"
        )
    });
    let items: String = items.collect();
    let response = format!(
        "<DescribeRegionsResponse><regionInfo>{items}</regionInfo></DescribeRegionsResponse>"
    );
    let file = "interactions/ec2.us-east-1.amazonaws.com.1.xml";
    fs::write(directory.join(file), response).unwrap();
}

/// Writes the interactions with a host.
fn write_interactions(directory: &Path, host: &str, interactions: &[Value]) {
    let file = directory.join(format!("interactions/{host}.json"));
    let text = json!({"interactions": interactions}).to_string();
    fs::write(file, text).unwrap();
}

impl Operation {
    fn request(&self, host: &str) -> Value {
        let (name, body) = match self {
            Self::List(resource_type) => (
                "ListDiscoveredResources",
                json!({"resourceType": resource_type}),
            ),
            Self::RecorderStatus => ("DescribeConfigurationRecorderStatus", json!({})),
            Self::Recorders => ("DescribeConfigurationRecorders", json!({})),
        };
        json!({
            "method": "POST",
            "uri": format!("https://{host}/"),
            "headers": {
                "content-type": "application/x-amz-json-1.1",
                "x-amz-target": format!("StarlingDoveService.{name}"),
            },
            "body": body,
        })
    }
}

fn default_types() -> Vec<String> {
    let types = ResourceType::common();
    types.iter().map(ToString::to_string).collect()
}

/// Returns the correct response to an operation: `count` resources of each type, and a recorder that records all.
pub fn answer(operation: &Operation, count: usize) -> Value {
    match operation {
        Operation::List(resource_type) => {
            let resource = |n| json!({"resourceType": resource_type, "resourceId": format!("{resource_type} {n}")});
            let resources: Vec<_> = (0..count).map(resource).collect();
            response(200, &json!({"resourceIdentifiers": resources}))
        }
        Operation::RecorderStatus => status(json!({"recording": true, "lastStatus": "SUCCESS"})),
        Operation::Recorders => response(
            200,
            &json!({"ConfigurationRecorders": [{
                "name": "default",
                "recordingGroup": {
                    "allSupported": true,
                    "includeGlobalResourceTypes": true,
                    "recordingStrategy": {"useOnly": "ALL_SUPPORTED_RESOURCE_TYPES"},
                },
            }]}),
        ),
    }
}

/// Returns the status of a recorder with these members.
fn status(mut members: Value) -> Value {
    members["name"] = json!("default");
    response(200, &json!({"ConfigurationRecordersStatus": [members]}))
}

/// Returns an error response.
pub fn error(status: u16, code: &str, message: &str) -> Value {
    response(status, &json!({"__type": code, "message": message}))
}

/// Returns the error of a caller without the permission.
pub fn denied(operation: &Operation) -> Value {
    let action = match operation {
        Operation::List(_) => "ListDiscoveredResources",
        Operation::RecorderStatus => "DescribeConfigurationRecorderStatus",
        Operation::Recorders => "DescribeConfigurationRecorders",
    };
    let message = format!(
        "User: arn:aws:iam::123456789012:user/inventory is not authorized to perform: \
         config:{action} because no identity-based policy allows the config:{action} action"
    );
    error(400, "AccessDeniedException", &message)
}

/// Returns the response of a region without a recorder.
pub fn no_recorder(operation: &Operation) -> Value {
    let empty = |member: &str| response(200, &json!({member: []}));
    match operation {
        Operation::List(_) => error(
            400,
            "NoAvailableConfigurationRecorderException",
            "There are no customer managed configuration recorders.",
        ),
        Operation::RecorderStatus => empty("ConfigurationRecordersStatus"),
        Operation::Recorders => empty("ConfigurationRecorders"),
    }
}

/// Returns the response of a region whose recorder is stopped, with `count` resources of each type.
pub fn stopped(operation: &Operation, count: usize) -> Value {
    match operation {
        Operation::RecorderStatus => status(json!({
            "recording": false,
            "lastStatus": "SUCCESS",
            "lastStopTime": 1_786_000_000.25,
        })),
        _ => answer(operation, count),
    }
}

/// Returns a read time-out.
pub fn timeout(region: &str) -> Value {
    let message = format!("config.{region}.amazonaws.com: timed out waiting for a response");
    json!({"error": {"kind": "timeout", "message": message}})
}

fn response(status: u16, body: &Value) -> Value {
    json!({"response": {
        "status": status,
        "headers": {
            "content-type": "application/x-amz-json-1.1",
            "x-amzn-requestid": "00000000-0000-4000-8000-000000000000",
        },
        "body": body,
    }})
}
