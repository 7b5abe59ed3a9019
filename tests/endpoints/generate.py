#!/usr/bin/env python3
"""Writes botocore.tsv: the host and the signing region that botocore uses.

    python3 -m venv env && env/bin/pip install botocore==1.44.8
    env/bin/python tests/endpoints/generate.py > tests/endpoints/botocore.tsv

For every service, region and variant, a client signs a real request, which is caught before it is
sent. If botocore rejects the variant, the host is `error`. Pseudo regions such as `aws-global` are
included; no region of an account has such a name, but a profile may. The requests to IAM Identity
Center are not signed; their signing region is that of the client.
"""

import json
import os
import re
import urllib.parse

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import EndpointVariantError

# The service in host names, its name in botocore, an operation and its arguments.
OPERATIONS = {
    "config": ("config", "describe_configuration_recorder_status", {}),
    "ec2": ("ec2", "describe_regions", {}),
    "iam": ("iam", "list_account_aliases", {}),
    "organizations": ("organizations", "describe_organization", {}),
    "sts": ("sts", "get_caller_identity", {}),
    "portal.sso": ("sso", "list_accounts", {"accessToken": "a-token"}),
    "oidc": ("sso-oidc", "create_token", {"clientId": "a", "clientSecret": "a", "grantType": "a"}),
}
VARIANTS = {
    "plain": (False, False),
    "fips": (True, False),
    "dualstack": (False, True),
    "both": (True, True),
}


class Caught(Exception):
    """Raised instead of sending a request."""

    def __init__(self, request):
        super().__init__(request.url)
        self.request = request


def catch(request, **_kwargs):
    raise Caught(request)


def session():
    """Returns a session that does not read the settings of this machine."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
    os.environ["AWS_CONFIG_FILE"] = os.environ["AWS_SHARED_CREDENTIALS_FILE"] = os.devnull
    session = botocore.session.Session()
    session.set_credentials("AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY")
    return session


def host_and_signing_region(session, service, region, fips, dualstack):
    service, operation, arguments = OPERATIONS[service]
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack, retries={"total_max_attempts": 1})
    try:
        client = session.create_client(service, region_name=region, config=config)
        client.meta.events.register("before-send.*", catch)
        getattr(client, operation)(**arguments)
    except EndpointVariantError:
        return "error", "-"
    except Caught as caught:
        request = caught.request
    host = urllib.parse.urlsplit(request.url).netloc
    authorization = request.headers.get("Authorization")
    if authorization is None:
        return host, region
    if isinstance(authorization, bytes):
        authorization = authorization.decode()
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", authorization)
    assert scope.group(2) == service
    assert request.url == f"https://{host}/"
    return host, scope.group(1)


def regions():
    path = os.path.join(os.path.dirname(botocore.__file__), "data", "partitions.json")
    with open(path, encoding="utf-8") as file:
        for partition in json.load(file)["partitions"]:
            yield from sorted(partition["regions"])


def main():
    own = session()
    print(f"# botocore {botocore.__version__}, by generate.py")
    print("service\tregion\tvariant\thost\tsigning region")
    for service in OPERATIONS:
        for region in regions():
            for variant, (fips, dualstack) in VARIANTS.items():
                host, signed = host_and_signing_region(own, service, region, fips, dualstack)
                print(service, region, variant, host, signed, sep="\t")


if __name__ == "__main__":
    main()
