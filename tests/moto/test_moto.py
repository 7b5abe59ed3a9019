"""The program against moto's server, which checks every signature and every policy.

Differences between moto and AWS that matter here:

- A region without a recorder lists its resources; AWS responds with
  NoAvailableConfigurationRecorderException. CONFIG_DISABLED therefore comes from the
  recorder calls here, not from the listing, and the region keeps its rows.
- The listing ignores the recorder: if it is stopped or does not record a type, moto lists
  the current resources. AWS lists stale data or the discovered resources.
- IAM roles and policies are listed in every region; AWS lists them where the recorder
  records global types, which regions added after February 2022 cannot do. IAM users and
  groups are not listed in any region.
- Resources are listed immediately, and only five types; every other type is empty, even
  if it does not exist. AWS discovers with a delay and rejects an unknown type.
- GetDiscoveredResourceCounts is missing: the response is HTTP 500 with an HTML page,
  after the signature and the policy were checked.
- A recorder has no ARN, and its lastStatus is PENDING, not Pending.
- DescribeRegions returns the regions of all partitions, including those not opted in.
- An authorization error is the same XML for all services, even for JSON requests, with
  the IAM error codes. AWS Config returns AccessDeniedException,
  UnrecognizedClientException and InvalidSignatureException in JSON; EC2 returns
  UnauthorizedOperation.
- The elements Resource and Condition of a policy are ignored, and so is the date of a
  signature.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import botocore.exceptions
import pytest

from accounts import (
    ALIAS,
    BUCKETS,
    POLICIES,
    ROLES,
    TOPICS,
    Scanned,
    scan_user,
)
from emulator import Account, Credentials, Emulator, allow, deny
from program import (
    ACTIONS,
    ALIASES,
    BUCKET,
    COMMON_TYPES,
    LIST,
    POLICY,
    REGIONS,
    ROLE,
    STATUS,
    STEM,
    TOPIC,
    Program,
    Run,
    Runner,
    assert_no_secret,
    expected_rows,
)


@pytest.fixture(scope="session")
def big_run(
    program: Program, big: Scanned, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A complete scan of the big account in its own partition.

    IAM is complete too: regions added after February 2022 cannot record it, but the
    other regions do.
    """
    return program.scan(
        big.account.emulator,
        tmp_path_factory.mktemp("big"),
        big.credentials,
        "--strict",
        "--exclude-regions",
        ",".join(big.account.foreign_regions),
    )


def assert_failed_checks(run: Run, marks: str, error_file: str) -> None:
    """Asserts exit code 1, no CSV, and each failure in the error log and on stderr."""
    assert run.exit_code == 1, run.output
    assert run.checks == marks
    assert run.files == [error_file]
    assert len(run.log) == marks.count("✗")
    assert all(line.startswith("[PREREQUISITE] Message: ") for line in run.log)
    assert run.errors == run.log


# The emulator itself: the tests below rely on its authentication.


def test_emulator_rejects_bad_signature_and_missing_permission(
    emulator: Emulator, small: Scanned
) -> None:
    def error_code(credentials: Credentials) -> str:
        with pytest.raises(botocore.exceptions.ClientError) as error:
            emulator.client("iam", credentials).list_users()
        return error.value.response["Error"]["Code"]

    wrong = Credentials(small.credentials.access_key_id, "wrong")
    assert error_code(wrong) == "SignatureDoesNotMatch"
    assert (
        error_code(Credentials("AKIAIOSFODNN7EXAMPLE", "wrong"))
        == "InvalidClientTokenId"
    )
    assert error_code(small.credentials) == "AccessDenied"


# Counts and summary.


def test_csv_matches_created_resources(big: Scanned, big_run: Run) -> None:
    totals = {(region, ROLE): ROLES for region in big.account.own_regions}
    totals |= {(region, BUCKET): number for region, number in BUCKETS.items()}
    assert big_run.rows == expected_rows(big.account, ALIAS, totals)


def test_csv_matches_boto3_counts(big: Scanned, big_run: Run) -> None:
    totals = {
        (region, resource_type): big.account.listed(region, resource_type)
        for region in big.account.own_regions
        for resource_type in COMMON_TYPES
    }
    assert big_run.rows == expected_rows(big.account, ALIAS, totals)


def test_alias_in_file_name_and_column(big_run: Run) -> None:
    assert big_run.files == [f"{STEM}_111122223333_{ALIAS}.csv"]
    lines = big_run.csv_bytes.split(b"\r\n")
    assert lines[0] == b"account,alias,region,resource_type,total"
    assert lines[1] == b"111122223333,moto-demo,af-south-1,AWS::IAM::Role,101"
    assert lines[-1] == b""


def test_complete_scan_passes_checks_and_strict(big: Scanned, big_run: Run) -> None:
    assert big_run.exit_code == 0, big_run.output
    assert big_run.checks == "✓✓✓✓✓✓✓✓"
    assert big_run.errors == []
    assert f"111122223333 ({ALIAS})" in big_run.stdout
    assert f"Found {len(big.account.regions)} enabled regions" in big_run.stdout
    number = len(big.account.own_regions)
    assert f"Scanning {number} regions..." in big_run.stdout
    assert f"Progress: [{'█' * 50}] {number}/{number}\n" in big_run.stderr


def test_summary_figures_match_csv(big: Scanned, big_run: Run) -> None:
    rows = big_run.rows
    assert big_run.summary("Regions scanned") == len(big.account.own_regions)
    types = {row.resource_type for row in rows}
    assert big_run.summary("Resource types found") == len(types)
    total = sum(row.total for row in rows)
    assert f"the CSV's rows add up to {total:,}: IAM is in " in big_run.stdout
    assert big_run.summary("Errors encountered") == 0
    assert "Total resources: at least" not in big_run.stdout
    assert "unknown" not in big_run.stdout


def test_missing_alias_in_file_name_and_column(runner: Runner, small: Scanned) -> None:
    regions = "us-west-2,eu-central-1"
    run = runner(small.credentials, "--regions", regions)
    assert run.exit_code == 0, run.output
    csv, errors = f"{STEM}_444455556666.csv", f"{STEM}_444455556666_errors.txt"
    assert run.files == [csv, errors]
    [line] = run.log
    assert line.startswith("[CONFIG_DISABLED] Region: eu-central-1, Message: 8 types ")
    totals = {
        ("us-west-2", BUCKET): 2,
        ("us-west-2", ROLE): 1,
        ("eu-central-1", ROLE): 1,
    }
    assert run.rows == expected_rows(small.account, "", totals)


def test_unusable_regions_have_one_log_line_each(
    runner: Runner, small: Scanned
) -> None:
    account = small.account
    run = runner(small.credentials)
    assert run.exit_code == 0, run.output
    totals = {(region, ROLE): 1 for region in account.own_regions}
    totals["us-west-2", BUCKET] = 2
    assert run.rows == expected_rows(account, "", totals)
    expected = [f"[REGION_DISABLED] Region: {r}" for r in account.foreign_regions]
    without = [region for region in account.own_regions if region != "us-west-2"]
    expected += [f"[CONFIG_DISABLED] Region: {region}" for region in without]
    assert sorted(line.partition(",")[0] for line in run.log) == sorted(expected)
    assert sorted(run.errors) == sorted(run.log)
    assert run.summary("Errors encountered") == len(expected)
    assert f"{STEM}_444455556666_errors.txt" in run.stdout


def test_strict_exits_3_for_disabled_region(runner: Runner, small: Scanned) -> None:
    regions = f"us-west-2,{small.account.foreign_regions[0]}"
    run = runner(small.credentials, "--strict", "--regions", regions)
    assert run.exit_code == 3, run.output
    assert {row.region for row in run.rows} == {"us-west-2"}
    [line] = run.log
    assert line.startswith(
        f"[REGION_DISABLED] Region: {small.account.foreign_regions[0]},"
    )


def test_strict_exits_3_for_missing_recorder(runner: Runner, small: Scanned) -> None:
    run = runner(small.credentials, "--strict", "--regions", "us-west-2,eu-north-1")
    assert run.exit_code == 3, run.output
    # The region keeps the rows of its listing.
    assert {row.region for row in run.rows} == {"us-west-2", "eu-north-1"}
    [line] = run.log
    assert line.startswith("[CONFIG_DISABLED] Region: eu-north-1,")
    # The other region is complete.
    run = runner(small.credentials, "--strict", "--regions", "us-west-2")
    assert run.exit_code == 0, run.output
    assert run.files == [f"{STEM}_444455556666.csv"]


def test_named_types_follow_all_pages(runner: Runner, big: Scanned) -> None:
    regions = ("us-east-1", "eu-west-1")
    types = f"{POLICY},{TOPIC}"
    run = runner(
        big.credentials,
        "--strict",
        "--regions",
        ",".join(regions),
        "--resource-types",
        types,
    )
    assert run.exit_code == 0, run.output
    totals = {(region, TOPIC): number for region, number in TOPICS.items()}
    totals |= {(region, POLICY): POLICIES for region in regions}
    assert run.rows == expected_rows(big.account, ALIAS, totals)


# Region selection.


def test_only_named_regions_are_scanned(runner: Runner, big: Scanned) -> None:
    run = runner(big.credentials, "--regions", "us-east-1,eu-west-1")
    assert run.exit_code == 0, run.output
    found = [(row.region, row.resource_type, row.total) for row in run.rows]
    assert found == [
        ("eu-west-1", ROLE, ROLES),
        ("eu-west-1", BUCKET, BUCKETS["eu-west-1"]),
        ("us-east-1", ROLE, ROLES),
        ("us-east-1", BUCKET, BUCKETS["us-east-1"]),
    ]
    assert run.summary("Regions scanned") == 2


def test_excluded_regions_are_skipped(runner: Runner, big: Scanned) -> None:
    kept = ["eu-north-1", "us-west-2"]
    excluded = [region for region in big.account.regions if region not in kept]
    run = runner(big.credentials, "--strict", "--exclude-regions", ",".join(excluded))
    assert run.exit_code == 0, run.output
    assert sorted({row.region for row in run.rows}) == kept
    assert run.summary("Regions scanned") == len(kept)


def test_exclusion_overrides_named_regions(runner: Runner, small: Scanned) -> None:
    named, excluded = "us-west-2,eu-north-1", "eu-north-1"
    run = runner(small.credentials, "--regions", named, "--exclude-regions", excluded)
    assert run.exit_code == 0, run.output
    assert {row.region for row in run.rows} == {"us-west-2"}


def test_unknown_region_is_rejected(runner: Runner, small: Scanned) -> None:
    run = runner(small.credentials, "--regions", "us-west-2,xx-none-1")
    assert (run.exit_code, run.files) == (2, []), run.output
    assert "xx-none-1" in run.stderr


# Credentials.


def test_wrong_secret_fails_checks(runner: Runner, big: Scanned) -> None:
    wrong = Credentials(big.credentials.access_key_id, "a-secret-that-is-wrong")
    run = runner(wrong, "--debug")
    assert_failed_checks(run, "✓✓✓✗✗✗✗✗", f"{STEM}_errors.txt")
    for check in ("sts:GetCallerIdentity", ALIASES, LIST):
        assert "SignatureDoesNotMatch" in run.failure(f"IAM permission: {check}")
    # EC2 has its own error code, in moto as in AWS.
    assert "AuthFailure" in run.failure(f"IAM permission: {REGIONS}")
    assert "<Error" not in run.stdout, "the response was not parsed"
    # An invalid signature is not retried.
    assert "attempt 1" in run.stderr
    assert "attempt 2" not in run.stderr
    assert_no_secret(run, big.credentials)


def test_unknown_access_key_fails_checks(runner: Runner) -> None:
    unknown = Credentials("AKIAIOSFODNN7EXAMPLE", "a-secret-of-no-user")
    run = runner(unknown)
    assert_failed_checks(run, "✓✓✓✗✗✗✗✗", f"{STEM}_errors.txt")
    failure = run.failure("IAM permission: sts:GetCallerIdentity")
    assert "InvalidClientTokenId" in failure
    assert "AuthFailure" in run.failure(f"IAM permission: {REGIONS}")


def test_temporary_credentials_with_session_token(runner: Runner, big: Scanned) -> None:
    session = big.session()
    run = runner(session, "--strict", "--debug", "--regions", "eu-west-1")
    assert run.exit_code == 0, run.output
    assert [row.total for row in run.rows] == [ROLES, BUCKETS["eu-west-1"]]


@pytest.mark.parametrize("token", [None, "FQoG-of-another"], ids=["missing", "foreign"])
def test_temporary_credentials_with_wrong_token(
    runner: Runner, big: Scanned, token: str | None
) -> None:
    session = big.session()
    run = runner(Credentials(session.access_key_id, session.secret_access_key, token))
    assert_failed_checks(run, "✓✓✓✗✗✗✗✗", f"{STEM}_errors.txt")
    failure = run.failure("IAM permission: sts:GetCallerIdentity")
    assert "InvalidClientTokenId" in failure
    assert_no_secret(run, session)


def test_credentials_and_region_from_profile(
    program: Program, big: Scanned, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(
        "[audit]\n"
        f"aws_access_key_id = {big.credentials.access_key_id}\n"
        f"aws_secret_access_key = {big.credentials.secret_access_key}\n"
    )
    (home / ".aws/config").write_text("[profile audit]\nregion = eu-west-1\n")
    variables = {"AWS_ENDPOINT_URL": big.account.emulator.url, "AWS_PROFILE": "audit"}
    at_home = Program(program.binary, home)
    run = at_home.run(
        tmp_path / "out", variables, "--regions", "eu-west-1", "--debug", "--strict"
    )
    assert run.exit_code == 0, run.output
    assert [row.total for row in run.rows] == [ROLES, BUCKETS["eu-west-1"]]
    assert "sts:GetCallerIdentity eu-west-1" in run.stderr
    assert_no_secret(run, big.credentials)


# Permissions.


@pytest.mark.parametrize(
    ("lacking", "marks"),
    [
        (ALIASES, "✓✓✓✓✗✓✓✓"),
        (REGIONS, "✓✓✓✓✓✗✓✓"),
        (LIST, "✓✓✓✓✓✓✗✓"),
    ],
    ids=["aliases", "regions", "list"],
)
def test_missing_permission_fails_only_its_check(
    runner: Runner, big: Scanned, lacking: str, marks: str
) -> None:
    granted = [action for action in ACTIONS if action != lacking]
    run = runner(big.account.user(allow(*granted)))
    alias = "" if lacking == ALIASES else f"_{ALIAS}"
    assert_failed_checks(run, marks, f"{STEM}_111122223333{alias}_errors.txt")
    failure = run.failure(f"IAM permission: {lacking}")
    assert "AccessDenied" in failure
    assert f"not authorized to perform: {lacking}" in failure
    assert "<Error" not in failure, "the response was not parsed"


def test_identity_is_known_without_permissions(runner: Runner, big: Scanned) -> None:
    run = runner(big.account.user(deny("*")))
    assert_failed_checks(run, "✓✓✓✓✗✗✗✗", f"{STEM}_111122223333_errors.txt")


def test_denial_overrides_permission(runner: Runner, big: Scanned) -> None:
    run = runner(big.account.user(allow("*"), deny(LIST)))
    error_file = f"{STEM}_111122223333_{ALIAS}_errors.txt"
    assert_failed_checks(run, "✓✓✓✓✓✓✗✓", error_file)


def test_specified_permissions_pass_all_checks(runner: Runner, big: Scanned) -> None:
    # config:ListResourceCounts is in the specification, but AWS Config has no such action.
    named = (LIST, "config:ListResourceCounts", "sts:GetCallerIdentity")
    user = big.account.user(allow(*named, ALIASES, REGIONS))
    run = runner(user, "--strict=missing", "--regions", "eu-west-1")
    assert run.exit_code == 0, run.output
    assert run.checks == "✓✓✓✓✓✓✓✓"
    assert [row.total for row in run.rows] == [ROLES, BUCKETS["eu-west-1"]]
    assert run.log == []
    # These permissions do not include the recorder calls.
    assert "recorder status unknown (access denied); grant the IAM policy below" in run.stdout


def test_error_file_is_removed_after_success(runner: Runner, big: Scanned) -> None:
    failed = runner(big.account.user(allow(ALIASES, STATUS, LIST)))
    assert failed.exit_code == 1, failed.output
    assert failed.files == [f"{STEM}_111122223333_{ALIAS}_errors.txt"]
    run = runner(big.credentials, "--regions", "eu-west-1")
    assert run.exit_code == 0, run.output
    assert run.files == [f"{STEM}_111122223333_{ALIAS}.csv"]


# Recorders.


def test_account_without_recorder_fails_last_check(
    runner: Runner, new_account: Callable[[], Account]
) -> None:
    account = new_account()
    run = runner(scan_user(account))
    assert_failed_checks(run, "✓✓✓✓✓✓✓✗", f"{STEM}_{account.id}_errors.txt")


@pytest.mark.parametrize("region", ["us-west-2", "eu-west-1", "sa-east-1"])
def test_single_recorder_is_found_in_any_region(
    runner: Runner, new_account: Callable[[], Account], region: str
) -> None:
    account = new_account()
    account.recorder(region, account.role(), account.bucket(region))
    run = runner(scan_user(account), "--strict", "--regions", region)
    assert run.exit_code == 0, run.output
    assert run.checks == "✓✓✓✓✓✓✓✓"
    totals = {(region, BUCKET): 1, (region, ROLE): 1}
    assert run.rows == expected_rows(account, "", totals)


def test_stopped_recorder_passes_with_note(
    runner: Runner, new_account: Callable[[], Account]
) -> None:
    account = new_account()
    bucket = account.bucket("us-east-1")
    account.recorder("us-east-1", account.role(), bucket, started=False)
    run = runner(scan_user(account), "--strict", "--regions", "us-east-1")
    assert run.exit_code == 3, run.output
    assert "us-east-1; recorder stopped" in run.stdout


# Record and replay.


@dataclass(frozen=True)
class Recording:
    """A run, its options and credentials, and the directory of its recording."""

    run: Run
    directory: Path
    options: tuple[str, ...]
    credentials: Credentials


# The permission that the recorded user lacks, and if there is a recorder.
RECORDED: dict[str, tuple[str | None, bool]] = {
    "a scan with gaps": (None, True),
    "a missing permission": (REGIONS, True),
    "no recorder": (None, False),
}


@pytest.fixture(scope="module", params=list(RECORDED.values()), ids=list(RECORDED))
def recording(
    request: pytest.FixtureRequest,
    program: Program,
    tmp_path_factory: pytest.TempPathFactory,
) -> Recording:
    """A recording of an emulator that is stopped afterwards."""
    directory = tmp_path_factory.mktemp("recording")
    exchanges = directory / "exchanges"
    lacking, recorder = request.param
    with Emulator(directory) as emulator:
        account = emulator.open_account("777788889999")
        account.alias(ALIAS)
        role = account.roles(ROLES)[0]
        if recorder:
            account.recorder("us-east-1", role, account.bucket("us-east-1"))
        granted = [action for action in ACTIONS if action != lacking]
        credentials = account.session(role, allow(*granted))
        regions = ["us-east-1", "eu-west-1", *account.foreign_regions]
        options = ("--regions", ",".join(regions))
        live = directory / "live"
        run = program.scan(
            emulator, live, credentials, *options, "--record", str(exchanges)
        )
    return Recording(run, exchanges, options, credentials)


def test_replay_without_server_gives_same_files(
    program: Program, recording: Recording, tmp_path: Path
) -> None:
    live = recording.run
    options = (*recording.options, "--replay", str(recording.directory))
    again = program.run(tmp_path, {}, *options)
    assert again.exit_code == live.exit_code, again.output
    assert again.checks == live.checks
    assert again.files == live.files
    # In a live run, concurrent regions log in the order of their responses.
    assert sorted(again.log) == sorted(live.log) != []
    assert again.errors == again.log
    if live.csv_names:
        assert again.csv_bytes == live.csv_bytes
        assert [row.total for row in again.rows] == [ROLES, ROLES, 1]


def test_replays_are_identical(
    program: Program, recording: Recording, tmp_path: Path
) -> None:
    options = (*recording.options, "--replay", str(recording.directory))
    first, second = [
        program.run(tmp_path / name, {}, *options) for name in ("first", "second")
    ]
    assert first.log == second.log != []
    assert first.stdout == second.stdout
    assert first.files == second.files


def test_recording_has_no_secret(recording: Recording) -> None:
    files = [path for path in recording.directory.rglob("*") if path.is_file()]
    text = "\n".join(path.read_text() for path in files)
    # The recording is not empty: it has the account and the operations.
    assert "777788889999" in text
    assert "ListDiscoveredResources" in text
    credentials = recording.credentials
    for secret in [
        *credentials.secrets,
        credentials.access_key_id,
        "Signature=",
        "Credential=",
    ]:
        assert secret not in text
    headers = text.lower()
    assert '"authorization"' not in headers
    assert '"x-amz-security-token"' not in headers


def test_recording_with_another_account_id(
    program: Program, runner: Runner, small: Scanned, tmp_path: Path
) -> None:
    exchanges, regions = tmp_path / "exchanges", ("--regions", "us-west-2")
    other_account = ("--record-account-id", "123456789012")
    live = Runner(program, runner.emulator, tmp_path / "live")(
        small.credentials, *regions, "--record", str(exchanges), *other_account
    )
    assert live.csv_names == [f"{STEM}_444455556666.csv"]
    texts = [p.read_text() for p in exchanges.rglob("*") if p.is_file()]
    assert not any("444455556666" in text for text in texts)
    again = program.run(tmp_path / "again", {}, *regions, "--replay", str(exchanges))
    assert again.csv_names == [f"{STEM}_123456789012.csv"]
    assert again.csv_bytes == live.csv_bytes.replace(b"444455556666", b"123456789012")
