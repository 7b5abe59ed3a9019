"""Where the keys come from: roles, web identities, metadata and processes, with moto's STS.

The account in the CSV's name tells whose keys counted. What moto does otherwise than AWS:

- The trust of a role is looked at where the role is in the caller's own account; for
  that of another account the caller's policy is enough. A condition on the external id
  refuses another one, and lets in whoever gives none.
- Any DurationSeconds and any web identity token will do.
- The metadata service has one role and keys of nobody, wants no token, and answers every
  method alike: `MetadataService` stands before it.
- AssumeRoleWithWebIdentity is no exception to authentication. See the test.
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

from emulator import Account, Emulator, Keys, allow
from program import ACTIONS, BUCKET, STEM, Program, Run, assert_no_secret

ASSUME = allow("sts:AssumeRole")

REGION = "us-west-2"
SCAN = ("--strict", "--debug", "--regions", REGION, "--resource-types", BUCKET)

ROLES_PATH = "/latest/meta-data/iam/security-credentials/"
METADATA_TOKEN = "token-of-the-metadata-service"


@dataclass(frozen=True)
class Counted:
    """An account with some buckets, a role that may count them, and a user."""

    account: Account
    buckets: int
    role: str
    user: Keys

    @property
    def session(self) -> Keys:
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
    """A home of the test's own, and runs from it."""

    program: Program
    emulator: Emulator
    folder: Path
    runs: list[Run]

    @property
    def aws(self) -> Path:
        return self.folder / "home/.aws"

    def config(self, text: str) -> None:
        (self.aws / "config").write_text(text)

    def credentials(self, **profiles: Keys) -> None:
        text = "".join(
            f"[{name}]\n"
            f"aws_access_key_id = {keys.access_key_id}\n"
            f"aws_secret_access_key = {keys.secret_access_key}\n"
            for name, keys in profiles.items()
        )
        (self.aws / "credentials").write_text(text)

    def run(self, *options: str, **variables: str) -> Run:
        program = Program(self.program.binary, self.folder / "home")
        variables = {"AWS_ENDPOINT_URL": self.emulator.url, **variables}
        # Each run has a folder of its own, so that its files are all its own.
        out = Path(tempfile.mkdtemp(prefix="out-", dir=self.folder))
        run = program.run(out, variables, *SCAN, *options)
        self.runs.append(run)
        return run


@pytest.fixture(scope="module")
def runs(emulator: Emulator, near: Counted) -> Iterator[list[Run]]:
    """All runs of this file; none may have written the keys of a role.

    They are compared at the end, for moto takes seconds to tell the keys that it gave.
    """
    done: list[Run] = []
    own = near.session
    yield done
    assumed = emulator.assumed()
    assert own in assumed, "moto tells them otherwise now"
    for run in done:
        for keys in assumed:
            assert_no_secret(run, keys)


@pytest.fixture
def home(program: Program, emulator: Emulator, tmp_path: Path, runs: list[Run]) -> Home:
    (tmp_path / "home/.aws").mkdir(parents=True)
    return Home(program, emulator, tmp_path, runs)


def assert_counted(run: Run, where: Counted) -> None:
    """Everything went well, and the account is this one."""
    assert run.exit_code == 0, run.told
    assert run.checks == "✓✓✓✓✓✓✓✓"
    assert run.csv_names == [f"{STEM}_{where.account.id}.csv"]
    assert [row.total for row in run.rows] == [where.buckets]


def refusal(run: Run) -> str:
    """What the third check says, where it failed and nothing was asked after it."""
    assert run.exit_code == 1, run.told
    assert run.checks == "✓✓✗✗✗✗✗✗"
    assert run.files == [f"{STEM}_errors.txt"]
    return run.failure("AWS credentials configured")


def asked(run: Run) -> list[str]:
    """What --debug says of the providers."""
    lines = [line.strip() for line in run.stderr.splitlines()]
    start = "debug: credentials: "
    return [line.partition(start)[2] for line in lines if start in line]


# Roles of profiles.


def test_a_role_with_a_source_profile(home: Home, near: Counted, far: Counted) -> None:
    user = near.account.user(ASSUME)
    home.credentials(base=user)
    home.config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    run = home.run(AWS_PROFILE="far")
    assert_counted(run, far)
    assert f"the role {far.role} of profile far" in run.stdout
    assert_no_secret(run, user)


def test_a_role_is_asked_for_with_a_signature_that_is_checked(
    home: Home, near: Counted, far: Counted
) -> None:
    wrong = Keys(near.account.user(ASSUME).access_key_id, "a-secret-that-is-wrong")
    home.credentials(base=wrong)
    home.config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    told = refusal(home.run("--profile", "far"))
    assert far.role in told
    assert "SignatureDoesNotMatch" in told
    assert "the secret access key does not belong to the access key" in told


def test_a_recording_of_a_role(home: Home, near: Counted, far: Counted) -> None:
    user = near.account.user(ASSUME)
    home.credentials(base=user)
    home.config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    # In the folder that is looked through for keys at the end.
    run = home.run("--profile", "far", "--record", "recording")
    assert run.exit_code == 0, run.told
    assert "ListDiscoveredResources" in "".join(
        path.read_text() for path in (run.folder / "recording").rglob("*.json")
    )
    assert_no_secret(run, user)


def test_a_chain_of_two_roles(home: Home, near: Counted, far: Counted) -> None:
    # The first role may do nothing but assume the second.
    first = near.account.role()
    near.account.grant(first, ASSUME)
    home.credentials(base=near.account.user(ASSUME))
    home.config(
        f"[profile first]\nrole_arn = {first}\nsource_profile = base\n"
        f"[profile second]\nrole_arn = {far.role}\nsource_profile = first\n"
    )
    assert_counted(home.run("--profile", "second"), far)
    # The second is assumed by the first, not by the user.
    near.account.grant(first, allow(*ACTIONS))
    told = refusal(home.run("--profile", "second"))
    assert f"the role {far.role} of profile second" in told
    assert f"assumed-role/{first.rsplit('/', 1)[-1]}/" in told


def test_a_role_with_the_keys_of_the_environment(
    home: Home, near: Counted, far: Counted
) -> None:
    user = near.account.user(ASSUME)
    home.config(
        f"[profile far]\nrole_arn = {far.role}\ncredential_source = Environment\n"
    )
    run = home.run("--profile", "far", **user.variables())
    assert_counted(run, far)
    assert_no_secret(run, user)
    told = refusal(home.run("--profile", "far"))
    assert "credential_source Environment has no credentials" in told


def test_an_external_id(home: Home, near: Counted) -> None:
    agreed = "agreed/upon=2026:a,b@c"
    condition = {"StringEquals": {"sts:ExternalId": agreed}}
    role = near.account.role(Condition=condition)
    near.account.grant(role, allow(*ACTIONS))
    home.credentials(base=near.account.user(ASSUME))
    profile = f"role_arn = {role}\nsource_profile = base\n"
    home.config(
        f"[profile right]\n{profile}external_id = {agreed}\n"
        f"[profile wrong]\n{profile}external_id = another\n"
    )
    assert_counted(home.run("--profile", "right"), near)
    told = refusal(home.run("--profile", "wrong"))
    assert role in told
    assert "AccessDenied" in told


def test_the_session_has_the_name_and_the_duration_of_the_profile(
    home: Home, near: Counted, far: Counted
) -> None:
    home.credentials(base=near.account.user(ASSUME))
    role = f"role_arn = {far.role}\nsource_profile = base\n"
    # Below AWS's 900: such keys are about to end, so that new ones must be fetched.
    home.config(
        f"[profile hour]\n{role}duration_seconds = 3600\n"
        f"[profile minute]\n{role}duration_seconds = 60\n"
        f"[profile named]\n{role}role_session_name = {'n' * 65}\n"
    )
    hour = home.run("--profile", "hour")
    assert_counted(hour, far)
    has_them = "a role of the profile has them"
    assert asked(hour).count(has_them) == 1
    minute = home.run("--profile", "minute")
    assert_counted(minute, far)
    assert asked(minute).count(has_them) > 1
    # The one thing by which moto shows a name is to refuse one that is too long.
    assert "n" * 65 in refusal(home.run("--profile", "named"))


def test_a_role_that_may_not_be_assumed(
    home: Home, near: Counted, far: Counted
) -> None:
    home.credentials(base=near.user)
    home.config(f"[profile far]\nrole_arn = {far.role}\nsource_profile = base\n")
    run = home.run("--profile", "far")
    told = refusal(run)
    assert f"the role {far.role} of profile far" in told
    assert "AccessDenied" in told
    assert "not authorized to perform: sts:AssumeRole" in told
    assert "; allow sts:AssumeRole in the caller's policies" in told
    assert_no_secret(run, near.user)


# Web identities.


def test_a_web_identity(home: Home, far: Counted) -> None:
    secret = "eyJ0.of-the-identity-provider.c2ln"
    token = home.folder / "token"
    token.write_text(f"{secret}\n")
    # moto wants a signature of this call as of all others, and AWS does not. The next
    # action goes without one: it is this call, and all that follow it are checked.
    home.emulator.allow_unsigned(1)
    run = home.run(
        "--record",
        "recording",
        AWS_WEB_IDENTITY_TOKEN_FILE=str(token),
        AWS_ROLE_ARN=far.role,
    )
    assert_counted(run, far)
    assert f"the web identity in {token}, role {far.role}" in run.stdout
    assert_no_secret(run, Keys("", secret))


def test_a_web_identity_without_a_role_or_without_its_file(
    home: Home, far: Counted
) -> None:
    token = home.folder / "token"
    variables = {"AWS_WEB_IDENTITY_TOKEN_FILE": str(token)}
    assert "set AWS_ROLE_ARN" in refusal(home.run(**variables))
    told = refusal(home.run(**variables, AWS_ROLE_ARN=far.role))
    assert f"the web identity in {token}: " in told
    assert "No such file" in told


# The metadata service.


class MetadataService(http.server.ThreadingHTTPServer):
    """moto's, with the second version's token and with keys that moto knows."""

    def __init__(self, emulator: Emulator, keys: Keys) -> None:
        super().__init__(("127.0.0.1", 0), MetadataHandler)
        self.emulator = emulator
        self.keys = keys
        self.requests: list[str] = []

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_port}"

    def ask_moto(self, path: str) -> bytes:
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
        body = self.server.ask_moto(self.path)
        if self.path != ROLES_PATH:
            keys = self.server.keys
            made = {
                **json.loads(body),
                "AccessKeyId": keys.access_key_id,
                "SecretAccessKey": keys.secret_access_key,
                "Token": keys.session_token,
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
        """Nothing to stderr."""


@contextmanager
def metadata_service(emulator: Emulator, keys: Keys) -> Iterator[MetadataService]:
    with MetadataService(emulator, keys) as service:
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
        # Whoever runs this beside other work must not see it fail for a second's delay.
        "AWS_METADATA_SERVICE_TIMEOUT": "20",
    }


def test_the_role_of_an_instance(home: Home, near: Counted) -> None:
    keys = near.session
    with metadata_service(home.emulator, keys) as service:
        run = home.run("--record", "recording", **instance(service.url))
    assert_counted(run, near)
    assert "the instance metadata service (role default-role)" in run.stdout
    assert service.requests == [
        "PUT /latest/api/token 200",
        f"GET {ROLES_PATH} 200",
        f"GET {ROLES_PATH}default-role 200",
    ]
    assert_no_secret(run, keys)
    assert_no_secret(run, Keys("", METADATA_TOKEN))


def test_a_role_that_the_role_of_an_instance_assumes(
    home: Home, near: Counted, far: Counted
) -> None:
    own = near.account.role()
    keys = near.account.session(own, ASSUME)
    home.config(
        f"[default]\nrole_arn = {far.role}\ncredential_source = Ec2InstanceMetadata\n"
    )
    with metadata_service(home.emulator, keys) as service:
        run = home.run(**instance(service.url))
    assert_counted(run, far)
    assert_no_secret(run, keys)


def test_the_metadata_service_and_the_container_endpoint_as_moto_has_them(
    program: Program, tmp_path: Path
) -> None:
    # moto's keys are nobody's, so that this server authenticates none: the other tests
    # of this file do. It takes such keys for those of its default account.
    (tmp_path / "home/.aws").mkdir(parents=True)
    with Emulator(tmp_path) as emulator:
        where = counted(emulator, "123456789012", 1)
        emulator.allow_unsigned(1_000_000)
        home = Home(program, emulator, tmp_path, [])
        run = home.run(**instance(emulator.url))
        assert_counted(run, where)
        assert asked(run)[-1] == "the instance metadata service has them"
        uri = f"{emulator.url}{ROLES_PATH}default-role"
        run = home.run(AWS_CONTAINER_CREDENTIALS_FULL_URI=uri)
        assert_counted(run, where)
        assert f"the container endpoint {uri}" in run.stdout
        assert emulator.server_errors() == []


# Processes.


def test_a_process_that_prints_keys(home: Home, near: Counted) -> None:
    keys = near.session
    made = {
        "Version": 1,
        "AccessKeyId": keys.access_key_id,
        "SecretAccessKey": keys.secret_access_key,
        "SessionToken": keys.session_token,
    }
    script = home.aws / "keys"
    script.write_text(f"#!/bin/sh\nprintf '%s\\n' '{json.dumps(made)}'\n")
    script.chmod(0o700)
    # Two processes and a pipe: a shell is needed.
    home.config(
        f"[profile p]\ncredential_process = sh -c '\"{script}\" | cat' | cat\n"
        "[profile broken]\ncredential_process = echo not-so >&2; exit 3\n"
    )
    run = home.run("--profile", "p")
    assert_counted(run, near)
    assert "credential_process of profile p" in run.stdout
    assert_no_secret(run, keys)
    told = refusal(home.run("--profile", "broken"))
    assert "credential_process of profile broken failed; it said: not-so" in told


# Nothing at all, and what goes before what.


def test_no_credentials_at_all(home: Home) -> None:
    run = home.run(AWS_EC2_METADATA_DISABLED="true")
    told = refusal(run)
    assert "no credentials in the environment (AWS_ACCESS_KEY_ID" in told
    assert f'profile "default" in {home.aws}/credentials or {home.aws}/config' in told
    assert "run `aws configure` or `aws configure sso`" in told
    for check in ("sts:GetCallerIdentity", "config:ListDiscoveredResources"):
        failure = run.failure(f"IAM permission: {check}")
        assert failure.endswith("not tried, because check 3 failed")


def test_debug_names_the_providers_that_were_passed_over_and_why(
    home: Home, near: Counted
) -> None:
    passed = {
        "the environment": "AWS_ACCESS_KEY_ID is not set",
        "a role of the profile": "the profile has no role_arn to assume",
        "a web identity": "no token file is named",
        "IAM Identity Center": "the profile has no sso_account_id or sso_role_name",
        "the shared credentials file": "the profile has no keys in it",
        "aws login": "the profile has no login_session",
        "credential_process": "the profile has no credential_process",
        "the config file": "the profile has no keys in it",
        "the container": "no container credentials URI is set",
        "the instance metadata service": "AWS_EC2_METADATA_DISABLED is true",
    }
    lines = [f"{name} passed over: {why}" for name, why in passed.items()]
    assert asked(home.run()) == lines
    home.credentials(default=near.user)
    run = home.run()
    assert_counted(run, near)
    assert asked(run) == [*lines[:4], "the shared credentials file has them"]
    assert_no_secret(run, near.user)


def test_the_keys_of_the_environment_go_before_aws_profile_and_after_the_option(
    home: Home, near: Counted, far: Counted
) -> None:
    home.credentials(far=far.user)
    variables = {**near.user.variables(), "AWS_PROFILE": "far"}
    assert_counted(home.run(**variables), near)
    run = home.run("--profile", "far", **variables)
    assert_counted(run, far)
    assert_no_secret(run, near.user)
    assert_no_secret(run, far.user)
