use super::*;
use crate::aws::ops::describe_configuration_recorders::ConfigurationRecorder;
use crate::coverage::{Coverage, Gap, Recorder, RecorderState, RegionResult};
use crate::error_log::ErrorType;
use crate::inventory::{Listed, Method};
use crate::model::ResourceTypes;

const TYPES: [&str; 3] = ["AWS::EC2::VPC", "AWS::S3::Bucket", "AWS::IAM::Role"];

fn denied() -> Gap {
    Gap::new(ErrorType::Permission, "denied")
}

/// A region with listings of the first [`TYPES`]; access to the other types is denied.
fn region(code: &str, totals: &[u64]) -> RegionResult {
    let listing = |(name, total): (&&str, &u64)| {
        let ids = (0..*total).collect();
        (
            name.parse().unwrap(),
            Ok(Listed {
                total: *total,
                ids,
                changed: None,
            }),
        )
    };
    RegionResult {
        listed: TYPES.iter().zip(totals).map(listing).collect(),
        ..RegionResult::missing(code.parse().unwrap(), denied())
    }
}

fn coverage(mut regions: Vec<RegionResult>, types: usize, recorder: &Recorder) -> Coverage {
    let types = TYPES[..types].iter().map(|t| t.parse().unwrap()).collect();
    for region in &mut regions {
        region.recorder = Some(recorder.clone());
    }
    Coverage::new(regions, &ResourceTypes::Named(types), Method::List)
}

fn settings() -> ConfigurationRecorder {
    serde_json::from_str(r#"{"recordingGroup": {"includeGlobalResourceTypes": true}}"#).unwrap()
}

fn recording() -> Recorder {
    Recorder::new(Ok(RecorderState::Recording), Ok(settings()))
}

#[test]
fn differences_are_shown_as_table() {
    let mut outcome = region("eu-west-1", &[12, 3]);
    let counts = [("AWS::EC2::VPC", 9), ("AWS::S3::Bucket", 3)];
    outcome.counts = Some(
        counts
            .iter()
            .map(|(t, n)| (t.parse().unwrap(), *n))
            .collect(),
    );
    let regions = vec![outcome, region("us-east-1", &[1])];
    assert_eq!(
        comparison(&coverage(regions, 2, &recording()).compare()),
        [
            "Verified: 2 counts compared, 1 difference, 2 could not be compared",
            "  region     type           listed  counted  difference  possible reason",
            "  eu-west-1  AWS::EC2::VPC      12        9          +3  the counts lag \
             some minutes behind the recorder or the resources",
        ]
    );
    let same = coverage(vec![region("eu-west-1", &[])], 0, &recording());
    assert_eq!(
        comparison(&same.compare()),
        ["Verified: 0 counts compared, 0 differences"]
    );
}
