"""`hutong identity status --proven`: a list is the one that the hub's record proves, whoever serves it and whoever signed it."""

import json
from dataclasses import replace
from hashlib import sha256

import pytest
from typer.testing import CliRunner

from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.cli.identity.command import app
from hutong.relay.services.identity.rules.jose import write_json
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose
from hutong.relay.services.identity.rules.status import Statuses, status_list_claim
from tests.relay.audit.identity.accepted_credentials import (
    INDEX,
    ISSUER,
    REVOKED,
    SIGNING,
    STOLEN,
    World,
    key_record,
    later,
    list_record,
    octets,
    p256,
)
from tests.relay.services.identity.rules.actors import raw, token

URI = "https://status.example/lists/0"
DID = f"did:hutong:hutong:{ISSUER.hex()}"


def token_of(statuses: bytes, signer=SIGNING, **claims) -> str:
    said = {"sub": URI, "iat": later(0), "ttl": 15, "status_list": status_list_claim(Statuses(1, statuses)), **claims}
    return token({"alg": "ES256", "typ": "statuslist+jwt"}, write_json(said), signer)


GOOD = token_of(octets())


def holding(served: str, world: World | None = None, **bound) -> World:
    """A hub whose record has the hash of this token."""
    record = replace(list_record(**bound), token_hash=sha256(served.encode()).digest())
    return (world or World()).but(lists={0: record})


@pytest.fixture
def status(tmp_path):
    """From a world and a token to the exit code and the rule that does not hold."""

    def run(world, *words, index=INDEX, served=GOOD, without=(), at=later(1)):
        hub = world.hub
        places = [one for one in world.records if ISSUER in one and not one.startswith(keys.ACCREDITATION_PREFIX)]
        bundle = hub.bundle(*(one for one in places if one not in without))
        (tmp_path / "did.record.json").write_bytes(encode_record_bundle(bundle))
        (tmp_path / "hub.checkpoint.json").write_bytes(encode_checkpoint(hub.checkpoint()))
        (tmp_path / "list.jwt").write_text(served)
        (tmp_path / "issuer.json").write_bytes(raw(SIGNING.jwk))
        given = [
            "--proven",
            tmp_path / "did.record.json",
            "--did",
            DID,
            "--checkpoint",
            tmp_path / "hub.checkpoint.json",
        ]
        named = [tmp_path / word if word == "issuer.json" else word for word in words]
        asked = ["status", tmp_path / "list.jwt", "--uri", URI, "--index", index, "--at", at, "--json", *given, *named]
        done = CliRunner().invoke(app, [str(word) for word in asked])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        if done.exit_code == 2:
            return 2, done.stderr
        return done.exit_code, [one["name"] for one in json.loads(done.stdout)["checks"] if not one["held"]]

    return run


@pytest.mark.long
def test_attack_N176_a_list_is_believed_by_the_hubs_record_alone(status):
    world = holding(GOOD)
    assert status(world) == (0, [])
    assert status(world, index=REVOKED) == (1, ["status_is_valid"])
    assert status(world, "--newest-epoch", 5) == (0, [])
    assert status(world, "--newest-epoch", 6) == (1, ["epoch_is_newest"])
    assert status(world, "--max-header-age", 2) == (0, [])
    assert status(world, "--max-header-age", 2, at=later(3)) == (1, ["header_is_fresh"])
    earlier = token_of(bytes(len(octets())), iat=later(-60), ttl=600)
    assert status(world, served=earlier, index=REVOKED) == (1, ["token_is_the_proven_one"])
    lying = token_of(bytes(len(octets())))
    assert status(holding(lying), served=lying, index=REVOKED) == (1, ["statuses_are_the_records"])
    for key in (one for one in world.records if one.startswith(keys.key_prefix(ISSUER))):
        assert status(world, without=[key]) == (1, ["every_key_is_shown"])
    assert status(world, without=[keys.list_key(ISSUER, 0)]) == (1, ["record_is_shown"])
    assert status(world, without=[keys.epoch_key(ISSUER)]) == (1, ["record_is_shown"])


def test_attack_N176_a_list_that_is_bound_to_another_key(status):
    stolen = thumbprint(p256(STOLEN))
    both = World().but(keys={**World().keys, stolen: key_record(p256(STOLEN), KeyPurpose.SIGNING)})
    moved = holding(GOOD, both, key_thumbprint=stolen)
    assert status(moved) == (1, ["signature_verifies"])
    assert status(moved, "--issuer-key", "issuer.json") == (1, ["list_is_bound_to_key"])
    theirs = token_of(octets(), STOLEN)
    assert status(holding(theirs, both, key_thumbprint=stolen), served=theirs) == (0, [])


def test_what_a_proven_list_needs_is_said(status, tmp_path):
    code, said = status(holding(GOOD), "--did", "did:key:z6Mk")
    assert code == 2 and "--did did:hutong" in said
