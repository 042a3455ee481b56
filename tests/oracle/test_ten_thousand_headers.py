"""Every header of a long hub run, validators coming and going: stock ibc-go in one pass beside our client and HubClient.

Three followers start at block 1: one takes every header, one every hundredth by bisection, and HubClient the latter's way.
"""

import os
from statistics import mean, median

import pytest

from hutong.adapters.evm.hub_client import constructor_arguments, encode_update
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.hashing import header_hash
from hutong.relay.evm.store.lmdb_store import LmdbStore
from tests.contracts.evm import Evm, Reverted
from tests.oracle.judges import BINARY, build_stock
from tests.oracle.running_stock import RunningStock
from tests.relay.hub.application.governance.validator_run import ValidatorRun
from tests.relay.hub.joining.header_follower import Follower, skipping_updates, update_of

pytestmark = pytest.mark.nodes

HEADERS = int(os.environ.get("HUTONG_ORACLE_HEADERS", "10000"))
SKIP = 100
SEED = 10_000
FIGURES = BINARY.with_name("headers.txt")


class SolidityFollower:
    """HubClient, deployed at block 1."""

    def __init__(self, follower: Follower, now_ns: int) -> None:
        self.evm = Evm(timestamp_s=now_ns // NANOSECONDS_PER_SECOND)
        state = codec.decode_consensus_state(follower.first_consensus_state)
        arguments = constructor_arguments(codec.decode_client_state(follower.first_client_state), state)
        self.contract = self.evm.deploy("HubClient", *arguments)

    def advance(self, update) -> str:
        message = encode_update(codec.decode_tendermint_header(update.message))
        with self.evm.at(update.now_ns // NANOSECONDS_PER_SECOND):
            try:
                return ("valid", "misbehaviour", "valid")[self.contract.transact("updateClient", message).value]
            except Reverted as error:
                assert error.name == "NotEnoughTrust", error
                return "invalid"


def milliseconds(took_ns: list[int]) -> str:
    return f"{mean(took_ns) / 1e6:.3f} ms mean, {median(took_ns) / 1e6:.3f} ms median"


def test_stock_code_accepts_every_header_of_a_long_run(tmp_path, capsys):
    build_stock()
    run = ValidatorRun(SEED, LmdbStore(tmp_path, sync=False))
    every, skipping = Follower(run.hub), Follower(run.hub)
    opened_ns = run.hub.ledger.tip.time_ns + NANOSECONDS_PER_SECOND
    solidity = SolidityFollower(every, opened_ns)
    ours: list[str] = ["valid", "valid"]
    by_solidity: list[tuple[str, str]] = []
    with RunningStock() as stock:
        stock.open("every", every, opened_ns)
        stock.open("skipping", skipping, opened_ns)
        for height in run.run(HEADERS):
            update = update_of(run.hub, height, height - 1)
            stock.advance("every", update)
            ours.append(every.advance(update))
            if height % SKIP == 0:
                for skip, verdict in skipping_updates(skipping, height):
                    stock.advance("skipping", skip)
                    ours.append(verdict)
                    by_solidity.append((solidity.advance(skip), verdict))
        verdicts = stock.verdicts()
    theirs = [verdict["verdict"] for verdict in verdicts]
    stepwise = [verdict for verdict in verdicts if verdict["id"].startswith("every ")][1:]
    stock_ns = [verdict["took_ns"] for verdict in stepwise]
    refused = [verdict for verdict in verdicts if verdict["verdict"] == "invalid"]
    figures = (
        f"headers: {run.summary()}\n"
        f"  every header: {len(stepwise)} accepted in one pass; time from bytes to verdict:"
        f" stock ibc-go {milliseconds(stock_ns)}; our client {milliseconds(every.took_ns)}\n"
        f"  skipping by {SKIP}: {len(by_solidity)} updates offered, {len(refused)} of them refused for too little trust"
        f" by all three; HubClient judged the same {len(by_solidity)}\n"
    )
    FIGURES.write_text(figures)
    with capsys.disabled():
        print("\n" + figures, end="")
    differing = [(verdict, mine) for verdict, mine in zip(verdicts, ours, strict=True) if verdict["verdict"] != mine]
    assert not differing, differing[:3]
    assert theirs.count("invalid") == len(refused)
    assert all("not enough trust" in verdict["error"].lower() or "trust" in verdict["error"] for verdict in refused)
    assert len(stepwise) == HEADERS - 1
    assert [verdict["verdict"] for verdict in stepwise] == ["valid"] * (HEADERS - 1)
    assert all(contract == mine for contract, mine in by_solidity)
    assert every.height == HEADERS
    assert skipping.height == HEADERS - HEADERS % SKIP
    assert run.joined > HEADERS // 200 < run.left + run.powers_changed
    assert header_hash(run.hub.ledger.records.block(HEADERS).block.header) == run.hub.ledger.tip.block_id.hash
