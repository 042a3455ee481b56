"""`hutong identity resolve` of a did:hutong: its document from proven records, whoever shows them."""

import json

import pytest
from typer.testing import CliRunner

from hutong.light_clients.crypto import sha256
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.cli.identity.command import app
from hutong.relay.services.identity.rules.dids.document import Relationship, read_document
from hutong.relay.services.identity.rules.dids.multikey import parse_multikey
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.did_record import (
    Counts,
    DidRecord,
    DidState,
    Document,
    Moment,
    encode_did_record,
)
from hutong.relay.services.identity.rules.records.epoch_record import EpochRecord, encode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import (
    NO_ACCOUNT,
    KeyAlgorithm,
    KeyEnd,
    KeyPurpose,
    KeyRecord,
    KeyState,
    KeyUse,
    PublicKey,
    encode_key_record,
)
from hutong.relay.services.identity.rules.records.policy_record import Controllers, PolicyRecord, encode_policy_record
from tests.relay.audit.records.shown_records import Hub

ID = bytes(range(32))
DID = f"did:hutong:hutong:{ID.hex()}"
P256 = parse_multikey("zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169", "key")
ED25519 = parse_multikey("z6MkjchhfUsD6mmvni8mCdXHw216Xrm9bQe2mBH1P5RDjVJG", "key")
SUPPLEMENT = b'{"service":[{"id":"#site","serviceEndpoint":"https://issuer.example","type":"LinkedDomains"}]}'
MOMENT = Moment(3, 1)


def key(algorithm, coordinates, end):
    public = PublicKey(algorithm, coordinates[:32], coordinates[32:] or bytes(32))
    return KeyRecord(public, NO_ACCOUNT, KeyUse(KeyPurpose.SIGNING, 1), end, 0, MOMENT)


GOOD = key(KeyAlgorithm.ES256, P256.coordinates, KeyEnd())
ENDED = key(KeyAlgorithm.EDDSA, ED25519.coordinates, KeyEnd(KeyState.RETIRED, 2))


def records(state=DidState.ACTIVE, supplement=b""):
    document = Document(sha256(supplement) if supplement else bytes(32))
    record = DidRecord(document, state, 0, Counts(keys=2, active_keys=1), MOMENT, Moment(4, 2))
    policy = PolicyRecord(Controllers(1, (bytes([1]) * 20,)))
    return {
        keys.did_key(ID): encode_did_record(record),
        keys.policy_key(ID): encode_policy_record(policy),
        keys.epoch_key(ID): encode_epoch_record(EpochRecord(1, MOMENT)),
        **{keys.key_key(ID, thumbprint(one.key)): encode_key_record(one) for one in (GOOD, ENDED)},
    }


@pytest.fixture
def resolved(tmp_path):
    """Resolve from a hub that holds these records, of which a bundle shows some; the result and the exit code."""

    def run(held, *more, shown=None, did=DID):
        hub = Hub(held)
        (tmp_path / "did.record.json").write_bytes(
            encode_record_bundle(hub.bundle(*(held if shown is None else shown)))
        )
        (tmp_path / "hub.checkpoint.json").write_bytes(encode_checkpoint(hub.checkpoint()))
        files = ["--bundle", tmp_path / "did.record.json", "--checkpoint", tmp_path / "hub.checkpoint.json"]
        words = ["resolve", did, *files, "--at", str(hub.now_ns // 10**9), "--json", *more]
        found = CliRunner().invoke(app, [str(word) for word in words])
        assert found.exception is None or isinstance(found.exception, SystemExit), found.exception
        return json.loads(found.stdout), found.exit_code

    return run


def error(result):
    assert result["didDocument"] is None
    found = result["didResolutionMetadata"]["error"]
    return found["type"].rpartition("#")[2], found["detail"]


def test_a_document_of_proven_records_and_its_proof(resolved, tmp_path):
    result, code = resolved(records())
    assert code == 0
    document = read_document(result["didDocument"])
    (method,) = document.methods
    assert document.key_for(Relationship.ASSERTION, method.id) == P256
    assert result["didDocumentMetadata"]["versionId"] == "4"
    (proof,) = result["didResolutionMetadata"]["proof"]
    assert (proof["chainId"], proof["height"]) == ("hutong-1", "1-4")
    written = json.dumps(proof["bundle"], sort_keys=True, separators=(",", ":")) + "\n"
    assert written.encode() == (tmp_path / "did.record.json").read_bytes()


@pytest.mark.long
def test_attack_N39_a_resolver_that_keeps_back_or_exchanges_what_is_recorded(resolved, tmp_path):
    assert resolved(records(), "--max-age", "5")[1] == 0
    held = records()
    for kept_back in held:
        shown = [one for one in held if one != kept_back]
        result, code = resolved(held, shown=shown)
        assert code == 1 and error(result)[0] == "INVALID_DID"
    assert (
        "every_key_is_shown"
        in error(resolved(held, shown=[one for one in held if one[-32:] != thumbprint(GOOD.key)])[0])[1]
    )
    moved = {**held, keys.key_key(ID, bytes(32)): held[keys.key_key(ID, thumbprint(GOOD.key))]}
    del moved[keys.key_key(ID, thumbprint(GOOD.key))]
    assert "key_is_under_its_thumbprint" in error(resolved(moved)[0])[1]
    old, code = resolved(held, "--max-age", "1", "--at", str(Hub().now_ns // 10**9 + 60))
    assert code == 1 and error(old)[0] == "INVALID_DID"


def test_a_did_that_is_proven_not_to_be_there(resolved):
    result, code = resolved(records(), shown=[keys.did_key(bytes(32))], did=f"did:hutong:hutong:{bytes(32).hex()}")
    assert code == 1 and error(result)[0] == "NOT_FOUND"


def test_the_supplement_is_the_recorded_one(resolved, tmp_path):
    held = records(supplement=SUPPLEMENT)
    (tmp_path / "supplement.json").write_bytes(SUPPLEMENT)
    result, code = resolved(held, "--supplement", tmp_path / "supplement.json")
    assert code == 0 and result["didDocument"]["service"][0]["id"] == "#site"
    (tmp_path / "supplement.json").write_bytes(SUPPLEMENT + b" ")
    for more in ((), ("--supplement", tmp_path / "supplement.json")):
        result, code = resolved(held, *more)
        assert code == 1 and error(result)[0] == "INVALID_DID_DOCUMENT"


def test_a_deactivated_did_has_no_document(resolved):
    result, code = resolved(records(DidState.DEACTIVATED))
    assert code == 1 and result["didDocument"] is None and result["didDocumentMetadata"]["deactivated"] is True


def test_what_cannot_be_judged_here(resolved):
    assert error(resolved(records(), "--version-id", "4")[0])[0] == "FEATURE_NOT_SUPPORTED"
    assert error(resolved(records(), "--accept", "text/html")[0])[0] == "REPRESENTATION_NOT_SUPPORTED"
    assert error(resolved(records(), did="did:hutong:hutong:ab")[0])[0] == "INVALID_DID"
    found = CliRunner().invoke(app, ["resolve", DID])
    assert found.exit_code == 2 and "hutong identity prove" in found.stderr
