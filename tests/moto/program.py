"""The program under test: how it is run, and what a person finds afterwards."""

from __future__ import annotations

import csv
import io
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from emulator import Account, Emulator, Keys

TIMEOUT_SECONDS = 60
COLUMNS = ["account", "alias", "region", "resource_type", "total"]
STEM = "aws_config_resource_count"

COVERAGE_COLUMNS = [*COLUMNS[:-1], "status", "total", "detail"]

BUCKET = "AWS::S3::Bucket"
ROLE = "AWS::IAM::Role"
USER = "AWS::IAM::User"
POLICY = "AWS::IAM::Policy"
TOPIC = "AWS::SNS::Topic"

# The types that are counted where none are named.
COMMON_TYPES = [
    "AWS::EC2::Instance",
    "AWS::EC2::Volume",
    "AWS::EC2::SecurityGroup",
    "AWS::EC2::VPC",
    BUCKET,
    "AWS::RDS::DBInstance",
    "AWS::Lambda::Function",
    ROLE,
    USER,
    "AWS::DynamoDB::Table",
]

LIST = "config:ListDiscoveredResources"
COUNTS = "config:GetDiscoveredResourceCounts"
STATUS = "config:DescribeConfigurationRecorderStatus"
RECORDERS = "config:DescribeConfigurationRecorders"
REGIONS = "ec2:DescribeRegions"
ALIASES = "iam:ListAccountAliases"

# What a run without options needs; sts:GetCallerIdentity needs no permission.
ACTIONS = [STATUS, RECORDERS, LIST, REGIONS, ALIASES]

# The eight checks in their order; each report line begins with a mark and one of these.
CHECKS = [
    "HTTPS client",
    "Thread pool",
    "AWS credentials",
    "IAM permission: sts:GetCallerIdentity",
    f"IAM permission: {ALIASES}",
    f"IAM permission: {REGIONS}",
    f"IAM permission: {LIST}",
    "AWS Config enabled",
]


@dataclass(frozen=True)
class Row:
    """A row of the CSV."""

    account: str
    alias: str
    region: str
    resource_type: str
    total: int


@dataclass(frozen=True)
class Cell:
    """A row of the coverage."""

    region: str
    resource_type: str
    status: str
    total: int | None
    detail: str

    @property
    def known(self) -> tuple[str, int | None]:
        return self.status, self.total


@dataclass(frozen=True)
class Run:
    """What a run of the program left."""

    exit_code: int
    stdout: str
    stderr: str
    folder: Path

    @property
    def told(self) -> str:
        """All that was printed, for the message of a failed assertion."""
        return f"exit {self.exit_code}\n{self.stdout}\n{self.stderr}"

    @property
    def files(self) -> list[str]:
        return sorted(path.name for path in self.folder.iterdir())

    @property
    def csv_names(self) -> list[str]:
        """The files with counts; an alias has no underscore."""
        others = ("_coverage.csv", "_verify.csv")
        names = [name for name in self.files if name.endswith(".csv")]
        return [name for name in names if not name.endswith(others)]

    @property
    def csv_bytes(self) -> bytes:
        [name] = self.csv_names
        return (self.folder / name).read_bytes()

    @property
    def coverage_bytes(self) -> bytes:
        [name] = [name for name in self.files if name.endswith("_coverage.csv")]
        return (self.folder / name).read_bytes()

    @property
    def cells(self) -> list[Cell]:
        rows = table(self.coverage_bytes, COVERAGE_COLUMNS)
        return [
            Cell(
                region=row["region"],
                resource_type=row["resource_type"],
                status=row["status"],
                total=int(row["total"]) if row["total"] else None,
                detail=row["detail"],
            )
            for row in rows
        ]

    @property
    def report(self) -> Any:
        """The file that --report names, which must be `report.json`."""
        return json.loads((self.folder / "report.json").read_text())

    @property
    def rows(self) -> list[Row]:
        return [
            Row(
                account=row["account"],
                alias=row["alias"],
                region=row["region"],
                resource_type=row["resource_type"],
                total=int(row["total"]),
            )
            for row in table(self.csv_bytes, COLUMNS)
        ]

    @property
    def log(self) -> list[str]:
        """The lines of the error file, without their timestamps."""
        names = [name for name in self.files if name.endswith("_errors.txt")]
        assert len(names) <= 1, names
        text = (self.folder / names[0]).read_text() if names else ""
        return without_timestamps(text)

    @property
    def errors(self) -> list[str]:
        """The log lines on stderr, without their timestamps."""
        lines = [line for line in self.stderr.splitlines() if is_log_line(line)]
        return without_timestamps("\n".join(lines))

    @property
    def checks(self) -> str:
        """The marks of the eight checks, such as ✓✓✓✓✓✗✓✓."""
        return self.marks(LIST)

    def marks(self, counting: str) -> str:
        """The marks of the eight checks of a run that counts by these actions."""
        lines = [line for line in self.stdout.splitlines() if line[:2] in ("✓ ", "✗ ")]
        assert len(lines) == len(CHECKS), self.told
        for line, check in zip(lines, CHECKS):
            assert line[2:].startswith(check.replace(LIST, counting)), self.told
        return "".join(line[0] for line in lines)

    def failure(self, check: str) -> str:
        """What the list of failures says of a check."""
        failures = self.stdout.partition("PREREQUISITE FAILURES:\n")[2]
        lines = [line for line in failures.splitlines() if f"- {check}" in line]
        assert len(lines) == 1, self.told
        return lines[0]

    def summary(self, figure: str) -> int:
        """A figure of the summary."""
        found = re.search(rf"^ *{figure}: (\d+)", self.stdout, re.MULTILINE)
        assert found, self.told
        return int(found[1])

    def requests(self, action: str, region: str) -> int:
        """How many requests --debug tells of."""
        return self.stderr.count(f"debug: {action} {region} attempt ")


# Without other credentials the program asks the machine that it runs on, which may be an
# instance of EC2 with a role: only a test that has a service of its own turns this on.
NO_METADATA = {"AWS_EC2_METADATA_DISABLED": "true"}


@dataclass(frozen=True)
class Program:
    """The binary, with an empty home."""

    binary: Path
    home: Path

    def run(self, folder: Path, variables: Mapping[str, str], *options: str) -> Run:
        """Runs in `folder` with these environment variables, HOME, and no others.

        The machine's metadata service is off unless they turn it on.
        """
        folder.mkdir(parents=True, exist_ok=True)
        done = subprocess.run(
            [self.binary, *options],
            cwd=folder,
            env={"HOME": str(self.home), **NO_METADATA, **variables},
            stdin=subprocess.DEVNULL,
            capture_output=True,
            timeout=TIMEOUT_SECONDS,
            check=False,
        )
        out, err = done.stdout.decode(), done.stderr.decode()
        return Run(done.returncode, out, err, folder)

    def ask(self, emulator: Emulator, folder: Path, keys: Keys, *options: str) -> Run:
        """Runs against the emulator with `keys`, which must not show up anywhere."""
        variables = {**keys.variables(), "AWS_ENDPOINT_URL": emulator.url}
        run = self.run(folder, variables, *options)
        assert_no_secret(run, keys)
        return run


@dataclass(frozen=True)
class Ask:
    """Runs the program against the emulator, in a folder of the test."""

    program: Program
    emulator: Emulator
    folder: Path

    def __call__(self, keys: Keys, *options: str) -> Run:
        return self.program.ask(self.emulator, self.folder, keys, *options)

    def into(self, name: str) -> Ask:
        """The same in a folder of its own, where no other run leaves files."""
        return Ask(self.program, self.emulator, self.folder / name)


def assert_no_secret(run: Run, keys: Keys) -> None:
    files = [path for path in run.folder.rglob("*") if path.is_file()]
    texts = [run.stdout, run.stderr, *(path.read_text() for path in files)]
    for secret in keys.secrets:
        assert not any(secret in text for text in texts), "a secret was written"


def expected_rows(
    account: Account, alias: str, totals: Mapping[tuple[str, str], int]
) -> list[Row]:
    """The rows for totals by region and type: sorted, without zeros."""
    return [
        Row(account.id, alias, region, resource_type, total)
        for (region, resource_type), total in sorted(totals.items())
        if total > 0
    ]


def table(text: bytes, columns: list[str]) -> list[dict[str, str]]:
    reader = csv.DictReader(io.StringIO(text.decode(), newline=""))
    assert reader.fieldnames == columns
    return list(reader)


def is_log_line(line: str) -> bool:
    return re.match(r"\[\d{4}-\d\d-\d\dT[\d:.]+Z\] \[[A-Z_]+\] ", line) is not None


def without_timestamps(text: str) -> list[str]:
    lines = text.splitlines()
    assert all(is_log_line(line) for line in lines), text
    return [line.partition("] ")[2] for line in lines]
