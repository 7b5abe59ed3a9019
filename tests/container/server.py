"""A stand-in for AWS and for the endpoint of ECS that gives a task its credentials.

    server.py ADDRESS PORT

It has one account with one region and a resource of each type. AWS::S3::Bucket is denied, and a request for
AWS::SNS::Topic is never answered. A request that is not signed with the credentials of the endpoint is denied.
"""

import json
import sys
import threading
import urllib.parse
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ACCOUNT = "123456789012"
CREDENTIALS = {
    "AccessKeyId": "ASIAEXAMPLECONTAINER",
    "SecretAccessKey": "example-secret",
    "Token": "example-token",
    "Expiration": "2099-01-01T00:00:00Z",
}
IDENTITY = f"<Arn>arn:aws:sts::{ACCOUNT}:assumed-role/inventory/task</Arn><Account>{ACCOUNT}</Account>"
REGION = "<regionName>us-east-1</regionName><optInStatus>opt-in-not-required</optInStatus>"
QUERY = {
    "GetCallerIdentity": f"<GetCallerIdentityResult>{IDENTITY}</GetCallerIdentityResult>",
    "ListAccountAliases": "<ListAccountAliasesResult><AccountAliases/></ListAccountAliasesResult>",
    "DescribeRegions": f"<regionInfo><item>{REGION}</item></regionInfo>",
}
RECORDER = {"name": "default", "recordingGroup": {"allSupported": True, "includeGlobalResourceTypes": True}}
RECORDERS = {
    "DescribeConfigurationRecorders": {"ConfigurationRecorders": [RECORDER]},
    "DescribeConfigurationRecorderStatus": {
        "ConfigurationRecordersStatus": [{"name": "default", "recording": True, "lastStatus": "SUCCESS"}]
    },
}


class Handler(BaseHTTPRequestHandler):
    """Answers one request."""

    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        """Prints nothing."""

    def do_GET(self) -> None:
        """Returns the credentials of the task."""
        is_known = self.path == "/v2/credentials/example"
        self.reply(200 if is_known else 404, json.dumps(CREDENTIALS) if is_known else "not found")

    def do_POST(self) -> None:
        """Returns the response of an AWS operation."""
        body = self.rfile.read(int(self.headers["Content-Length"])).decode()
        target = self.headers["X-Amz-Target"]
        if f"Credential={CREDENTIALS['AccessKeyId']}/" not in self.headers["Authorization"]:
            self.reply(403, "not the credentials of the task")
        elif target:
            self.reply_config(target.split(".")[1], json.loads(body))
        else:
            action = dict(urllib.parse.parse_qsl(body))["Action"]
            self.reply(200, f"<{action}Response>{QUERY[action]}</{action}Response>")

    def reply_config(self, operation: str, request: dict[str, str]) -> None:
        """Returns the response of an operation of AWS Config."""
        resource_type = request.get("resourceType")
        if resource_type == "AWS::SNS::Topic":
            threading.Event().wait()
        elif resource_type == "AWS::S3::Bucket":
            self.reply(400, json.dumps({"__type": "AccessDeniedException", "message": "not allowed"}))
        else:
            listing = {"resourceIdentifiers": [{"resourceType": resource_type, "resourceId": "r-1"}]}
            self.reply(200, json.dumps(RECORDERS.get(operation, listing)))

    def reply(self, status: int, content: str) -> None:
        """Sends a response."""
        data = content.encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(data)))
        self.send_header("x-amzn-RequestId", "11111111-2222-3333-4444-555555555555")
        self.end_headers()
        self.wfile.write(data)


if __name__ == "__main__":
    ThreadingHTTPServer((sys.argv[1], int(sys.argv[2])), Handler).serve_forever()
