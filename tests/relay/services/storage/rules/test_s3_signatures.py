"""Signature Version 4: botocore signs, the gateway's rules judge; and what was changed, added, late or for something else."""

import calendar
import datetime as dt
import time
from dataclasses import replace
from hashlib import sha256
from unittest.mock import patch
from urllib.parse import quote

import pytest
from botocore.auth import S3SigV4Auth, S3SigV4QueryAuth
from botocore.awsrequest import AWSRequest
from botocore.credentials import Credentials
from hypothesis import given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import VERIFY, MalformedInput, PredicateFailed, UnsupportedOperation
from hutong.relay.services.storage.rules.s3.request import S3Request
from hutong.relay.services.storage.rules.s3.sigv4 import (
    UNSIGNED,
    body_is_the_signed_one,
    judge_request,
    read_authorization,
)

ACCESS, SECRET, REGION, HOST = (
    "AKIAIOSFODNN7EXAMPLE",
    "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY",
    "eu-west-1",
    "127.0.0.1:9000",
)
AT = 1_768_004_130
SECRETS = {ACCESS: SECRET}
MOMENT = dt.datetime.fromtimestamp(AT, dt.UTC)


def signed(
    method="GET", target="/bucket/key", body=b"", expires=None, secret=SECRET, headers=(), region=REGION, service="s3"
):
    """As botocore sends it, with its clock at `AT`."""
    credentials = Credentials(ACCESS, secret)
    auth = (
        S3SigV4Auth(credentials, service, region)
        if expires is None
        else S3SigV4QueryAuth(credentials, service, region, expires)
    )
    request = AWSRequest(method, f"http://{HOST}{target}", dict(headers), data=body)
    request.context["payload_signing_enabled"] = True
    request.context["signing"] = {"disable_double_encoding": True}
    with patch("botocore.auth.get_current_datetime", lambda remove_tzinfo=True: MOMENT.replace(tzinfo=None)):
        auth.add_auth(request)
    path, _, query = request.url.partition(HOST)[2].partition("?")
    sent = tuple((name.lower(), str(value)) for name, value in request.headers.items()) + (("host", HOST),)
    return S3Request(method, path, query, sent)


def judged(request, now=AT, region=REGION, secrets=SECRETS):
    return judge_request(VERIFY, request, region, now, secrets.get)


def refusing(request, predicate, **other):
    with pytest.raises(PredicateFailed) as refused:
        judged(request, **other)
    assert refused.value.predicate == predicate


@settings(max_examples=40)
@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=20),
    st.booleans(),
    st.sampled_from(["GET", "PUT", "DELETE"]),
)
def test_whatever_key_botocore_signs_for_is_accepted_and_read_the_same(key, is_link, method):
    request = signed(method, "/bucket/" + quote(key, safe="/-._~"), expires=600 if is_link else None)
    assert judged(request).is_link == is_link
    assert request.key_path == b"/bucket/" + key.encode()


def test_requests_and_links_with_parameters_are_accepted():
    for target in (
        "/b?list-type=2&prefix=a%2Fb&delimiter=%2F",
        "/b/k?uploads",
        "/b/k?partNumber=2&uploadId=x%20y%2Bz",
        "/",
    ):
        assert judged(signed(target=target)).access_key == ACCESS
        assert judged(signed(target=target, expires=60)).expires_s == 60


def with_header(request, name, value):
    return replace(request, headers=(*((one, held) for one, held in request.headers if one != name), (name, value)))


def test_attack_S14_what_was_changed_since_it_was_signed_is_refused():
    for link in (None, 600):
        request = signed(
            "PUT", "/bucket/key?tagging=1", b"" if link else b"body", expires=link, headers={"x-amz-meta-case": "19"}
        )
        judged(request)
        for wrong in (
            replace(request, method="DELETE"),
            replace(request, path="/bucket/other"),
            replace(request, path="/bucket//key"),
            replace(request, path="/bucket/./key"),
            replace(request, query=request.query + "&acl"),
            replace(request, query=request.query.replace("tagging=1", "tagging=2")),
            with_header(request, "x-amz-meta-case", "20"),
            with_header(request, "host", "other:9000"),
        ):
            refusing(wrong, "signature_is_the_keys")


def test_attack_S14_another_secret_or_key_is_refused():
    refusing(signed(secret="another"), "signature_is_the_keys")
    refusing(signed(), "access_key_is_known", secrets={"other": SECRET})


def test_attack_S14_a_header_that_decides_and_is_not_signed_is_refused():
    for link in (None, 600):
        request = signed("PUT", expires=link)
        for name in ("x-amz-acl", "x-amz-bypass-governance-retention", "x-amz-copy-source"):
            refusing(with_header(request, name, "true"), "what_decides_is_signed")
    without = replace(request, headers=tuple(one for one in request.headers if one[0] != "host"))
    refusing(without, "what_decides_is_signed")


@pytest.mark.parametrize(("link", "good", "bad"), [(None, (-900, 900), (-901, 901)), (600, (-900, 600), (-901, 601))])
def test_attack_S14_requests_too_old_or_early_and_links_that_expired_are_refused(link, good, bad):
    request = signed(expires=link)
    for shift in good:
        judged(request, now=AT + shift)
    for shift in bad:
        refusing(request, "signed_when_it_says", now=AT + shift)


def test_attack_S14_a_link_whose_expiry_is_raised_is_refused():
    request = signed(expires=60)
    raised = replace(request, query=request.query.replace("X-Amz-Expires=60", "X-Amz-Expires=6000"))
    refusing(raised, "signature_is_the_keys", now=AT + 100)


def test_attack_S14_what_was_signed_for_another_region_service_or_day_is_refused():
    for other in ({"region": "us-east-1"}, {"service": "execute"}):
        refusing(signed(**other), "scope_is_the_gateways")
    request = signed()
    held = request.header("authorization")
    refusing(
        with_header(request, "authorization", held.replace(held.split("/")[1], "20260111")), "scope_is_the_gateways"
    )


def test_bodies_are_held_against_the_hash_that_was_signed():
    authorization = judged(signed("PUT", body=b"body"))
    assert authorization.payload == sha256(b"body").hexdigest()
    body_is_the_signed_one(authorization, sha256(b"body").digest())
    with pytest.raises(PredicateFailed):
        body_is_the_signed_one(authorization, sha256(b"other").digest())
    link = judged(signed("PUT", expires=60))
    assert link.payload == UNSIGNED
    body_is_the_signed_one(link, sha256(b"anything").digest())


def test_attack_S14_signatures_in_another_form_are_refused():
    request, link = signed(), signed(expires=60)
    held = request.header("authorization")
    for wrong in (
        replace(request, headers=tuple(one for one in request.headers if one[0] != "authorization")),
        replace(request, headers=(*request.headers, ("authorization", held))),
        replace(request, query="X-Amz-Algorithm=AWS4-HMAC-SHA256"),
        replace(link, query=link.query + "&X-Amz-Expires=60"),
        replace(link, query=link.query.replace("X-Amz-Expires=60", "X-Amz-Expires=604801")),
        replace(link, query=link.query.replace("X-Amz-Expires=60", "X-Amz-Expires=060")),
        replace(link, query=link.query.replace("X-Amz-Expires=60", "X-Amz-Expires=0")),
        replace(link, query=link.query.replace("X-Amz-Date", "X-Amz-Data")),
        with_header(request, "authorization", held.replace("Signature=", "Signature=AB")),
        with_header(request, "authorization", held.replace("host;", "Host;")),
        with_header(request, "authorization", held.replace("host;", "x;host;")),
        with_header(request, "authorization", held.replace("/aws4_request", "/aws5")),
        with_header(request, "authorization", held + ",x"),
        with_header(request, "x-amz-content-sha256", "E3" * 32),
        replace(request, headers=tuple(one for one in request.headers if one[0] != "x-amz-date")),
        with_header(request, "x-amz-date", "20261310T000000Z"),
    ):
        with pytest.raises((MalformedInput, PredicateFailed)):
            judged(wrong)


def test_other_algorithms_are_said_not_to_be_supported():
    request = signed()
    for wrong in (
        with_header(request, "authorization", "AWS AKIA:signature"),
        with_header(request, "x-amz-content-sha256", "STREAMING-AWS4-ECDSA-P256-SHA256-PAYLOAD"),
        replace(signed(expires=60), query="X-Amz-Algorithm=AWS4-ECDSA-P256-SHA256"),
    ):
        with pytest.raises(UnsupportedOperation):
            read_authorization(wrong)


@pytest.mark.parametrize(
    "change",
    [
        {"method": "PATCH"},
        {"path": "bucket"},
        {"path": "/%"},
        {"path": "/%zz"},
        {"path": "/a b"},
        {"path": "/\x7f"},
        {"path": "/é"},
        {"query": "a=%g0"},
        {"path": "/" + "a" * 8_192},
        {"headers": (("Host", "x"),)},
        {"headers": (("", "x"),)},
        {"headers": (("host", "x" * 8_193),)},
        {"headers": (("host", "x"),) * 129},
    ],
)
def test_requests_that_are_none_are_refused(change):
    with pytest.raises(MalformedInput):
        replace(S3Request("GET", "/bucket/key", "", ()), **change)


def test_too_many_parameters_are_refused():
    assert len(S3Request("GET", "/", "a&" * 128, ()).parameters()) == 128
    with pytest.raises(MalformedInput):
        S3Request("GET", "/", "a&" * 129, ()).parameters()


def test_moments_are_those_of_the_calendar():
    for second in (0, 951_782_400, 1_709_164_800, AT, 4_102_444_799):
        moment = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))
        authorization = replace(read_authorization(signed()), moment=moment)
        assert authorization.signed_at_s == second == calendar.timegm(time.gmtime(second))
