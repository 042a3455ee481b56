"""A Status List Token from text to status, and what a list record of the hub says against it."""

import hashlib
from dataclasses import replace

import pytest

from hutong.light_clients.interface import PredicateFailed, VerificationError
from hutong.light_clients.interface.judge import VERIFY, audit
from hutong.relay.services.identity.rules.jose import KeySet, write_json
from hutong.relay.services.identity.rules.sd_jwt import Clock, IssuerTrust, TrustedKeys
from hutong.relay.services.identity.rules.sd_jwt.issuer import Issuer
from hutong.relay.services.identity.rules.status import (
    ChunkProof,
    ListDemand,
    ProvenList,
    StatusReference,
    TreeShape,
    judge_proven_status,
    judge_status,
    list_root,
    pack_statuses,
    status_is_valid,
    status_list_claim,
)
from hutong.relay.services.identity.rules.status.chunk_tree import layers_of, prove_chunk
from tests.relay.services.identity.rules.actors import ISSUER, ISSUER_KEY, NOW_S, STRANGER, token

URI = "https://issuer.example/lists/7"
SHAPE = TreeShape(2, 1024)
STATUSES = pack_statuses(2, 1024, {0: 1, 500: 2, 1023: 3})
CLAIMS = {
    "iss": ISSUER,
    "sub": URI,
    "iat": NOW_S,
    "exp": NOW_S + 3600,
    "ttl": 15,
    "status_list": status_list_claim(STATUSES),
}
HEADER = {"alg": "ES256", "typ": "statuslist+jwt"}
TOKEN = token(HEADER, write_json(CLAIMS))
TRUST = IssuerTrust((TrustedKeys(KeySet((ISSUER_KEY.public,)), ISSUER),))
CREDENTIALS_ISSUER = Issuer(ISSUER_KEY.public, ISSUER, None)
DEMAND = ListDemand(TRUST, Clock(NOW_S + 5, 0), CREDENTIALS_ISSUER)
PROVEN = ProvenList(
    SHAPE, list_root(SHAPE, STATUSES.octets), ISSUER_KEY.public.thumbprint(), hashlib.sha256(TOKEN.encode()).digest(), 9
)
LAYERS = layers_of(SHAPE, STATUSES.octets)


def signed(signer=ISSUER_KEY, header=HEADER, **claims) -> str:
    return token(
        header, write_json({name: value for name, value in {**CLAIMS, **claims}.items() if value is not None}), signer
    )


def refused(rule: str, text=TOKEN, uri=URI, index=1, demand=DEMAND, proven=None) -> None:
    with pytest.raises(VerificationError) as error:
        judge_status(VERIFY, text, StatusReference(uri, index), demand, proven)
    named = error.value.predicate if isinstance(error.value, PredicateFailed) else error.value.field
    assert named == rule, error.value


def test_each_status_is_read_by_token_and_by_chunk():
    for index, status in ((0, 1), (1, 0), (500, 2), (1023, 3)):
        reading = judge_status(VERIFY, TOKEN, StatusReference(URI, index), DEMAND, PROVEN)
        assert (reading.status, reading.issuer.name) == (status, ISSUER)
        proof = prove_chunk(LAYERS, SHAPE.chunk_of(index))
        assert judge_proven_status(VERIFY, PROVEN, index, proof, ISSUER_KEY.public.thumbprint(), 9) == status


def test_only_a_valid_status_lets_a_credential_hold():
    status_is_valid(0)
    for status, name in ((1, "invalid"), (2, "suspended"), (3, "application_specific"), (200, "status 200")):
        with pytest.raises(PredicateFailed) as error:
            status_is_valid(status)
        assert error.value.got == name


def test_an_audit_names_every_rule_of_a_proven_list():
    names = [verdict.name for verdict in audit(judge_status, TOKEN, StatusReference(URI, 0), DEMAND, PROVEN)]
    assert names[:3] == ["epoch_is_newest", "token_is_the_proven_one", "token_type_is"]
    assert {"list_is_the_issuers", "list_is_bound_to_key", "statuses_are_the_records", "index_is_in_list"} <= set(names)


def test_attack_N20_a_list_that_is_stale_for_the_verifier():
    judge_status(VERIFY, TOKEN, StatusReference(URI, 1), replace(DEMAND, clock=Clock(NOW_S + 15, 0)))
    refused("token_is_fresh", demand=replace(DEMAND, clock=Clock(NOW_S + 16, 0)))
    refused("token_is_in_time", demand=replace(DEMAND, clock=Clock(NOW_S + 3600, 0), fetched_at_s=NOW_S + 3600))
    refused("token_is_in_time", demand=replace(DEMAND, clock=Clock(NOW_S - 1, 0)))
    refused("token_is_fresh", demand=replace(DEMAND, fetched_at_s=NOW_S + 5, max_age_s=4))
    refused("token_is_fresh", text=signed(exp=None, ttl=None))


def test_attack_N20_a_record_of_an_earlier_epoch():
    """What the issuer took back after that epoch is in neither the token nor the chunk, and both are otherwise whole."""
    judge_status(VERIFY, TOKEN, StatusReference(URI, 1), replace(DEMAND, newest_epoch=9), PROVEN)
    refused("epoch_is_newest", demand=replace(DEMAND, newest_epoch=10), proven=PROVEN)
    with pytest.raises(PredicateFailed, match="epoch_is_newest"):
        judge_proven_status(VERIFY, PROVEN, 1, prove_chunk(LAYERS, 0), PROVEN.key_thumbprint, 10)


def test_attack_N21_a_list_that_somebody_else_signed():
    refused("signature_verifies", text=signed(STRANGER))
    both = IssuerTrust((*TRUST.keys, TrustedKeys(KeySet((STRANGER.public,)), "https://other.example")))
    other = signed(STRANGER, iss="https://other.example")
    refused("list_is_the_issuers", text=other, demand=replace(DEMAND, trust=both))
    judge_status(VERIFY, TOKEN, StatusReference(URI, 1), replace(DEMAND, trust=both))


def test_attack_N21_a_list_of_the_issuers_other_key_is_its_own_only_by_a_bound_name():
    keys = IssuerTrust((TrustedKeys(KeySet((ISSUER_KEY.public, STRANGER.public)), ISSUER),))
    judge_status(VERIFY, signed(STRANGER), StatusReference(URI, 1), replace(DEMAND, trust=keys))
    nameless = IssuerTrust((TrustedKeys(KeySet((ISSUER_KEY.public, STRANGER.public))),))
    demand = replace(DEMAND, trust=nameless, credential_issuer=Issuer(ISSUER_KEY.public, None, None))
    refused("list_is_the_issuers", text=signed(STRANGER), demand=demand)


def test_attack_N21_a_list_that_is_bound_to_another_key():
    for proven in (
        replace(PROVEN, key_thumbprint=STRANGER.public.thumbprint()),
        replace(PROVEN, key_thumbprint=bytes(32)),
    ):
        refused("list_is_bound_to_key", proven=proven)
        with pytest.raises(PredicateFailed, match="list_is_bound_to_key"):
            judge_proven_status(VERIFY, proven, 1, prove_chunk(LAYERS, 0), ISSUER_KEY.public.thumbprint(), 9)


def test_attack_N21_the_token_of_another_list_or_of_another_kind():
    refused("subject_is_lists_uri", uri=URI + "0")
    refused("token_type_is", text=signed(header={"alg": "ES256", "typ": "dc+sd-jwt"}))
    refused("token_type_is", text=signed(header={"alg": "ES256"}))
    refused("algorithm_is_allowed", text=signed(header={**HEADER, "alg": "none"}))


def test_attack_N22_a_token_shorter_than_the_index():
    refused("index_is_in_list", index=1024)
    refused("index_is_in_list", index=2**32)
    refused("index_is_in_list", text=signed(status_list=status_list_claim(pack_statuses(2, 4, {}))), index=500)


def test_attack_N23_a_chunk_of_another_place():
    proof = prove_chunk(LAYERS, 7)
    assert judge_proven_status(VERIFY, PROVEN, 1023, proof, PROVEN.key_thumbprint, 0) == 3
    for index, forged in ((0, proof), (1023, ChunkProof(bytes(32), proof.siblings))):
        with pytest.raises(PredicateFailed, match="chunk_stands_under_root"):
            judge_proven_status(VERIFY, PROVEN, index, forged, PROVEN.key_thumbprint, 0)


def test_attack_N27_a_token_that_is_not_the_one_of_the_record():
    """The issuer itself may have signed it, such as one for a verifier that is told something else."""
    for text in (
        signed(iat=NOW_S + 1),
        signed(status_list=status_list_claim(pack_statuses(2, 1024, {}))),
        TOKEN + "\n",
    ):
        refused("token_is_the_proven_one", text=text, proven=PROVEN)
    judge_status(VERIFY, TOKEN, StatusReference(URI, 1), DEMAND, PROVEN)


def test_attack_N27_a_record_whose_token_says_something_else_than_its_root():
    for shape, octets in ((SHAPE, bytes(256)), (TreeShape(2, 2048), bytes(512)), (TreeShape(1, 2048), bytes(256))):
        refused("statuses_are_the_records", proven=replace(PROVEN, shape=shape, root=list_root(shape, octets)))


def test_what_is_no_token_is_refused():
    for text in ("", "a.b", TOKEN[:-2], TOKEN + ".", "\ud800"):
        with pytest.raises(VerificationError):
            judge_status(VERIFY, text, StatusReference(URI, 1), DEMAND)
