"""An organization of moto: its accounts, organizational units and buckets."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

from emulator import Credentials, Emulator, create_user
from program import BUCKET, Row

MANAGEMENT = "999900000000"
ROLE_NAME = "audit/ConfigResourceCount"
REGIONS = ("eu-west-1", "us-east-1")

# With the management account and the closed one: 48 accounts on three pages of 20.
ACTIVE_MEMBERS = 46
# More than one page of 20 in a unit.
UNIT_MEMBERS = 25

# Enough for all requests of the setup.
SETUP_ACTIONS = 10_000


@dataclass(frozen=True)
class Member:
    """An account of the organization."""

    id: str
    name: str
    buckets: dict[str, int]

    @property
    def rows(self) -> list[Row]:
        totals = self.buckets.items()
        return [Row(self.id, "", region, BUCKET, total) for region, total in totals]


class Organization:
    """The organization; the setup needs no signatures, because they are slow."""

    def __init__(self, emulator: Emulator, policy: dict[str, Any], trust: str) -> None:
        self.emulator = emulator
        self.policy = json.dumps(policy)
        self.trust = trust
        self.account = MANAGEMENT
        self.clients = {name: self.client(name) for name in ("iam", "organizations")}
        for region in REGIONS:
            for name in ("config", "s3"):
                self.clients[name + region] = self.client(name, region)
        emulator.allow_unsigned(SETUP_ACTIONS)
        try:
            self.create()
        finally:
            emulator.allow_unsigned(0)

    def client(self, service: str, region: str = "us-east-1") -> Any:
        """A client of the account that `self.account` names."""
        unused = Credentials("AKIAIOSFODNN7EXAMPLE", "none")
        client = self.emulator.client(service, unused, region)

        def into_account(params: dict[str, Any], **_: object) -> None:
            params["headers"]["x-moto-account-id"] = self.account

        client.meta.events.register("before-call", into_account)
        return client

    def create(self) -> None:
        organizations = self.clients["organizations"]
        organizations.create_organization(FeatureSet="ALL")
        root = organizations.list_roots()["Roots"][0]["Id"]
        self.production = self.unit(root, "Prod")
        self.europe = self.unit(self.production, "EU")
        ids = [self.new_account(f"team-{n}") for n in range(ACTIVE_MEMBERS)]
        self.closed = self.new_account("old")
        organizations.close_account(AccountId=self.closed)
        for number, account in enumerate(ids[:UNIT_MEMBERS]):
            unit = self.production if number == 0 else self.europe
            organizations.move_account(
                AccountId=account, SourceParentId=root, DestinationParentId=unit
            )
        self.management = self.resources(MANAGEMENT, "master", 9, 9)
        # No two members have the same counts.
        self.members = [
            self.resources(account, f"team-{n}", n % 7 + 1, n // 7 + 1)
            for n, account in enumerate(ids)
        ]
        for member in self.members:
            self.role(member.id)

    def unit(self, parent: str, name: str) -> str:
        unit = self.clients["organizations"].create_organizational_unit(
            ParentId=parent, Name=name
        )
        return unit["OrganizationalUnit"]["Id"]

    def new_account(self, name: str) -> str:
        created = self.clients["organizations"].create_account(
            AccountName=name, Email=f"{name}@example.com"
        )
        return created["CreateAccountStatus"]["AccountId"]

    def resources(self, account: str, name: str, *numbers: int) -> Member:
        """Creates buckets and a recorder in each region."""
        self.account = account
        buckets = dict(zip(REGIONS, numbers, strict=True))
        for region, number in buckets.items():
            place = {"CreateBucketConfiguration": {"LocationConstraint": region}}
            options = {} if region == "us-east-1" else place
            names = [f"bucket-{account}-{region}-{i}" for i in range(number)]
            for bucket in names:
                self.clients["s3" + region].create_bucket(Bucket=bucket, **options)
            self.recorder(account, region, names[0])
        self.account = MANAGEMENT
        return Member(account, name, buckets)

    def recorder(self, account: str, region: str, bucket: str) -> None:
        config = self.clients["config" + region]
        group = {"allSupported": True, "includeGlobalResourceTypes": True}
        role = f"arn:aws:iam::{account}:role/Config"
        recorder = {"name": "default", "roleARN": role, "recordingGroup": group}
        config.put_configuration_recorder(ConfigurationRecorder=recorder)
        channel = {"name": "default", "s3BucketName": bucket}
        config.put_delivery_channel(DeliveryChannel=channel)
        config.start_configuration_recorder(ConfigurationRecorderName="default")

    def role(self, account: str) -> None:
        """Creates the role with the policies that `iam-policy --for member` prints."""
        self.account = account
        path, name = f"/{ROLE_NAME}".rsplit("/", 1)
        iam = self.clients["iam"]
        iam.create_role(
            Path=f"{path}/", RoleName=name, AssumeRolePolicyDocument=self.trust
        )
        iam.put_role_policy(
            RoleName=name, PolicyName="inline", PolicyDocument=self.policy
        )
        self.account = MANAGEMENT

    def user(self, name: str, document: str) -> Credentials:
        """Creates a user of the management account."""
        self.emulator.allow_unsigned(SETUP_ACTIONS)
        try:
            return create_user(self.clients["iam"], name, document)
        finally:
            self.emulator.allow_unsigned(0)

    def below(self, unit: str) -> list[Member]:
        """The accounts in or below `unit`."""
        first = 0 if unit == self.production else 1
        return self.members[first:UNIT_MEMBERS]
