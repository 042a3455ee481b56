"""Stock code judges the hub's own output: whole blocks with every hash, updates between any heights, proofs of its state."""

import json
import subprocess

import pytest

from hutong.light_clients.ibc.commitment import acknowledgement_key, commitment_key, receipt_key
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint.codec import (
    encode_client_state,
    encode_consensus_state,
    encode_tendermint_header,
)
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.relay.hub.consensus.blocks import encode_block
from tests.oracle.case import Case
from tests.oracle.judges import BINARY, RUN_LIMIT_S, SolidityJudge, build_stock, python_verdict, stock_verdicts
from tests.relay.hub.simulated_hub import RemoteChain, SimulatedHub, sent_packet

pytestmark = pytest.mark.nodes


@pytest.fixture(scope="module")
def lane():
    """A hub that has forwarded one message and settled it, and then idled; with the packets of both legs."""
    build_stock()
    hub = SimulatedHub()
    alpha, beta = RemoteChain(hub, salt=1), RemoteChain(hub, salt=2)
    first = alpha.send_forward(beta.client)
    outcome = alpha.deliver(first)
    assert outcome.ok
    second = sent_packet(outcome)
    assert beta.answer(second).ok
    waiting = sent_packet(alpha.deliver(alpha.send_forward(beta.client)))
    for _ in range(5):
        hub.advance()
    return hub, first, second, waiting


def test_stock_code_accepts_every_block_and_finds_every_hash(lane):
    hub, *_ = lane
    records = hub.ledger.records
    heights = range(1, hub.height + 1)
    lines = "".join(
        json.dumps(
            {"id": str(height), "kind": "block_hashes", "message": encode_block(records.block(height).block).hex()}
        )
        + "\n"
        for height in heights
    )
    result = subprocess.run([str(BINARY)], input=lines, capture_output=True, text=True, check=True, timeout=RUN_LIMIT_S)
    verdicts = [json.loads(line) for line in result.stdout.splitlines()]
    assert len(verdicts) == hub.height > 10
    for height, verdict in zip(heights, verdicts, strict=True):
        block, commit = records.block(height).block, records.commit(height)
        part_set_hash = commit.block_id.part_set_header.hash
        assert verdict["verdict"] == "valid", verdict
        assert verdict["value"] == (header_hash(block.header) + part_set_hash).hex()


def update_case(hub: SimulatedHub, height: int, trusted: int) -> Case:
    return Case(
        "hub",
        f"update {trusted} to {height}",
        "header",
        (hub.time_s + 2) * NANOSECONDS_PER_SECOND,
        encode_client_state(hub.client_state(trusted)),
        ((hub.client_state(trusted).latest_height, encode_consensus_state(hub.consensus_state(trusted))),),
        encode_tendermint_header(hub.tendermint_header(height, trusted)),
        expected="valid",
    )


def proof_case(hub: SimulatedHub, name: str, key: bytes, height: int) -> Case:
    """A proof of the state after `height`, under the header above it."""
    answer = hub.application.query("/key", key, height, prove=True)
    assert answer.code == 0, answer.log
    value, proof, trusted = answer.value or None, answer.proof, answer.height
    latest = hub.client_state(trusted).latest_height
    return Case(
        "hub",
        f"{name} at {height}",
        "non_membership" if value is None else "membership",
        (hub.time_s + 2) * NANOSECONDS_PER_SECOND,
        encode_client_state(hub.client_state(trusted)),
        ((latest, encode_consensus_state(hub.consensus_state(trusted))),),
        proof,
        latest,
        (key,),
        value or b"",
        "valid",
    )


def test_three_judges_accept_the_hubs_updates_and_proofs(lane, capsys):
    hub, first, second, waiting = lane
    top = hub.height
    cases = [update_case(hub, height, height - 1) for height in range(2, top + 1)]
    cases += [update_case(hub, top, trusted) for trusted in range(1, top - 1)]
    keys = {
        "commitment": commitment_key(waiting),
        "receipt": receipt_key(first),
        "acknowledgement": acknowledgement_key(first),
        "genesis": b"hub/genesis",
        "EVM state root": b"evm/stateRoot",
        "settled commitment": commitment_key(second),
        "never": b"bft-evm-9\x01" + bytes(8),
    }
    cases += [proof_case(hub, name, key, height) for name, key in keys.items() for height in (1, top // 2, top - 1)]
    stock = stock_verdicts(cases)
    solidity = SolidityJudge()
    wrong = []
    for case, verdict in zip(cases, stock, strict=True):
        verdicts = (verdict["verdict"], python_verdict(case)[0], solidity.verdict(case)[0])
        if verdicts != ("valid",) * 3:
            wrong.append((case.id, verdicts, verdict.get("error"), python_verdict(case)[1], solidity.verdict(case)[1]))
    kinds = [case.kind for case in cases]
    with capsys.disabled():
        print(f"\nhub: {top} blocks, " + ", ".join(f"{kind} {kinds.count(kind)}" for kind in dict.fromkeys(kinds)))
    assert not wrong
    assert kinds.count("non_membership") > 3 < kinds.count("membership")
