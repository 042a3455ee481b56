"""`hutong keys sm2 verify | seal --did`: keys of SM2 of an organisation, proven by its records, offline; each refusal beside what is good."""

import json
from base64 import b64encode
from functools import partial

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from typer.testing import CliRunner

from hutong.light_clients.crypto import gm
from hutong.light_clients.crypto.gm import libraries
from hutong.light_clients.interface import PredicateFailed
from hutong.relay.administration.errors import Unusable
from hutong.relay.administration.identity.key_files import read_public_key
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.cli.main import app
from hutong.relay.services.identity.rules.organisations.key_form import jwk_members, thumbprint
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
    NO_END_S,
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
ADDED = Moment(3, 1)
ACTIVE = KeyEnd()
RETIRED, STOLEN = KeyEnd(KeyState.RETIRED, 2), KeyEnd(KeyState.COMPROMISED, 2)
CONTENT = b"the report of a year"


def record(pair, purposes=KeyPurpose.SIGNING, end=ACTIVE, window=(1, NO_END_S), height=3):
    key = PublicKey(KeyAlgorithm.SM2, pair.public_key[:32], pair.public_key[32:])
    return KeyRecord(key, NO_ACCOUNT, KeyUse(purposes, *window), end, 0, Moment(height, 1))


class Desk:
    """A folder with a signed file, and the records of the DID whose keys they are."""

    def __init__(self, folder):
        self.folder, self.pair, self.other = folder, gm.new_key_pair(), gm.new_key_pair()
        (folder / "file").write_bytes(CONTENT)
        self.signed_by(self.pair)

    def signed_by(self, pair, identifier=gm.DEFAULT_IDENTIFIER):
        signature = gm.signature_to_der(gm.sign(pair, CONTENT, identifier))
        (self.folder / "signature").write_bytes(signature)

    def shows(self, *held, left_out=(), state=DidState.ACTIVE):
        """A bundle of these keys; those of `left_out` stand on the hub and are not shown. None: no such DID."""
        active = sum(one.end.state is KeyState.ACTIVE for one in held)
        counts = Counts(keys=len(held), active_keys=active)
        of_did = {
            keys.did_key(ID): encode_did_record(DidRecord(Document(), state, 0, counts, ADDED, Moment(4, 2))),
            keys.policy_key(ID): encode_policy_record(PolicyRecord(Controllers(1, (bytes([1]) * 20,)))),
            keys.epoch_key(ID): encode_epoch_record(EpochRecord(1, ADDED)),
        }
        of_keys = {keys.key_key(ID, thumbprint(one.key)): encode_key_record(one) for one in held}
        hub = Hub({**of_did, **of_keys} if held else {bytes(33): b"other"})
        hidden = {keys.key_key(ID, thumbprint(one.key)) for one in left_out}
        shown = [key for key in (*of_did, *of_keys) if key not in hidden] if held else [keys.did_key(ID)]
        (self.folder / "did.record.json").write_bytes(encode_record_bundle(hub.bundle(*shown)))
        (self.folder / "hub.checkpoint.json").write_bytes(encode_checkpoint(hub.checkpoint()))
        self.at = str(hub.now_ns // 10**9)

    def run(self, *words):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done.exit_code, " ".join(done.output.split())

    def options(self, did=DID):
        files = ["--records", self.folder / "did.record.json", "--checkpoint", self.folder / "hub.checkpoint.json"]
        return ["--did", did, *files, "--at", self.at]

    def verify(self, *more, did=DID):
        files = (self.folder / "file", self.folder / "signature")
        return self.run("keys", "sm2", "verify", *files, *self.options(did), *more)


@pytest.fixture
def desk(tmp_path):
    return Desk(tmp_path)


def test_a_file_signed_by_a_key_of_the_did_is_good_and_the_key_is_named(desk):
    good = record(desk.pair)
    desk.shows(record(desk.other), good)
    code, output = desk.verify()
    assert code == 0 and output.startswith(f"did: {DID}"), output
    assert f"key: {thumbprint(good.key).hex()} held" in output and "predicates held" in output
    code, output = desk.verify("--json")
    told = json.loads(output)
    assert (code, told["valid"], told["subject"]["key"]) == (0, True, thumbprint(good.key).hex())
    assert len(told["checks"]) == 10
    last = ["file_is_signed_by_the_did", "key_is_for", "key_has_not_ended", "key_counts"]
    assert [check["name"] for check in told["checks"]][-4:] == last
    desk.signed_by(desk.pair, b"ALICE123@YAHOO.COM")
    assert desk.verify()[0] == 1
    assert desk.verify("--identifier", "ALICE123@YAHOO.COM")[0] == 0
    code, output = desk.run("identity", "check", DID, desk.folder / "did.record.json", *desk.options()[4:], "--json")
    shown = json.loads(output)
    assert code == 0 and {key["jwk"]["crv"] for key in shown["keys"]} == {"SM2"}
    assert all(key["is_good"] and key["purposes"] == ["signing"] for key in shown["keys"])


@pytest.mark.parametrize(
    ("change", "rule"),
    [
        ({"end": RETIRED}, "key_has_not_ended"),
        ({"end": STOLEN}, "key_has_not_ended"),
        ({"window": (2**40, NO_END_S)}, "key_counts"),
        ({"window": (1, 2)}, "key_counts"),
        ({"purposes": KeyPurpose.SEAL}, "key_is_for"),
    ],
    ids=["retired", "stolen", "not yet", "over", "for seals"],
)
def test_attack_N44_a_file_by_a_key_that_does_not_count_is_refused_by_name(desk, change, rule):
    """Nothing dates a file: under a key that has ended it may be its thief's."""
    desk.shows(record(desk.other), record(desk.pair, **change))
    code, output = desk.verify()
    assert code == 1 and rule in output, output
    desk.shows(record(desk.other), record(desk.pair))
    assert desk.verify()[0] == 0


def test_attack_N44_a_file_of_another_key_did_or_content_is_refused(desk):
    desk.shows(record(desk.pair))
    assert desk.verify()[0] == 0
    (desk.folder / "file").write_bytes(CONTENT + b"!")
    code, output = desk.verify()
    assert code == 1 and "no key of SM2 of the DID signed this file" in output
    (desk.folder / "file").write_bytes(CONTENT)
    desk.signed_by(desk.other)
    assert desk.verify()[0] == 1
    assert desk.verify(did=DID[:-2] + "00")[0] == 1
    desk.shows()
    code, output = desk.verify()
    assert code == 1 and "the hub has no such DID" in output


def test_attack_N53_a_bundle_that_keeps_a_key_back_or_was_changed_shows_no_signer(desk):
    ended = record(desk.other, end=STOLEN)
    desk.shows(record(desk.pair), ended, left_out=[ended])
    code, output = desk.verify()
    assert code == 1 and "every_key_is_shown" in output, output
    desk.shows(record(desk.pair), ended)
    assert desk.verify()[0] == 0
    bundle = desk.folder / "did.record.json"
    forger = gm.new_key_pair()
    value, forged = (b64encode(encode_key_record(record(pair))).decode() for pair in (desk.pair, forger))
    assert bundle.read_text().count(value) == 1
    bundle.write_text(bundle.read_text().replace(value, forged))
    desk.signed_by(forger)
    assert desk.verify()[0] == 1


def test_a_file_is_sealed_to_the_newest_key_of_the_did_that_is_for_it(desk):
    (desk.folder / "key.pem").write_bytes(gm.key_pair_to_pem(desk.other))
    (desk.folder / "key.pem").chmod(0o600)
    older, newest, signing = gm.new_key_pair(), record(desk.other, KeyPurpose.SEAL, height=9), record(desk.pair)
    ended = record(gm.new_key_pair(), KeyPurpose.SEAL, RETIRED, height=11)
    desk.shows(record(older, KeyPurpose.SEAL), newest, ended, signing)
    file, sealed, opened = (desk.folder / name for name in ("file", "sealed", "opened"))
    code, output = desk.run("keys", "sm2", "seal", file, sealed, *desk.options())
    assert (code, output) == (0, f"sealed to {DID}, key {thumbprint(newest.key).hex()}")
    assert desk.run("keys", "sm2", "open", desk.folder / "key.pem", sealed, opened)[0] == 0
    assert opened.read_bytes() == CONTENT
    desk.shows(ended, signing)
    code, output = desk.run("keys", "sm2", "seal", file, desk.folder / "again", *desk.options())
    assert code == 1 and "no key of SM2 for seal counts" in output and not (desk.folder / "again").exists()


def test_what_is_not_given_or_not_installed_is_said(desk, monkeypatch):
    desk.shows(record(desk.pair))
    files = ["keys", "sm2", "verify", desk.folder / "file", desk.folder / "signature"]
    (desk.folder / "public.pem").write_bytes(gm.public_key_to_pem(desk.pair.public_key))
    by_file = ["--by", desk.folder / "public.pem"]
    assert desk.run(*files, *by_file) == (0, "good")
    assert desk.run(*files, *by_file, "--json") == (0, '{"valid": true}')
    for wrong in ([], [*by_file, *desk.options()], ["--did", DID], [*desk.options("did:web:example.org")]):
        assert desk.run(*files, *wrong)[0] == 2
    monkeypatch.setattr(libraries, "gmssl_or_none", lambda: None)
    monkeypatch.setattr("hutong.light_clients.crypto.gm.sm2.gmssl", partial(libraries.gmssl))
    code, output = desk.verify()
    assert code == 2 and "not supported: SM2 and SM3 without the extra" in output


def test_a_key_is_given_as_pem_or_as_a_jwk_and_never_its_private_half(desk):
    public, private, jwk = (desk.folder / name for name in ("public.pem", "private.pem", "key.jwk.json"))
    public.write_bytes(gm.public_key_to_pem(desk.pair.public_key))
    private.write_bytes(gm.key_pair_to_pem(desk.pair))
    expected = record(desk.pair).key
    jwk.write_text(json.dumps(jwk_members(expected)))
    assert read_public_key(public) == read_public_key(jwk) == expected
    jwk.write_text(json.dumps({**jwk_members(expected), "d": "AQ"}))
    for wrong in (private, jwk):
        with pytest.raises(Unusable, match="holds a private key: give the public one"):
            read_public_key(wrong)
    p256 = ec.generate_private_key(ec.SECP256R1()).public_key()
    public.write_bytes(p256.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo))
    with pytest.raises(Unusable, match="is no SubjectPublicKeyInfo of a key of sm2p256v1"):
        read_public_key(public)
    jwk.write_text(json.dumps({**jwk_members(expected), "y": jwk_members(expected)["x"]}))
    with pytest.raises(PredicateFailed, match="key_is_on_its_curve"):
        read_public_key(jwk)
