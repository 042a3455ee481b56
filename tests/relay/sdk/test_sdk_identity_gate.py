"""The SDK builds the very calls that the rules build, and contracts take them."""

import json
from dataclasses import replace
from random import Random

import pytest
from eth_account import Account

from hutong.adapters.evm.identity_cache import SYNC
from hutong.light_clients.ibc.abi import encode_abi
from hutong.relay.schemas.records import ReaderProof, ShownRecord
from hutong.relay.sdk import identity_gate
from hutong.relay.sdk.errors import InvalidArgument
from hutong.relay.sdk.identity_gate import (
    Gate,
    LogProof,
    acceptance,
    encode_sync,
    needed_records,
    read_seal_file,
    status_proof,
)
from hutong.relay.services.identity.rules.organisations.issued import Logged
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import GOVERNANCE, encode_accreditation_record
from hutong.relay.services.identity.rules.records.did_record import DidState, encode_did_record
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, encode_key_record
from hutong.relay.services.identity.rules.records.log_record import encode_log_entry
from hutong.relay.services.identity.rules.seals import encode_seal_file, seal_digest, sign_account
from hutong.relay.services.identity.rules.seals.acceptance import ACCEPTANCE_TUPLE, Shown, acceptance_members
from hutong.relay.services.identity.rules.seals.issuer_records import walk_records
from hutong.relay.services.identity.rules.seals.presentation import gated_call_hash, presentation_digest
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape, layers_of, prove_chunk
from tests.contracts.identity.gate_lane import (
    GOOD,
    ISSUER,
    MIDDLE,
    PRINT,
    QUERY,
    ROOT,
    SCHEMA,
    accreditation,
    did_record,
    key_record,
)
from tests.relay.services.identity.rules.seals.sample_seals import (
    CLAIMS,
    ENTRY,
    HOLDER_SECRET,
    PRESENTATION,
    SEALED,
    filled,
)

SHAPE = TreeShape(2, 1_024)
OCTETS = bytes(range(256))
OTHER = "0x" + "88" * 20
GATE = Gate(31_337, "0x" + "77" * 20, OTHER, "mint(ACCEPTANCE,address)", (OTHER,))
TERMS = (PRESENTATION.nonce, PRESENTATION.deadline_s)


def sign(digest):
    return Account.from_key(HOLDER_SECRET).unsafe_sign_hash(digest).signature


def test_a_call_is_the_one_that_the_rules_make():
    arguments = encode_abi(("address",), [filled(0x88, 20)])
    presentation = replace(PRESENTATION, call_hash=gated_call_hash(GATE.selector, arguments))
    signature = sign_account(HOLDER_SECRET, presentation_digest(presentation))
    chunk = prove_chunk(layers_of(SHAPE, OCTETS), SHAPE.chunk_of(SEALED.seal.index))
    file = read_seal_file(encode_seal_file(SEALED))
    assert file.digest == seal_digest(SEALED.seal)
    status = status_proof(OCTETS, SHAPE.bits, SEALED.seal.index)
    assert (status.chunk, status.siblings) == (chunk.chunk, chunk.siblings)
    logged = Logged(encode_log_entry(ENTRY), 3, (filled(1), filled(2)))
    log = LogProof(ENTRY.credential.key_thumbprint, ENTRY.credential.digest, 3, logged.aunts)
    for names in ((), tuple(claim.name for claim in CLAIMS), ("refills",)):
        for shown_log, told in ((logged, {"log": log}), (None, {})):
            members = acceptance_members(SEALED, Shown(names, chunk, shown_log), presentation, signature)
            wanted = GATE.selector + encode_abi((ACCEPTANCE_TUPLE, "address"), [members, OTHER])
            assert acceptance(file, GATE, names, status, TERMS, sign, **told) == wanted
    assert identity_gate.ACCEPTANCE == ACCEPTANCE_TUPLE


def test_a_synchronisation_is_the_one_that_the_adapter_makes():
    query = (filled(1), filled(2), filled(3), [0, 7])
    records = (ShownRecord("0x61", "0x31"), ShownRecord("0x62", None))
    shown = ReaderProof(
        hub="hub",
        chain="beta",
        client="client-0",
        height="1-42",
        time="2026-11-29T00:00:00Z",
        records=records,
        epochs=(),
        terminals="0x0203",
        siblings=("0x" + "04" * 32,),
    )
    fields = ((b"a", b"1"), (b"b", b"")), [1, 0, 1], (b"\x02\x03", [filled(4)]), (1, 42)
    assert encode_sync(query, ["0x62", "0x61", "0x62"], shown) == SYNC.encode(query, *fields)
    for needed in (["0x62"], ["0x61", "0x62", "0x63"]):
        with pytest.raises(InvalidArgument):
            encode_sync(query, needed, shown)
    with pytest.raises(InvalidArgument):
        encode_sync((b"", b"", b"", [2**64]), ["0x62", "0x61"], shown)


def test_the_records_that_are_needed_are_those_of_the_rules():
    """Of random records: keys, windows, states, chains that break or not."""
    random, lengths = Random(71), set()
    for _ in range(60):
        content = dict(GOOD)
        for one in random.sample((ISSUER, MIDDLE, ROOT), 2):
            above = random.choice((GOVERNANCE, ROOT, MIDDLE))
            window = random.choice(((0, 2**40), (0, 2**40), (0, 5)))
            parent = bytes(32) if above == GOVERNANCE else random.choice((SCHEMA, SCHEMA, b"\x45" * 32))
            said = accreditation(above, random.randrange(5), parent, window, random.choice((0, 0, 0, 9)))
            content[keys.accreditation_key(one, SCHEMA)] = encode_accreditation_record(said)
        state = random.choice((DidState.ACTIVE, DidState.ACTIVE, DidState.DEACTIVATED))
        content[keys.did_key(random.choice((ISSUER, MIDDLE)))] = encode_did_record(did_record(state))
        purpose = random.choice((KeyPurpose.CONTRACT, KeyPurpose.CONTRACT, KeyPurpose.SIGNING))
        end_s = random.choice((2**40, 2**40, 2))
        content[keys.key_key(ISSUER, PRINT)] = encode_key_record(key_record(purposes=purpose, end_s=end_s))
        for gone in random.sample(sorted(content), random.randrange(2)):
            del content[gone]

        def value_of(key, content=content):
            value = content.get(bytes.fromhex(key[2:]))
            return None if value is None else f"0x{value.hex()}"

        time_s = 1_700_000_000
        wanted, _ = walk_records(QUERY, time_s, content.get)
        query = (QUERY.issuer, QUERY.schema, QUERY.thumbprint, QUERY.lists)
        assert needed_records(query, time_s, value_of) == [f"0x{key.hex()}" for key in wanted]
        lengths.add(len(wanted))
    assert len(lengths) >= 4


def test_what_is_unusable_is_said():
    whole = json.loads(encode_seal_file(SEALED))
    file, status = read_seal_file(encode_seal_file(SEALED)), status_proof(OCTETS, 2, 0)
    for wrong in (
        lambda: read_seal_file(b"[]"),
        lambda: read_seal_file(b"\xff"),
        lambda: read_seal_file(b" " * 1_048_577),
        lambda: read_seal_file(json.dumps({**whole, "version": 2}).encode()),
        lambda: read_seal_file(json.dumps({**whole, "key": "0x00"}).encode()),
        lambda: read_seal_file(json.dumps({**whole, "seal": {}}).encode()),
        lambda: read_seal_file(json.dumps({**whole, "claims": [{"kind": "number"}]}).encode()),
        lambda: status_proof(bytes(33), 1, 0),
        lambda: status_proof(bytes(32), 3, 0),
        lambda: status_proof(bytes(32), 1, 256),
        lambda: acceptance(file, GATE, ["none"], status, TERMS, sign),
        lambda: acceptance(file, replace(GATE, address="0x1"), [], status, TERMS, sign),
        lambda: acceptance(file, replace(GATE, function="mint(address)"), [], status, TERMS, sign),
        lambda: acceptance(file, replace(GATE, arguments=(1, 2)), [], status, TERMS, sign),
        lambda: acceptance(file, GATE, [], status, (-1, 1), sign),
    ):
        with pytest.raises(InvalidArgument):
            wrong()
