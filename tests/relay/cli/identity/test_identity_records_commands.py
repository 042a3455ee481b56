"""An organisation on a running hub by commands alone: accredited, registered, keys, a list, a log; then proven offline."""

import json
import time
from base64 import b64encode
from dataclasses import replace
from hashlib import sha256
from random import Random

import pytest
import trio
from typer.testing import CliRunner

from hutong.light_clients.interface import PredicateFailed
from hutong.light_clients.interface.judge import VERIFY
from hutong.light_clients.proofs.merkle.consistency import prove_consistency
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.administration.configured import hub_of
from hutong.relay.administration.identity.proven_ground import NodeRecords
from hutong.relay.administration.identity.resolving import open_records
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.cli.main import app
from hutong.relay.config import load_config
from hutong.relay.core.topology.chains import open_chain
from hutong.relay.hub.application.revision import rules_versions
from hutong.relay.keys import create_keystore
from hutong.relay.services.identity.daemon.hub_records import HubUnreachable, RecordsAsked
from hutong.relay.services.identity.daemon.record_bundles import HeightNotProvable, HubSource, Moment
from hutong.relay.services.identity.resolver.recorded import read_bundle
from hutong.relay.services.identity.rules.acceptance.standing import (
    judge_accredited,
    judge_issuer_did,
    judge_list_record,
)
from hutong.relay.services.identity.rules.status import Statuses, status_list_claim
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import encode_update, prove_update
from hutong.relay.verify.bundles.inputs import read_checkpoint
from tests.relay.audit.records.hub_checkpoint import checkpoint_of_hub
from tests.relay.cli.hub.test_hub_quota_and_stuck_commands import CONFIG, admins
from tests.relay.hub.hub_process import HubProcess, new_home
from tests.relay.services.identity.rules.actors import AUDIENCE, NONCE, Presented, Signer, payload, raw, token

pytestmark = pytest.mark.long
"""Over the process of a hub."""

SCHEMA = "44" * 32
ISSUING_KEY = {
    "kty": "EC",
    "crv": "P-256",
    "x": "axfR8uEsQkf4vOblY6RA8ncDfYEt6zOg9KE5RdiYwpY",
    "y": "T-NC4v4af5uO5-tKfA-eFivOM1drMV7Oy7ZAaDe_UfU",
}
"""The generator of P-256."""
CLINICS_KEY = Signer(1)
"""Its secret."""


class Organising:
    """A hub with two admins, and an account for each of `names`, whose word is `word`."""

    def __init__(self, folder, hub, names):
        self.folder, self.hub = folder, hub
        (folder / "password").write_text("word\n")
        (folder / "password").chmod(0o600)
        for number in range(2):
            create_keystore(folder / f"admin-{number}.json", sha256(b"admin %d" % number).digest(), b"word", 2)
        for name in names:
            create_keystore(folder / f"{name}.json", sha256(name.encode()).digest(), b"word", 2)
        config = folder / "relay.toml"
        config.write_text(CONFIG.format(eth=hub.eth_url, cometbft=hub.cometbft_url))
        config.chmod(0o600)

    def run(self, *words, code=0):
        done = CliRunner().invoke(app, [str(word) for word in words])
        assert done.exit_code == code, done.output
        return done.stdout

    def by(self, name, *words, code=0):
        config = self.folder / "relay.toml"
        signer = ["--keystore", self.folder / f"{name}.json", "--password-file", self.folder / "password"]
        return self.run("identity", *words, "--config", config, *signer, code=code)

    def jwk(self, name):
        file = self.folder / f"{name}.jwk.json"
        signer = ["--keystore", self.folder / f"{name}.json", "--password-file", self.folder / "password"]
        file.write_text(self.run("identity", "jwk", *signer))
        return file

    def proven(self, did, *more, code=0):
        file, config = self.folder / "shown.record.json", self.folder / "relay.toml"
        trusted = self.folder / "hub.checkpoint.json"
        if not trusted.exists():
            trusted.write_bytes(encode_checkpoint(trio.run(self._checkpoint)))
        self.run("identity", "prove", did, "--config", config, "--checkpoint", trusted, "--out", file, *more)
        words = ["identity", "check", did, file, "--checkpoint", trusted, "--json", *more]
        return json.loads(self.run(*words, code=code))

    async def _checkpoint(self):
        async with open_chain(load_config(self.folder / "relay.toml").chain("hub"), Random(0)) as hub:
            return await checkpoint_of_hub(hub)


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    folder = tmp_path_factory.mktemp("place")
    # a proof block that comes late, as on a busy machine: what a command has written can be proven once it ends
    hub = HubProcess(new_home(folder / "hub", block_interval_ms=400, proof_block_delay_ms=400)).start()
    yield Organising(folder, hub, ("ministry", "clinic", "log", "press"))
    assert hub.stop() == (0, "")


def test_an_organisation_is_accredited_registers_issues_and_is_proven_offline(place):
    issuing = place.folder / "issuing.jwk.json"
    issuing.write_text(json.dumps(ISSUING_KEY))
    writing = place.jwk("log")
    salts = {name: sha256(name.encode()).hexdigest() for name in ("ministry", "clinic")}

    def register(name, *more):
        keys = ["--key", f"signing={issuing}", "--key", f"log={writing}"]
        words = ["register", *keys, "--salt", salts[name], "--json", *more]
        return json.loads(place.by(name, *words))["did"]

    root, clinic = (register(name, "--show") for name in ("ministry", "clinic"))
    config = ["--config", place.folder / "relay.toml"]
    decided = place.run("hub", "accredit-root", root, "--schema", SCHEMA, *config, *admins(place.folder))
    assert decided == f"{root} is accredited\n"
    assert register("ministry", "--accredited", SCHEMA) == root
    place.by("ministry", "accredit", root, clinic, "--schema", SCHEMA)
    assert register("clinic", "--accredited", SCHEMA) == clinic

    place.by("log", "list", "open", clinic, "--key", issuing, "--schema", SCHEMA, "--size", "1024")
    shape = TreeShape(1, 1_024)
    update = place.folder / "update"
    update.write_bytes(encode_update(prove_update(shape, bytes(128), {0: b"\x01" + bytes(31)})))
    place.by("log", "list", "update", clinic, "0", "--update", update)
    leaves = [leaf_hash(b"%d" % number) for number in range(3)]
    place.by("log", "log", "append", clinic, "--size", "1", "--root", root_of_leaves(leaves[:1]).hex())
    nodes = [word for node in prove_consistency(leaves, 1).nodes for word in ("--node", node.hex())]
    place.by("log", "log", "append", clinic, "--size", "3", "--root", root_of_leaves(leaves).hex(), *nodes)
    place.by("log", "list", "seal", clinic, "0")

    shown = place.proven(clinic, "--accredited", SCHEMA)
    assert shown["valid"] and shown["registered"] and not shown["deactivated"] and shown["sequence"] == 0
    assert sorted(tuple(key["purposes"]) for key in shown["keys"]) == [("log",), ("signing",)]
    assert all(key["is_good"] for key in shown["keys"])
    assert [level["depth"] for level in shown["accreditation"]] == [0, 4]

    acceptance_is_bundled_and_audited(place, clinic)
    a_verifier_reads_the_records(place, clinic)
    found = trio.run(earlier_states, place.folder / "relay.toml", bytes.fromhex(clinic[-64:]))
    assert found == ["hutong", True, True, None]
    following = place.folder / "following.jwk.json"
    following.write_text(place.run("identity", "jwk", "--keystore", place.folder / "clinic.json",
                                   "--password-file", place.folder / "password"))  # fmt: skip
    assert "has the key" in place.by("clinic", "key", "add", clinic, "--key", following, "--purpose", "contract")
    operation = json.loads(place.by("clinic", "key", "retire", clinic, issuing, "--show-operation"))
    assert operation["message"]["sequence"] == "1" and operation["primaryType"] == "Operation"
    place.by("clinic", "key", "retire", clinic, issuing)
    states = {tuple(key["purposes"]): key["state"] for key in place.proven(clinic)["keys"]}
    assert states == {("signing",): "retired", ("log",): "active", ("contract",): "active"}
    since = str(next(key["ended"] for key in place.proven(clinic)["keys"] if key["state"] == "retired"))
    place.by("clinic", "key", "compromise", clinic, issuing, "--since", since)
    place.by("ministry", "withdraw", root, clinic, "--schema", SCHEMA)
    words = ["identity", "check", clinic, place.folder / "shown.record.json"]
    refused = ["--checkpoint", place.folder / "hub.checkpoint.json", "--accredited", SCHEMA]
    assert "record_is_shown" in place.run(*words, *refused, code=1)
    absent = place.proven(f"did:hutong:hutong:{'ab' * 32}")
    assert (absent["valid"], absent["registered"]) == (True, False)


def acceptance_is_bundled_and_audited(place, did):
    """Of a credential that the clinic's key signed over its list: index 300 holds, index 0 is revoked."""
    octets = b"\x01" + bytes(127)
    said = {"sub": "https://status.example/0", "iat": int(time.time()), "ttl": 60}
    said["status_list"] = status_list_claim(Statuses(1, octets))
    (place.folder / "list.jwt").write_text(token({"alg": "ES256", "typ": "statuslist+jwt"}, raw(said), CLINICS_KEY))
    for index, code in ((300, 0), (0, 1)):
        status = {"status_list": {"idx": index, "uri": "https://status.example/0"}}
        now_s = int(time.time())
        claims = payload(iss=did, iat=now_s, exp=now_s + 3_600, status=status)
        claims["vct#integrity"] = "sha256-" + b64encode(bytes.fromhex(SCHEMA)).decode()
        shown = Presented(claims, issuer=CLINICS_KEY, kb={"iat": now_s}).text
        (place.folder / "shown.sd-jwt").write_text(shown)
        words = ["--issuer", did, "--audience", AUDIENCE, "--nonce", NONCE, "--statuses", place.folder / "list.jwt"]
        config = ["--config", place.folder / "relay.toml", "--checkpoint", place.folder / "hub.checkpoint.json"]
        file = place.folder / f"{index}.acceptance"
        place.run("identity", "bundle", place.folder / "shown.sd-jwt", *words, *config, "--out", file, code=code)
        assert file.exists() is (code == 0)
    judged = ["audit", "identity", place.folder / "300.acceptance", *config[2:], "--json"]
    found = json.loads(place.run(*judged))
    assert found["valid"] and found["accepted"]["issuer"] == did and found["accepted"]["index"] == 300
    assert [level["depth"] for level in found["accepted"]["accreditation"]] == [0, 4]
    place.run("identity", "bundle", place.folder / "shown.sd-jwt", *words[2:], *config, "--out", file, code=2)


def a_verifier_reads_the_records(place, did):
    """What `[verifier.hub]` names, on the running hub: judged from the checkpoint, and enough for every rule of a policy."""
    config = load_config(place.folder / "relay.toml")
    trusted = read_checkpoint(place.folder / "hub.checkpoint.json")
    identifier, schema = bytes.fromhex(did[-64:]), bytes.fromhex(SCHEMA)
    records = NodeRecords(config, hub_of(config, None), trusted, Random(0))
    ground = trio.run(records.ground, RecordsAsked(identifier, 0, schema))
    issuer = judge_issuer_did(VERIFY, ground, identifier)
    shown = judge_list_record(VERIFY, ground, identifier, 0)
    chain = judge_accredited(VERIFY, ground, issuer, 0, shown).chain
    assert (ground.hub, [level.grant.depth for level in chain]) == ("hutong", [0, 4])
    absent = trio.run(records.ground, RecordsAsked(bytes(32), 0, schema))
    with pytest.raises(PredicateFailed, match="issuer_is_registered"):
        judge_issuer_did(VERIFY, absent, bytes(32))
    forged = NodeRecords(config, hub_of(config, None), replace(trusted, chain_id="hutong-7"), Random(0))
    with pytest.raises(HubUnreachable, match="hutong-7"):
        trio.run(forged.ground, RecordsAsked(identifier, 0, schema))


async def earlier_states(config, did) -> list:
    """Of a resolver of the running hub: the newest state, one of a past second, one that is not yet there; and of nobody."""
    async with open_records(HubSource(config)) as records:
        newest = await records.of_did(did, Moment(), bytes.fromhex(SCHEMA))
        found, _ = read_bundle(newest, did)
        changed = found.record.changed
        past = await records.of_did(did, Moment(time_s=changed.time_s), None)
        exact = await records.of_did(did, Moment(height=changed.height), None)
        absent, _ = read_bundle(await records.of_did(bytes(32), Moment(), None), bytes(32))
        with pytest.raises(HeightNotProvable):
            await records.of_did(did, Moment(height=2**40), None)
        with pytest.raises(HeightNotProvable):
            await records.of_did(did, Moment(time_s=1), None)
        versions = [read_bundle(one, did)[0].record.changed for one in (past, exact)]
        return [records.hub, versions == [changed, changed], exact.height.revision_height == changed.height + 1, absent]


def test_controllers_change_by_commitment_and_guardians_wait(place):
    """The heir was committed to: the present controller cannot put in another; a guardian's recovery is cancelled."""
    issuing = place.folder / "first.jwk.json"
    issuing.write_text(json.dumps(ISSUING_KEY))
    heir, guardian = (address_of_keystore(place, name) for name in ("log", "ministry"))
    committed = place.run("identity", "controllers", "commit", "--controller", heir).split()
    commitment, salt = committed[1], committed[3]
    keys = ["--key", f"signing={issuing}", "--json"]
    policy = ["--next-policy", commitment, "--guardian", guardian]
    did = json.loads(place.by("clinic", "register", *keys, *policy))["did"]
    other = ["controllers", "change", did, "--controller", guardian, "--salt", salt]
    place.by("clinic", *other, code=1)
    place.by("ministry", "recovery", "start", did, "--controller", guardian)
    place.by("ministry", "recovery", "complete", did, code=1)
    place.by("clinic", "recovery", "cancel", did)
    file = place.folder / "services.json"
    file.write_text("{}")
    assert sha256(b"{}").hexdigest() in place.by("clinic", "document", did, file)
    place.by("clinic", "schema", did, file, code=1)
    file.write_text("one\ntwo\n")
    assert place.by("clinic", "anchor", did, file) == f"{did} anchors line 2\n"
    place.by("log", "controllers", "change", did, "--controller", heir, "--salt", salt)
    assert place.proven(did)["controllers"]["accounts"] == [heir.lower()]
    place.by("clinic", "document", did, code=1)


def address_of_keystore(place, name) -> str:
    return "0x" + json.loads((place.folder / f"{name}.json").read_text())["address"].removeprefix("0x")


def test_what_is_unusable_or_refused_says_so(place):
    issuing = place.folder / "some.jwk.json"
    issuing.write_text(json.dumps(ISSUING_KEY | {"d": ISSUING_KEY["x"]}))
    unknown = f"did:hutong:hutong:{'cd' * 32}"
    add = ["key", "add", unknown, "--key", issuing, "--purpose", "signing"]
    place.by("clinic", *add, code=2)
    issuing.write_text(json.dumps(ISSUING_KEY | {"y": ISSUING_KEY["x"]}))
    place.by("clinic", *add, code=2)
    issuing.write_text(json.dumps(ISSUING_KEY))
    place.by("clinic", *add, code=1)
    place.by("clinic", "key", "add", unknown, "--key", issuing, "--purpose", "nothing", code=2)
    place.by("clinic", "deactivate", f"did:hutong:other:{'cd' * 32}", code=2)
    place.by("clinic", "deactivate", unknown, "--signature", "0x12", code=2)
    place.by("clinic", "register", "--key", "signing", code=2)
    place.by("clinic", "list", "update", unknown, "0", code=2)


# --- keys of SM2


def key_files(place, name) -> tuple:
    """A private key and its public half, as `hutong keys sm2 generate` writes them."""
    private, public = place.folder / f"{name}.pem", place.folder / f"{name}.public.pem"
    public.write_text(place.run("keys", "sm2", "generate", private))
    return private, public


def test_an_organisation_signs_and_opens_files_under_keys_of_its_did(place):
    (signing, signer), (opening, reader) = key_files(place, "signing"), key_files(place, "opening")
    did = json.loads(place.by("press", "register", "--key", f"signing={signer}", "--json"))["did"]
    place.by("press", "key", "add", did, "--key", reader, "--purpose", "seal")
    for purposes in (["signing", "seal"], ["contract"], ["presentation"]):
        words = [word for purpose in purposes for word in ("--purpose", purpose)]
        place.by("press", "key", "add", did, "--key", key_files(place, "-".join(purposes))[1], *words, code=1)
    shown = place.proven(did)
    assert sorted((key["jwk"]["crv"], *key["purposes"]) for key in shown["keys"]) == [
        ("SM2", "seal"),
        ("SM2", "signing"),
    ]
    files = {name: place.folder / name for name in ("report", "signature", "sealed", "opened")}
    files["report"].write_bytes(b"of a year")
    place.run("keys", "sm2", "sign", signing, files["report"], files["signature"])
    of_did = ["--did", did, "--records", place.folder / "shown.record.json"]
    of_did += ["--checkpoint", place.folder / "hub.checkpoint.json"]
    verify = ["keys", "sm2", "verify", files["report"], files["signature"], *of_did]
    by = next(key["thumbprint"] for key in shown["keys"] if key["purposes"] == ["signing"])
    assert json.loads(place.run(*verify, "--json"))["subject"]["key"] == by
    place.run("keys", "sm2", "seal", files["report"], files["sealed"], *of_did)
    place.run("keys", "sm2", "open", opening, files["sealed"], files["opened"])
    assert files["opened"].read_bytes() == b"of a year"
    resolved = json.loads(place.run("identity", "resolve", did, "--bundle", *of_did[3:], "--json"))
    document = resolved["didDocument"]
    (method,) = document["assertionMethod"]
    keys = {one["id"]: one["publicKeyJwk"] for one in document["verificationMethod"]}
    assert keys[method] == next(key["jwk"] for key in shown["keys"] if key["thumbprint"] == by)
    assert len(document["keyAgreement"]) == 1
    audited = place.run("audit", "record", place.folder / "shown.record.json", *of_did[4:])
    assert "valid" in audited
    place.by("press", "key", "retire", did, signer)
    place.proven(did)
    assert "nothing dates a file" in " ".join(place.run(*verify, code=1).split())


def test_on_a_hub_of_earlier_rules_they_are_not_supported_and_all_else_is(tmp_path):
    rules = {"block_interval_ms": 400, "proof_block_delay_ms": 400, "rules_version": rules_versions.IDENTITY}
    hub = HubProcess(new_home(tmp_path / "hub", **rules)).start()
    place = Organising(tmp_path, hub, ("clinic", "log"))
    try:
        _, public = key_files(place, "signing")
        log = place.jwk("log")
        words = [str(word) for word in ("identity", "register", "--key", f"signing={public}", "--json")]
        signer = ["--keystore", tmp_path / "clinic.json", "--password-file", tmp_path / "password"]
        refused = CliRunner().invoke(app, [*words, "--config", str(tmp_path / "relay.toml"), *map(str, signer)])
        assert refused.exit_code != 0
        assert "not supported: keys of SM2 on hub, whose rules version is below 6" in " ".join(refused.output.split())
        did = json.loads(place.by("clinic", "register", "--key", f"log={log}", "--json"))["did"]
        place.by("clinic", "key", "add", did, "--key", public, "--purpose", "signing", code=1)
        assert len(place.proven(did)["keys"]) == 1
    finally:
        assert hub.stop() == (0, "")
