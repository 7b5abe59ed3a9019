"""Runs of an organization, and the policies that `iam-policy` prints for them.

Differences between moto and AWS, beside those in `test_moto.py` and
`test_credentials.py`:

- A page of ListAccounts has up to 100 accounts, unless the request has MaxResults.
- The accounts have no Paths, so that `--ou` uses the tree of the units.
- AssumeRole works for a role that does not exist, and the session policy is ignored.
- Every account of the organization may list it.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator import Credentials, Emulator, allow, policy
from organization import MANAGEMENT, REGIONS, ROLE_NAME, Member, Organization
from program import (
    ACTIONS,
    BUCKET,
    COLUMNS,
    STEM,
    Program,
    Row,
    Run,
    Runner,
    table,
    without_timestamps,
)

ASSUME = "sts:AssumeRole"
LIST_ACCOUNTS = "organizations:ListAccounts"
ROLE = ("--role-name", ROLE_NAME)
COUNT = ("--regions", ",".join(REGIONS), "--resource-types", BUCKET)
SCAN = (*COUNT, *ROLE, "--debug")


@dataclass(frozen=True)
class Result:
    """The combined files of a run."""

    run: Run

    def file(self, stem: str) -> Path:
        [path] = self.run.directory.glob(f"aws_config_combined_{stem}_*.csv")
        return path

    @property
    def statuses(self) -> dict[str, str]:
        """The status of each account."""
        path = self.file("accounts")
        header = path.read_text().splitlines()[0].split(",")
        rows = table(path.read_bytes(), header)
        return {row["account"]: row["status"] for row in rows}

    @property
    def rows(self) -> list[Row]:
        return rows_of(self.file("count"))

    @property
    def account_files(self) -> dict[str, list[Row]]:
        """The rows of each account's own CSV."""
        return {
            path.stem.removeprefix(f"{STEM}_"): rows_of(path)
            for path in self.run.directory.glob(f"{STEM}_*.csv")
        }


def rows_of(path: Path) -> list[Row]:
    rows = table(path.read_bytes(), COLUMNS)
    return [Row(**{**row, "total": int(row["total"])}) for row in rows]


def printed(program: Program, directory: Path, role: str, *options: str) -> str:
    run = program.run(directory, {}, "iam-policy", "--for", role, *ROLE, *options)
    assert run.exit_code == 0, run.output
    return run.stdout


@pytest.fixture(scope="module")
def organization(
    program: Program, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Organization]:
    """An emulator of its own, because each account makes every request slower."""
    directory = tmp_path_factory.mktemp("organization")
    member = json.loads(printed(program, directory / "printed", "member"))
    trust = json.dumps(member["TrustPolicy"]).replace("CALLER_ACCOUNT_ID", MANAGEMENT)
    with Emulator(directory) as running:
        yield Organization(running, member["PermissionsPolicy"], trust)
        assert running.server_errors() == []


@pytest.fixture(scope="module")
def caller(
    program: Program,
    organization: Organization,
    tmp_path_factory: pytest.TempPathFactory,
) -> Credentials:
    """A user with the policy that `iam-policy --for caller` prints."""
    printed_for = ("--organization", "--ou", "/Prod")
    directory = tmp_path_factory.mktemp("caller")
    document = printed(program, directory, "caller", *printed_for)
    return organization.user("caller", document)


@pytest.fixture
def count(program: Program, organization: Organization, tmp_path: Path) -> Runner:
    return Runner(program, organization.emulator, tmp_path / "out")


def assert_counted(run: Run, members: list[Member]) -> None:
    """Asserts the rows of these accounts and of no other one."""
    result = Result(run)
    assert result.account_files == {member.id: member.rows for member in members}
    expected = [row for member in members for row in member.rows]
    assert result.rows == sorted(expected, key=lambda r: (r.account, r.region))
    counted = [a for a, status in result.statuses.items() if status == "complete"]
    assert sorted(counted) == sorted(member.id for member in members)


def test_every_account_has_its_own_counts(
    count: Runner, organization: Organization, caller: Credentials
) -> None:
    run = count(caller, *SCAN, "--organization", "--strict")
    assert run.exit_code == 0, run.output
    assert_counted(run, [organization.management, *organization.members])
    assert Result(run).statuses[organization.closed] == "not_active"
    # 48 accounts: two full pages and one of eight.
    assert run.requests(LIST_ACCOUNTS, "us-east-1") == 3
    assert run.requests(ASSUME, "us-east-1") == len(organization.members) == 46
    assert run.requests("sts:GetCallerIdentity", "us-east-1") == 1
    assert not [name for name in run.files if "errors" in name]


def test_denied_caller_counts_only_its_own_account(
    count: Runner, organization: Organization
) -> None:
    user = organization.user("listing", policy(allow(*ACTIONS, LIST_ACCOUNTS)))
    run = count(user, *SCAN, "--organization", "--strict")
    assert run.exit_code == 3, run.output
    assert_counted(run, [organization.management])
    statuses = Result(run).statuses
    for member in organization.members:
        assert statuses.pop(member.id) == "access_denied"
    assert statuses == {MANAGEMENT: "complete", organization.closed: "not_active"}
    assert "46 accounts without access" in run.stdout
    [errors] = run.directory.glob("aws_config_combined_errors_*.txt")
    lines = without_timestamps(errors.read_text())
    ids = sorted(member.id for member in organization.members)
    for line, account in zip(sorted(lines), ids, strict=True):
        assert line.startswith(f"[PERMISSION] Account: {account}, Message: ")
        assert f"is not authorized to perform: {ASSUME}" in line


def test_caller_that_cannot_list_writes_no_counts(
    count: Runner, organization: Organization
) -> None:
    user = organization.user("assuming", policy(allow(*ACTIONS, ASSUME)))
    run = count(user, *SCAN, "--organization")
    assert run.exit_code == 1, run.output
    assert not [name for name in run.files if name.endswith(".csv")]
    assert LIST_ACCOUNTS in run.stdout


@pytest.mark.parametrize("by_id", [True, False], ids=["id", "path"])
def test_unit_selects_accounts_in_and_below(
    count: Runner, organization: Organization, caller: Credentials, by_id: bool
) -> None:
    for unit, path in [
        (organization.production, "/Prod"),
        (organization.europe, "/Prod/EU"),
    ]:
        run = count.into(path[1:].replace("/", "-"))(
            caller, *SCAN, "--ou", unit if by_id else path, "--strict"
        )
        assert run.exit_code == 0, run.output
        assert_counted(run, organization.below(unit))


def test_unknown_unit_is_an_error(
    count: Runner, organization: Organization, caller: Credentials
) -> None:
    run = count(caller, *SCAN, "--ou", "/Prod/Asia")
    assert run.exit_code == 1, run.output
    assert "/Prod/Asia" in run.stdout + run.stderr
    assert run.requests(ASSUME, "us-east-1") == 0


def test_checked_list_is_a_list_of_accounts(
    count: Runner, organization: Organization, caller: Credentials
) -> None:
    options = ("--check-access", "--format", "csv", "--strict")
    listed = count(caller, "accounts", "--ou", "/Prod", *ROLE, *options)
    assert listed.exit_code == 0, listed.output
    lines = listed.stdout.splitlines()
    members = organization.below(organization.production)
    ids = sorted(line.split(",")[0] for line in lines[1:])
    assert ids == sorted(member.id for member in members)
    assert all(",ok," in line for line in lines[1:]), listed.stdout
    (count.directory / "accounts.csv").write_text(listed.stdout)
    run = count(caller, *SCAN, "--accounts", "@accounts.csv", "--strict")
    assert run.exit_code == 0, run.output
    assert_counted(run, members)
    assert run.requests(LIST_ACCOUNTS, "us-east-1") == 0


def test_check_shows_missing_assume_role(
    count: Runner, organization: Organization
) -> None:
    user = organization.user("checking", policy(allow(*ACTIONS, LIST_ACCOUNTS)))
    options = ("--check-access", "--format", "json", "--strict")
    run = count(user, "accounts", "--organization", *ROLE, *options)
    assert run.exit_code == 3, run.output
    assert run.stdout.count('"access_denied"') == len(organization.members)
    assert run.files == []
