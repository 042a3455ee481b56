"""What the S3 door refuses before anything is stored: signatures, calls that it does not have, names, bodies."""

from hashlib import md5, sha256

import pytest

from hutong.relay.services.storage.catalogue import objects
from hutong.relay.services.storage.catalogue.rows import HeadPlace, ObjectRow
from tests.relay.services.storage.gateway.door import ask, code_of, open_door
from tests.relay.services.storage.rules.test_s3_signatures import ACCESS, AT, REGION, SECRET, SECRETS, signed

EMPTY = sha256(b"").hexdigest()


@pytest.fixture
def door(tmp_path):
    with open_door(tmp_path, SECRETS, AT, REGION) as (app, catalogue):
        catalogue.run_now(lambda one: objects.add_bucket(one, "ward-3", 7))
        rows = [
            ObjectRow(1, key, HeadPlace(1, 0, 1, 1), 10, 1_768_000_000_123, retain, bytes([1]) * 32, b"")
            for key, retain in ((b"a/1", 0), (b"a/2", 0), (b"b&<", 0), (b"kept", AT + 60))
        ]
        catalogue.run_now(lambda one: objects.put_objects(one, rows))
        yield app


async def asked(door, method="GET", target="/ward-3/a/1", body=b"", headers=()):
    extra = {"content-length": str(len(body)), **dict(headers)}
    request = signed(method, target, body, headers=tuple(extra.items()))
    return await ask(door, request, body)


async def test_listing_shows_keys_and_common_prefixes(door):
    status, _, body = await asked(door, target="/ward-3?list-type=2&delimiter=%2F")
    assert status == 200
    assert b"<CommonPrefixes><Prefix>a/</Prefix></CommonPrefixes>" in body
    assert b"<Key>b&amp;&lt;</Key>" in body
    assert b"<KeyCount>3</KeyCount>" in body


async def test_listing_goes_on_where_it_ended(door):
    _, _, first = await asked(door, target="/ward-3?list-type=2&max-keys=2")
    token = first.partition(b"<NextContinuationToken>")[2].partition(b"<")[0].decode()
    _, _, second = await asked(
        door, target=f"/ward-3?continuation-token={token.replace('=', '%3D')}&list-type=2&max-keys=2"
    )
    assert (first.count(b"<Key>"), b"<IsTruncated>true" in first) == (2, True)
    assert (second.count(b"<Key>"), b"<IsTruncated>false" in second) == (2, True)


async def test_head_of_an_object_is_answered_by_the_catalogue(door):
    status, headers, body = await asked(door, "HEAD")
    assert (status, headers["content-length"], body) == (200, "10", b"")
    assert headers["etag"].startswith('"bafyrei')


@pytest.mark.parametrize(
    ("headers", "status"),
    [({"range": "bytes=2-4"}, 206), ({"range": "bytes=10-"}, 416), ({"if-match": '"other"'}, 412)],
)
async def test_conditions_of_a_read(door, headers, status):
    assert (await asked(door, "HEAD", headers=tuple(headers.items())))[0] == status


@pytest.mark.parametrize(
    ("method", "target", "code"),
    [
        ("GET", "/ward-3/none", "NoSuchKey"),
        ("GET", "/other-bucket/a", "NoSuchBucket"),
        ("PUT", "/other-bucket/a", "NoSuchBucket"),
        ("GET", "/A/b", "InvalidBucketName"),
        ("GET", "/ward-3/" + "k" * 1_025, "KeyTooLongError"),
        ("GET", "/ward-3/%FF", "InvalidArgument"),
        ("GET", "/ward-3?acl=", "NotImplemented"),
        ("PUT", "/ward-3/a?tagging=", "NotImplemented"),
        ("POST", "/ward-3/a?restore=", "NotImplemented"),
        ("DELETE", "/ward-3", "BucketNotEmpty"),
        ("DELETE", "/ward-3/kept", "AccessDenied"),
        ("PUT", "/ward-3", "BucketAlreadyOwnedByYou"),
        ("PUT", "/ward-3/a?partNumber=1&uploadId=none", "NoSuchUpload"),
        ("GET", "/ward-3?list-type=2&max-keys=x", "InvalidArgument"),
        ("GET", "/ward-3?continuation-token=x&list-type=2", "InvalidArgument"),
    ],
)
async def test_refusals_have_the_words_of_s3(door, method, target, code):
    _, _, body = await asked(door, method, target)
    assert code_of(body) == code


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({"x-amz-copy-source": "/ward-3/a"}, "NotImplemented"),
        ({"x-amz-server-side-encryption": "AES256"}, "NotImplemented"),
        ({"x-amz-acl": "public-read"}, "NotImplemented"),
        ({"x-amz-checksum-crc32c": "AAAAAA=="}, "BadDigest"),
        ({"x-amz-object-lock-mode": "COMPLIANCE"}, "InvalidArgument"),
        ({"x-amz-object-lock-mode": "GOVERNANCE", "x-amz-object-lock-retain-until-date": "2030-01-01T00:00:00Z"}, "NotImplemented"),
        ({"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": "2026-01-10T00:00:00Z"}, "InvalidArgument"),
        ({"x-amz-meta-long": "v" * 2_049}, "MetadataTooLarge"),
        ({"content-md5": md5(b"other").digest().hex()}, "InvalidDigest"),
        ({"if-none-match": "*"}, "PreconditionFailed"),
        ({"if-match": '"other"'}, "PreconditionFailed"),
        ({"content-length": "9"}, "IncompleteBody"),
        ({"x-amz-checksum-crc32": "AAAAAA=="}, "BadDigest"),
    ],
)  # fmt: skip
async def test_puts_that_ask_for_too_much_are_refused(door, headers, code):
    _, answered, body = await asked(door, "PUT", body=b"content", headers=tuple(headers.items()))
    assert code_of(body) == code
    assert answered["connection"] == "close"


async def test_retained_object_is_not_replaced(door):
    _, _, body = await asked(door, "PUT", "/ward-3/kept", b"other")
    assert code_of(body) == "AccessDenied"


async def test_deleted_keys_are_named_one_by_one(door):
    body = b"<Delete><Object><Key>none</Key></Object><Object><Key>kept</Key></Object></Delete>"
    status, _, answer = await asked(door, "POST", "/ward-3?delete=", body)
    assert status == 200
    assert b"<Deleted><Key>none</Key></Deleted>" in answer
    assert b"<Error><Key>kept</Key><Code>AccessDenied</Code>" in answer


@pytest.mark.parametrize("body", [b"", b"<Delete/>", b"<!DOCTYPE a><Delete/>", b"<Other/>", b"<a>" * 20 + b"</a>" * 20])
async def test_documents_that_are_none_are_refused(door, body):
    _, _, answer = await asked(door, "POST", "/ward-3?delete=", body)
    assert code_of(answer) == "MalformedXML"


@pytest.mark.parametrize(("encoding", "code"), [("utf-8", ""), ("utf-16", "MalformedXML")])
async def test_attack_S61_entities_in_another_encoding_are_not_read(door, encoding, code):
    words = f'<?xml version="1.0" encoding="{encoding}"?>'
    entities = '<!DOCTYPE Delete [<!ENTITY a "none"><!ENTITY b "&a;&a;">]>' if code else ""
    body = f"{words}{entities}<Delete><Object><Key>none</Key></Object></Delete>".encode(encoding)
    _, _, answer = await asked(door, "POST", "/ward-3?delete=", body)
    assert code_of(answer) == code


async def test_attack_S61_a_retention_that_no_answer_can_show(door):
    until = "9999-12-31T23:59:59-01:00"
    headers = {"x-amz-object-lock-mode": "COMPLIANCE", "x-amz-object-lock-retain-until-date": until}
    _, _, answer = await asked(door, "PUT", "/ward-3/later", b"x", tuple(headers.items()))
    assert code_of(answer) == "InvalidArgument"


async def test_attack_S14_unsigned_and_badly_signed_requests_are_refused(door):
    good = signed(target="/ward-3/a/1", method="HEAD")
    assert (await ask(door, good))[0] == 200
    cases = {
        "AccessDenied": signed(target="/ward-3?acl=").headers[:0],
        "SignatureDoesNotMatch": signed(target="/ward-3/a/1", secret="x" * 40).headers,
        "AuthorizationHeaderMalformed": signed(target="/ward-3/a/1", region="us-west-9").headers,
    }
    for code, headers in cases.items():
        request = type(good)("GET", "/ward-3/a/1", "", tuple(headers))
        _, _, body = await ask(door, request)
        assert code_of(body) == code


async def test_attack_S14_body_that_is_not_the_signed_one_is_refused(door):
    request = signed("PUT", "/ward-3/new", b"content", headers=(("content-length", "7"),))
    _, _, body = await ask(door, request, b"CONTENT")
    assert code_of(body) == "XAmzContentSHA256Mismatch"


async def test_secret_keys_are_in_no_answer(door):
    _, headers, body = await ask(door, signed(target="/ward-3/a/1", secret="x" * 40))
    assert SECRET not in body.decode() + str(headers)
    assert ACCESS not in body.decode()
