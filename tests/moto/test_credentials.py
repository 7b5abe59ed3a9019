"""Credential providers with moto's STS: roles, web identities, metadata and processes.

The account ID in the CSV's file name shows whose credentials were used. Differences
between moto and AWS:

- moto evaluates the trust policy only for roles in the caller's account; for a role in
  another account the caller's policy is sufficient. A condition on the external ID
  rejects a different ID, but accepts a call without one.
- Every DurationSeconds and every web identity token is accepted.
- The metadata service has one role, returns credentials of no user, needs no token and
  ignores the HTTP method; `MetadataService` is a proxy that corrects this.
- AssumeRoleWithWebIdentity needs authentication; see the test.
"""

from __future__ import annotations

import http.client
import http.server
import json
import tempfile
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from emulator import Account, Credentials, Emulator, allow
from program import ACTIONS, BUCKET, STEM, Program, Run, assert_no_secret

ASSUME = allow("sts:AssumeRole")

REGION = "us-west-2"
SCAN = ("--strict", "--debug", "--regions", REGION, "--resource-types", BUCKET)

ROLES_PATH = "/latest/meta-data/iam/security-credentials/"
METADATA_TOKEN = "token-of-the-metadata-service"


@dataclass(frozen=True)
class Counted:
    """An account with some buckets, and a role and a user with scan permissions."""

    account: Account
    buckets: int
    role: str
    user: Credentials

    @property
    def session(self) -> Credentials:
        return self.account.session(self.role, allow(*ACTIONS))


def counted(emulator: Emulator, account_id: str, buckets: int) -> Counted:
    account = emulator.open_account(account_id)
    [bucket, *_] = account.buckets(REGION, buckets)
    role = account.role()
    account.recorder(REGION, role, bucket)
    account.grant(role, allow(*ACTIONS))
    return Counted(account, buckets, role, account.user(allow(*ACTIONS)))


@pytest.fixture(scope="module")
def near(emulator: Emulator) -> Counted:
    return counted(emulator, "222200000001", 2)


@pytest.fixture(scope="module")
def far(emulator: Emulator) -> Counted:
    """Another account."""
    return counted(emulator, "222200000002", 3)


@dataclass(frozen=True)
class Home:
    """The home directory of one test, and the runs that use it."""

    program: Program
    emulator: Emulator
    directory: Path
    runs: list[Run]

    @property
    def aws(self) -> Path:
        return self.directory / "home/.aws"

    def write_config(self, text: str) -> None:
        (self.aws / "config").write_text(text)

    def write_credentials(self, **profiles: Credentials) -> None:
        text = "".join(
            f"[{name}]\n"
            f"aws_access_key_id = {credentials.access_key_id}\n"
            f"aws_secret_access_key = {credentials.secret_access_key}\n"
            for name, credentials in profiles.items()
        )
        (self.aws / "credentials").write_text(text)

    def run(self, *options: str, **variables: str) -> Run:
        program = Program(self.program.binary, self.directory / "home")
        variables = {"AWS_ENDPOINT_URL": self.emulator.url, **variables}
        # Each run has its own directory, so it contains only the files of that run.
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self.directory))
        run = program.run(out, variables, *SCAN, *options)
        self.runs.append(run)
        return run


@pytest.fixture(scope="module")
def runs(emulator: Emulator, near: Counted) -> Iterator[list[Run]]:
    """All runs of this file; none may have written a role's credentials.

    They are compared at the end, because moto needs seconds to list the credentials.
    """
    done: list[Run] = []
    own = near.session
    yield done
    assumed = emulator.assumed_roles()
    assert own in assumed, "moto lists assumed roles in another form now"
    for run in done:
        for credentials in assumed:
            assert_no_secret(run, credentials)


@pytest.fixture
def home(program: Program, emulator: Emulator, tmp_path: Path, runs: list[Run]) -> Home:
    (tmp_path / "home/.aws").mkdir(parents=True)
    return Home(program, emulator, tmp_path, runs)


def assert_counted(run: Run, where: Counted) -> None:
    """Asserts that the run succeeded and counted this account."""
    assert run.exit_code == 0, run.output
    assert run.checks == "✓✓✓✓✓✓✓✓"
    assert run.csv_names == [f"{STEM}_{where.account.id}.csv"]
    assert [row.total for row in run.rows] == [where.buckets]


def credential_failure(run: Run) -> str:
    """The message of the failed third check; the later checks were skipped."""
    assert run.exit_code == 1, run.output
    assert run.checks == "✓✓✗✗✗✗✗✗"
    assert run.files == [f"{STEM}_errors.txt"]
    return run.failure("AWS credentials configured")


def credential_log(run: Run) -> list[str]:
    """The lines of --debug about credential providers."""
    lines = [line.strip() for line in run.stderr.splitlines()]
    start = " credentials: "
    return [line.partition(start)[2] for line in lines if start in line]


# Roles of profiles.


def test_role_with_source_profile(home: Home, near: Counted, far: Counted) -> None:
    user = near.account.user(ASSUME)
    home.write_credentials(base=user)
    home.write_config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    run = home.run(AWS_PROFILE="far")
    assert_counted(run, far)
    assert f"the role {far.role} of profile far" in run.stdout
    assert_no_secret(run, user)


def test_role_with_wrong_signature_is_rejected(
    home: Home, near: Counted, far: Counted
) -> None:
    wrong = Credentials(
        near.account.user(ASSUME).access_key_id, "a-secret-that-is-wrong"
    )
    home.write_credentials(base=wrong)
    home.write_config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    message = credential_failure(home.run("--profile", "far"))
    assert far.role in message
    assert "SignatureDoesNotMatch" in message
    assert "the signature was rejected: check the secret access key" in message


def test_role_recording_has_no_secret(home: Home, near: Counted, far: Counted) -> None:
    user = near.account.user(ASSUME)
    home.write_credentials(base=user)
    home.write_config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    # The directory is searched for credentials at the end; see `runs`.
    run = home.run("--profile", "far", "--record", "recording")
    assert run.exit_code == 0, run.output
    assert "ListDiscoveredResources" in "".join(
        path.read_text() for path in (run.directory / "recording").rglob("*.json")
    )
    assert_no_secret(run, user)


def test_role_chain(home: Home, near: Counted, far: Counted) -> None:
    # The first role may only assume the second.
    first = near.account.role()
    near.account.grant(first, ASSUME)
    home.write_credentials(base=near.account.user(ASSUME))
    home.write_config(
        f"[profile first]\nrole_arn = {first}\nsource_profile = base\n"
        f"[profile second]\nrole_arn = {far.role}\nsource_profile = first\n"
    )
    assert_counted(home.run("--profile", "second"), far)
    # The first role assumes the second, not the user.
    near.account.grant(first, allow(*ACTIONS))
    message = credential_failure(home.run("--profile", "second"))
    assert f"the role {far.role} of profile second" in message
    assert f"assumed-role/{first.rsplit('/', 1)[-1]}/" in message


def test_role_with_environment_credentials(
    home: Home, near: Counted, far: Counted
) -> None:
    user = near.account.user(ASSUME)
    home.write_config(
        f"[profile far]\nrole_arn = {far.role}\ncredential_source = Environment\n"
    )
    run = home.run("--profile", "far", **user.variables())
    assert_counted(run, far)
    assert_no_secret(run, user)
    message = credential_failure(home.run("--profile", "far"))
    assert "credential_source Environment has no credentials" in message


def test_role_with_external_id(home: Home, near: Counted) -> None:
    agreed = "agreed/upon=2026:a,b@c"
    condition = {"StringEquals": {"sts:ExternalId": agreed}}
    role = near.account.role(Condition=condition)
    near.account.grant(role, allow(*ACTIONS))
    home.write_credentials(base=near.account.user(ASSUME))
    profile = f"role_arn = {role}\nsource_profile = base\n"
    home.write_config(
        f"[profile right]\n{profile}external_id = {agreed}\n"
        f"[profile wrong]\n{profile}external_id = another\n"
    )
    assert_counted(home.run("--profile", "right"), near)
    message = credential_failure(home.run("--profile", "wrong"))
    assert role in message
    assert "AccessDenied" in message


def test_role_session_uses_name_and_duration(
    home: Home, near: Counted, far: Counted
) -> None:
    home.write_credentials(base=near.account.user(ASSUME))
    role = f"role_arn = {far.role}\nsource_profile = base\n"
    # Below AWS's minimum of 900 seconds, so that the credentials must be refreshed.
    home.write_config(
        f"[profile hour]\n{role}duration_seconds = 3600\n"
        f"[profile minute]\n{role}duration_seconds = 60\n"
        f"[profile named]\n{role}role_session_name = {'n' * 65}\n"
    )
    hour = home.run("--profile", "hour")
    assert_counted(hour, far)
    returned = "a role of the profile returned credentials"
    assert credential_log(hour).count(returned) == 1
    minute = home.run("--profile", "minute")
    assert_counted(minute, far)
    assert credential_log(minute).count(returned) > 1
    # moto shows a session name only if it is rejected as too long.
    assert "n" * 65 in credential_failure(home.run("--profile", "named"))


def test_denied_role_stops_the_scan(home: Home, near: Counted, far: Counted) -> None:
    home.write_credentials(base=near.user)
    home.write_config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    run = home.run("--profile", "far")
    message = credential_failure(run)
    assert f"the role {far.role} of profile far" in message
    assert "AccessDenied" in message
    assert "not authorized to perform: sts:AssumeRole" in message
    assert "; allow sts:AssumeRole in the caller's policies" in message
    assert_no_secret(run, near.user)


# Web identities.


def test_web_identity(home: Home, far: Counted) -> None:
    secret = "eyJ0.of-the-identity-provider.c2ln"
    token = home.directory / "token"
    token.write_text(f"{secret}\n")
    # moto requires a signature for this call, and AWS does not. Authentication is disabled
    # for the next action, which is this call; all later calls are authenticated.
    home.emulator.allow_unsigned(1)
    run = home.run(
        "--record",
        "recording",
        AWS_WEB_IDENTITY_TOKEN_FILE=str(token),
        AWS_ROLE_ARN=far.role,
    )
    assert_counted(run, far)
    assert f"the web identity in {token}, role {far.role}" in run.stdout
    assert_no_secret(run, Credentials("", secret))


def test_web_identity_without_role_or_file(home: Home, far: Counted) -> None:
    token = home.directory / "token"
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    assert "set AWS_ROLE_ARN" in credential_failure(home.run(**variables))
    message = credential_failure(home.run(**variables, AWS_ROLE_ARN=far.role))
    assert f"the web identity in {token}: " in message
    assert "No such file" in message


# The metadata service.


class MetadataService(http.server.ThreadingHTTPServer):
    """moto's service with the token of version 2 and with valid credentials."""

    def __init__(self, emulator: Emulator, credentials: Credentials) -> None:
        super().__init__(("127.0.0.1", 0), MetadataHandler)
        self.emulator = emulator
        self.credentials = credentials
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def fetch_from_moto(self, path: str) -> bytes:
        connection = http.client.HTTPConnection(
            "127.0.0.1", self.emulator.port, timeout=10
        )
        try:
            connection.request("GET", path)
            return connection.getresponse().read()
        finally:
            connection.close()


class MetadataHandler(http.server.BaseHTTPRequestHandler):
    server: MetadataService

    def do_PUT(self) -> None:
        lifetime = self.headers["x-aws-ec2-metadata-token-ttl-seconds"]
        if self.path == "/latest/api/token" and lifetime == "21600":
            self.reply(200, METADATA_TOKEN.encode())
        else:
            self.reply(400, b"")

    def do_GET(self) -> None:
        if self.headers["x-aws-ec2-metadata-token"] != METADATA_TOKEN:
            self.reply(401, b"")
            return
        body = self.server.fetch_from_moto(self.path)
        if self.path != ROLES_PATH:
            credentials = self.server.credentials
            made = {
                **json.loads(body),
                "AccessKeyId": credentials.access_key_id,
                "SecretAccessKey": credentials.secret_access_key,
                "Token": credentials.session_token,
            }
            body = json.dumps(made).encode()
        self.reply(200, body)

    def reply(self, status: int, body: bytes) -> None:
        self.server.requests.append(f"{self.command} {self.path} {status}")
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Logs nothing to stderr."""


@contextmanager
def metadata_service(
    emulator: Emulator, credentials: Credentials
) -> Iterator[MetadataService]:
    with MetadataService(emulator, credentials) as service:
        thread = threading.Thread(target=service.serve_forever, args=(0.05,))
        thread.start()
        try:
            yield service
        finally:
            service.shutdown()
            thread.join()


def instance(url: str) -> dict[str, str]:
    return {
        "AWS_EC2_METADATA_DISABLED": "false",
        "AWS_EC2_METADATA_SERVICE_ENDPOINT": url,
        # The default of 1 second is too short on a busy machine.
        "AWS_METADATA_SERVICE_TIMEOUT": "20",
    }


def test_instance_role(home: Home, near: Counted) -> None:
    credentials = near.session
    with metadata_service(home.emulator, credentials) as service:
        run = home.run("--record", "recording", **instance(service.url))
    assert_counted(run, near)
    assert "the instance metadata service (role default-role)" in run.stdout
    assert service.requests == [
        "PUT /latest/api/token 200",
        f"GET {ROLES_PATH} 200",
        f"GET {ROLES_PATH}default-role 200",
    ]
    assert_no_secret(run, credentials)
    assert_no_secret(run, Credentials("", METADATA_TOKEN))


def test_role_assumed_by_instance_role(home: Home, near: Counted, far: Counted) -> None:
    own = near.account.role()
    credentials = near.account.session(own, ASSUME)
    home.write_config(
        f"[default]\nrole_arn = {far.role}\ncredential_source = Ec2InstanceMetadata\n"
    )
    with metadata_service(home.emulator, credentials) as service:
        run = home.run(**instance(service.url))
    assert_counted(run, far)
    assert_no_secret(run, credentials)


def test_moto_metadata_service_and_container_endpoint(
    program: Program, tmp_path: Path
) -> None:
    # moto returns credentials of no user, so this server does not authenticate; the other
    # tests of this file do. moto uses its default account for such credentials.
    (tmp_path / "home/.aws").mkdir(parents=True)
    with Emulator(tmp_path) as emulator:
        where = counted(emulator, "123456789012", 1)
        emulator.allow_unsigned(1_000_000)
        home = Home(program, emulator, tmp_path, [])
        run = home.run(**instance(emulator.url))
        assert_counted(run, where)
        assert (
            credential_log(run)[-1]
            == "the instance metadata service returned credentials"
        )
        uri = f"{emulator.url}{ROLES_PATH}default-role"
        run = home.run(AWS_CONTAINER_CREDENTIALS_FULL_URI=uri)
        assert_counted(run, where)
        # Only the origin of the URL is shown.
        assert f"the container endpoint {emulator.url}" in run.stdout
        assert emulator.server_errors() == []


# Processes.


def test_credential_process(home: Home, near: Counted) -> None:
    credentials = near.session
    made = {
        "Version": 1,
        "AccessKeyId": credentials.access_key_id,
        "SecretAccessKey": credentials.secret_access_key,
        "SessionToken": credentials.session_token,
    }
    script = home.aws / "keys"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{json.dumps(made)}'\n")
    script.chmod(0o700)
    # Two processes and a pipe need a shell.
    home.write_config(
        f"[profile p]\ncredential_process = sh -c '\"{script}\" | cat' | cat\n"
        "[profile broken]\ncredential_process = echo not-so >&2; exit 3\n"
    )
    run = home.run("--profile", "p")
    assert_counted(run, near)
    assert "credential_process of profile p" in run.stdout
    assert_no_secret(run, credentials)
    message = credential_failure(home.run("--profile", "broken"))
    assert "credential_process of profile broken failed: not-so" in message


# No credentials, and the order of the providers.


def test_no_credentials(home: Home) -> None:
    run = home.run(AWS_EC2_METADATA_DISABLED="true")
    message = credential_failure(run)
    assert "no credentials in the environment (AWS_ACCESS_KEY_ID" in message
    assert (
        f'profile "default" in {home.aws}/credentials or {home.aws}/config' in message
    )
    assert "run `aws configure` or `aws configure sso`" in message
    for check in ("sts:GetCallerIdentity", "config:ListDiscoveredResources"):
        failure = run.failure(f"IAM permission: {check}")
        assert failure.endswith("skipped: check 3 failed")


def test_debug_lists_skipped_providers(home: Home, near: Counted) -> None:
    skipped = {
        "the environment": "AWS_ACCESS_KEY_ID is not set",
        "a role of the profile": "the profile has no role_arn to assume",
        "a web identity": "no token file is configured",
        "IAM Identity Center": "the profile has no sso_account_id or sso_role_name",
        "the shared credentials file": "the profile has no access key in this file",
        "aws login": "the profile has no login_session",
        "credential_process": "the profile has no credential_process",
        "the config file": "the profile has no access key in this file",
        "the container": "no container credentials URI is set",
        "the instance metadata service": "AWS_EC2_METADATA_DISABLED is true",
    }
    lines = [f"{name} skipped: {why}" for name, why in skipped.items()]
    assert credential_log(home.run()) == lines
    home.write_credentials(default=near.user)
    run = home.run()
    assert_counted(run, near)
    assert credential_log(run) == [
        *lines[:4],
        "the shared credentials file returned credentials",
    ]
    assert_no_secret(run, near.user)


def test_environment_credentials_precede_aws_profile_not_option(
    home: Home, near: Counted, far: Counted
) -> None:
    home.write_credentials(far=far.user)
    variables = {**near.user.variables(), "AWS_PROFILE": "far"}
    assert_counted(home.run(**variables), near)
    run = home.run("--profile", "far", **variables)
    assert_counted(run, far)
    assert_no_secret(run, near.user)
    assert_no_secret(run, far.user)
