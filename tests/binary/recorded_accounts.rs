//! Tests of the account IDs in a recording.

use std::collections::BTreeSet;
use std::path::Path;

use serde_json::json;

use crate::support::{Call, Outcome, Program, Reply};
use crate::{BUCKET, TYPES, account};

/// The account of the server.
const CALLER: &str = "012345678901";

/// Replies with three pages whose resources and page tokens differ only in the account ID.
fn pages_of_three_accounts(call: &Call) -> Option<Reply> {
    let accounts = ["111122223333", "444455556666", CALLER];
    if !call.lists(BUCKET, "us-east-1") {
        return None;
    }
    let token = |account: &str| format!("arn:aws:config:us-east-1:{account}:page");
    let page = call.field("nextToken").map_or(0, |sent| {
        1 + accounts.iter().position(|a| token(a) == sent).unwrap()
    });
    let account = accounts[page];
    let names = [
        format!("arn:aws:s3:us-east-1:{account}:accesspoint/x"),
        format!("logs-{account}"),
        // Twelve digits of other names, and the ID that the caller gets.
        format!("logs-20261124000{page}"),
        format!("20261124{page}000"),
        format!("backup-12345678901{page}"),
        "123456789012".to_owned(),
        format!("other-{page}-900000000001"),
    ];
    let identifiers: Vec<_> = names
        .iter()
        .take(if page == 0 { 7 } else { 5 })
        .map(|name| json!({"resourceType": BUCKET, "resourceId": name}))
        .collect();
    let mut body = json!({"resourceIdentifiers": identifiers});
    if page < 2 {
        body["nextToken"] = token(account).into();
    }
    Some(Reply::json(&body))
}

/// Returns the text of all files of a recording, and their names.
fn everything(run: &Outcome, recording: &Path) -> String {
    let files = run.files();
    let files = files.iter().filter(|file| file.starts_with(recording));
    let texts = files.map(|file| {
        let bytes = std::fs::read(run.directory().join(file)).unwrap();
        format!("{}\n{}\n", file.display(), String::from_utf8_lossy(&bytes))
    });
    texts.collect()
}

#[test]
fn accounts_of_a_recording_stay_different() {
    for given in ["123456789012", "000000000012", "111122223333"] {
        let server = account().serve_with(pages_of_three_accounts);
        let program = Program::new(&server).args(TYPES);
        let recording = program.directory().join("recording");
        let live = program
            .arg("--record")
            .arg(&recording)
            .args(["--record-account-id", given])
            .run();
        assert_eq!(live.code, Some(0), "{}", live.describe());
        let all = everything(&live, Path::new("recording"));
        assert!(!all.contains(CALLER), "{given}: {all}");
        assert!(!all.contains("444455556666"), "{given}: {all}");
        assert!(all.contains("20261124000"), "{given}: {all}");
        let ids: BTreeSet<&str> = all
            .lines()
            .filter(|line| line.contains("\"resourceId\": ") && !line.contains("vpc-"))
            .collect();
        assert!(
            ids.len() >= 17,
            "{given}: {} of 17 identities\n{all}",
            ids.len()
        );

        let replay = Program::without_server()
            .args(TYPES)
            .arg("--replay")
            .arg(&recording)
            .args(["--output-dir", "../out"])
            .run();
        assert_eq!(replay.code, Some(0), "{given}: {}", replay.describe());
        assert_eq!(replay.csv(), live.csv().replace(CALLER, given), "{given}");
    }
}
