"""`hutong identity export`: lists of accredited issuers, from proven records alone, the same bytes each time."""

import json
import os
from base64 import b64encode
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import jsonschema_rs
import pytest
import trio
from cryptography import x509
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat
from typer.testing import CliRunner

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.archive.record_bundle import encode_record_bundle
from hutong.relay.cli.main import app
from hutong.relay.services.identity.rules.jose import (
    HAIP_ALGORITHMS,
    Algorithm,
    KeySet,
    key_at,
    read_jws,
)
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import (
    GOVERNANCE,
    AccreditationRecord,
    AccreditationState,
    Grant,
    encode_accreditation_record,
)
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
    KeyUse,
    PublicKey,
    encode_key_record,
)
from hutong.relay.services.identity.rules.records.policy_record import Controllers, PolicyRecord, encode_policy_record
from hutong.relay.services.identity.rules.vc2.envelope import judge_credential_token
from tests.relay.audit.records.shown_records import Hub
from tests.relay.keys.fake_kms import fake_kms
from tests.relay.services.identity.rules.actors import ISSUER_KEY, Signer

SCHEMA = bytes([0x44]) * 32
ROOT, MIDDLE, CLINIC, SHOP = (sha256(name) for name in (b"root", b"middle", b"clinic", b"shop"))
MOMENT = Moment(1, 1)
FAR_S = 2**33


def certificate_of(signer: Signer) -> x509.Certificate:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "signer")])
    start = datetime(2020, 1, 1, tzinfo=UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).serial_number(7)
    builder = builder.public_key(signer.private_key.public_key())
    builder = builder.not_valid_before(start).not_valid_after(start + timedelta(days=36_500))
    return builder.sign(Signer(0xCA).private_key, SHA256(), ecdsa_deterministic=True)


def grant(accreditor, depth, until_s=FAR_S, state=AccreditationState.ACTIVE, schema=SCHEMA):
    parent = bytes(32) if accreditor == GOVERNANCE else schema
    ended = 2 if state is AccreditationState.REVOKED else 0
    return AccreditationRecord(Grant(accreditor, parent, depth, 1, until_s), state, MOMENT, ended)


def records(did, signer, x5t=bytes(32), until_s=NO_END_S):
    coordinates = signer.public.coordinates
    public = PublicKey(KeyAlgorithm.ES256, coordinates[:32], coordinates[32:])
    use = KeyUse(KeyPurpose.SIGNING, 1, until_s, x5t)
    record = DidRecord(Document(bytes(32)), DidState.ACTIVE, 0, Counts(keys=1, active_keys=1), MOMENT, MOMENT)
    return {
        keys.did_key(did): encode_did_record(record),
        keys.policy_key(did): encode_policy_record(PolicyRecord(Controllers(1, (bytes([1]) * 20,)))),
        keys.epoch_key(did): encode_epoch_record(EpochRecord(1, MOMENT)),
        keys.key_key(did, thumbprint(public)): encode_key_record(KeyRecord(public, NO_ACCOUNT, use, KeyEnd(), 0, MOMENT)),
    }  # fmt: skip


CERTIFICATE = certificate_of(ISSUER_KEY)
DER = CERTIFICATE.public_bytes(Encoding.DER)
CHAIN = {
    keys.accreditation_key(ROOT, SCHEMA): grant(GOVERNANCE, 4, until_s=2**64 - 1),
    keys.accreditation_key(MIDDLE, SCHEMA): grant(ROOT, 1),
    keys.accreditation_key(CLINIC, SCHEMA): grant(MIDDLE, 0),
    keys.accreditation_key(SHOP, SCHEMA): grant(ROOT, 0, until_s=2**64 - 1),
}
SCHEME = """
schema = "{schema}"
operator = "Ministry of Tests"
operator_id = "https://ministry.example"
schema_url = "https://ministry.example/licence.schema.json"
language = "en"
territory = "DE"
list_type = "https://ministry.example/list"
update_within_hours = 24
"""
ENTITY = """
[[entities]]
did = "did:hutong:hutong:{did}"
bundle = "{name}.record.json"
name = "{name}"
street = "Street 1"
country = "DE"
contact = "mailto:{name}@example.org"
information = "https://{name}.example"
{more}
"""


class World:
    """A folder with what a hub proves of two issuers, and a scheme that lists them."""

    def __init__(self, folder, chain, x5t=sha256(DER)):
        self.folder = folder
        self.folder.mkdir()
        accreditations = {key: encode_accreditation_record(one) for key, one in chain.items()}
        held = records(CLINIC, ISSUER_KEY, x5t) | records(SHOP, Signer(0x5409)) | accreditations
        for did in (ROOT, MIDDLE):
            held[keys.did_key(did)] = records(did, Signer(0x2007))[keys.did_key(did)]
        self.hub = Hub(held)
        for name in ("clinic", "shop"):
            (folder / f"{name}.record.json").write_bytes(encode_record_bundle(self.hub.bundle(*self.shown(name, held))))
        (folder / "hub.checkpoint.json").write_bytes(encode_checkpoint(self.hub.checkpoint()))
        (folder / "clinic.pem").write_bytes(CERTIFICATE.public_bytes(Encoding.PEM))
        self.scheme()

    @staticmethod
    def shown(name, held):
        did = CLINIC if name == "clinic" else SHOP
        own = (keys.did_key(did), keys.policy_key(did), keys.epoch_key(did))
        above = [key for key in held if key.startswith(keys.key_prefix(did)) or key in CHAIN]
        return sorted({*own, *above, keys.did_key(ROOT), keys.did_key(MIDDLE)})

    def scheme(self, schema=SCHEMA.hex(), certificate='certificate = "clinic.pem"', names=("clinic", "shop")):
        text = SCHEME.format(schema=schema)
        for name in names:
            did = (CLINIC if name == "clinic" else SHOP).hex()
            text += ENTITY.format(did=did, name=name, more=certificate if name == "clinic" else "")
        (self.folder / "scheme.toml").write_text(text)

    def run(self, form, *more, code=0):
        out = self.folder / "list"
        words = ["identity", "export", form, self.folder / "scheme.toml", "--out", out]
        words += ["--checkpoint", self.folder / "hub.checkpoint.json", "--at", self.hub.now_ns // 10**9, *more]
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return out.read_text() if code == 0 else done.output

    def signing(self):
        key = self.folder / "key.pem"
        private = Signer(0x516).private_key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        key.write_bytes(private)
        key.chmod(0o600)
        return key


@pytest.fixture(scope="module")
def world(tmp_path_factory):
    return World(tmp_path_factory.mktemp("lists") / "world", CHAIN)


def test_a_list_of_etsi_has_each_issuer_with_its_certificate_or_key(world):
    text = world.run("etsi")
    assert text == world.run("etsi")
    if published := os.environ.get("HUTONG_ETSI_SCHEMA"):
        # 1960201_json_schema.json of ETSI's repository, with rfcs/rfc7517.json beside it: not ours to ship
        schema = json.loads(
            Path(published).read_text().replace("rfcs/rfc7517.json#/definitions/jwk", "#/definitions/jwk")
        )
        schema["definitions"]["jwk"] = {"type": "object", "required": ["kty"]}
        jsonschema_rs.validate(schema, json.loads(text))
    about, entities = json.loads(text)["LoTE"].values()
    assert about["LoTESequenceNumber"] == world.hub.height and about["LoTEVersionIdentifier"] == 1
    issued, following = (datetime.fromisoformat(about[name]) for name in ("ListIssueDateTime", "NextUpdate"))
    assert following - issued == timedelta(hours=24)
    services = {
        one["TrustedEntityInformation"]["TEName"][0]["value"]: one["TrustedEntityServices"][0]["ServiceInformation"]
        for one in entities
    }
    assert set(services) == {"clinic", "shop"}
    clinic, shop = services["clinic"]["ServiceDigitalIdentity"], services["shop"]["ServiceDigitalIdentity"]
    assert clinic["X509Certificates"] == [{"val": b64encode(DER).decode()}] and "PublicKeyValues" not in clinic
    assert shop["PublicKeyValues"] == [Signer(0x5409).jwk] and shop["OtherIds"] == [f"did:hutong:hutong:{SHOP.hex()}"]


def test_a_list_of_etsi_is_signed_as_jades_by_a_certificate(world):
    signer = Signer(0x516)
    certificate = certificate_of(signer)
    (world.folder / "signer.pem").write_bytes(certificate.public_bytes(Encoding.PEM))
    signed = ("--key", world.signing(), "--certificates", world.folder / "signer.pem")
    token = world.run("etsi", *signed).strip()
    assert token == world.run("etsi", *signed).strip()
    jws = read_jws(token, "list", 1 << 20)
    assert jws.header["x5c"] == [b64encode(certificate.public_bytes(Encoding.DER)).decode()]
    assert set(jws.header) == {"alg", "iat", "x5c", "x5t#S256"}
    assert signer.public.verifies(jws.signing_input, jws.signature)
    assert jws.claims() == json.loads(world.run("etsi"))
    other = ("--key", world.signing(), "--certificates", world.folder / "clinic.pem")
    assert "is of another key" in world.run("etsi", *other, code=2)


def test_recognized_entities_are_a_credential_that_our_own_rules_take(world):
    plain = json.loads(world.run("recognized-entities"))
    clinic = next(one for one in plain["credentialSubject"] if one["name"] == "clinic")
    assert clinic["recognizedTo"]["recognizedBy"] == f"did:hutong:hutong:{MIDDLE.hex()}"
    shop = next(one for one in plain["credentialSubject"] if one["name"] == "shop")
    assert shop["recognizedTo"]["validUntil"] == "9999-12-31T23:59:59Z"
    assert clinic["recognizedTo"]["outputValidation"]["digestMultibase"].startswith("uEiBE")
    kid = "https://ministry.example#key-1"
    token = world.run("recognized-entities", "--key", world.signing(), "--kid", kid).strip()
    now_ns = world.hub.now_ns
    trusted = KeySet((key_at(Algorithm.ES256, Signer(0x516).public.coordinates, "key", kid),))
    assert judge_credential_token(VERIFY, token, HAIP_ALGORITHMS, trusted, now_ns) == plain


@pytest.mark.long
async def test_a_list_is_signed_by_a_key_elsewhere(world, monkeypatch):
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY"):
        monkeypatch.setenv(name, "test")
    kid, signer, file = "https://ministry.example#key-1", Signer(0x516), world.folder / "key.toml"
    public = signer.private_key.public_key().public_bytes(Encoding.X962, PublicFormat.CompressedPoint).hex()
    async with fake_kms(signer.secret.to_bytes(32, "big"), is_p256=True) as store:
        table = f'[key]\nkind = "aws-kms"\ncurve = "p256"\nkey_id = "alias/lists"\nregion = "eu-central-1"\npublic_key = "{public}"\n'
        file.write_text(table + f'endpoint_url = "{store.url}"\n')
        file.chmod(0o600)
        signed = partial(world.run, "recognized-entities", "--key", file, "--kid", kid)
        jws = read_jws((await trio.to_thread.run_sync(signed)).strip(), "list", 1 << 20)
        assert signer.public.verifies(jws.signing_input, jws.signature)
        store.failures = [(400, "DisabledException")]
        assert "DisabledException" in await trio.to_thread.run_sync(partial(signed, code=2))
    file.write_text(table.replace('curve = "p256"\n', "").replace(public, f"0279be{'66' * 30}"))
    assert "must be a compressed key" in world.run("recognized-entities", "--key", file, "--kid", kid, code=2)


@pytest.mark.long
def test_attack_N181_an_accreditation_that_does_not_hold_is_on_no_list(tmp_path):
    key, middle = keys.accreditation_key(CLINIC, SCHEMA), keys.accreditation_key(MIDDLE, SCHEMA)
    revoked = AccreditationState.REVOKED
    broken = {
        "revoked": {key: grant(MIDDLE, 0, state=revoked)},
        "above": {middle: grant(ROOT, 1, state=revoked)},
        "over": {middle: grant(ROOT, 1, until_s=2)},
        "depth": {middle: grant(ROOT, 4)},
        "other": {middle: grant(ROOT, 1, schema=bytes([0x45]) * 32)},
    }
    for name, change in broken.items():
        world = World(tmp_path / name, CHAIN | change)
        for form in ("etsi", "recognized-entities"):
            assert "not written: clinic" in world.run(form, code=1)
            assert not (world.folder / "list").exists()
        world.scheme(names=("shop",))
        assert "shop" in world.run("etsi")


def test_attack_N181_a_certificate_of_another_key_is_on_no_list(tmp_path):
    world = World(tmp_path / "world", CHAIN, x5t=bytes([9]) * 32)
    assert "no signing key of the issuer has this certificate" in world.run("etsi", code=1)
    world.scheme(certificate="")
    assert json.loads(world.run("etsi"))


def test_attack_N181_a_list_does_not_outlive_an_accreditation_on_it(tmp_path):
    ends_s = Hub({}).chain.latest.header.time_ns // 10**9 + 3_600
    shorter = {keys.accreditation_key(MIDDLE, SCHEMA): grant(ROOT, 1, until_s=ends_s)}
    about = json.loads(World(tmp_path / "world", CHAIN | shorter).run("etsi"))["LoTE"]["ListAndSchemeInformation"]
    assert datetime.fromisoformat(about["NextUpdate"]).timestamp() == ends_s


def test_a_scheme_that_is_not_one_is_said_so(world):
    scheme = (world.folder / "scheme.toml").read_text()
    for wrong, said in (
        (scheme + "\nmore = 1", "scheme"),
        (scheme.replace("update_within_hours = 24", "update_within_hours = 0"), "update_within_hours"),
        (scheme.replace('country = "DE"', 'country = "Germany"'), "country"),
        (scheme.replace("did:hutong:hutong", "did:key"), "did"),
        ("operator =", "is not TOML"),
    ):
        (world.folder / "scheme.toml").write_text(wrong)
        assert said in world.run("etsi", code=2)
    for schema in ("all", "45" * 32):
        world.scheme(schema=schema)
        assert "not written: clinic" in world.run("etsi", code=1)
    world.scheme()
