//! Replies of AWS Config. The first byte says where a reply is cut for the check of that.
#![no_main]

use aws_config_resource_count::aws::operation::Operation;
use aws_config_resource_count::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use aws_config_resource_count::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use aws_config_resource_count::aws::ops::get_discovered_resource_counts::GetDiscoveredResourceCounts;
use aws_config_resource_count::aws::ops::list_discovered_resources::ListDiscoveredResources;
use aws_config_resource_count::model::{KnownTypes, ResourceType};
use libfuzzer_sys::fuzz_target;
use serde_json::{Map, Value};

fuzz_target!(|data: &[u8]| {
    let Some((cut, body)) = data.split_first() else {
        return;
    };
    let types: [ResourceType; 2] = ["AWS::EC2::VPC", "AWS::IAM::Role"].map(|t| t.parse().unwrap());
    for resource_type in &types {
        listing(resource_type, *cut, body);
    }
    counts(&[], *cut, body);
    counts(&types, *cut, body);
    recorders(&types, *cut, body);
    if let Some(statuses) = read(&DescribeConfigurationRecorderStatus {}, *cut, body) {
        holds(
            statuses.len(),
            body,
            "ConfigurationRecordersStatus",
            r#"{"recording":true}"#,
        );
    }
});

/// The reply in `body`. One that is read is a JSON object, and cut anywhere it is a cut one.
fn read<O: Operation>(operation: &O, cut: u8, body: &[u8]) -> Option<O::Output> {
    let output = match operation.parse(body) {
        Ok(output) => output,
        Err(error) => {
            assert!(
                !error.cut || !body.trim_ascii().is_empty(),
                "an empty body is not cut"
            );
            assert!(!error.reason.is_empty());
            return None;
        }
    };
    let whole = body.trim_ascii();
    assert!(
        whole.starts_with(b"{") && whole.ends_with(b"}"),
        "{} read no object",
        O::NAME
    );
    let end = whole.len() * usize::from(cut) / 256;
    match operation.parse(&whole[..end]) {
        Ok(_) => panic!("{} read a part of a reply", O::NAME),
        Err(error) => assert_eq!(error.cut, end > 0, "{}: {error}", O::NAME),
    }
    Some(output)
}

/// A list of `n` items takes room: at the least that of the smallest one for each.
fn holds(n: usize, body: &[u8], member: &str, smallest: &str) {
    assert!(
        n * smallest.len() <= body.len(),
        "{n} items in {} bytes",
        body.len()
    );
    // A reader of its own, where it reads the body as well: it minds numbers in other members.
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        assert_eq!(object[member].as_array().map(Vec::len), Some(n));
        let objects = object[member]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_object);
        assert!(objects, "an item of {member} is no object");
    }
}

fn token(token: Option<&str>, body: &[u8]) {
    assert_ne!(token, Some(""));
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        let given = object.get("nextToken").and_then(Value::as_str);
        assert_eq!(token, given.filter(|t| !t.is_empty()));
    }
}

fn listing(resource_type: &ResourceType, cut: u8, body: &[u8]) {
    let operation = ListDiscoveredResources {
        resource_type,
        next_token: None,
    };
    let Some(page) = read(&operation, cut, body) else {
        return;
    };
    let n = usize::try_from(page.resources).unwrap();
    holds(n, body, "resourceIdentifiers", "{}");
    token(page.next_token.as_deref(), body);
    assert_eq!(
        page.ids.len(),
        if resource_type.is_global() { n } else { 0 }
    );
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        for item in object["resourceIdentifiers"].as_array().unwrap() {
            let named = item.get("resourceType").filter(|t| !t.is_null());
            assert!(named.is_none_or(|t| t == resource_type.as_str()));
        }
    }
}

fn counts(asked: &[ResourceType], cut: u8, body: &[u8]) {
    let operation = GetDiscoveredResourceCounts {
        resource_types: asked,
        next_token: None,
        known: None,
    };
    let Some(page) = read(&operation, cut, body) else {
        return;
    };
    let smallest = r#"{"resourceType":"AB::CD::EF","count":0}"#;
    holds(page.counts.len(), body, "resourceCounts", smallest);
    token(page.next_token.as_deref(), body);
    assert!(
        page.counts
            .iter()
            .all(|(t, _)| asked.is_empty() || asked.contains(t))
    );
    // Types that are known change nothing but that they are not new.
    let known = KnownTypes::default();
    known.add(
        page.counts
            .iter()
            .step_by(2)
            .map(|(t, _)| t.clone())
            .collect(),
    );
    let knowing = GetDiscoveredResourceCounts {
        known: Some(&known),
        ..operation
    };
    let again = knowing.parse(body).unwrap();
    assert_eq!(again.counts, page.counts);
    assert!(again.new.iter().all(|t| !known.held().contains(t)));
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        assert_eq!(
            object["totalDiscoveredResources"].as_u64(),
            Some(page.total)
        );
        let items = object["resourceCounts"].as_array().unwrap();
        for ((resource_type, count), item) in page.counts.iter().zip(items) {
            assert_eq!(item["resourceType"], resource_type.as_str());
            assert_eq!(item["count"].as_u64(), Some(*count));
        }
    }
}

fn recorders(types: &[ResourceType], cut: u8, body: &[u8]) {
    let Some(recorders) = read(&DescribeConfigurationRecorders {}, cut, body) else {
        return;
    };
    holds(recorders.len(), body, "ConfigurationRecorders", "{}");
    let foreign: ResourceType = "Datadog::Monitors::Monitor".parse().unwrap();
    for recorder in recorders {
        let group = recorder.recording_group.unwrap_or_default();
        assert!(
            group.records(&foreign),
            "a third-party type is always taken in"
        );
        for resource_type in types {
            assert_eq!(
                group.records(resource_type),
                group.clone().records(resource_type)
            );
        }
    }
}
