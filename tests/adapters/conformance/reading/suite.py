"""What a record of a real chain has to do: be read on an EVM chain and offline, and be refused where one byte is another."""

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

import pytest

from hutong.adapters.evm.hub_reader import (
    Answer,
    Presence,
    ShownRecords,
    decode_answers,
    encode_read_many,
)
from hutong.adapters.evm.submit import header_to_abi
from hutong.adapters.hub.proven_records import proven_records, with_epochs
from hutong.adapters.ics26.abi import encode_update_client
from hutong.adapters.interface import RefusedByChain
from hutong.light_clients.interface import Height, ProvenStateRoot
from hutong.light_clients.records import Observation, TrustKind
from hutong.light_clients.records.multiproof import Claim
from hutong.light_clients.tendermint.codec import decode_consensus_state, decode_tendermint_header
from hutong.relay.archive.record_bundle import RecordBundle
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.records import Asked, RecordAuditor, RecordReport
from hutong.relay.audit.records.states import BelievedState
from hutong.relay.verify.bundles.inputs import read_checkpoint
from tests.adapters.conformance.reading.one_transaction import init_code
from tests.adapters.conformance.reading.read_lane import MAX_AGE_S, ReadLane, Watch
from tests.relay.cli.audit.without_network import in_its_own_process

REFUSALS = ("InvalidProof", "MalformedRecord", "EpochNotProven", "UnknownHeight")
LONG_WORD = re.compile(rb"[A-Za-z0-9+/=]{24,}")


@dataclass(frozen=True, slots=True)
class Bundles:
    """Files of `hutong prove`, each with its checkpoint, and what an auditor asks beside."""

    files: tuple[tuple[Path, Path], ...]
    min_trust: int


async def observed_and_read(lane: ReadLane) -> Bundles:
    """The relay observes; beta's reader reads; `hutong prove` writes what an auditor judges without all this."""
    observed = await lane.observed()
    check_records(lane, observed)
    await check_reads_on_an_evm_chain(lane, observed)
    records = (await lane.bundle_of_records(), lane.checkpoint("hub"))
    of_the_chain = (await lane.bundle_of_the_chain(), lane.checkpoint("alpha"))
    return Bundles((records, of_the_chain), lane.source.trust)


def check_records(lane: ReadLane, observed: dict[Watch, Observation]) -> None:
    """The hub's records say what the chain's own node says, and whose word it is."""
    for watch, record in observed.items():
        assert record.value == watch.value, watch.name
        assert record.epoch == 1
        if lane.source.trust == 255:
            assert record.trust.kind is TrustKind.PROVEN
        else:
            assert (record.trust.kind, record.trust.threshold) == (TrustKind.ATTESTED, lane.source.trust)


async def check_reads_on_an_evm_chain(lane: ReadLane, observed: dict[Watch, Observation]) -> None:
    """Cold: one mined transaction brings beta's client of the hub to a new header and reads under it. Then warm, tampered with."""
    header = await new_header(lane)
    shown = await show(lane, tuple(observed), header)
    router = bytes.fromhex(lane.beta.contracts.router[2:])
    cold = [
        (router, encode_update_client(lane.beta.client, header_to_abi(header.update))),
        (lane.reader, encode_read_many(shown, MAX_AGE_S, lane.source.trust)),
    ]
    receipt = await lane.beta.deployer.send(None, init_code(cold))
    assert receipt.contract_address is not None
    returned = await lane.beta.chain.execution.client.call(
        "eth_getCode", [f"0x{receipt.contract_address.hex()}", "latest"], lambda fields: fields.data(max_bytes=2**16)
    )
    said = decode_answers(returned)
    for watch, record in observed.items():
        answer = said[[one.key for one in shown.records].index(lane.source.key(watch))]
        assert_says(answer, watch, record)
    assert await read(lane, shown) == said, "warm: the client has that header now"
    if lane.source.trust != 255:
        with pytest.raises(RefusedByChain, match="TrustTooLow"):
            await read(lane, shown, 255)
    await check_tampering_on_the_evm_chain(lane, next(iter(observed)), header)


def assert_says(answer: Answer, watch: Watch, record: Observation) -> None:
    assert answer.presence is (Presence.ABSENT if watch.value is None else Presence.PRESENT), watch.name
    assert (answer.value or None, answer.source_height) == (watch.value, record.height), watch.name


@dataclass(frozen=True, slots=True)
class HubHeader:
    """One that beta's client of the hub does not have yet, its app hash, and the update that brings the client there."""

    height: Height
    root: bytes
    update: bytes


async def new_header(lane: ReadLane) -> HubHeader:
    info = await lane.beta.chain.client(lane.beta.client)
    target = lane.hub.proving_height((await lane.hub.head()).height - 1)
    (update,) = await lane.hub.client_messages(info.client_type, info.client_state, info.latest_height, target)
    return HubHeader(target, decode_tendermint_header(update).signed_header.header.app_hash, update)


async def show(lane: ReadLane, watches: tuple[Watch, ...], header: HubHeader) -> ShownRecords:
    keys = with_epochs([lane.source.key(watch) for watch in watches])
    claims, proof = await proven_records(lane.hub.execution, keys, header.height.revision_height, header.root)
    return ShownRecords.of(header.height, claims, proof)


async def read(lane: ReadLane, shown: ShownRecords, min_trust: int | None = None) -> tuple[Answer, ...]:
    """By `eth_call`, under a header that beta has."""
    asked = lane.source.trust if min_trust is None else min_trust
    data = encode_read_many(shown, MAX_AGE_S, asked)
    return decode_answers(await lane.beta.chain.execution.call(lane.reader, data))


async def check_tampering_on_the_evm_chain(lane: ReadLane, watch: Watch, header: HubHeader) -> None:
    """Every byte of one record and of its epoch; of the proof's hashes one byte each: `test_hub_reader` changes all of them in
    the same contract, and an `eth_call` for each would take minutes."""
    shown = await show(lane, (watch,), header)
    assert await read(lane, shown)
    count = 0
    for forged in tampered(shown):
        with pytest.raises(RefusedByChain) as caught:
            await read(lane, forged)
        assert any(name in str(caught.value) for name in REFUSALS), str(caught.value)
        count += 1
    assert count > 100


def tampered(shown: ShownRecords) -> Iterator[ShownRecords]:
    (record,), (epoch,) = shown.records, shown.epochs
    for value in each_byte(record.value):
        yield replace(shown, records=(Claim(record.key, value),))
    for key in each_byte(record.key):
        yield replace(shown, records=(Claim(key, record.value),))
    for value in each_byte(epoch.value):
        yield replace(shown, epochs=(Claim(epoch.key, value),))
    for terminals in each_byte(shown.proof.terminals):
        yield replace(shown, proof=replace(shown.proof, terminals=terminals))
    siblings = shown.proof.siblings
    for index, sibling in enumerate(siblings):
        other = list(each_byte(sibling))[index % len(sibling)]
        changed = (*siblings[:index], other, *siblings[index + 1 :])
        yield replace(shown, proof=replace(shown.proof, siblings=changed))
    for number in (-1, 1):
        yield replace(shown, height=replace(shown.height, revision_height=shown.height.revision_height + number))


def each_byte(data: bytes) -> Iterator[bytes]:
    """`data` with one bit of each byte changed, one after another."""
    for index in range(len(data)):
        yield data[:index] + bytes([data[index] ^ 0x01]) + data[index + 1 :]


def check_audited_offline(bundles: Bundles, word_step: int = 1) -> None:
    """The command holds what was shown, without a socket; and no file with one changed byte holds.

    Args:
        word_step: of the file of the chain itself every so manyth byte alone is changed within headers, proofs and hashes;
            all others always are, and every one of the hub's file.
    """
    for (file, checkpoint), step in zip(bundles.files, (1, word_step), strict=True):
        words = ("audit", "record", file, "--checkpoint", checkpoint, "--min-trust", bundles.min_trust)
        held = in_its_own_process(*words)
        assert held.returncode == 0, held.stdout + held.stderr
        assert "valid" in held.stdout
        check_every_byte_counts(file, checkpoint, bundles.min_trust, step)


def check_every_byte_counts(file: Path, checkpoint: Path, min_trust: int, word_step: int) -> None:
    """As the command judges, in one process, so that a file does not cost an interpreter's start."""
    data, trusted = file.read_bytes(), read_checkpoint(checkpoint)
    auditor = RecordAuditor(trusted, time.time_ns(), Asked(min_trust=min_trust))
    report = auditor.audit(data)
    assert report.is_valid, report.failure
    assert report.bundle is not None and len(report.bundle.statements) > 1
    within_words = {at for word in LONG_WORD.finditer(data) for at in range(*word.span()) if at % word_step}
    changed = [at for at in range(len(data)) if at not in within_words]
    for at in changed:
        other = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            judged = auditor.audit(other)
        except MissingTrust:
            continue  # the name of another chain
        if judged.is_valid:
            assert says_another_truth(report, judged), (at, other[max(0, at - 40) : at + 1])
    print(f"{file.name}: {len(data)} bytes, {len(changed)} of them changed, each refused")


def says_another_truth(true: RecordReport, read: RecordReport) -> bool:
    """The changed file was never made, and yet all that it says is so."""
    assert true.bundle is not None and read.bundle is not None
    return only_says_of_another_empty_place(true.bundle, read.bundle) or only_says_of_another_height(true, read)


def only_says_of_another_empty_place(true: RecordBundle, read: RecordBundle) -> bool:
    """Another true statement: the same path shows of another place, which is empty too, that it is."""
    differing = [(one, other) for one, other in zip(true.statements, read.statements, strict=True) if one != other]
    alike = replace(read, statements=true.statements) == true
    return alike and all(one.value is None and one == replace(other, what=one.what) for one, other in differing)


def only_says_of_another_height(true: RecordReport, read: RecordReport) -> bool:
    """Another true statement: a block that changed nothing has the state of the checkpoint's, whose height is named."""
    assert true.bundle is not None and read.bundle is not None and true.state is not None and read.state is not None
    alike = replace(read.bundle, height=true.bundle.height) == true.bundle
    return alike and state_root(true.state) == state_root(read.state)


def state_root(state: BelievedState) -> bytes | ProvenStateRoot | None:
    """Under which the statements were judged."""
    return state.root if state.store is None else decode_consensus_state(state.store.consensus_state).root
