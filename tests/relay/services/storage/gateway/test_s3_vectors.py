"""Signed requests of others' vectors, through the door of a gateway: what is good comes to the bucket, what is not is refused before."""

import calendar
import json
import os
import time
from pathlib import Path

import pytest

from hutong.relay.services.storage.gateway.s3.app import S3App, S3Settings
from hutong.relay.services.storage.rules.s3.request import S3Request
from tests.relay.services.storage.gateway.door import ask, code_of, open_store

pytestmark = pytest.mark.vectors
AFTER_THE_SIGNATURE = {
    "NoSuchBucket",
    "NotImplemented",
    "InvalidArgument",
    "MissingContentLength",
    "BucketAlreadyOwnedByYou",
}
OF_THE_SIGNATURE = {
    "AccessDenied",
    "AuthorizationHeaderMalformed",
    "AuthorizationQueryParametersError",
    "InvalidAccessKeyId",
    "RequestTimeTooSkewed",
    "SignatureDoesNotMatch",
}


def seconds(moment: str) -> int:
    return calendar.timegm(time.strptime(moment, "%Y%m%dT%H%M%SZ"))


def document_of_vectors() -> dict:
    folder = os.environ.get("HUTONG_VECTORS") or Path(__file__).resolve().parents[6] / "shared" / "vectors"
    file = Path(folder) / "storage" / "s3" / "sigv4_s3.json"
    if not file.is_file():
        pytest.skip("these vectors have no S3 requests")
    return json.loads(file.read_text())


async def test_every_signed_request_has_its_verdict_at_the_door(tmp_path):
    document = document_of_vectors()
    host, secrets = document["host"], {document["access_key"]: document["secret_key"]}
    groups: dict[tuple[str, str], list[dict]] = {}
    for case in document["vectors"]:
        groups.setdefault((case["verify_at"], case["region"]), []).append(case)
    judged = 0
    with open_store(tmp_path) as (store, reader, _):
        for (verify_at, region), cases in groups.items():
            now_s = seconds(verify_at)
            app = S3App(S3Settings(region, secrets.get, lambda now_s=now_s: now_s), store, reader)
            for case in cases:
                judged += await is_judged(app, host, case)
    assert judged > 0


async def is_judged(app: S3App, host: str, case: dict) -> bool:
    path, _, query = case["url"].partition(host)[2].partition("?")
    headers = tuple((name.lower(), value) for name, value in case["headers"].items())
    status, _, body = await ask(app, S3Request(case["method"], path, query, (*headers, ("host", host))))
    # An answer to HEAD has no code; and a vector has the hash of its body alone, which is judged when the body is read.
    if case["method"] == "HEAD" or "body" in case.get("why", ""):
        return False
    code = code_of(body)
    is_accepted = code in AFTER_THE_SIGNATURE or status < 400
    assert is_accepted == (case["expected"] == "accepted"), (case, code)
    assert is_accepted or code in OF_THE_SIGNATURE, (case, code)
    return True
