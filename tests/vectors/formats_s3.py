"""S3 requests and presigned URLs that botocore signed, and what was changed in them."""

from collections.abc import Iterator

from hutong.light_clients.interface import VERIFY
from hutong.relay.services.storage.rules.s3.request import S3Request
from hutong.relay.services.storage.rules.s3.sigv4 import Authorization, body_is_the_signed_one, judge_request
from tests.vectors.vector_registry import Entry, Group, Verification, runs


def seconds(moment: str) -> int:
    return Authorization("", moment, "", "", "", (), "", "", None).signed_at_s


@runs("sigv4-s3-json")
def s3_signatures(entry: Entry, group: Group) -> Iterator[Verification]:
    document = entry.json()
    host, secrets = document["host"], {document["access_key"]: document["secret_key"]}
    for case in document["vectors"]:

        def run(case=case) -> None:
            path, _, query = case["url"].partition(host)[2].partition("?")
            headers = tuple((name.lower(), value) for name, value in case["headers"].items())
            request = S3Request(case["method"], path, query, (*headers, ("host", host)))
            authorization = judge_request(VERIFY, request, case["region"], seconds(case["verify_at"]), secrets.get)
            body_is_the_signed_one(authorization, bytes.fromhex(case["body_sha256"]))
            assert request.key_path.partition(b"/")[2].partition(b"/")[2] == case["key"].encode()

        yield Verification(
            f"{case['kind']} {case['method']} {case['key']!r}", run, valid=case["expected"] == "accepted"
        )
