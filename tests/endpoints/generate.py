#!/usr/bin/env python3
"""Writes botocore.tsv: the host and the signing region that botocore uses.

    python3 -m venv env && env/bin/pip install botocore==1.44.8
    env/bin/python tests/endpoints/generate.py > tests/endpoints/botocore.tsv

For every service, region and variant, a client signs a real request, which is caught before it is
sent. If botocore rejects the variant, the host is `error`. Pseudo regions such as `aws-global` are
included; no region of an account has such a name, but a profile may.
"""

import json
import os
import re

import botocore
import botocore.session
from botocore.config import Config
from botocore.exceptions import EndpointVariantError

OPERATIONS = {
    "config": "describe_configuration_recorder_status",
    "ec2": "describe_regions",
    "iam": "list_account_aliases",
    "organizations": "describe_organization",
    "sts": "get_caller_identity",
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
    config = Config(use_fips_endpoint=fips, use_dualstack_endpoint=dualstack, retries={"total_max_attempts": 1})
    try:
        client = session.create_client(service, region_name=region, config=config)
        client.meta.events.register("before-send.*", catch)
        getattr(client, OPERATIONS[service])()
    except EndpointVariantError:
        return "error", "-"
    except Caught as caught:
        request = caught.request
    authorization = request.headers["Authorization"]
    if isinstance(authorization, bytes):
        authorization = authorization.decode()
    scope = re.search(r"Credential=[^/]+/\d+/([^/]+)/([^/]+)/aws4_request", authorization)
    assert scope.group(2) == service
    assert request.url.startswith("https://") and request.url.endswith("/")
    return request.url[len("https://") : -1], scope.group(1)


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
