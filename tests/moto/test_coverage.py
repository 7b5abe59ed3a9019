"""The coverage file, the report and `iam-policy`, compared with boto3.

`test_moto.py` lists the differences between moto and AWS.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

import botocore.exceptions
import pytest

from accounts import ALIAS, BUCKETS, POLICIES, ROLES, TOPICS, Scanned, scan_user
from emulator import Account, Credentials, Emulator, allow, deny
from program import (
    ACTIONS,
    ALIASES,
    BUCKET,
    COMMON_TYPES,
    COUNTS,
    COVERAGE_STEM,
    LIST,
    POLICY,
    RECORDERS,
    REGIONS,
    ROLE,
    STATUS,
    STEM,
    TOPIC,
    USER,
    Cell,
    Program,
    Run,
    Runner,
)

INSTANCE = "AWS::EC2::Instance"
GLOBAL = (ROLE, USER, POLICY)

Known = dict[tuple[str, str], tuple[str, int | None]]


@dataclass(frozen=True)
class Mixed:
    """An account in which each region has a different AWS Config state."""

    account: Account
    credentials: Credentials

    types = (BUCKET, INSTANCE, POLICY, ROLE, TOPIC, USER)

    running = "us-east-1"
    stopped = "eu-west-1"
    included = "us-west-2"
    excluded = "ap-southeast-2"
    # Regions that AWS Config supports since after February 2022 cannot record IAM.
    late = "me-central-1"
    without = "sa-east-1"

    @property
    def foreign(self) -> str:
        return self.account.foreign_regions[0]

    @property
    def regions(self) -> list[str]:
        own = [self.running, self.stopped, self.included, self.excluded, self.late]
        return sorted([*own, self.without, self.foreign])

    @property
    def options(self) -> tuple[str, ...]:
        types = ("--resource-types", ",".join(self.types))
        return ("--coverage", "--regions", ",".join(self.regions), *types)

    @cached_property
    def known(self) -> Known:
        """The expected status and total of each region and type, found with boto3."""
        found = {
            (region, resource_type): self.cell(region, resource_type)
            for region in self.regions
            for resource_type in self.types
        }
        plain = ("counted", "zero")
        counted = {t for (_, t), (status, _) in found.items() if status in plain}
        # IAM is global: another region counts it.
        unrecorded = ("not_recorded", "recorder_missing")
        return {
            (r, t): ("counted_elsewhere", total)
            if t in GLOBAL and t in counted and status in unrecorded
            else (status, total)
            for (r, t), (status, total) in found.items()
        }

    def cell(self, region: str, resource_type: str) -> tuple[str, int | None]:
        account = self.account
        if region not in account.regions or is_rejected(account, region):
            return "region_disabled", None
        total = account.listed(region, resource_type)
        config = account.client("config", region)
        recorders = config.describe_configuration_recorders()["ConfigurationRecorders"]
        if not recorders:
            return "recorder_missing", total or None
        if not is_recorded(recorders[0]["recordingGroup"], region, resource_type):
            return "not_recorded", total or None
        statuses = config.describe_configuration_recorder_status()
        if not statuses["ConfigurationRecordersStatus"][0]["recording"]:
            return "recorder_stopped", total
        return "counted" if total else "zero", total

    @cached_property
    def missing(self) -> list[tuple[str, str]]:
        """The cells whose count is missing."""
        return [
            place
            for place, (status, total) in self.known.items()
            if total is None and status != "counted_elsewhere"
        ]

    @cached_property
    def stale(self) -> list[tuple[str, str]]:
        """The cells whose count is stale."""
        exact = ("counted", "zero", "counted_elsewhere")
        return [
            place
            for place, (status, total) in self.known.items()
            if total is not None and status not in exact
        ]


def is_rejected(account: Account, region: str) -> bool:
    """Returns True if the region rejects credentials that other regions accept."""
    try:
        account.listed(region, BUCKET)
    except botocore.exceptions.ClientError as error:
        # boto3 expects JSON and uses the whole response as the message.
        return "<Code>InvalidClientTokenId</Code>" in str(error)
    return False


def is_recorded(group: dict[str, Any], region: str, resource_type: str) -> bool:
    if resource_type in GLOBAL and region == Mixed.late:
        return False
    match group["recordingStrategy"]["useOnly"]:
        case "INCLUSION_BY_RESOURCE_TYPES":
            return resource_type in group["resourceTypes"]
        case "EXCLUSION_BY_RESOURCE_TYPES":
            return (
                resource_type not in group["exclusionByResourceTypes"]["resourceTypes"]
            )
        case _:
            return resource_type not in GLOBAL or group["includeGlobalResourceTypes"]


@pytest.fixture(scope="module")
def mixed(emulator: Emulator) -> Mixed:
    account = emulator.open_account("555566667777")
    [role, *_] = account.roles(3)
    made = Mixed(account, scan_user(account))
    bucket = account.bucket("us-east-1")
    for region in (made.stopped, made.included, made.excluded, made.late, made.without):
        account.bucket(region)
    for region in (made.running, made.excluded, made.without):
        account.topic(region)
    for region in (made.running, made.late):
        account.recorder(region, role, bucket)
    account.recorder(made.stopped, role, bucket, started=False)
    only = {"resourceTypes": [BUCKET, USER]}
    account.recorder(made.included, role, bucket, group=only)
    others = {
        "exclusionByResourceTypes": {"resourceTypes": [TOPIC, POLICY, INSTANCE]},
        "recordingStrategy": {"useOnly": "EXCLUSION_BY_RESOURCE_TYPES"},
    }
    account.recorder(made.excluded, role, bucket, group=others)
    return made


@pytest.fixture(scope="module")
def mixed_run(
    program: Program, mixed: Mixed, tmp_path_factory: pytest.TempPathFactory
) -> Run:
    """A scan with --strict, --coverage and --report."""
    directory = tmp_path_factory.mktemp("mixed")
    options = (*mixed.options, "--strict", "--report", "report.json")
    return program.scan(mixed.account.emulator, directory, mixed.credentials, *options)


def known_of(run: Run) -> Known:
    return {(cell.region, cell.resource_type): cell.known for cell in run.cells}


def totals(run: Run) -> tuple[int, int, bool]:
    """The total as recorded, the total with IAM counted once, and if both are partial."""
    pattern = r"^  Total resources: (at least )?([\d,]+)(?:.* rows add up to ([\d,]+):)?"
    found = re.search(pattern, run.stdout, re.MULTILINE)
    assert found, run.output
    once, recorded = (int(n.replace(",", "")) for n in (found[2], found[3] or found[2]))
    return recorded, once, bool(found[1])


# The coverage.


def test_coverage_matches_boto3(mixed: Mixed, mixed_run: Run) -> None:
    assert known_of(mixed_run) == mixed.known
    places = [(cell.region, cell.resource_type) for cell in mixed_run.cells]
    assert places == sorted(places), "a row per region and type, sorted"
    assert len(places) == len(mixed.regions) * len(mixed.types)
    # The account has every status that moto can produce.
    assert {status for status, _ in mixed.known.values()} == {
        "counted",
        "zero",
        "counted_elsewhere",
        "recorder_missing",
        "recorder_stopped",
        "not_recorded",
        "region_disabled",
    }


def test_coverage_matches_expected_cells(mixed: Mixed, mixed_run: Run) -> None:
    known = known_of(mixed_run)
    expected = {
        (mixed.running, BUCKET): ("counted", 1),
        (mixed.running, INSTANCE): ("zero", 0),
        (mixed.running, ROLE): ("counted", 3),
        (mixed.stopped, BUCKET): ("recorder_stopped", 1),
        (mixed.stopped, INSTANCE): ("recorder_stopped", 0),
        (mixed.included, BUCKET): ("counted", 1),
        (mixed.included, TOPIC): ("not_recorded", None),
        (mixed.included, ROLE): ("counted_elsewhere", 3),
        (mixed.included, USER): ("zero", 0),
        (mixed.excluded, BUCKET): ("counted", 1),
        (mixed.excluded, TOPIC): ("not_recorded", 1),
        (mixed.excluded, INSTANCE): ("not_recorded", None),
        (mixed.excluded, ROLE): ("counted", 3),
        (mixed.late, BUCKET): ("counted", 1),
        (mixed.late, ROLE): ("counted_elsewhere", 3),
        (mixed.late, USER): ("counted_elsewhere", None),
        (mixed.without, BUCKET): ("recorder_missing", 1),
        (mixed.without, INSTANCE): ("recorder_missing", None),
        (mixed.foreign, BUCKET): ("region_disabled", None),
    }
    assert {place: known[place] for place in expected} == expected


def test_detail_present_unless_counted_or_zero(mixed_run: Run) -> None:
    for cell in mixed_run.cells:
        assert bool(cell.detail) == (cell.status not in ("counted", "zero")), cell


def test_csv_rows_match_coverage_totals(mixed_run: Run) -> None:
    rows = [(row.region, row.resource_type, row.total) for row in mixed_run.rows]
    assert rows == [
        (cell.region, cell.resource_type, cell.total)
        for cell in mixed_run.cells
        if cell.total
    ]


def test_summary_matches_coverage(mixed: Mixed, mixed_run: Run) -> None:
    assert mixed_run.exit_code == 3, mixed_run.output
    known, missing = mixed.known, mixed.missing
    stale = mixed.stale
    certain = len(known) - len(missing) - len(stale)
    gaps = {region for region, _ in missing}
    cells = f"{certain} of {len(known)} counts known"
    others = f"{len(stale)} stale, {len(missing)} missing"
    assert f"Coverage: {cells}, {others} (" in mixed_run.stdout
    only_stale = len({region for region, _ in stale} - gaps)
    complete = len(mixed.regions) - len(gaps) - only_stale
    figures = f"({complete} complete, {only_stale} stale, {len(gaps)} incomplete)"
    assert figures in mixed_run.stdout
    # The account has no users or policies: us-east-1 records both and reports zero.
    assert (mixed.late, USER) not in missing
    assert (mixed.late, POLICY) not in missing
    assert gaps == set(mixed.regions) - {mixed.running, mixed.stopped, mixed.late}


def test_incomplete_region_has_one_log_line(mixed: Mixed, mixed_run: Run) -> None:
    assert sorted(mixed_run.errors) == sorted(mixed_run.log)
    stale = [line for line in mixed_run.log if ": stale counts of " in line]
    others = [line for line in mixed_run.log if line not in stale]
    for lines, cells in ((stale, mixed.stale), (others, mixed.missing)):
        logged = [line.partition(",")[0] for line in lines]
        assert sorted(logged) == sorted(
            f"[{'REGION' if r == mixed.foreign else 'CONFIG'}_DISABLED] Region: {r}"
            for r in {region for region, _ in cells}
        )
        for line in lines:
            [region] = [r for r in mixed.regions if f"Region: {r}," in line]
            types = {t for r, t in cells if r == region}
            # The line names exactly these types, or says that it is about all.
            named = {t for t in mixed.types if t in line}
            assert named == types or f"all {len(types)} types" in line, line


def test_strict_accepts_late_but_not_stale_regions(
    runner: Runner, mixed: Mixed
) -> None:
    late = ",".join([mixed.running, mixed.late])
    regions = f"{late},{mixed.stopped}"
    types = ("--coverage", "--resource-types", ",".join(mixed.types))
    options = ("--strict", *types)
    run = runner(mixed.credentials, "--regions", late, *options)
    assert (run.exit_code, run.log) == (0, []), run.output
    run = runner.into("stale")(mixed.credentials, "--regions", regions, *options)
    assert (run.exit_code, len(run.log)) == (3, 1), run.output
    only_missing = ("--strict=missing", *types)
    run = runner.into("stale")(mixed.credentials, "--regions", regions, *only_missing)
    assert run.exit_code == 0, run.output
    # Without the other regions, the number of users is unknown.
    run = runner.into("late")(mixed.credentials, "--regions", mixed.late, *options)
    assert run.exit_code == 3, run.output
    missing = [cell.resource_type for cell in run.cells if cell.total is None]
    assert missing == [POLICY, USER]


def test_coverage_file_only_with_option(runner: Runner, big: Scanned) -> None:
    run = runner(big.credentials, "--regions", "eu-west-1")
    assert run.files == [f"{STEM}_111122223333_{ALIAS}.csv"]
    run = runner(big.credentials, "--regions", "eu-west-1", "--coverage")
    stem = f"{STEM}_111122223333_{ALIAS}"
    coverage = f"{COVERAGE_STEM}_111122223333_{ALIAS}.csv"
    assert run.files == [coverage, f"{stem}.csv"]
    assert f"Coverage written to {coverage}" in run.stdout


# Denied recorder calls.


def all_but(*lacking: str) -> list[str]:
    return [action for action in ACTIONS if action not in lacking]


@pytest.mark.parametrize(
    "lacking",
    [(STATUS,), (RECORDERS,), (STATUS, RECORDERS)],
    ids=["status", "group", "both"],
)
def test_denied_recorder_keeps_counts_and_is_reported(
    runner: Runner, big: Scanned, lacking: tuple[str, ...]
) -> None:
    regions = ["ap-southeast-2", "eu-west-1", "us-east-1"]
    options = ("--strict", "--coverage", "--regions", ",".join(regions))
    with_them = runner.into("with")(big.credentials, *options)
    assert {cell.detail for cell in with_them.cells} == {""}
    assert "recorder status unknown" not in with_them.stdout

    run = runner.into("without")(big.account.user(allow(*all_but(*lacking))), *options)
    assert (with_them.exit_code, run.exit_code) == (0, 3), run.output
    assert run.csv_bytes == with_them.csv_bytes
    assert run.log == run.errors == []
    assert run.checks == "✓✓✓✓✓✓✓✓"
    # Without the recorder, nothing proves a zero.
    assert known_of(run) == {
        place: ("unverified" if status == "zero" else status, total)
        for place, (status, total) in known_of(with_them).items()
    }
    for cell in run.cells:
        assert cell.detail.startswith("recorder status unknown: "), cell
        assert f"not authorized to perform: {lacking[0]}" in cell.detail, cell
    note = "are 0, but the types may not be recorded: recorder status unknown (access denied)"
    assert f"{note}; grant the IAM policy below" in run.stdout
    assert "recorder_missing" not in run.coverage_bytes.decode()


@pytest.mark.parametrize("lacking", [STATUS, RECORDERS])
def test_missing_recorder_found_by_either_call(
    runner: Runner, mixed: Mixed, lacking: str
) -> None:
    user = mixed.account.user(allow(*all_but(lacking)))
    types = ("--resource-types", ",".join(mixed.types))
    run = runner(user, "--strict", "--coverage", "--regions", mixed.without, *types)
    assert run.exit_code == 3, run.output
    # No other region is scanned, so nothing is counted elsewhere.
    assert known_of(run) == {
        place: ("recorder_missing", total)
        for place, (_, total) in mixed.known.items()
        if place[0] == mixed.without
    }
    assert "recorder status unknown" not in run.stdout


# The minimum policy.


def printed_policy(program: Program, directory: Path, *options: str) -> str:
    """The output of `iam-policy`, run without credentials and without a network."""
    run = program.run(directory, {}, "iam-policy", *options)
    assert run.exit_code == 0, run.output
    assert run.stderr == ""
    assert run.files == []
    return run.stdout


def actions_of(document: str) -> list[str]:
    """The actions of a policy that has one Allow statement."""
    read = json.loads(document)
    [statement] = read["Statement"]
    assert read == {"Version": "2012-10-17", "Statement": [statement]}
    assert statement.keys() == {"Effect", "Action", "Resource"}
    assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
    return statement["Action"]


def test_policy_actions_match_options(program: Program, tmp_path: Path) -> None:
    with_counts = sorted([*ACTIONS, COUNTS])
    counts_only = [action for action in with_counts if action != LIST]
    for options, expected in [
        ((), sorted(ACTIONS)),
        (("--skip-checks", "--strict", "--coverage"), sorted(ACTIONS)),
        (("--method", "counts"), counts_only),
        (("--method", "counts", "--resource-types", "all"), counts_only),
        (("--method", "verify"), with_counts),
        (("--resource-types", "all"), with_counts),
    ]:
        assert actions_of(printed_policy(program, tmp_path, *options)) == expected, (
            options
        )


@pytest.mark.parametrize(
    "options", [(), ("--skip-checks",)], ids=["checked", "skipped"]
)
def test_policy_is_sufficient(
    program: Program,
    runner: Runner,
    big: Scanned,
    tmp_path: Path,
    options: tuple[str, ...],
) -> None:
    user = big.account.user_with(printed_policy(program, tmp_path / "policy", *options))
    foreign = ",".join(big.account.foreign_regions)
    scan = ("--strict", "--coverage", "--exclude-regions", foreign, *options)
    run = runner.into("policy")(user, *scan)
    assert run.exit_code == 0, run.output
    assert run.log == []
    assert "unknown" not in run.stdout
    # An administrator gets the same result.
    everything = runner.into("everything")(big.account.user(allow("*")), *scan)
    assert run.csv_bytes == everything.csv_bytes
    assert run.coverage_bytes == everything.coverage_bytes
    assert len(run.cells) == len(big.account.own_regions) * len(COMMON_TYPES)


def result_of(run: Run) -> str:
    """The effect of a missing permission: failed, missing, recorder status unknown or none."""
    if run.exit_code == 1:
        assert run.csv_names == []
        return "failed"
    if "missing" in {cell.category for cell in run.cells}:
        return "missing"
    unknown = [cell.detail.startswith("recorder status unknown: ") for cell in run.cells]
    assert all(unknown) or not any(unknown)
    assert run.exit_code == (3 if any(unknown) else 0), run.output
    return "recorder status unknown" if any(unknown) else ""


# The result of a run without one of the actions, with and without checks.
LACKING = {
    LIST: ("failed", "failed"),
    REGIONS: ("failed", "failed"),
    ALIASES: ("failed", "failed"),
    STATUS: ("recorder status unknown", "recorder status unknown"),
    RECORDERS: ("recorder status unknown", "recorder status unknown"),
}


@pytest.mark.parametrize("lacking", ACTIONS)
def test_policy_is_minimal(
    program: Program, runner: Runner, big: Scanned, tmp_path: Path, lacking: str
) -> None:
    scan = ("--strict", "--coverage", "--regions", "us-east-1,eu-west-1")
    for options, expected in zip(((), ("--skip-checks",)), LACKING[lacking]):
        name = "skipped" if options else "checked"
        document = printed_policy(program, tmp_path / f"policy-{name}", *options)
        actions = actions_of(document)
        assert set(actions) == set(LACKING), "LACKING covers each action"
        whole = runner.into(f"whole-{name}")(
            big.account.user_with(document), *scan, *options
        )
        assert result_of(whole) == "", whole.output
        left = [action for action in actions if action != lacking]
        assert len(left) == len(actions) - 1
        run = runner.into(name)(big.account.user(allow(*left)), *scan, *options)
        assert result_of(run) == expected, run.output
        if expected != "recorder status unknown":
            assert f"not authorized to perform: {lacking}" in run.stderr


def test_denial_overrides_policy_and_hides_counts(
    program: Program, runner: Runner, big: Scanned, tmp_path: Path
) -> None:
    [statement] = json.loads(printed_policy(program, tmp_path / "policy"))["Statement"]
    user = big.account.user(statement, deny(LIST))
    options = ("--skip-checks", "--strict", "--coverage", "--regions", "eu-west-1")
    run = runner(user, *options)
    assert run.exit_code == 1, run.output
    assert {cell.known for cell in run.cells} == {("access_denied", None)}
    assert run.csv_names == []
    assert "\n  eu-west-1   all types   access denied   grant the IAM policy" in run.stdout
    assert "\n  IAM policy: aws-config-resource-count iam-policy\n" in run.stdout


# Requests of the checks and the scan.


@pytest.mark.parametrize(
    "options", [(), ("--skip-checks",)], ids=["checked", "skipped"]
)
def test_scan_reuses_check_results(
    runner: Runner, big: Scanned, options: tuple[str, ...]
) -> None:
    scan = ("--debug", "--regions", "us-east-1", "--resource-types", BUCKET)
    run = runner(big.credentials, *scan, *options)
    assert [row.total for row in run.rows] == [BUCKETS["us-east-1"]]
    # Three pages; the check had already fetched the first one at full size.
    assert run.requests(LIST, "us-east-1") == 3
    for action in (STATUS, RECORDERS, REGIONS, ALIASES, "sts:GetCallerIdentity"):
        assert run.requests(action, "us-east-1") == 1, action
    lines = [line for line in run.stderr.splitlines() if " attempt 1 of " in line]
    assert len(lines) == 8, run.stderr


def test_skip_checks_writes_same_files(
    runner: Runner, mixed: Mixed, mixed_run: Run
) -> None:
    run = runner(mixed.credentials, "--skip-checks", "--strict", *mixed.options)
    assert run.exit_code == mixed_run.exit_code
    assert "✓" not in run.stdout
    assert run.csv_bytes == mixed_run.csv_bytes

    def logged(run: Run) -> list[str]:
        """The coverage and the log without request IDs."""
        lines = [run.coverage_bytes.decode(), *sorted(run.log)]
        return [re.sub(r"request id \w+", "request id", line) for line in lines]

    assert logged(run) == logged(mixed_run)


# IAM in several regions.


def in_iam(account: Account, call: str, key: str, **more: str) -> int:
    """The number of resources that IAM lists."""
    pages = account.iam.get_paginator(call).paginate(**more)
    return sum(len(page[key]) for page in pages)


def test_summary_counts_iam_once(runner: Runner, big: Scanned) -> None:
    types = [ROLE, POLICY, BUCKET, TOPIC]
    regions = ["us-east-1", "eu-west-1", "ap-southeast-2", "me-central-1", "sa-east-1"]
    scan = ("--regions", ",".join(regions), "--resource-types", ",".join(types))
    run = runner(big.credentials, "--strict", *scan)
    assert run.exit_code == 0, run.output
    roles = in_iam(big.account, "list_roles", "Roles")
    policies = in_iam(big.account, "list_policies", "Policies", Scope="Local")
    assert (roles, policies) == (ROLES, POLICIES)
    regional = sum(BUCKETS.values()) + sum(TOPICS.values())
    everywhere = len(regions) * (roles + policies)
    assert totals(run) == (regional + everywhere, regional + roles + policies, False)
    assert sum(row.total for row in run.rows) == regional + everywhere
    # Roles are deduplicated by name; the largest region is not used.
    assert "(as in " not in run.stdout


def test_summary_counts_iam_once_with_missing_regions(
    mixed: Mixed, mixed_run: Run
) -> None:
    regional = sum(
        total or 0 for (_, t), (_, total) in mixed.known.items() if t not in GLOBAL
    )
    recorded = sum(total or 0 for _, total in mixed.known.values())
    roles = in_iam(mixed.account, "list_roles", "Roles")
    assert totals(mixed_run) == (recorded, regional + roles, True)


def test_scan_without_iam_has_one_total(runner: Runner, big: Scanned) -> None:
    regions = ",".join(TOPICS)
    run = runner(big.credentials, "--regions", regions, "--resource-types", TOPIC)
    line = f"  Total resources: {sum(TOPICS.values())}\n"
    assert line in run.stdout, run.output


# The report, and recordings.


def test_report_cells_match_coverage(mixed: Mixed, mixed_run: Run) -> None:
    report = mixed_run.report
    cells = [
        Cell(
            region=region["region"],
            resource_type=cell["resource_type"],
            status=cell["status"],
            category=cell["class"],
            total=cell["total"],
            since=cell["since"] or "",
            detail=cell["detail"],
        )
        for region in report["regions"]
        for cell in region["cells"]
    ]
    assert cells == mixed_run.cells
    missing = [
        (region["region"], cell["resource_type"])
        for region in report["regions"]
        for cell in region["cells"]
        if cell["class"] == "missing"
    ]
    assert sorted(missing) == sorted(mixed.missing)
    assert report["cells"] == {
        "total": len(cells),
        "known": len(cells) - len(mixed.stale) - len(missing),
        "stale": len(mixed.stale),
        "unverified": 0,
        "missing": len(missing),
    }


def test_report_describes_run(mixed: Mixed, mixed_run: Run) -> None:
    report = mixed_run.report
    assert report["exit_code"] == mixed_run.exit_code == 3
    assert report["account"] == {"id": mixed.account.id, "alias": None}
    assert report["schema_version"] == 2
    assert report["flags"]["strict"] == "all"
    assert report["flags"]["coverage"] is True
    assert sorted(report["flags"]["regions"]) == mixed.regions
    logged = [(e["error_type"], e["region"], e["message"]) for e in report["errors"]]
    assert len(logged) == len(mixed_run.log)
    for (error_type, region, message), line in zip(logged, mixed_run.log):
        assert line.startswith(f"[{error_type}] Region: {region},")
        assert line.endswith(f"Message: {message}")
    recorders = {r["region"]: r["recorder"] for r in report["regions"]}
    assert recorders == {
        mixed.running: "recording",
        mixed.stopped: "stopped",
        mixed.included: "recording",
        mixed.excluded: "recording",
        mixed.late: "recording",
        mixed.without: "missing",
        mixed.foreign: "unknown",
    }
    statuses = {r["region"]: r["status"] for r in report["regions"]}
    gaps = {region for region, _ in mixed.missing}
    stale = {region for region, _ in mixed.stale}
    for region, status in statuses.items():
        complete = "stale" if region in stale else "complete"
        partial = "partial" if region in gaps else complete
        assert status == ("missing" if region == mixed.foreign else partial), region
    used = {r["region"]: r["usage"]["requests"] for r in report["regions"]}
    # One page per type and two recorder calls.
    for region in (mixed.stopped, mixed.included, mixed.without):
        assert used[region] == len(mixed.types) + 2, region


def test_failed_run_has_report(runner: Runner, mixed: Mixed) -> None:
    user = mixed.account.user(allow(*all_but(LIST)))
    run = runner(user, "--report", "report.json")
    assert run.exit_code == 1, run.output
    report = run.report
    assert report["exit_code"] == 1
    assert report["regions"] == []
    assert set(report["cells"].values()) == {0}
    [error] = report["errors"]
    assert error["error_type"] == "PREREQUISITE"
    assert f"not authorized to perform: {LIST}" in error["message"]


@pytest.mark.parametrize("lacking", [(), (STATUS, RECORDERS)], ids=["all", "denied"])
def test_replay_gives_same_coverage(
    program: Program,
    runner: Runner,
    mixed: Mixed,
    tmp_path: Path,
    lacking: tuple[str, ...],
) -> None:
    credentials = mixed.account.user(allow(*all_but(*lacking)))
    exchanges = str(tmp_path / "exchanges")
    options = (*mixed.options, "--strict", "--report", "report.json")
    live = runner.into("live")(credentials, *options, "--record", exchanges)
    again = program.run(tmp_path / "again", {}, *options, "--replay", exchanges)
    assert again.exit_code == live.exit_code == 3, again.output
    assert again.files == live.files
    assert len(live.files) == 4
    assert again.csv_bytes == live.csv_bytes
    assert again.coverage_bytes == live.coverage_bytes
    # In a live run, concurrent regions log in the order of their responses.
    assert sorted(again.log) == sorted(live.log)
    assert totals(again) == totals(live)
    assert [r["cells"] for r in again.report["regions"]] == [
        r["cells"] for r in live.report["regions"]
    ]
    unknown = "recorder status unknown: " in live.coverage_bytes.decode()
    assert unknown == bool(lacking)


# GetDiscoveredResourceCounts, which moto does not implement.


@dataclass(frozen=True)
class Countless:
    """An account in its own emulator, which logs a server error for each count."""

    runner: Runner
    account: Account
    recorded = "us-east-1"
    without = "eu-west-1"

    def run(
        self, name: str, *options: str, credentials: Credentials | None = None
    ) -> Run:
        # One attempt, so that the test does not wait for a backoff.
        scan = ("--regions", f"{self.recorded},{self.without}", "--max-attempts", "1")
        credentials = credentials or self.account.user(allow("*"))
        return self.runner.into(name)(credentials, *scan, "--coverage", *options)


@pytest.fixture(scope="module")
def countless(
    program: Program, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Countless]:
    directory = tmp_path_factory.mktemp("countless")
    with Emulator(directory) as emulator:
        account = emulator.open_account("888899990000")
        [bucket, _] = account.buckets(Countless.recorded, 2)
        account.recorder(Countless.recorded, account.role(), bucket)
        with pytest.raises(botocore.exceptions.ClientError) as error:
            account.client("config").get_discovered_resource_counts()
        status = error.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert status == 500, "moto implements the operation now: compare its counts"
        yield Countless(Runner(program, emulator, directory), account)


def assert_uncounted(run: Run, types: list[str]) -> None:
    """Asserts that each region has one log line, no counts and no zeros."""
    regions = sorted([Countless.recorded, Countless.without])
    assert run.csv_names == []
    assert known_of(run) == {
        (region, resource_type): ("error", None)
        for region in regions
        for resource_type in types
    }
    [nothing] = [line for line in run.log if line.startswith("[FATAL] ")]
    assert "Message: nothing was counted: " in nothing
    lines = [line for line in run.log if line != nothing]
    assert sorted(line.partition(",")[0] for line in lines) == [
        f"[API_ERROR] Region: {region}" for region in regions
    ]
    for line in lines:
        assert f"Message: {COUNTS} failed with" in line
        assert "HTTP 500 (no error code)" in line
    number = len(run.cells)
    assert f"0 of {number} counts known, {number} missing" in run.stdout
    assert "Total resources: unknown\n" in run.stdout
    assert run.summary("Resource types found") == 0


def test_failing_counts_fail_their_check(
    countless: Countless,
) -> None:
    for method, counting in [("counts", COUNTS), ("verify", f"{LIST}, {COUNTS}")]:
        run = countless.run(f"checked-{method}", "--method", method)
        assert run.exit_code == 1, run.output
        assert run.marks(counting) == "✓✓✓✓✓✓✗✓"
        assert run.files == [f"{STEM}_888899990000_errors.txt"]
        failure = run.failure(f"IAM permission: {counting}")
        assert f"in {countless.recorded}: " in failure
        assert "failed with HTTP 500" in failure
        assert len(run.log) == 1


def test_failing_counts_are_missing_not_zero(
    countless: Countless,
) -> None:
    options = ("--method", "counts", "--skip-checks")
    run = countless.run("counts", *options, "--strict")
    assert run.exit_code == 1, run.output
    assert_uncounted(run, COMMON_TYPES)
    run = countless.run("lenient", *options, "--resource-types", f"{BUCKET},{TOPIC}")
    assert run.exit_code == 1, run.output
    assert_uncounted(run, [BUCKET, TOPIC])


def test_failing_counts_are_retried(countless: Countless) -> None:
    credentials = countless.account.user(allow("*"))
    scan = ("--regions", countless.recorded, "--resource-types", BUCKET, "--coverage")
    options = ("--method", "counts", "--skip-checks", "--debug", "--max-attempts", "2")
    run = countless.runner.into("again")(credentials, *scan, *options)
    assert run.exit_code == 1, run.output
    assert run.requests(COUNTS, countless.recorded) == 2
    [line, nothing] = run.log
    assert "nothing was counted" in nothing
    assert "HTTP 500 (no error code)" in line
    assert [cell.known for cell in run.cells] == [("error", None)]


@pytest.mark.parametrize("method", ["list", "counts", "verify"])
def test_all_types_with_failing_counts_are_missing(
    countless: Countless, method: str
) -> None:
    # The types come from the counts. Without counts the default types are reported as
    # missing, so that the account does not look empty.
    all_types = ("--resource-types", "all", "--method", method)
    run = countless.run(f"all-{method}", *all_types, "--skip-checks", "--strict")
    assert run.exit_code == 1, run.output
    assert_uncounted(run, COMMON_TYPES)


def test_verify_without_counts_keeps_listing(
    countless: Countless,
) -> None:
    types = ("--resource-types", f"{BUCKET},{ROLE},{TOPIC}", "--skip-checks")
    listed = countless.run("listed", *types)
    run = countless.run("verified", *types, "--method", "verify", "--strict")
    assert run.exit_code == 3, run.output
    assert run.csv_bytes == listed.csv_bytes
    assert [(row.region, row.total) for row in run.rows] == [
        (countless.without, 1),
        (countless.recorded, 1),
        (countless.recorded, 2),
    ]
    assert known_of(run) == known_of(listed)
    assert (
        "Verified: 0 counts compared, 0 differences, 6 could not be compared\n"
        in run.stdout
    )
    # The same for a region whose listing is complete.
    options = ("--method", "verify", "--strict", "--exclude-regions", countless.without)
    run = countless.run("recorded", *types, *options)
    assert run.exit_code == 3, run.output
    assert [line.partition("]")[0] for line in run.log] == ["[API_ERROR"]
    assert "3 counts known" in run.stdout


def test_counts_policy_is_sufficient(
    program: Program, countless: Countless, tmp_path: Path
) -> None:
    # moto evaluates the policy before it fails, so a denial can be distinguished.
    options = ("--method", "counts")
    document = printed_policy(program, tmp_path, *options)
    run = countless.run(
        "policy",
        *options,
        "--skip-checks",
        credentials=countless.account.user_with(document),
    )
    assert_uncounted(run, COMMON_TYPES)
    left = [action for action in actions_of(document) if action != COUNTS]
    user = countless.account.user(allow(*left))
    run = countless.run(
        "denied", *options, "--skip-checks", "--strict", credentials=user
    )
    assert run.exit_code == 1, run.output
    assert {cell.known for cell in run.cells} == {("access_denied", None)}
    assert {line.partition("]")[0] for line in run.log} == {"[PERMISSION", "[FATAL"}
