"""kill -9 of an operator's process at any instant: whatever it receipted is there, whole, and nothing half-made is shown.

HUTONG_STORAGE_KILLS says how many rounds; 500 by hand.
"""

import os
import random
import threading
import time

import httpx
import pytest

from hutong.light_clients.interface import VERIFY
from hutong.relay.services.storage.engines.directory import DirectoryEngine
from hutong.relay.services.storage.operator.index import ShardIndex
from hutong.relay.services.storage.operator.scrub import scrub_steps
from hutong.relay.services.storage.operator.shelf import Shelf
from hutong.relay.services.storage.rules.lifecycle.stored import judge_receipt
from hutong.relay.services.storage.rules.operator_api.documents import decode_receipt
from tests.relay.services.storage.operator.operator_process import ForkedOperator, OperatorProcess, write_home
from tests.relay.services.storage.operator.running import (
    IDENTITY,
    OPERATOR_KEY,
    WRITER,
    account_of,
    drawn_shard,
    path_of,
    token,
)

pytestmark = pytest.mark.long
ROUNDS = int(os.environ.get("HUTONG_STORAGE_KILLS", "6"))
SEED = os.environ.get("HUTONG_STORAGE_SEED", "11")
WRITERS = 4
LONGEST_S = 0.6


class Writing(threading.Thread):
    """Puts one shard after the other until the operator is gone; what was receipted is kept."""

    def __init__(self, url: str, name: str, bearer: str) -> None:
        super().__init__()
        self.url, self.label, self.bearer = url, name, bearer
        self.receipted = {}
        self.asked = 0
        self.has_receipt = threading.Event()

    def run(self) -> None:
        headers = {"authorization": f"Bearer {self.bearer}", "content-type": "application/octet-stream"}
        with httpx.Client(base_url=self.url, headers=headers, timeout=60) as client:
            while True:
                shard = drawn_shard(f"{self.label}.{self.asked}", shard=self.asked % 14, height=self.asked % 4)
                self.asked += 1
                entry = shard.entry_at(0)
                asked = f"{path_of(shard)}?height={entry.height}&root={entry.root.hex()}&retain_until=0"
                try:
                    answer = client.put(asked, content=shard.octets)
                except httpx.TransportError:
                    return
                assert answer.status_code in (200, 201), answer.text
                self.receipted[shard.pack, shard.shard] = (shard, decode_receipt(answer.content))
                self.has_receipt.set()


def token_of_now() -> str:
    return token(WRITER, not_after_s=int(time.time()) + 3_600)


def test_attack_S40_nothing_receipted_is_lost_by_kills(tmp_path):
    config = write_home(tmp_path)
    receipted = {}
    for number in range(ROUNDS):
        receipted |= killed_while_it_writes(ForkedOperator(config), number)
        if number % 10 == 9 or number == ROUNDS - 1:
            check_all(tmp_path, receipted)
    print(f"{ROUNDS} kills, {len(receipted)} receipts, 0 lost")
    operator = OperatorProcess(config)
    try:
        assert lost(operator.url, receipted) == 0
    finally:
        operator.stop()


def test_attack_S40_nothing_is_lost_where_the_engine_drops_what_it_had_not_synced(tmp_path):
    """Each kill is a loss of power of the engine too. The twin: believed when it answers, the engine has lost them."""
    for engine, is_lost in (("dropping", False), ("believed", True)):
        config = write_home(tmp_path / engine)
        receipted = {}
        for number in range(ROUNDS if engine == "dropping" else 1):
            receipted |= killed_while_it_writes(ForkedOperator(config, engine), number)
        operator = ForkedOperator(config, engine)
        try:
            count = lost(operator.url, receipted)
        finally:
            operator.kill()
        print(f"{engine}: {len(receipted)} receipts, {count} lost")
        assert (count > 0) is is_lost


def killed_while_it_writes(operator: ForkedOperator, number: int) -> dict:
    """What was receipted until a drawn instant, in which the process is killed."""
    drawn = random.Random(f"{SEED}.{number}")  # noqa: S311  of a test
    writers = [Writing(operator.url, f"{number}.{which}", token_of_now()) for which in range(WRITERS)]
    for writer in writers:
        writer.start()
    # After a first receipt: a kill before it would show nothing.
    assert writers[0].has_receipt.wait(120)
    operator.process.join(drawn.uniform(0.001, LONGEST_S))
    assert operator.process.is_alive()
    operator.kill()
    receipted = {}
    for writer in writers:
        writer.join(60)
        receipted |= writer.receipted
    return receipted


def check_all(home, receipted) -> None:
    """Every receipted shard is in the index as it was receipted, and whole on the disk; no other row is there without its bytes."""
    index, shelf = ShardIndex(home / "state"), Shelf(DirectoryEngine(home / "shards"))
    try:
        steps = list(scrub_steps(index, shelf, lambda: 0))
        assert [str(step.damage) for step in steps if step.damage is not None] == []
        found = {(step.held.key.pack, step.held.key.shard): step.held for step in steps}
        for place, (_, signed) in receipted.items():
            assert (found[place].signature, found[place].stored_at_s) == (signed.signature, signed.receipt.stored_at_s)
    finally:
        index.close()


def lost(url, receipted) -> int:
    """How many of the receipted shards are not served whole, under the receipt that was given."""
    operator, count = (IDENTITY.operator, account_of(OPERATOR_KEY)), 0
    with httpx.Client(base_url=url, headers={"authorization": f"Bearer {token_of_now()}"}, timeout=60) as client:
        for shard, signed in receipted.values():
            judge_receipt(VERIFY, signed.receipt, signed.signature, IDENTITY.hub, operator, shard.entry_at(0))
            state = client.get(path_of(shard)).json()
            answer = client.get(f"{path_of(shard)}/spans?first=0&count=1&outboard=0")
            is_whole = answer.content == shard.octets
            count += not (is_whole and state["receipt"]["signature"] == signed.signature.hex())
    return count
