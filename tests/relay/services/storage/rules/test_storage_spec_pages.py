"""The vectors of docs/spec/storage-*.md: what their script makes by other means is what the rules make and read."""

from hashlib import sha256

import pytest

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.light_clients.interface import VERIFY
from hutong.relay.services.storage.rules.audits.answers import decode_answers, encode_answer
from hutong.relay.services.storage.rules.audits.judging import judge_answer
from hutong.relay.services.storage.rules.audits.probes import Challenge, probe_leaf
from hutong.relay.services.storage.rules.audits.seed import Auditor, epoch_seed, hub_id, secret_commitment
from hutong.relay.services.storage.rules.commitments.entries import (
    BatchPart,
    OperatorSet,
    decode_log_entry,
    decode_shard_entry,
    encode_shard_entry,
)
from hutong.relay.services.storage.rules.commitments.placed import decode_placed, encode_placed, judge_placed
from hutong.relay.services.storage.rules.lifecycle import signed
from hutong.relay.services.storage.rules.objects.content import content_hash
from hutong.relay.services.storage.rules.objects.manifest import (
    Extent,
    Manifest,
    ManifestPack,
    PlacementPolicy,
    decode_manifest,
    encode_manifest,
    manifest_id,
)
from hutong.relay.services.storage.rules.objects.seal import ObjectKey, open_object, seal_object
from hutong.relay.services.storage.rules.packs.body import SectionKind, build_body, data_shards
from hutong.relay.services.storage.rules.packs.leaf_tree import outboard, shard_root
from hutong.relay.services.storage.rules.packs.mask import masked, pack_mask_key, shard_mask_key
from hutong.relay.services.storage.rules.packs.naming import pack_name
from hutong.relay.services.storage.rules.packs.shape import PackShape
from hutong.relay.services.storage.rules.records import batches, keys, members, parameters, rounds, values
from hutong.relay.services.storage.rules.records.audit_file import decode_audit_file, encode_audit_file
from tests.relay.services.storage.rules import spec_vectors
from tests.relay.services.storage.rules.held import HeldShard, Operator, named, octets

PACKS, SETS, AUDITS, STRUCTS, MANIFESTS = map(
    spec_vectors.on_page, ("storage-pack", "storage-sets", "storage-audits", "storage-lifecycle", "storage-manifest")
)


@pytest.mark.parametrize("name", spec_vectors.VECTORS)
def test_pages_have_what_their_script_prints(name):
    assert spec_vectors.on_page(name) == spec_vectors.VECTORS[name]()


@pytest.mark.parametrize("case", PACKS, ids=lambda case: f"{case['data']}+{case['parity']}")
def test_packs_are_built_masked_and_committed_to_as_on_the_page(case):
    sections = [(SectionKind(one["kind"]), octets(one["text"], one["length"])) for one in case["sections"]]
    index, body = build_body(case["data"], case["parity"], sections)
    assert (index.shape.height, sha256(body).hexdigest()) == (case["height"], case["body_sha256"])
    assert bytes(body).hex().endswith(case["tail"])
    name = pack_name(body)
    key = pack_mask_key(bytes.fromhex(case["repair_root"]), name)
    assert (name.hex(), key.hex()) == (case["name"], case["pack_mask_key"])
    plain = data_shards(index.shape, body)
    coded = [*plain, *CauchyCode(case["data"], case["parity"]).encode(plain)]
    shards = [masked(shard_mask_key(key, number), shard) for number, shard in enumerate(coded)]
    assert shard_mask_key(key, len(shards) - 1).hex() == case["shard_mask_key_of_last"]
    assert [sha256(shard).hexdigest() for shard in shards] == case["masked_sha256"]
    assert [shard_root(shard).hex() for shard in shards] == case["roots"]
    assert outboard(shards[-1]).hex() == case["outboard_of_last"]


def page_operator() -> Operator:
    batches = [
        [
            HeldShard(
                named(one["pack"]), one["shard"], octets(one["bytes"], 1_024 << one["height"]), one["retain_until"]
            )
            for one in batch
        ]
        for batch in SETS["batches"]
    ]
    return Operator("of the page", batches)


def page_set() -> OperatorSet:
    return OperatorSet(bytes.fromhex(SETS["set"]["root"]), SETS["set"]["size"], SETS["set"]["leaves"])


def test_entries_of_the_page_are_those_of_its_shards():
    for batch, entries in zip(SETS["batches"], page_operator().entries, strict=True):
        for one, entry in zip(batch, entries, strict=True):
            assert encode_shard_entry(entry).hex() == one["encoded"]
            assert decode_shard_entry(bytes.fromhex(one["encoded"])) == entry
    assert [decode_log_entry(bytes.fromhex(one)).batch for one in SETS["log"]] == [40, 41, 42]


def test_placed_entries_of_the_page_stand_in_its_set():
    for one in SETS["placed"]:
        encoded = bytes.fromhex(one["encoded"])
        placed = decode_placed(encoded, SETS["set"]["size"])
        assert encode_placed(placed) == encoded
        entry = judge_placed(VERIFY, page_set(), placed)
        assert encode_shard_entry(entry).hex() == SETS["batches"][one["batch"]][one["entry"]]["encoded"]


def test_the_seed_and_the_probes_of_the_page():
    hub, epoch = hub_id(AUDITS["chain_id"]), AUDITS["epoch"]
    assert hub.hex() == AUDITS["hub"]
    names, secrets = (list(map(bytes.fromhex, AUDITS[key])) for key in ("auditors", "secrets"))
    auditors = [
        Auditor(name, secret_commitment(hub, name, epoch, secret)) for name, secret in zip(names, secrets, strict=True)
    ]
    assert [auditor.commitment.hex() for auditor in auditors] == AUDITS["commitments"]
    shown = [None if number in AUDITS["withheld"] else secret for number, secret in enumerate(secrets)]
    seed = epoch_seed(hub, epoch, bytes.fromhex(AUDITS["header"]), auditors, shown)
    assert (seed.value.hex(), seed.reveals) == (AUDITS["seed"], 2)
    challenge = Challenge(seed.value, bytes.fromhex(AUDITS["operator"]), page_set(), 16)
    assert [probe_leaf(challenge, number) for number in range(16)] == AUDITS["probes"]
    octets_of_first = bytes.fromhex(AUDITS["answer_to_0"])
    (answer,) = decode_answers(octets_of_first, challenge.operator_set.size, 1)
    judge_answer(VERIFY, challenge, 0, answer, {})
    assert encode_answer(answer) == octets_of_first
    assert sha256(octets_of_first).hexdigest() == AUDITS["answers_sha256"][0]


def test_digests_of_the_page_are_those_of_the_structs():
    kinds = {
        kind.TYPE: kind
        for kind in (
            signed.ShardReceipt,
            signed.OperatorPart,
            signed.WriterBatch,
            signed.ProbeAnswers,
            signed.PackRemoval,
            signed.DeletionReceipt,
        )
    }
    assert set(kinds) == {case["type"] for case in STRUCTS}
    for case in STRUCTS:
        members = [bytes.fromhex(value) if isinstance(value, str) else value for value in case["members"]]
        kind = kinds[case["type"]]
        if kind is signed.OperatorPart:
            members = [*members[:4], BatchPart(*members[4:])]
        assert signed.signing_digest(kind(*members)).hex() == case["digest"]


@pytest.mark.parametrize("case", MANIFESTS["manifests"], ids=lambda case: str(case["size"]))
def test_manifests_of_the_page_have_their_bytes_and_ids(case):
    packs = tuple(
        ManifestPack(
            named(name), PackShape(*shape), tuple(named(f"{name} root {at}") for at in range(shape[0] + shape[1]))
        )
        for name, *shape in case["packs"]
    )
    extents = tuple(Extent(*one) for one in case["extents"])
    policy = PlacementPolicy(4, 4, 2)
    manifest = Manifest(case["size"], case["seal"] == 1, named("content"), packs, extents, case["retain"], policy)
    encoded = encode_manifest(manifest)
    assert encoded.hex() == case["encoded"] and str(manifest_id(encoded)) == case["id"]
    assert decode_manifest(encoded) == manifest


@pytest.mark.parametrize("case", MANIFESTS["sealed"], ids=lambda case: str(case["size"]))
def test_objects_are_sealed_as_on_the_page(case):
    key, content = bytes.fromhex(MANIFESTS["data_key"]), octets("sealed content", case["size"])
    sealed = seal_object(key, content)
    assert (len(sealed), sha256(sealed).hexdigest()) == (case["sealed_bytes"], case["sealed_sha256"])
    assert sealed[-16:].hex() == case["last_16"] and open_object(key, sealed) == content
    assert content_hash(content).hex() == case["plain_hash"]
    assert content_hash(content, ObjectKey(key).hash_key).hex() == case["content_hash"]


def test_records_of_the_page_have_their_keys_and_values():
    page = spec_vectors.on_page("storage-records")
    operator, pack = named("operator"), named("pack")
    kinds = {
        "set": (keys.set_key(operator, 7), values.decode_set_record, values.encode_set_record),
        "seed": (keys.seed_key(7), values.decode_seed_record, values.encode_seed_record),
        "verdict": (keys.verdict_key(operator, 7), values.decode_verdict_record, values.encode_verdict_record),
        "removal": (keys.removal_key(40, pack), values.decode_removal_record, values.encode_removal_record),
        "hold": (keys.hold_key(pack), values.decode_hold_record, values.encode_hold_record),
        "operator": (
            keys.operator_key(operator),
            members.decode_operator_record,
            members.encode_operator_record,
        ),
        "party": (keys.party_key(2, named("auditor")), members.decode_party_record, members.encode_party_record),
        "batch": (keys.batch_key(40), batches.decode_batch_record, batches.encode_batch_record),
        "secret": (keys.secret_key(7, named("auditor")), rounds.decode_secret_record, rounds.encode_secret_record),
        "clock": (keys.CLOCK_KEY, rounds.decode_clock_record, rounds.encode_clock_record),
        "answered": (keys.answered_key(operator), rounds.decode_answered_record, rounds.encode_answered_record),
        "ledger": (keys.ledger_key(operator), rounds.decode_ledger_record, rounds.encode_ledger_record),
        "parameters": (keys.PARAMETERS_KEY, parameters.decode_parameters, parameters.encode_parameters),
        "map": (keys.map_key(2), members.decode_map_record, members.encode_map_record),
        "log": (keys.log_key(operator), batches.decode_log_record, batches.encode_log_record),
    }
    cases = page["records"] + page["records_with_lists"]
    assert [case["record"] for case in cases] == list(kinds)
    for case in cases:
        key, decode, encode = kinds[case["record"]]
        assert key.hex() == case["key"]
        assert encode(decode(bytes.fromhex(case["value"]))).hex() == case["value"]
    file = decode_audit_file(bytes.fromhex(page["audit_file"]))
    assert (file.operator, file.epoch, file.first, file.count) == (operator, 7, 64, 2)
    assert (file.answers, file.signature, file.records) == (b"answers", bytes(range(65)), b"records")
    assert encode_audit_file(file).hex() == page["audit_file"]
