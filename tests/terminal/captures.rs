//! Whole screens, compared with the files in `expected/`.

use std::fs;
use std::path::Path;

use crate::pty::{Streams, run};
use crate::recording::{Operation, answer, denied, error, no_recorder, replay, stopped, timeout};
use crate::screen::Screen;
use crate::support::{DEFAULT_REGIONS, Program};
use crate::volatile::without_times;

pub const WIDTHS: [u16; 3] = [60, 100, 160];

/// Runs a program at each width and compares the screens.
pub fn check_screens(name: &str, exit_code: i32, program: impl Fn() -> Program) {
    for columns in WIDTHS {
        let program = program().env("TERM", "xterm-256color");
        let (outcome, screen) = run(program, columns, Streams::Both);
        assert_eq!(outcome.code, Some(exit_code), "{}", screen.text());
        check_screen(name, columns, &screen);
    }
}

/// Compares a screen with the file `{name}_{columns}.txt`, or writes the file if `UPDATE_EXPECTED` is 1.
pub fn check_screen(name: &str, columns: u16, screen: &Screen) {
    let text = without_times(&screen.text());
    let path = Path::new("tests/terminal/expected").join(format!("{name}_{columns}.txt"));
    if std::env::var_os("UPDATE_EXPECTED").is_some_and(|value| value == "1") {
        fs::write(&path, &text).unwrap();
    }
    let expected = fs::read_to_string(&path).unwrap_or_default();
    let path = path.display();
    let update = "run UPDATE_EXPECTED=1 cargo test --locked --test terminal, and review";
    assert!(text == expected, "{path} differs, {update}:\n{text}");
}

fn default_regions() -> Vec<String> {
    DEFAULT_REGIONS.map(str::to_owned).into()
}

/// Returns a hundred regions: ten in each of ten areas.
fn hundred_regions() -> Vec<String> {
    let areas = [
        "ap-east",
        "ap-northeast",
        "ap-south",
        "ap-southeast",
        "ca-central",
        "eu-central",
        "eu-west",
        "sa-east",
        "us-east",
        "us-west",
    ];
    let regions = areas
        .into_iter()
        .flat_map(|area| (1..=10).map(move |n| format!("{area}-{n}")));
    regions.collect()
}

#[test]
fn demo_screen_is_expected() {
    check_screens("demo", 0, || Program::without_server().arg("--demo"));
}

#[test]
fn denied_checks_screen_is_expected() {
    check_screens("denied_checks", 1, || {
        replay(&default_regions(), &|_, operation| vec![denied(operation)])
    });
}

#[test]
fn denied_scan_screen_is_expected() {
    let regions = ["eu-west-1", "us-east-1", "us-west-2"].map(str::to_owned);
    check_screens("denied_scan", 1, || {
        replay(&regions, &|_, operation| vec![denied(operation)]).arg("--skip-checks")
    });
}

#[test]
fn stalled_region_screen_is_expected() {
    check_screens("stalled_region", 0, || {
        replay(
            &default_regions(),
            &|region, operation| match (region, operation) {
                ("eu-west-3", Operation::List(_)) => vec![timeout(region); 10],
                _ => vec![answer(operation, 3)],
            },
        )
    });
}

#[test]
fn hundred_regions_screen_is_expected() {
    check_screens("hundred_regions", 0, || {
        replay(&hundred_regions(), &|region, operation| {
            vec![match (region, operation) {
                ("ap-east-3" | "ap-east-4" | "sa-east-7" | "us-west-9", _) => {
                    no_recorder(operation)
                }
                ("ca-central-2" | "ca-central-5", _) => error(
                    400,
                    "UnrecognizedClientException",
                    "The security token included in the request is invalid.",
                ),
                ("eu-west-1" | "eu-west-2" | "eu-west-3", Operation::List(resource_type))
                    if resource_type == "AWS::RDS::DBInstance" =>
                {
                    denied(operation)
                }
                ("us-east-8", _) => stopped(operation, 12),
                _ => answer(operation, 12),
            }]
        })
    });
}

#[test]
fn empty_account_screen_is_expected() {
    check_screens("empty_account", 0, || {
        replay(&default_regions(), &|_, operation| {
            vec![answer(operation, 0)]
        })
    });
}
