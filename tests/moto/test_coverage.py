"""What is known of every region and type, against what boto3 says of the same account.

What moto does otherwise than AWS is in `test_moto.py`.
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

from accounts import ALIAS, BUCKETS, POLICIES, ROLES, TOPICS, Scanned, user_of
from emulator import Account, Emulator, Keys, allow, deny
from program import (
    ACTIONS,
    ALIASES,
    BUCKET,
    COMMON_TYPES,
    COUNTS,
    LIST,
    POLICY,
    RECORDERS,
    REGIONS,
    ROLE,
    STATUS,
    STEM,
    TOPIC,
    USER,
    Ask,
    Cell,
    Program,
    Run,
)

INSTANCE = "AWS::EC2::Instance"
GLOBAL = (ROLE, USER, POLICY)

Known = dict[tuple[str, str], tuple[str, int | None]]


@dataclass(frozen=True)
class Mixed:
    """An account whose regions stand each in another way to AWS Config."""

    account: Account
    keys: Keys

    types = (BUCKET, INSTANCE, POLICY, ROLE, TOPIC, USER)

    running = "us-east-1"
    stopped = "eu-west-1"
    included = "us-west-2"
    excluded = "ap-southeast-2"
    # IAM can be recorded in none of the regions that came after February 2022.
    late = "me-central-1"
    without = "sa-east-1"
    unknown = "xx-none-1"

    @property
    def foreign(self) -> str:
        return self.account.foreign_regions[0]

    @property
    def regions(self) -> list[str]:
        own = [self.running, self.stopped, self.included, self.excluded, self.late]
        return sorted([*own, self.without, self.foreign, self.unknown])

    @property
    def options(self) -> tuple[str, ...]:
        types = ("--resource-types", ",".join(self.types))
        return ("--coverage", "--regions", ",".join(self.regions), *types)

    @cached_property
    def known(self) -> Known:
        """What the coverage has to say of each region and type, as boto3 sees them."""
        return {
            (region, resource_type): self.cell(region, resource_type)
            for region in self.regions
            for resource_type in self.types
        }

    def cell(self, region: str, resource_type: str) -> tuple[str, int | None]:
        account = self.account
        if region not in account.regions or is_refused(account, region):
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
        """Those of which nobody knows the number."""
        plain = ("counted", "zero")
        counted = {t for (_, t), (status, _) in self.known.items() if status in plain}
        return [
            (region, resource_type)
            for (region, resource_type), (status, total) in self.known.items()
            if total is None
            # IAM is the same everywhere, and another region counts it.
            and not (
                status == "not_recorded"
                and resource_type in GLOBAL
                and resource_type in counted
            )
        ]


def is_refused(account: Account, region: str) -> bool:
    """Whether boto3 may not list there, with keys that it may list with elsewhere."""
    try:
        account.listed(region, BUCKET)
    except botocore.exceptions.ClientError as refused:
        # boto3 expects JSON, and takes the whole answer for its message.
        return "<Code>InvalidClientTokenId</Code>" in str(refused)
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
    made = Mixed(account, user_of(account))
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
    """A strict scan of it, with its coverage and its report."""
    folder = tmp_path_factory.mktemp("mixed")
    options = (*mixed.options, "--strict", "--report", "report.json")
    return program.ask(mixed.account.emulator, folder, mixed.keys, *options)


def known_of(run: Run) -> Known:
    return {(cell.region, cell.resource_type): cell.known for cell in run.cells}


def totals(run: Run) -> tuple[int, int, bool]:
    """The sum of the rows, that with IAM counted once, and whether both are partial."""
    pattern = r"^  Total resources: (\d+) as recorded, (\d+) with IAM counted once(.*)$"
    found = re.search(pattern, run.stdout, re.MULTILINE)
    assert found and found[3] in ("", " (both partial)"), run.told
    return int(found[1]), int(found[2]), bool(found[3])


# The coverage.


def test_the_coverage_has_what_boto3_says_cell_by_cell(
    mixed: Mixed, mixed_run: Run
) -> None:
    assert known_of(mixed_run) == mixed.known
    places = [(cell.region, cell.resource_type) for cell in mixed_run.cells]
    assert places == sorted(places), "a row per region and type, sorted"
    assert len(places) == len(mixed.regions) * len(mixed.types)
    # The account has one of everything that moto can show.
    assert {status for status, _ in mixed.known.values()} == {
        "counted",
        "zero",
        "recorder_missing",
        "recorder_stopped",
        "not_recorded",
        "region_disabled",
    }


def test_some_cells_by_hand(mixed: Mixed, mixed_run: Run) -> None:
    known = known_of(mixed_run)
    expected = {
        (mixed.running, BUCKET): ("counted", 1),
        (mixed.running, INSTANCE): ("zero", 0),
        (mixed.running, ROLE): ("counted", 3),
        (mixed.stopped, BUCKET): ("recorder_stopped", 1),
        (mixed.stopped, INSTANCE): ("recorder_stopped", 0),
        (mixed.included, BUCKET): ("counted", 1),
        (mixed.included, TOPIC): ("not_recorded", None),
        (mixed.included, ROLE): ("not_recorded", 3),
        (mixed.included, USER): ("zero", 0),
        (mixed.excluded, BUCKET): ("counted", 1),
        (mixed.excluded, TOPIC): ("not_recorded", 1),
        (mixed.excluded, INSTANCE): ("not_recorded", None),
        (mixed.excluded, ROLE): ("counted", 3),
        (mixed.late, BUCKET): ("counted", 1),
        (mixed.late, ROLE): ("not_recorded", 3),
        (mixed.late, USER): ("not_recorded", None),
        (mixed.without, BUCKET): ("recorder_missing", 1),
        (mixed.without, INSTANCE): ("recorder_missing", None),
        (mixed.foreign, BUCKET): ("region_disabled", None),
        (mixed.unknown, BUCKET): ("region_disabled", None),
    }
    assert {place: known[place] for place in expected} == expected


def test_every_cell_that_is_not_plain_says_why(mixed_run: Run) -> None:
    for cell in mixed_run.cells:
        assert bool(cell.detail) == (cell.status not in ("counted", "zero")), cell


def test_the_rows_are_the_totals_of_the_coverage(mixed_run: Run) -> None:
    rows = [(row.region, row.resource_type, row.total) for row in mixed_run.rows]
    assert rows == [
        (cell.region, cell.resource_type, cell.total)
        for cell in mixed_run.cells
        if cell.total
    ]


def test_the_summary_counts_the_cells_of_the_coverage(
    mixed: Mixed, mixed_run: Run
) -> None:
    assert mixed_run.exit_code == 3, mixed_run.told
    known, missing = mixed.known, mixed.missing
    counted = sum(total is not None for _, total in known.values())
    gaps = {region for region, _ in missing}
    cells = f"{counted} of {len(known)} cells (regions × types) counted"
    assert f"Coverage: {cells}; {len(missing)} missing in {len(gaps)} regions:\n" in (
        mixed_run.stdout
    )
    complete = len(mixed.regions) - len(gaps)
    assert f"({complete} complete, {len(gaps)} with gaps)" in mixed_run.stdout
    # There are none of them, and the region that records everything says so.
    assert (mixed.late, USER) not in missing
    assert (mixed.late, POLICY) not in missing
    assert "4 not recorded in " in mixed_run.stdout
    assert ": none missing, another region counts the same\n" in mixed_run.stdout
    assert gaps == set(mixed.regions) - {mixed.running, mixed.stopped, mixed.late}


def test_a_region_that_misses_something_has_one_line_for_it(
    mixed: Mixed, mixed_run: Run
) -> None:
    told = [line.partition(",")[0] for line in mixed_run.log]
    without = [mixed.without, mixed.included, mixed.excluded]
    assert sorted(told) == sorted(
        [f"[CONFIG_DISABLED] Region: {region}" for region in without]
        + [f"[REGION_DISABLED] Region: {r}" for r in (mixed.foreign, mixed.unknown)]
    )
    assert sorted(mixed_run.errors) == sorted(mixed_run.log)
    for region in without:
        [line] = [line for line in mixed_run.log if f"Region: {region}," in line]
        # It names what is missing there, and no more.
        named = {t for t in mixed.types if t in line}
        assert named == {t for r, t in mixed.missing if r == region}
    assert not any(mixed.stopped in line for line in mixed_run.log)


def test_strict_is_content_where_only_what_is_stale_or_late_is_left(
    ask: Ask, mixed: Mixed
) -> None:
    regions = ",".join([mixed.running, mixed.stopped, mixed.late])
    options = ("--strict", "--coverage", "--resource-types", ",".join(mixed.types))
    run = ask(mixed.keys, "--regions", regions, *options)
    assert run.exit_code == 0, run.told
    assert run.log == []
    # Alone, the late region does not know how many users there are.
    run = ask.into("late")(mixed.keys, "--regions", mixed.late, *options)
    assert run.exit_code == 3, run.told
    missing = [cell.resource_type for cell in run.cells if cell.total is None]
    assert missing == [POLICY, USER]


def test_without_the_option_there_is_no_such_file(ask: Ask, big: Scanned) -> None:
    run = ask(big.keys, "--regions", "eu-west-1")
    assert run.files == [f"{STEM}_111122223333_{ALIAS}.csv"]
    run = ask(big.keys, "--regions", "eu-west-1", "--coverage")
    stem = f"{STEM}_111122223333_{ALIAS}"
    assert run.files == [f"{stem}.csv", f"{stem}_coverage.csv"]
    assert f"Coverage written to {stem}_coverage.csv" in run.stdout


# Who may not ask for the recorder.


def all_but(*lacking: str) -> list[str]:
    return [action for action in ACTIONS if action not in lacking]


@pytest.mark.parametrize(
    "lacking",
    [(STATUS,), (RECORDERS,), (STATUS, RECORDERS)],
    ids=["status", "group", "both"],
)
def test_who_may_not_ask_for_the_recorder_gets_the_same_numbers_and_a_word_about_it(
    ask: Ask, big: Scanned, lacking: tuple[str, ...]
) -> None:
    regions = ["ap-southeast-2", "eu-west-1", "us-east-1"]
    options = ("--strict", "--coverage", "--regions", ",".join(regions))
    with_them = ask.into("with")(big.keys, *options)
    assert {cell.detail for cell in with_them.cells} == {""}
    assert "recorder unknown" not in with_them.stdout

    run = ask.into("without")(big.account.user(allow(*all_but(*lacking))), *options)
    assert run.exit_code == with_them.exit_code == 0, run.told
    assert run.csv_bytes == with_them.csv_bytes
    assert run.log == run.errors == []
    assert run.checks == "✓✓✓✓✓✓✓✓"
    assert known_of(run) == known_of(with_them)
    for cell in run.cells:
        assert cell.detail.startswith("recorder unknown: "), cell
        assert f"not authorized to perform: {lacking[0]}" in cell.detail, cell
    told = f"recorder unknown in {', '.join(regions)} (denied): "
    assert told in run.stdout
    assert "recorder_missing" not in run.coverage_bytes.decode()


@pytest.mark.parametrize("lacking", [STATUS, RECORDERS])
def test_either_call_alone_tells_that_there_is_no_recorder(
    ask: Ask, mixed: Mixed, lacking: str
) -> None:
    user = mixed.account.user(allow(*all_but(lacking)))
    types = ("--resource-types", ",".join(mixed.types))
    run = ask(user, "--strict", "--coverage", "--regions", mixed.without, *types)
    assert run.exit_code == 3, run.told
    assert known_of(run) == {
        place: known
        for place, known in mixed.known.items()
        if place[0] == mixed.without
    }
    assert "recorder unknown" not in run.stdout


# The smallest policy.


def printed(program: Program, folder: Path, *options: str) -> str:
    """What `iam-policy` prints; it needs neither keys nor a network."""
    run = program.run(folder, {}, "iam-policy", *options)
    assert run.exit_code == 0, run.told
    assert run.stderr == ""
    assert run.files == []
    return run.stdout


def actions_of(document: str) -> list[str]:
    """The actions of a policy that allows them and does nothing else."""
    read = json.loads(document)
    [statement] = read["Statement"]
    assert read == {"Version": "2012-10-17", "Statement": [statement]}
    assert statement.keys() == {"Effect", "Action", "Resource"}
    assert (statement["Effect"], statement["Resource"]) == ("Allow", "*")
    return statement["Action"]


def test_the_policy_names_what_the_options_need(
    program: Program, tmp_path: Path
) -> None:
    with_counts = sorted([*ACTIONS, COUNTS])
    counts_alone = [action for action in with_counts if action != LIST]
    for options, expected in [
        ((), sorted(ACTIONS)),
        (("--skip-checks", "--strict", "--coverage"), sorted(ACTIONS)),
        (("--method", "counts"), counts_alone),
        (("--method", "counts", "--resource-types", "all"), counts_alone),
        (("--method", "verify"), with_counts),
        (("--resource-types", "all"), with_counts),
    ]:
        assert actions_of(printed(program, tmp_path, *options)) == expected, options


@pytest.mark.parametrize(
    "options", [(), ("--skip-checks",)], ids=["checked", "skipped"]
)
def test_the_policy_is_enough(
    program: Program, ask: Ask, big: Scanned, tmp_path: Path, options: tuple[str, ...]
) -> None:
    user = big.account.user_with(printed(program, tmp_path / "policy", *options))
    foreign = ",".join(big.account.foreign_regions)
    scan = ("--strict", "--coverage", "--exclude-regions", foreign, *options)
    run = ask.into("policy")(user, *scan)
    assert run.exit_code == 0, run.told
    assert run.log == []
    assert "unknown" not in run.stdout
    # Nobody who may do everything sees more.
    everything = ask.into("everything")(big.account.user(allow("*")), *scan)
    assert run.csv_bytes == everything.csv_bytes
    assert run.coverage_bytes == everything.coverage_bytes
    assert len(run.cells) == len(big.account.own_regions) * len(COMMON_TYPES)


def worse(run: Run) -> str:
    """In what way a run brought less than it could."""
    if run.exit_code == 1:
        assert run.csv_names == []
        return "failed"
    if run.exit_code == 3:
        return "missing"
    assert run.exit_code == 0, run.told
    unknown = [cell.detail.startswith("recorder unknown: ") for cell in run.cells]
    assert all(unknown) or not any(unknown)
    return "recorder unknown" if any(unknown) else ""


# What becomes of a run without one of the actions, with checks and without.
LACKING = {
    LIST: ("failed", "missing"),
    REGIONS: ("failed", "failed"),
    ALIASES: ("failed", "failed"),
    STATUS: ("recorder unknown", "recorder unknown"),
    RECORDERS: ("recorder unknown", "recorder unknown"),
}


@pytest.mark.parametrize("lacking", ACTIONS)
def test_the_policy_is_the_smallest(
    program: Program, ask: Ask, big: Scanned, tmp_path: Path, lacking: str
) -> None:
    scan = ("--strict", "--coverage", "--regions", "us-east-1,eu-west-1")
    for options, expected in zip(((), ("--skip-checks",)), LACKING[lacking]):
        name = "skipped" if options else "checked"
        document = printed(program, tmp_path / f"policy-{name}", *options)
        actions = actions_of(document)
        assert set(actions) == set(LACKING), "each of them is left out once"
        whole = ask.into(f"whole-{name}")(
            big.account.user_with(document), *scan, *options
        )
        assert worse(whole) == "", whole.told
        left = [action for action in actions if action != lacking]
        assert len(left) == len(actions) - 1
        run = ask.into(name)(big.account.user(allow(*left)), *scan, *options)
        assert worse(run) == expected, run.told
        if expected != "recorder unknown":
            assert f"not authorized to perform: {lacking}" in run.stderr


def test_a_denial_goes_before_the_policy_and_leaves_no_number(
    program: Program, ask: Ask, big: Scanned, tmp_path: Path
) -> None:
    [statement] = json.loads(printed(program, tmp_path / "policy"))["Statement"]
    user = big.account.user(statement, deny(LIST))
    options = ("--skip-checks", "--strict", "--coverage", "--regions", "eu-west-1")
    run = ask(user, *options)
    assert run.exit_code == 3, run.told
    assert {cell.known for cell in run.cells} == {("denied", None)}
    assert run.rows == []
    advice = "10 denied in eu-west-1: allow what `iam-policy` prints"
    assert advice in run.stdout


# What the checks and the scan ask for.


@pytest.mark.parametrize(
    "options", [(), ("--skip-checks",)], ids=["checked", "skipped"]
)
def test_the_scan_uses_what_the_checks_asked_for(
    ask: Ask, big: Scanned, options: tuple[str, ...]
) -> None:
    scan = ("--debug", "--regions", "us-east-1", "--resource-types", BUCKET)
    run = ask(big.keys, *scan, *options)
    assert [row.total for row in run.rows] == [BUCKETS["us-east-1"]]
    # Three pages, and the check took the first one of them, as large as it comes.
    assert run.requests(LIST, "us-east-1") == 3
    for action in (STATUS, RECORDERS, REGIONS, ALIASES, "sts:GetCallerIdentity"):
        assert run.requests(action, "us-east-1") == 1, action
    lines = [line for line in run.stderr.splitlines() if " attempt 1: " in line]
    assert len(lines) == 8, run.stderr


def test_without_checks_none_is_shown_and_the_files_are_the_same(
    ask: Ask, mixed: Mixed, mixed_run: Run
) -> None:
    run = ask(mixed.keys, "--skip-checks", "--strict", *mixed.options)
    assert run.exit_code == mixed_run.exit_code
    assert "✓" not in run.stdout
    assert run.csv_bytes == mixed_run.csv_bytes

    def told(run: Run) -> list[str]:
        """All that was told of the cells, but for the ids of the requests."""
        lines = [run.coverage_bytes.decode(), *sorted(run.log)]
        return [re.sub(r"request id \w+", "request id", line) for line in lines]

    assert told(run) == told(mixed_run)


# IAM in several regions.


def in_iam(account: Account, call: str, key: str, **more: str) -> int:
    """How many of them IAM itself lists."""
    pages = account.iam.get_paginator(call).paginate(**more)
    return sum(len(page[key]) for page in pages)


def test_the_summary_counts_iam_once(ask: Ask, big: Scanned) -> None:
    types = [ROLE, POLICY, BUCKET, TOPIC]
    regions = ["us-east-1", "eu-west-1", "ap-southeast-2", "me-central-1", "sa-east-1"]
    scan = ("--regions", ",".join(regions), "--resource-types", ",".join(types))
    run = ask(big.keys, "--strict", *scan)
    assert run.exit_code == 0, run.told
    roles = in_iam(big.account, "list_roles", "Roles")
    policies = in_iam(big.account, "list_policies", "Policies", Scope="Local")
    assert (roles, policies) == (ROLES, POLICIES)
    regional = sum(BUCKETS.values()) + sum(TOPICS.values())
    everywhere = len(regions) * (roles + policies)
    assert totals(run) == (regional + everywhere, regional + roles + policies, False)
    assert sum(row.total for row in run.rows) == regional + everywhere
    # It is told by the names of the roles, and not by the greatest number of a region.
    assert "(as in " not in run.stdout


def test_the_summary_counts_iam_once_where_regions_are_missing(
    mixed: Mixed, mixed_run: Run
) -> None:
    regional = sum(
        total or 0 for (_, t), (_, total) in mixed.known.items() if t not in GLOBAL
    )
    recorded = sum(total or 0 for _, total in mixed.known.values())
    roles = in_iam(mixed.account, "list_roles", "Roles")
    assert totals(mixed_run) == (recorded, regional + roles, True)


def test_a_scan_without_iam_has_one_total(ask: Ask, big: Scanned) -> None:
    regions = ",".join(TOPICS)
    run = ask(big.keys, "--regions", regions, "--resource-types", TOPIC)
    line = f"  Total resources: {sum(TOPICS.values())}\n"
    assert line in run.stdout, run.told


# The report, and recordings.


def test_the_report_has_the_cells_of_the_coverage(mixed: Mixed, mixed_run: Run) -> None:
    report = mixed_run.report
    cells = [
        Cell(
            region=region["region"],
            resource_type=cell["resource_type"],
            status=cell["status"],
            total=cell["total"],
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
        if cell["missing"]
    ]
    assert sorted(missing) == sorted(mixed.missing)
    assert report["cells"] == {
        "total": len(cells),
        "counted": sum(cell.total is not None for cell in cells),
        "missing": len(missing),
    }


def test_the_report_has_the_run(mixed: Mixed, mixed_run: Run) -> None:
    report = mixed_run.report
    assert report["exit_code"] == mixed_run.exit_code == 3
    assert report["account"] == {"id": mixed.account.id, "alias": None}
    assert report["flags"]["strict"] is report["flags"]["coverage"] is True
    assert sorted(report["flags"]["regions"]) == mixed.regions
    told = [(e["error_type"], e["region"], e["message"]) for e in report["errors"]]
    assert len(told) == len(mixed_run.log)
    for (error_type, region, message), line in zip(told, mixed_run.log):
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
        # Nobody asked.
        mixed.unknown: None,
    }
    statuses = {r["region"]: r["status"] for r in report["regions"]}
    gaps = {region for region, _ in mixed.missing}
    for region, status in statuses.items():
        disabled = region in (mixed.foreign, mixed.unknown)
        partial = "partial" if region in gaps else "complete"
        assert status == ("missing" if disabled else partial), region
    used = {r["region"]: r["usage"]["requests"] for r in report["regions"]}
    # A page of each type and two calls for the recorder.
    for region in (mixed.stopped, mixed.included, mixed.without):
        assert used[region] == len(mixed.types) + 2, region
    assert used[mixed.unknown] == 0


def test_a_run_that_fails_has_a_report_too(ask: Ask, mixed: Mixed) -> None:
    user = mixed.account.user(allow(*all_but(LIST)))
    run = ask(user, "--report", "report.json")
    assert run.exit_code == 1, run.told
    report = run.report
    assert report["exit_code"] == 1
    assert report["regions"] == []
    assert report["cells"] == {"total": 0, "counted": 0, "missing": 0}
    [error] = report["errors"]
    assert error["error_type"] == "PREREQUISITE"
    assert f"not authorized to perform: {LIST}" in error["message"]


@pytest.mark.parametrize("lacking", [(), (STATUS, RECORDERS)], ids=["all", "denied"])
def test_a_replay_gives_the_same_coverage(
    program: Program, ask: Ask, mixed: Mixed, tmp_path: Path, lacking: tuple[str, ...]
) -> None:
    keys = mixed.account.user(allow(*all_but(*lacking)))
    exchanges = str(tmp_path / "exchanges")
    options = (*mixed.options, "--strict", "--report", "report.json")
    live = ask.into("live")(keys, *options, "--record", exchanges)
    again = program.run(tmp_path / "again", {}, *options, "--replay", exchanges)
    assert again.exit_code == live.exit_code == 3, again.told
    assert again.files == live.files
    assert len(live.files) == 4
    assert again.csv_bytes == live.csv_bytes
    assert again.coverage_bytes == live.coverage_bytes
    # Live, the lines of regions that are asked side by side stand as they came in.
    assert sorted(again.log) == sorted(live.log)
    assert totals(again) == totals(live)
    assert [r["cells"] for r in again.report["regions"]] == [
        r["cells"] for r in live.report["regions"]
    ]
    unknown = "recorder unknown: " in live.coverage_bytes.decode()
    assert unknown == bool(lacking)


# Counting by an operation that moto does not have.


@dataclass(frozen=True)
class Countless:
    """An account in an emulator of its own, for moto fails at what it is asked there."""

    ask: Ask
    account: Account
    recorded = "us-east-1"
    without = "eu-west-1"

    def run(self, name: str, *options: str, keys: Keys | None = None) -> Run:
        # Each further attempt would wait.
        scan = ("--regions", f"{self.recorded},{self.without}", "--max-attempts", "1")
        keys = keys or self.account.user(allow("*"))
        return self.ask.into(name)(keys, *scan, "--coverage", *options)


@pytest.fixture(scope="module")
def countless(
    program: Program, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Countless]:
    folder = tmp_path_factory.mktemp("countless")
    with Emulator(folder) as emulator:
        account = emulator.open_account("888899990000")
        [bucket, _] = account.buckets(Countless.recorded, 2)
        account.recorder(Countless.recorded, account.role(), bucket)
        with pytest.raises(botocore.exceptions.ClientError) as refused:
            account.client("config").get_discovered_resource_counts()
        answer = refused.value.response["ResponseMetadata"]["HTTPStatusCode"]
        assert answer == 500, "moto has it now: compare with what it counts"
        yield Countless(Ask(program, emulator, folder), account)


def assert_uncounted(run: Run, types: list[str]) -> None:
    """Each region is lost with a line, and nothing stands in its place."""
    regions = sorted([Countless.recorded, Countless.without])
    assert run.rows == []
    assert known_of(run) == {
        (region, resource_type): ("error", None)
        for region in regions
        for resource_type in types
    }
    assert sorted(line.partition(",")[0] for line in run.log) == [
        f"[API_ERROR] Region: {region}" for region in regions
    ]
    for line in run.log:
        assert f"Message: {COUNTS} failed with" in line
        assert "(HTTP 500)" in line
    number = len(run.cells)
    assert (
        f"0 of {number} cells (regions × types) counted; {number} missing" in run.stdout
    )
    assert run.summary("Total resources") == 0
    assert run.summary("Resource types found") == 0


def test_the_check_of_the_counts_fails_where_the_operation_does(
    countless: Countless,
) -> None:
    for method, counting in [("counts", COUNTS), ("verify", f"{LIST}, {COUNTS}")]:
        run = countless.run(f"checked-{method}", "--method", method)
        assert run.exit_code == 1, run.told
        assert run.marks(counting) == "✓✓✓✓✓✓✗✓"
        assert run.files == [f"{STEM}_888899990000_errors.txt"]
        failure = run.failure(f"IAM permission: {counting}")
        assert f"in {countless.recorded}: {COUNTS} failed with" in failure
        assert "HTTP 500" in failure
        assert len(run.log) == 1


def test_counts_that_do_not_come_cost_the_region_and_nothing_is_invented(
    countless: Countless,
) -> None:
    options = ("--method", "counts", "--skip-checks")
    run = countless.run("counts", *options, "--strict")
    assert run.exit_code == 3, run.told
    assert_uncounted(run, COMMON_TYPES)
    run = countless.run("lenient", *options, "--resource-types", f"{BUCKET},{TOPIC}")
    assert run.exit_code == 0, run.told
    assert_uncounted(run, [BUCKET, TOPIC])


def test_counts_that_do_not_come_are_asked_for_again(countless: Countless) -> None:
    keys = countless.account.user(allow("*"))
    scan = ("--regions", countless.recorded, "--resource-types", BUCKET, "--coverage")
    options = ("--method", "counts", "--skip-checks", "--debug", "--max-attempts", "2")
    run = countless.ask.into("again")(keys, *scan, *options)
    assert run.exit_code == 0, run.told
    assert run.requests(COUNTS, countless.recorded) == 2
    [line] = run.log
    assert "(HTTP 500)" in line
    assert [cell.known for cell in run.cells] == [("error", None)]


@pytest.mark.parametrize("method", ["list", "counts", "verify"])
def test_all_types_are_none_where_the_counts_do_not_come(
    countless: Countless, method: str
) -> None:
    # Only the counts know which types there are. Those that are common stand for them, so
    # that the account does not look empty.
    all_types = ("--resource-types", "all", "--method", method)
    run = countless.run(f"all-{method}", *all_types, "--skip-checks", "--strict")
    assert run.exit_code == 3, run.told
    assert_uncounted(run, COMMON_TYPES)


def test_a_comparison_without_counts_has_the_listing_and_says_that_it_compares_nothing(
    countless: Countless,
) -> None:
    types = ("--resource-types", f"{BUCKET},{ROLE},{TOPIC}", "--skip-checks")
    listed = countless.run("listed", *types)
    run = countless.run("verified", *types, "--method", "verify", "--strict")
    assert run.exit_code == 3, run.told
    assert run.csv_bytes == listed.csv_bytes
    assert [(row.region, row.total) for row in run.rows] == [
        (countless.without, 1),
        (countless.recorded, 1),
        (countless.recorded, 2),
    ]
    assert known_of(run) == known_of(listed)
    assert (
        "Verified: 0 cells compared, 0 differences, 6 could not be compared\n" in run.stdout
    )
    # Also where the listing alone misses nothing.
    options = ("--method", "verify", "--strict", "--exclude-regions", countless.without)
    run = countless.run("recorded", *types, *options)
    assert run.exit_code == 3, run.told
    assert [line.partition("]")[0] for line in run.log] == ["[API_ERROR"]
    assert "3 cells (regions × types) counted" in run.stdout


def test_the_policy_of_the_counts_is_enough_for_moto_to_fail_at_them(
    program: Program, countless: Countless, tmp_path: Path
) -> None:
    # moto looks at the policy first, so that this much can be told.
    options = ("--method", "counts")
    document = printed(program, tmp_path, *options)
    run = countless.run(
        "policy", *options, "--skip-checks", keys=countless.account.user_with(document)
    )
    assert_uncounted(run, COMMON_TYPES)
    left = [action for action in actions_of(document) if action != COUNTS]
    user = countless.account.user(allow(*left))
    run = countless.run("denied", *options, "--skip-checks", "--strict", keys=user)
    assert run.exit_code == 3, run.told
    assert {cell.known for cell in run.cells} == {("denied", None)}
    assert all(line.startswith("[PERMISSION] ") for line in run.log)
