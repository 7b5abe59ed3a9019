//! Parses responses of AWS Config. The first byte selects where a response is truncated.
#![no_main]

use aws_config_resource_count::aws::operation::Operation;
use aws_config_resource_count::aws::ops::describe_configuration_recorder_status::DescribeConfigurationRecorderStatus;
use aws_config_resource_count::aws::ops::describe_configuration_recorders::DescribeConfigurationRecorders;
use aws_config_resource_count::aws::ops::get_discovered_resource_counts::GetDiscoveredResourceCounts;
use aws_config_resource_count::aws::ops::list_accounts::ListAccounts;
use aws_config_resource_count::aws::ops::list_accounts_for_parent::ListAccountsForParent;
use aws_config_resource_count::aws::ops::list_discovered_resources::ListDiscoveredResources;
use aws_config_resource_count::aws::ops::list_organizational_units_for_parent::ListOrganizationalUnitsForParent;
use aws_config_resource_count::aws::ops::list_roots::ListRoots;
use aws_config_resource_count::model::ResourceType;
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
    organization(*cut, body);
    if let Some(statuses) = read(&DescribeConfigurationRecorderStatus {}, *cut, body) {
        assert_list(
            statuses.len(),
            body,
            "ConfigurationRecordersStatus",
            r#"{"recording":true}"#,
        );
    }
});

/// Parses the response in `body`. A valid response is a JSON object; any truncated copy of it must
/// give a truncation error.
fn read<O: Operation>(operation: &O, cut: u8, body: &[u8]) -> Option<O::Output> {
    let output = match operation.parse(body) {
        Ok(output) => output,
        Err(error) => {
            assert!(
                !error.is_truncated() || !body.trim_ascii().is_empty(),
                "an empty body is not truncated"
            );
            assert!(!error.reason().raw().is_empty());
            return None;
        }
    };
    let complete = body.trim_ascii();
    assert!(
        complete.starts_with(b"{") && complete.ends_with(b"}"),
        "{} parsed a non-object",
        O::NAME
    );
    let end = complete.len() * usize::from(cut) / 256;
    match operation.parse(&complete[..end]) {
        Ok(_) => panic!("{} parsed a truncated response", O::NAME),
        Err(error) => assert_eq!(error.is_truncated(), end > 0, "{}: {error}", O::NAME),
    }
    Some(output)
}

/// Asserts that `body` has room for `n` items of at least the size of `smallest`, and that `member`
/// is a list of `n` objects.
fn assert_list(n: usize, body: &[u8], member: &str, smallest: &str) {
    assert!(
        n * smallest.len() <= body.len(),
        "{n} items in {} bytes",
        body.len()
    );
    // Compares with serde_json if it can parse the body; it rejects some numbers in other members.
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        assert_eq!(object[member].as_array().map(Vec::len), Some(n));
        let objects = object[member]
            .as_array()
            .unwrap()
            .iter()
            .all(Value::is_object);
        assert!(objects, "an item of {member} is not an object");
    }
}

/// Parses the response as pages of AWS Organizations.
fn organization(cut: u8, body: &[u8]) {
    let (max_results, next_token, parent_id) = (20, None, "r-ab12");
    let accounts = ListAccounts {
        max_results,
        next_token,
    };
    let below = ListAccountsForParent {
        parent_id,
        max_results,
        next_token,
    };
    let units = ListOrganizationalUnitsForParent {
        parent_id,
        max_results,
        next_token,
    };
    let listed = read(&accounts, cut, body);
    let listed_below = read(&below, cut, body);
    assert_eq!(listed.is_some(), listed_below.is_some());
    read(&units, cut, body);
    read(&ListRoots { next_token }, cut, body);
}

fn assert_token(token: Option<&str>, body: &[u8]) {
    assert_ne!(token, Some(""));
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        // A response with both spellings is not parsed.
        let member = object.get("nextToken").or_else(|| object.get("NextToken"));
        let expected = member.and_then(Value::as_str);
        assert_eq!(token, expected.filter(|t| !t.is_empty()));
    }
}

fn listing(resource_type: &ResourceType, cut: u8, body: &[u8]) {
    let operation = ListDiscoveredResources {
        resource_type,
        next_token: None,
        page: 1,
    };
    let Some(page) = read(&operation, cut, body) else {
        return;
    };
    let smallest = r#"{"resourceType":"AB::CD::EF","resourceId":"x"}"#;
    assert_list(page.ids.len(), body, "resourceIdentifiers", smallest);
    assert_token(page.next_token.as_deref(), body);
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        for item in object["resourceIdentifiers"].as_array().unwrap() {
            let text = |name: &str| item[name].as_str().unwrap();
            assert!(text("resourceType").eq_ignore_ascii_case(resource_type.as_str()));
            assert!(!text("resourceId").is_empty());
        }
    }
}

fn counts(requested: &[ResourceType], cut: u8, body: &[u8]) {
    let operation = GetDiscoveredResourceCounts {
        resource_types: requested,
        next_token: None,
        page: 1,
    };
    let Some(page) = read(&operation, cut, body) else {
        return;
    };
    let smallest = r#"{"resourceType":"AB::CD::EF","count":0}"#;
    assert_list(page.counts.len(), body, "resourceCounts", smallest);
    assert_token(page.next_token.as_deref(), body);
    assert!(
        page.counts
            .iter()
            .all(|(t, _)| requested.is_empty() || requested.contains(t))
    );
    if let Ok(object) = serde_json::from_slice::<Map<String, Value>>(body) {
        assert_eq!(
            object["totalDiscoveredResources"].as_u64(),
            Some(page.total)
        );
        let items = object["resourceCounts"].as_array().unwrap();
        for ((resource_type, count), item) in page.counts.iter().zip(items) {
            let text = item["resourceType"].as_str().unwrap();
            assert!(text.eq_ignore_ascii_case(resource_type.as_str()));
            assert_eq!(item["count"].as_u64(), Some(*count));
        }
    }
}

fn recorders(types: &[ResourceType], cut: u8, body: &[u8]) {
    let Some(recorders) = read(&DescribeConfigurationRecorders {}, cut, body) else {
        return;
    };
    assert_list(recorders.len(), body, "ConfigurationRecorders", "{}");
    let foreign: ResourceType = "Datadog::Monitors::Monitor".parse().unwrap();
    for recorder in recorders {
        assert!(
            recorder.records(&foreign),
            "a third-party type is always recorded"
        );
        for resource_type in types {
            assert_eq!(
                recorder.records(resource_type),
                recorder.clone().records(resource_type)
            );
        }
    }
}
