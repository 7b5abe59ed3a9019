"""The program against moto's server, which checks every signature and every policy.

What moto does otherwise than AWS, where it matters here:

- A region without a recorder lists its resources all the same; AWS answers with
  NoAvailableConfigurationRecorderException. So a CONFIG_DISABLED comes up here by the
  calls that ask for the recorder, and not by the listing, and the region keeps its rows.
- The listing does not look at the recorder: one that is stopped, or that leaves a type
  out, lists what is there now. What AWS lists then is stale, or what was discovered.
- IAM roles and policies are listed in every region; AWS lists them where the recorder
  records global types, which it does in no region of after February 2022. IAM users and
  groups are listed nowhere.
- Resources are listed at once, and only of five types; any other type is empty, also one
  that does not exist. AWS discovers with a delay and refuses an unknown type.
- GetDiscoveredResourceCounts is not there: its answer is HTTP 500 with a page of HTML,
  after signature and policy were checked.
- A recorder has no ARN, and its lastStatus is PENDING, not Pending.
- DescribeRegions names the regions of all partitions, also those not opted in.
- A refusal is the same XML for all services, also in answer to JSON, with the IAM codes.
  AWS Config says AccessDeniedException, UnrecognizedClientException and
  InvalidSignatureException, in JSON; EC2 says UnauthorizedOperation.
- The elements Resource and Condition of a policy are not looked at, and neither is the
  date of a signature.
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
    user_of,
)
from emulator import Account, Emulator, Keys, allow, deny
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
    Ask,
    Program,
    Run,
    assert_no_secret,
    expected_rows,
)


@pytest.fixture(scope="session")
def big_run(
    program: Program, big: Scanned, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A scan of the big account in its own partition, in which nothing is missing.

    Not even IAM in the regions that came after February 2022 and cannot record it: the
    other ones do.
    """
    return program.ask(
        big.account.emulator,
        tmp_path_factory.mktemp("big"),
        big.keys,
        "--strict",
        "--exclude-regions",
        ",".join(big.account.foreign_regions),
    )


def assert_failed_checks(run: Run, marks: str, error_file: str) -> None:
    """Exit 1, no CSV, and each failure both in the error file and on stderr."""
    assert run.exit_code == 1, run.told
    assert run.checks == marks
    assert run.files == [error_file]
    assert len(run.log) == marks.count("✗")
    assert all(line.startswith("[PREREQUISITE] Message: ") for line in run.log)
    assert run.errors == run.log


# The emulator itself: without this, the tests below would prove nothing.


def test_the_emulator_refuses_a_wrong_signature_and_a_missing_permission(
    emulator: Emulator, small: Scanned
) -> None:
    def refusal(keys: Keys) -> str:
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            emulator.client("iam", keys).list_users()
        return refused.value.response["Error"]["Code"]

    wrong = Keys(small.keys.access_key_id, "wrong")
    assert refusal(wrong) == "SignatureDoesNotMatch"
    assert refusal(Keys("AKIAIOSFODNN7EXAMPLE", "wrong")) == "InvalidClientTokenId"
    assert refusal(small.keys) == "AccessDenied"


# What was put in comes out.


def test_the_csv_has_what_was_put_in(big: Scanned, big_run: Run) -> None:
    totals = {(region, ROLE): ROLES for region in big.account.own_regions}
    totals |= {(region, BUCKET): number for region, number in BUCKETS.items()}
    assert big_run.rows == expected_rows(big.account, ALIAS, totals)


def test_the_csv_has_what_boto3_counts(big: Scanned, big_run: Run) -> None:
    totals = {
        (region, resource_type): big.account.listed(region, resource_type)
        for region in big.account.own_regions
        for resource_type in COMMON_TYPES
    }
    assert big_run.rows == expected_rows(big.account, ALIAS, totals)


def test_with_an_alias_it_is_in_the_file_name_and_in_the_column(big_run: Run) -> None:
    assert big_run.files == [f"{STEM}_111122223333_{ALIAS}.csv"]
    lines = big_run.csv_bytes.split(b"\r\n")
    assert lines[0] == b"account,alias,region,resource_type,total"
    assert lines[1] == b"111122223333,moto-demo,af-south-1,AWS::IAM::Role,101"
    assert lines[-1] == b""


def test_all_checks_pass_and_strict_exits_0_where_nothing_is_missing(
    big: Scanned, big_run: Run
) -> None:
    assert big_run.exit_code == 0, big_run.told
    assert big_run.checks == "✓✓✓✓✓✓✓✓"
    assert big_run.errors == []
    assert f"111122223333 ({ALIAS})" in big_run.stdout
    assert f"Found {len(big.account.regions)} enabled regions" in big_run.stdout
    number = len(big.account.own_regions)
    assert f"Scanning {number} regions..." in big_run.stdout
    assert f"Progress: [{'█' * 50}] {number}/{number}\n" in big_run.stderr


def test_the_summary_has_the_figures_of_the_csv(big: Scanned, big_run: Run) -> None:
    rows = big_run.rows
    assert big_run.summary("Regions scanned") == len(big.account.own_regions)
    types = {row.resource_type for row in rows}
    assert big_run.summary("Resource types found") == len(types)
    assert big_run.summary("Total resources") == sum(row.total for row in rows)
    assert big_run.summary("Errors encountered") == 0
    assert "(partial)" not in big_run.stdout
    assert "unknown" not in big_run.stdout


def test_without_an_alias_file_name_and_column_have_none(
    ask: Ask, small: Scanned
) -> None:
    regions = "us-west-2,eu-central-1"
    run = ask(small.keys, "--regions", regions)
    assert run.exit_code == 0, run.told
    csv, errors = f"{STEM}_444455556666.csv", f"{STEM}_444455556666_errors.txt"
    assert run.files == [csv, errors]
    [line] = run.log
    assert line.startswith("[CONFIG_DISABLED] Region: eu-central-1, Message: 9 types ")
    totals = {
        ("us-west-2", BUCKET): 2,
        ("us-west-2", ROLE): 1,
        ("eu-central-1", ROLE): 1,
    }
    assert run.rows == expected_rows(small.account, "", totals)


def test_regions_that_refuse_the_keys_or_have_no_recorder_cost_a_line_each_and_no_more(
    ask: Ask, small: Scanned
) -> None:
    account = small.account
    run = ask(small.keys)
    assert run.exit_code == 0, run.told
    totals = {(region, ROLE): 1 for region in account.own_regions}
    totals["us-west-2", BUCKET] = 2
    assert run.rows == expected_rows(account, "", totals)
    told = [f"[REGION_DISABLED] Region: {r}" for r in account.foreign_regions]
    without = [region for region in account.own_regions if region != "us-west-2"]
    told += [f"[CONFIG_DISABLED] Region: {region}" for region in without]
    assert sorted(line.partition(",")[0] for line in run.log) == sorted(told)
    assert sorted(run.errors) == sorted(run.log)
    assert run.summary("Errors encountered") == len(told)
    assert f"{STEM}_444455556666_errors.txt" in run.stdout


def test_strict_exits_3_where_a_region_is_missing(ask: Ask, small: Scanned) -> None:
    regions = f"us-west-2,{small.account.foreign_regions[0]}"
    run = ask(small.keys, "--strict", "--regions", regions)
    assert run.exit_code == 3, run.told
    assert {row.region for row in run.rows} == {"us-west-2"}
    [line] = run.log
    assert line.startswith(
        f"[REGION_DISABLED] Region: {small.account.foreign_regions[0]},"
    )


def test_strict_exits_3_where_a_region_has_no_recorder(
    ask: Ask, small: Scanned
) -> None:
    run = ask(small.keys, "--strict", "--regions", "us-west-2,eu-north-1")
    assert run.exit_code == 3, run.told
    # What is listed there has its row all the same.
    assert {row.region for row in run.rows} == {"us-west-2", "eu-north-1"}
    [line] = run.log
    assert line.startswith("[CONFIG_DISABLED] Region: eu-north-1,")
    # Of the other region alone nothing is missing.
    run = ask(small.keys, "--strict", "--regions", "us-west-2")
    assert run.exit_code == 0, run.told
    assert run.files == [f"{STEM}_444455556666.csv"]


def test_named_types_and_their_pages(ask: Ask, big: Scanned) -> None:
    regions = ("us-east-1", "eu-west-1")
    types = f"{POLICY},{TOPIC}"
    run = ask(
        big.keys, "--strict", "--regions", ",".join(regions), "--resource-types", types
    )
    assert run.exit_code == 0, run.told
    totals = {(region, TOPIC): number for region, number in TOPICS.items()}
    totals |= {(region, POLICY): POLICIES for region in regions}
    assert run.rows == expected_rows(big.account, ALIAS, totals)


# Which regions.


def test_named_regions_alone_are_scanned(ask: Ask, big: Scanned) -> None:
    run = ask(big.keys, "--regions", "us-east-1,eu-west-1")
    assert run.exit_code == 0, run.told
    found = [(row.region, row.resource_type, row.total) for row in run.rows]
    assert found == [
        ("eu-west-1", ROLE, ROLES),
        ("eu-west-1", BUCKET, BUCKETS["eu-west-1"]),
        ("us-east-1", ROLE, ROLES),
        ("us-east-1", BUCKET, BUCKETS["us-east-1"]),
    ]
    assert run.summary("Regions scanned") == 2


def test_excluded_regions_are_left_out(ask: Ask, big: Scanned) -> None:
    kept = ["eu-north-1", "us-west-2"]
    excluded = [region for region in big.account.regions if region not in kept]
    run = ask(big.keys, "--strict", "--exclude-regions", ",".join(excluded))
    assert run.exit_code == 0, run.told
    assert sorted({row.region for row in run.rows}) == kept
    assert run.summary("Regions scanned") == len(kept)


def test_excluded_goes_before_named(ask: Ask, small: Scanned) -> None:
    named, excluded = "us-west-2,eu-north-1", "eu-north-1"
    run = ask(small.keys, "--regions", named, "--exclude-regions", excluded)
    assert run.exit_code == 0, run.told
    assert {row.region for row in run.rows} == {"us-west-2"}


def test_a_region_that_the_account_does_not_have_is_told(
    ask: Ask, small: Scanned
) -> None:
    run = ask(small.keys, "--regions", "us-west-2,xx-none-1")
    assert run.exit_code == 0, run.told
    assert {row.region for row in run.rows} == {"us-west-2"}
    [line] = run.log
    assert line.startswith("[REGION_DISABLED] Region: xx-none-1, ")


# Credentials.


def test_a_wrong_secret_is_a_clear_failed_check(ask: Ask, big: Scanned) -> None:
    wrong = Keys(big.keys.access_key_id, "a-secret-that-is-wrong")
    run = ask(wrong, "--debug")
    assert_failed_checks(run, "✓✓✓✗✗✗✗✗", f"{STEM}_errors.txt")
    for check in ("sts:GetCallerIdentity", ALIASES, LIST):
        assert "SignatureDoesNotMatch" in run.failure(f"IAM permission: {check}")
    # EC2 has a code of its own for it, here as in AWS.
    assert "AuthFailure" in run.failure(f"IAM permission: {REGIONS}")
    assert "<Error" not in run.stdout, "the answer was not understood"
    # A wrong secret does not become right by asking again.
    assert "attempt 1" in run.stderr
    assert "attempt 2" not in run.stderr
    assert_no_secret(run, big.keys)


def test_an_unknown_access_key_is_a_clear_failed_check(ask: Ask) -> None:
    unknown = Keys("AKIAIOSFODNN7EXAMPLE", "a-secret-of-nobody")
    run = ask(unknown)
    assert_failed_checks(run, "✓✓✓✗✗✗✗✗", f"{STEM}_errors.txt")
    failure = run.failure("IAM permission: sts:GetCallerIdentity")
    assert "InvalidClientTokenId" in failure
    assert "AuthFailure" in run.failure(f"IAM permission: {REGIONS}")


def test_temporary_keys_with_their_session_token(ask: Ask, big: Scanned) -> None:
    session = big.session()
    run = ask(session, "--strict", "--debug", "--regions", "eu-west-1")
    assert run.exit_code == 0, run.told
    assert [row.total for row in run.rows] == [ROLES, BUCKETS["eu-west-1"]]


@pytest.mark.parametrize("token", [None, "FQoG-of-another"], ids=["missing", "foreign"])
def test_temporary_keys_with_a_missing_or_foreign_token(
    ask: Ask, big: Scanned, token: str | None
) -> None:
    session = big.session()
    run = ask(Keys(session.access_key_id, session.secret_access_key, token))
    assert_failed_checks(run, "✓✓✓✗✗✗✗✗", f"{STEM}_errors.txt")
    failure = run.failure("IAM permission: sts:GetCallerIdentity")
    assert "InvalidClientTokenId" in failure
    assert_no_secret(run, session)


def test_keys_and_region_of_a_profile(
    program: Program, big: Scanned, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    (home / ".aws/credentials").write_text(
        "[audit]\n"
        f"aws_access_key_id = {big.keys.access_key_id}\n"
        f"aws_secret_access_key = {big.keys.secret_access_key}\n"
    )
    (home / ".aws/config").write_text("[profile audit]\nregion = eu-west-1\n")
    variables = {"AWS_ENDPOINT_URL": big.account.emulator.url, "AWS_PROFILE": "audit"}
    at_home = Program(program.binary, home)
    run = at_home.run(
        tmp_path / "out", variables, "--regions", "eu-west-1", "--debug", "--strict"
    )
    assert run.exit_code == 0, run.told
    assert [row.total for row in run.rows] == [ROLES, BUCKETS["eu-west-1"]]
    assert "sts:GetCallerIdentity eu-west-1" in run.stderr
    assert_no_secret(run, big.keys)


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
def test_a_permission_that_lacks_fails_its_check_and_no_other(
    ask: Ask, big: Scanned, lacking: str, marks: str
) -> None:
    granted = [action for action in ACTIONS if action != lacking]
    run = ask(big.account.user(allow(*granted)))
    alias = "" if lacking == ALIASES else f"_{ALIAS}"
    assert_failed_checks(run, marks, f"{STEM}_111122223333{alias}_errors.txt")
    failure = run.failure(f"IAM permission: {lacking}")
    assert "AccessDenied" in failure
    assert f"not authorized to perform: {lacking}" in failure
    assert "<Error" not in failure, "the answer was not understood"


def test_without_any_permission_the_identity_is_still_known(
    ask: Ask, big: Scanned
) -> None:
    run = ask(big.account.user(deny("*")))
    assert_failed_checks(run, "✓✓✓✓✗✗✗✗", f"{STEM}_111122223333_errors.txt")


def test_a_denial_goes_before_a_permission(ask: Ask, big: Scanned) -> None:
    run = ask(big.account.user(allow("*"), deny(LIST)))
    error_file = f"{STEM}_111122223333_{ALIAS}_errors.txt"
    assert_failed_checks(run, "✓✓✓✓✓✓✗✓", error_file)


def test_a_user_with_exactly_the_permissions_of_the_specification_passes(
    ask: Ask, big: Scanned
) -> None:
    # One of them, config:ListResourceCounts, is no action of AWS Config.
    named = (LIST, "config:ListResourceCounts", "sts:GetCallerIdentity")
    user = big.account.user(allow(*named, ALIASES, REGIONS))
    run = ask(user, "--strict", "--regions", "eu-west-1")
    assert run.exit_code == 0, run.told
    assert run.checks == "✓✓✓✓✓✓✓✓"
    assert [row.total for row in run.rows] == [ROLES, BUCKETS["eu-west-1"]]
    assert run.log == []
    # They leave the recorder out of it.
    assert "recorder unknown in eu-west-1 (denied): " in run.stdout


def test_the_error_file_goes_once_the_permission_is_there(
    ask: Ask, big: Scanned
) -> None:
    failed = ask(big.account.user(allow(ALIASES, STATUS, LIST)))
    assert failed.exit_code == 1, failed.told
    assert failed.files == [f"{STEM}_111122223333_{ALIAS}_errors.txt"]
    run = ask(big.keys, "--regions", "eu-west-1")
    assert run.exit_code == 0, run.told
    assert run.files == [f"{STEM}_111122223333_{ALIAS}.csv"]


# Recorders.


def test_an_account_without_a_recorder_fails_the_last_check(
    ask: Ask, new_account: Callable[[], Account]
) -> None:
    account = new_account()
    run = ask(user_of(account))
    assert_failed_checks(run, "✓✓✓✓✓✓✓✗", f"{STEM}_{account.id}_errors.txt")


@pytest.mark.parametrize("region", ["us-west-2", "eu-west-1", "sa-east-1"])
def test_a_single_recorder_is_found_in_whatever_region(
    ask: Ask, new_account: Callable[[], Account], region: str
) -> None:
    account = new_account()
    account.recorder(region, account.role(), account.bucket(region))
    run = ask(user_of(account), "--strict", "--regions", region)
    assert run.exit_code == 0, run.told
    assert run.checks == "✓✓✓✓✓✓✓✓"
    totals = {(region, BUCKET): 1, (region, ROLE): 1}
    assert run.rows == expected_rows(account, "", totals)


def test_a_recorder_that_is_stopped_passes_with_a_word_about_it(
    ask: Ask, new_account: Callable[[], Account]
) -> None:
    account = new_account()
    bucket = account.bucket("us-east-1")
    account.recorder("us-east-1", account.role(), bucket, started=False)
    run = ask(user_of(account), "--strict", "--regions", "us-east-1")
    assert run.exit_code == 0, run.told
    assert "us-east-1, where the recorder is stopped" in run.stdout


# Record and replay.


@dataclass(frozen=True)
class Recording:
    """A run, how it was run, and the folder that it was recorded into."""

    run: Run
    folder: Path
    options: tuple[str, ...]
    keys: Keys


# What the recorded user may not do, and whether there is a recorder.
RECORDED: dict[str, tuple[str | None, bool]] = {
    "a scan with gaps": (None, True),
    "a permission that lacks": (REGIONS, True),
    "no recorder": (None, False),
}


@pytest.fixture(scope="module", params=list(RECORDED.values()), ids=list(RECORDED))
def recording(
    request: pytest.FixtureRequest,
    program: Program,
    tmp_path_factory: pytest.TempPathFactory,
) -> Recording:
    """Made against an emulator of its own, which is gone afterwards."""
    folder = tmp_path_factory.mktemp("recording")
    exchanges = folder / "exchanges"
    lacking, recorder = request.param
    with Emulator(folder) as emulator:
        account = emulator.open_account("777788889999")
        account.alias(ALIAS)
        role = account.roles(ROLES)[0]
        if recorder:
            account.recorder("us-east-1", role, account.bucket("us-east-1"))
        granted = [action for action in ACTIONS if action != lacking]
        keys = account.session(role, allow(*granted))
        regions = ["us-east-1", "eu-west-1", *account.foreign_regions, "xx-none-1"]
        options = ("--regions", ",".join(regions))
        live = folder / "live"
        run = program.ask(emulator, live, keys, *options, "--record", str(exchanges))
    return Recording(run, exchanges, options, keys)


def test_a_replay_needs_no_server_and_gives_the_same_files(
    program: Program, recording: Recording, tmp_path: Path
) -> None:
    live = recording.run
    options = (*recording.options, "--replay", str(recording.folder))
    again = program.run(tmp_path, {}, *options)
    assert again.exit_code == live.exit_code, again.told
    assert again.checks == live.checks
    assert again.files == live.files
    # Live, the lines of regions that are asked side by side stand as they came in.
    assert sorted(again.log) == sorted(live.log) != []
    assert again.errors == again.log
    if live.csv_names:
        assert again.csv_bytes == live.csv_bytes
        assert [row.total for row in again.rows] == [ROLES, ROLES, 1]


def test_every_replay_is_the_same(
    program: Program, recording: Recording, tmp_path: Path
) -> None:
    options = (*recording.options, "--replay", str(recording.folder))
    first, second = [
        program.run(tmp_path / name, {}, *options) for name in ("first", "second")
    ]
    assert first.log == second.log != []
    assert first.stdout == second.stdout
    assert first.files == second.files


def test_the_recording_holds_no_secret(recording: Recording) -> None:
    files = [path for path in recording.folder.rglob("*") if path.is_file()]
    text = "\n".join(path.read_text() for path in files)
    # The recording is there at all: its account and its operations are.
    assert "777788889999" in text
    assert "ListDiscoveredResources" in text
    keys = recording.keys
    for secret in [*keys.secrets, keys.access_key_id, "Signature=", "Credential="]:
        assert secret not in text
    headers = text.lower()
    assert '"authorization"' not in headers
    assert '"x-amz-security-token"' not in headers


def test_a_recording_may_bear_another_account_number(
    program: Program, ask: Ask, small: Scanned, tmp_path: Path
) -> None:
    exchanges, regions = tmp_path / "exchanges", ("--regions", "us-west-2")
    stand_in = ("--record-account-id", "123456789012")
    live = Ask(program, ask.emulator, tmp_path / "live")(
        small.keys, *regions, "--record", str(exchanges), *stand_in
    )
    assert live.csv_names == [f"{STEM}_444455556666.csv"]
    texts = [p.read_text() for p in exchanges.rglob("*") if p.is_file()]
    assert not any("444455556666" in text for text in texts)
    again = program.run(tmp_path / "again", {}, *regions, "--replay", str(exchanges))
    assert again.csv_names == [f"{STEM}_123456789012.csv"]
    assert again.csv_bytes == live.csv_bytes.replace(b"444455556666", b"123456789012")
