//! The screen of a scan that is not complete: one region does not respond.

use std::sync::Arc;

use crate::captures::{WIDTHS, check_screen};
use crate::pty::{Session, Streams};
use crate::screen::Screen;
use crate::support::{Account, DEFAULT_REGIONS, Latch, Organization, Program, Reply, Server};

const VPC: &str = "AWS::EC2::VPC";
const SLOW: &str = "eu-west-3";

fn account() -> Account {
    let account = Account::new().alias("acme-prod");
    DEFAULT_REGIONS.iter().fold(account, |account, region| {
        account.region(region, &[(VPC, 2)])
    })
}

/// Returns a run in a terminal with escapes. The output directory is the current one, whose name is not shown.
fn program(server: &Server) -> Program {
    Program::without_server()
        .args(["--endpoint-url", &server.url(), "--resource-types", VPC])
        .env("TERM", "xterm-256color")
}

#[test]
fn interrupted_scan_screen_is_expected() {
    for columns in WIDTHS {
        let server = account().serve_with(|call| call.lists(VPC, SLOW).then(Reply::stall));
        let session = Session::start(program(&server), columns, Streams::Both);
        // The rest of the line is the name of the region, if it fits.
        let is_waiting = |screen: &Screen| {
            let text = screen.text();
            text.contains("] 16/17") && (columns < 100 || text.contains("  eu-west-3: "))
        };
        let screen = session.wait_for(is_waiting);
        assert!(is_waiting(&screen), "{columns}: {}", screen.text());
        session.signal("INT");
        let (outcome, end) = session.finish();
        assert_eq!(outcome.code, Some(130), "{}", end.text());
        check_screen("interrupted", columns, &end);
    }
}

/// A command that were broken into lines would, when it is pasted, start another run with its first line.
#[test]
fn command_that_continues_is_one_line() {
    for columns in WIDTHS {
        let organization =
            Organization::new(2, |_| Account::new().region("us-east-1", &[(VPC, 2)]));
        let server = organization.serve_with(|account, call| {
            let stalls = account == Organization::id(2) && call.service == "config";
            stalls.then(Reply::stall)
        });
        let program = program(&server).arg("--organization");
        let session = Session::start(program, columns, Streams::Both);
        session.wait_for(|screen| screen.text().contains("1/2"));
        session.signal("INT");
        let (outcome, screen) = session.finish();
        assert_eq!(outcome.code, Some(130), "{}", screen.text());
        let text = screen.text_without_breaks();
        let command = text
            .lines()
            .find(|line| line.starts_with("To continue this run: "));
        let command = command.unwrap_or_else(|| panic!("{columns}: {text}"));
        assert!(
            command.ends_with(" --organization --resume"),
            "{columns}: {text}"
        );
    }
}

#[test]
fn bar_follows_resized_terminal() {
    let latch = Arc::new(Latch::default());
    let blocked = latch.clone();
    let server = account().serve_with(move |call| {
        if call.lists(VPC, SLOW) {
            blocked.wait();
        }
        None
    });
    let mut session = Session::start(program(&server), 100, Streams::Both);
    session.wait_for(|screen| screen.text().contains("16/17"));
    session.resize(45);
    latch.open();
    let (outcome, screen) = session.finish();
    assert_eq!(outcome.code, Some(0), "{}", screen.text());
    let blocks = |figures: &str| {
        let at = screen.output.find(figures).unwrap();
        let start = screen.output[..at].rfind('\r').unwrap();
        let bar = screen.output[start..at].chars();
        bar.filter(|c| ['█', '░'].contains(c)).count()
    };
    assert_eq!((blocks("] 16/17"), blocks("] 17/17")), (50, 27));
}
