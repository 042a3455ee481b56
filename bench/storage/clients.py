"""versitygw's own tests of S3 servers against a gateway, unmodified, each alone: what passes, and why what fails does. Row 20.

Exits with 1 where one fails for which no reason is known. `--tests` is a pattern of their names, such as 'PutObject_|PresignedAuth_'.
"""

import argparse
import re
import tempfile
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

from rich.console import Console

from bench.storage.network import s3_client
from tests.nodes.storage_clients import suite_names, suite_verdict
from tests.relay.services.storage.gateway.processes import open_processes

GROUPS = (
    "PutObject", "GetObject", "HeadObject", "ListObjects", "ListObjectsV2", "CreateMultipartUpload", "UploadPart",
    "CompleteMultipartUpload", "AbortMultipartUpload", "ListParts", "ListMultipartUploads", "PresignedAuth", "DeleteObject",
    "DeleteObjects", "SignedStreamingPayload", "SignedStreamingPayloadTrailer", "UnsignedStreamingPayloadTrailer",
)  # fmt: skip
REASONS: Mapping[str, str] = MappingProxyType(
    {
        "ask for xxhash, which is not supported": (
            r"xxhash|(_checksums?(_success)?|_with_checksums?|incorrect_checksums|invalid_checksum_header|valid_algo_type"
            r"|type_algo_mismatch|invalid_checksum_algorithm|_trailer_only_headers|sdk_algo_and_trailer|success_with_trailer"
            r"|Trailer_(bad_digest|invalid_checksum|success)|final_composite_checksum|(in|incorrect_|invalid_)final_checksums"
            r"|no_checksum_with_composite_checksum_type|dir_object_checksum\w*)$"
        ),
        "ask for an ETag that is an MD5 or a CRC; ours is the object's id": (
            r"data_integrity|PutObject_success$|CompleteMultipartUpload_success$"
        ),
        "are of folders, as a file system has them; keys are bytes here": (
            r"dir_obj|directory|overwrite_file_obj|invalid_object_names|with_slashes|name_too_long"
        ),
        "ask for tags, access lists, users, legal holds, GOVERNANCE, redirects, policies: not supported": (
            r"tagging|acl|_iam_|legal_hold|object_lock|retain_until|bucket_lock|website|overrides_fail_public|with_metadata"
            r"|GetObject_success$|HeadObject_success$"
        ),
        "compare a listing's empty elements, or its token with a key": (
            r"list_all_objs|both_start_after_and_continuation_token|null_checksums"
        ),
        "compare a word that is another one in Amazon's": r"mpu_object_size|incorrect_md5|_md5$|DeleteObjects_empty_input|Trailer_incomplete_body",
        "ask for conditions beyond If-None-Match: * and If-Match": r"conditional_writes|if_match_initiated_time",
        "are ended by the suite itself": r"DeleteObject_conditional_writes",
        "ask which calls take chunks before which there are": r"Trailer_not_allowed",
        "ask for tokens of a session": r"security_token",
    }
)


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Options of `python -m bench storage clients`."""
    parser.add_argument("--tests", default="", help="pattern of names")


def reason_of(name: str) -> str | None:
    """Why a test fails that does; None where nothing is known of it."""
    return next((reason for reason, pattern in REASONS.items() if re.search(pattern, name)), None)


def _clean(s3: Any) -> None:
    """What a test left, but what is retained."""
    for bucket in (one["Name"] for one in s3.list_buckets()["Buckets"]):
        for upload in s3.list_multipart_uploads(Bucket=bucket).get("Uploads", []):
            s3.abort_multipart_upload(Bucket=bucket, Key=upload["Key"], UploadId=upload["UploadId"])
        while found := s3.list_objects_v2(Bucket=bucket).get("Contents"):
            s3.delete_objects(Bucket=bucket, Delete={"Objects": [{"Key": one["Key"]} for one in found]})
        s3.delete_bucket(Bucket=bucket)


def main(console: Console, arguments: argparse.Namespace) -> None:
    """Print each failure with its reason, and the counts."""
    unknown = []
    passed: Counter[str] = Counter()
    asked: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as folder, open_processes(Path(folder), (2, 1)) as running:
        keys, url = running.said, running.gateway.url
        s3 = s3_client(url, keys["s3_access_key"], keys["s3_secret_key"])
        for name in suite_names():
            group = name.partition("_")[0]
            if group not in GROUPS or not re.search(arguments.tests, name):
                continue
            verdict = suite_verdict(url, keys, name, Path(folder))
            asked[group] += 1
            passed[group] += verdict == "PASS"
            if verdict != "PASS":
                reason = reason_of(name)
                unknown += [name] if reason is None else []
                console.print(f"{name}: {reason or 'UNKNOWN'}\n    {verdict[:200]}", markup=False, highlight=False)
                _clean(s3)
    for group in sorted(asked):
        console.print(f"{group:<34}{passed[group]:>4} of {asked[group]:>4}")
    console.print(f"{'all':<34}{passed.total():>4} of {asked.total():>4}")
    if unknown:
        raise SystemExit(f"no reason is known for {', '.join(unknown)}")
