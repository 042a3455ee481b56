"""A resolver over HTTP, and six ways in which one lies: each is caught offline from the file that was kept, and its honest twin holds."""

import json
from contextlib import asynccontextmanager
from dataclasses import replace

import httpx
import pytest
import trio
from typer.testing import CliRunner

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.archive.checkpoint import encode_checkpoint
from hutong.relay.audit.records import Asked
from hutong.relay.cli.identity.command import app as commands
from hutong.relay.config import ConfigError
from hutong.relay.services.identity.daemon.errors import RoleUnusable
from hutong.relay.services.identity.daemon.record_bundles import HeightNotProvable, HubSilent
from hutong.relay.services.identity.resolver.recorded import proof_of
from hutong.relay.services.identity.rules.dids.did_hutong import HutongDid
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.serving.app import create_app
from hutong.relay.services.identity.serving.configuration import load_identity_config
from hutong.relay.services.identity.serving.daemon import common_of, serve
from hutong.relay.services.identity.serving.roles import begin_roles
from hutong.relay.verify.credentials.resolver_answers import judge_answer
from hutong.relay.web.rate_limit import RateLimit
from tests.relay.audit.identity.accepted_credentials import ISSUER, MIDDLE, SCHEMA, World
from tests.relay.audit.records.shown_records import Hub

DID = f"did:hutong:hutong:{ISSUER.hex()}"
NOBODY = f"did:hutong:hutong:{'ab' * 32}"
KEY = "did:key:zDnaerDaTF5BXEavCrfRZEk316dpbLsfPDZ3WJ5hRTPFU2169"
FILE = """
[server]
home = "state"
listen = "127.0.0.1:0"
public_url = "https://did.example"

[resolver]
relay = "relay.toml"
"""


class Recorded:
    """Records of a simulated hub of four validators, in real bundles."""

    hub = "hutong"

    def __init__(self, world):
        self.world = world

    async def of_did(self, did, moment, schema):
        if moment.time_s is not None:
            raise HeightNotProvable("states before height 3 are not kept")
        if did != ISSUER:
            if did == b"\xcd" * 32:
                raise HubSilent("no endpoint answers")
            return self.world.hub.bundle(keys.did_key(did))
        return self.world.hub.bundle(*places_of(self.world, schema))


def places_of(world, schema=None):
    owned = [key for key in world.records if key[-32:] == ISSUER or ISSUER in key]
    of_issuer = [key for key in owned if not key.startswith((keys.LIST_PREFIX, keys.ACCREDITATION_PREFIX))]
    chain = [key for key in world.records if key.startswith((keys.ACCREDITATION_PREFIX, keys.DID_PREFIX))]
    return sorted({*of_issuer, *(chain if schema is not None else ())})


@pytest.fixture(scope="module")
def world():
    return World()


def asker(world, tmp_path):
    """From address and `Accept` to status, media type and body, over the daemon's own front."""

    async def asking(requests):
        (tmp_path / "identity.toml").write_text(FILE)
        (tmp_path / "relay.toml").write_text("")

        @asynccontextmanager
        async def opened(source):
            assert source.relay == tmp_path / "relay.toml"
            yield Recorded(world)

        config = load_identity_config(tmp_path / "identity.toml")
        common = common_of(config, open_records=opened)
        async with begin_roles(config, common) as roles:
            served = create_app(common, roles, RateLimit(1_000, trio.current_time))
            transport = httpx.ASGITransport(app=served)
            async with httpx.AsyncClient(transport=transport, base_url="https://did.example") as http:
                answers = []
                for path, accept in requests:
                    headers = {"accept": accept} if accept else {}
                    answer = await http.get(f"/1.0/identifiers/{path}", headers=headers)
                    kind = answer.headers["content-type"].partition(";")[0]
                    answers.append((answer.status_code, kind, answer.json()))
                return answers

    return lambda *requests: trio.run(asking, requests)


@pytest.fixture
def ask(world, tmp_path):
    return asker(world, tmp_path)


RESULT = "application/did-resolution"


def error_of(body):
    return body["didResolutionMetadata"]["error"]["type"].rpartition("#")[2]


def test_the_binding_says_what_the_specification_says(ask):
    thumbprint = "%23" + "x" * 43
    found = ask(
        (KEY, RESULT),
        (KEY, "application/did"),
        (KEY, "application/did+ld+json"),
        (KEY, "text/html"),
        ("did:", RESULT),
        ("did:other:1", RESULT),
        (f"{KEY}?versionId=1", RESULT),
        (f"{KEY}?versionId=1&versionTime=2026-01-01T00:00:00Z", RESULT),
        ("did:webvh:QmaaKkr6nu7uSTpjSfAr3r7xBezNZGpWu6Gwtgqr6A4ynC:example.com", RESULT),
        (f"{KEY}%23{KEY[8:]}", None),
        (f"{KEY}{thumbprint}", None),
        (f"{KEY}/path", RESULT),
        (f"did:hutong:other:{ISSUER.hex()}", RESULT),
        (f"{DID}?versionTime=2026-01-01T00:00:00Z", RESULT),
        (f"{DID}?versionId=2", RESULT),
        (f"{DID}?versionId=3", RESULT),
        (f"{DID}?versionId=x", RESULT),
        (f"{DID}?accreditedFor=xx", RESULT),
        (f"did:hutong:hutong:{'cd' * 32}", RESULT),
        (NOBODY, RESULT),
    )
    statuses = [status for status, _, _ in found]
    assert statuses == [
        200,
        200,
        200,
        406,
        400,
        501,
        501,
        400,
        501,
        200,
        404,
        501,
        404,
        410,
        200,
        404,
        404,
        400,
        503,
        404,
    ]
    assert (found[0][1], found[0][2]["didDocument"]["id"]) == (RESULT, KEY)
    assert (found[1][1], found[1][2]["id"]) == ("application/did", KEY)
    assert found[2][2]["@context"][0] == "https://www.w3.org/ns/did/v1"
    assert [error_of(body) for _, _, body in found[3:9]] == [
        "REPRESENTATION_NOT_SUPPORTED", "INVALID_DID", "METHOD_NOT_SUPPORTED",
        "FEATURE_NOT_SUPPORTED", "INVALID_OPTIONS", "METHOD_NOT_SUPPORTED",
    ]  # fmt: skip
    assert found[9][1] == "application/did-url-dereferencing" and found[9][2]["content"]["type"] == "Multikey"
    assert found[13][2]["didResolutionMetadata"]["error"]["type"] == "urn:hutong:did-resolution:HEIGHT_NOT_PROVABLE"
    assert found[18][2]["code"] == "chain_unavailable"
    assert error_of(found[19][2]) == "NOT_FOUND" and found[19][2]["didResolutionMetadata"]["proof"]


def judged(world, answer, did=DID, schema=None, max_age_s=None, later_s=0):
    now_ns = world.hub.now_ns + later_s * NANOSECONDS_PER_SECOND
    at_s = None if max_age_s is None else now_ns // NANOSECONDS_PER_SECOND
    data = json.dumps(answer).encode()
    named = HutongDid("hutong", bytes.fromhex(did[-64:]))
    report = judge_answer(data, named, world.hub.checkpoint(), now_ns, (Asked(at_s, max_age_s), schema))
    return report.failure


def altered(answer, **changed):
    """The answer with another document, or with another bundle as its proof."""
    copy = json.loads(json.dumps(answer))
    if "bundle" in changed:
        copy["didResolutionMetadata"]["proof"] = [json.loads(json.dumps(proof_of(changed["bundle"])))]
    if "document" in changed:
        copy["didDocument"] = changed["document"]
    return copy


@pytest.fixture(scope="module")
def honest(world, tmp_path_factory):
    """The answer of a resolver that tells the truth, of an issuer and of nobody; the issuer with its accreditations."""
    asked = asker(world, tmp_path_factory.mktemp("honest"))
    (_, _, plain), (_, _, accredited), (_, _, absent) = asked(
        (DID, RESULT), (f"{DID}?accreditedFor={SCHEMA.hex()}", RESULT), (NOBODY, RESULT)
    )
    return plain, accredited, absent


def test_what_an_honest_resolver_answers_holds(world, honest):
    plain, accredited, absent = honest
    assert judged(world, plain) is None and judged(world, plain, max_age_s=5) is None
    assert judged(world, accredited, schema=SCHEMA) is None
    assert judged(world, absent, did=NOBODY) is None
    assert len(plain["didDocument"]["verificationMethod"]) == 3


def test_attack_N160_a_resolver_shows_an_old_key(world, honest):
    """A document with a key that the records do not have; records of an older header, for a reader who says how old."""
    plain = honest[0]
    methods = plain["didDocument"]["verificationMethod"]
    old = {**methods[0], "publicKeyJwk": methods[1]["publicKeyJwk"]}
    said = judged(world, altered(plain, document={**plain["didDocument"], "verificationMethod": [old, *methods[1:]]}))
    assert said is not None and said.startswith("document_is_the_records")
    said = judged(world, plain, max_age_s=60, later_s=61)
    assert said is not None and "header_is_fresh" in said


def test_attack_N161_a_resolver_leaves_a_key_out(world, honest):
    plain = honest[0]
    for key in (one for one in world.records if one.startswith(keys.key_prefix(ISSUER))):
        fewer = world.hub.bundle(*(place for place in places_of(world) if place != key))
        said = judged(world, altered(plain, bundle=fewer))
        assert said is not None and said.startswith("every_key_is_shown")


def test_attack_N162_a_resolver_gives_another_document(world, honest):
    plain, _, absent = honest
    service = [{"id": "#site", "type": "LinkedDomains", "serviceEndpoint": "https://thief.example"}]
    for document in ({**plain["didDocument"], "service": service}, {"id": NOBODY}, "text", None):
        said = judged(world, altered(plain, document=document))
        assert said is not None and said.startswith("document_is_the_records")
    said = judged(world, altered(absent, document=plain["didDocument"]), did=NOBODY)
    assert said is not None and said.startswith("absence_is_what_was_answered")


def test_attack_N163_a_resolver_forges_a_header(world, honest):
    forged = Hub(world.records, label="thief").bundle(*places_of(world))
    said = judged(world, altered(honest[0], bundle=forged))
    assert said is not None and "validators_in_bundle" in said
    moved = replace(forged, chain=world.hub.bundle(*places_of(world)).chain, statements=forged.statements[:1])
    assert judged(world, altered(honest[0], bundle=moved)) is not None


def test_attack_N164_a_resolver_prunes_an_accreditation(world, honest):
    for kept_back in (keys.accreditation_key(one, SCHEMA) for one in (ISSUER, MIDDLE)):
        pruned = world.hub.bundle(*(place for place in places_of(world, SCHEMA) if place != kept_back))
        said = judged(world, altered(honest[1], bundle=pruned), schema=SCHEMA)
        assert said is not None and "record_is_shown" in said
    assert judged(world, honest[0], schema=SCHEMA) is not None, "records without the chain do not show it"


def test_attack_N165_a_resolver_claims_that_there_is_no_such_did(world, honest):
    plain, _, absent = honest
    unshown = {
        "didResolutionMetadata": {"error": {"type": "#NOT_FOUND"}},
        "didDocument": None,
        "didDocumentMetadata": {},
    }
    said = judged(world, unshown)
    assert said is not None and said.startswith("answer_has_one_proof")
    for answer in (absent, altered(plain, document=None)):
        assert judged(world, answer) is not None
    said = judged(world, {**plain, "didResolutionMetadata": {"proof": [{"type": "Other", "bundle": {}}]}})
    assert said is not None and said.startswith("answer_has_one_proof")


def test_attack_N179_what_is_no_answer_is_refused_with_a_sentence(world, honest):
    named = HutongDid("hutong", ISSUER)
    for data in (b"", b"[]", b"{}", b"\xff", b'{"didDocument":1,"didDocument":2}', b"[" * 100_000):
        report = judge_answer(data, named, world.hub.checkpoint(), world.hub.now_ns, (Asked(), None))
        assert report.failure and report.document is None
    assert judged(world, honest[0]) is None


def test_an_answer_that_was_kept_is_judged_by_the_command(world, honest, tmp_path):
    (tmp_path / "hub.checkpoint.json").write_bytes(encode_checkpoint(world.hub.checkpoint()))
    (tmp_path / "answer.json").write_text(json.dumps(honest[0]))

    def run(*words):
        files = ["--answer", tmp_path / "answer.json", "--at", str(world.hub.now_ns // NANOSECONDS_PER_SECOND)]
        done = CliRunner().invoke(commands, ["resolve", DID, *map(str, files), *map(str, words)])
        assert done.exception is None or isinstance(done.exception, SystemExit), done.exception
        return done

    trusted = ("--checkpoint", tmp_path / "hub.checkpoint.json")
    held = run(*trusted, "--proof", tmp_path / "did.record.json")
    assert held.exit_code == 0 and "the document is the records'" in held.stdout
    checked = CliRunner().invoke(
        commands, ["check", DID, str(tmp_path / "did.record.json"), *map(str, trusted), "--at", "1700000005"]
    )
    assert checked.exit_code == 0, checked.output
    assert run().exit_code == 2
    (tmp_path / "answer.json").write_text(json.dumps(altered(honest[0], document={"id": DID})))
    lied = run(*trusted, "--json")
    assert lied.exit_code == 1 and json.loads(lied.stdout)["valid"] is False


@pytest.mark.long
def test_a_resolver_is_asked_over_a_socket_and_its_answer_kept_and_judged(world, tmp_path):
    (tmp_path / "identity.toml").write_text(FILE)
    (tmp_path / "relay.toml").write_text("")
    (tmp_path / "hub.checkpoint.json").write_bytes(encode_checkpoint(world.hub.checkpoint()))

    @asynccontextmanager
    async def opened(source):
        yield Recorded(world)

    def asking(address):
        files = ["--keep", tmp_path / "answer.json", "--proof", tmp_path / "did.record.json"]
        trusted = ["--checkpoint", tmp_path / "hub.checkpoint.json", "--at", "1700000005", "--accredited", SCHEMA.hex()]
        for more in ((), trusted):
            words = ["resolve", DID, "--resolver", address, *files, *more]
            done = CliRunner().invoke(commands, [str(word) for word in words])
            assert done.exit_code == 0, done.output
        again = ["resolve", DID, "--answer", tmp_path / "answer.json", *trusted]
        assert CliRunner().invoke(commands, [str(word) for word in again]).exit_code == 0
        nobody = CliRunner().invoke(commands, ["resolve", NOBODY, "--resolver", address, *map(str, trusted[:4])])
        assert nobody.exit_code == 0 and "that is proven" in nobody.output
        silent = CliRunner().invoke(commands, ["resolve", DID, "--resolver", "http://127.0.0.1:1", *map(str, trusted)])
        assert silent.exit_code == 1 and "does not answer" in silent.output

    async def main():
        ready, addresses = trio.Event(), []

        def on_ready(address):
            addresses.append(address)
            ready.set()

        async with trio.open_nursery() as nursery:
            nursery.start_soon(serve, load_identity_config(tmp_path / "identity.toml"), on_ready, None, opened)
            await ready.wait()
            await trio.to_thread.run_sync(asking, addresses[0])
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_a_table_without_what_it_needs_is_refused(tmp_path):
    (tmp_path / "identity.toml").write_text(FILE.replace("relay.toml", "absent.toml"))
    with pytest.raises(ConfigError, match=r"resolver\.relay"):
        load_identity_config(tmp_path / "identity.toml")
    (tmp_path / "identity.toml").write_text(FILE)
    (tmp_path / "relay.toml").write_text("")
    config = load_identity_config(tmp_path / "identity.toml")

    async def begin():
        async with begin_roles(config, common_of(config)):
            raise AssertionError("a resolver of a hub that nothing reads")

    with pytest.raises(RoleUnusable, match="what reads hubs"):
        trio.run(begin)
