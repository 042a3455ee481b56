"""An operator that holds no bytes, and answers probes out of ten peers' leaves: it fails with the mask, and passes without it.

It keeps its hash trees, so that each path it shows is right. Exits with 1 where it passes under the mask, or fails without.
"""

import argparse
from random import Random

from rich.console import Console

from hutong.light_clients.crypto.erasure import CauchyCode
from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.relay.services.storage.rules.audits.answers import LeafAnswer
from hutong.relay.services.storage.rules.audits.judging import judge_answers
from hutong.relay.services.storage.rules.packs.mask import masked, pack_mask_key, shard_mask_key
from hutong.relay.services.storage.rules.packs.shape import LEAF_BYTES
from tests.relay.services.storage.rules.held import HeldShard, Operator, named, octets

DATA, PARITY, HEIGHT = 10, 4, 4


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--epochs", type=int, default=100)
    parser.add_argument("--packs", type=int, default=8)
    parser.add_argument("--probes", type=int, default=64)
    parser.add_argument("--shard", type=int, default=3, help="of each pack, that the operator should hold")
    parser.add_argument("--seed", type=int, default=9)


class FreeLoader:
    """Fourteen operators with a shard of each pack; number `shard` of them dropped its own."""

    def __init__(self, packs: int, shard: int, *, mask: bool) -> None:
        self.shard = shard
        self.code = CauchyCode(DATA, PARITY)
        self.stored = {named(f"loaded {number}"): self._pack(number, mask=mask) for number in range(packs)}
        held = [HeldShard(pack, shard, shards[shard]) for pack, shards in self.stored.items()]
        self.operator = Operator("free-loader", [held[at : at + 3] for at in range(0, len(held), 3)])

    def _pack(self, number: int, *, mask: bool) -> list[bytes]:
        data = [octets(f"loaded {number}.{at}", LEAF_BYTES << HEIGHT) for at in range(DATA)]
        coded = [*data, *map(bytes, self.code.encode(data))]
        key = pack_mask_key(named("repair root"), named(f"loaded {number}"))
        return [masked(shard_mask_key(key, at), one) for at, one in enumerate(coded)] if mask else coded

    def answer(self, honest: LeafAnswer) -> LeafAnswer:
        """The entry and path that it kept, with the leaf that ten peers' leaves at the same place give."""
        shards, at = self.stored[honest.placed.entry.pack], honest.leaf_index * LEAF_BYTES
        peers = [number for number in range(DATA + PARITY) if number != self.shard][:DATA]
        leaves = {number: shards[number][at : at + LEAF_BYTES] for number in peers}
        leaf = bytes(self.code.rebuild(leaves, (self.shard,))[0])
        return LeafAnswer(honest.placed, honest.leaf_index, leaf, honest.leaf_path)

    def passes(self, seed: bytes, probes: int) -> bool:
        """Whether all its answers of an epoch hold."""
        challenge = self.operator.challenge(seed, probes)
        answers = [self.answer(self.operator.answer(challenge, number)) for number in range(probes)]
        try:
            judge_answers(VERIFY, challenge, 0, answers, {})
        except PredicateFailed:
            return False
        return True


def main(console: Console, arguments: argparse.Namespace) -> None:
    """How many epochs it passes, with and without."""
    random, epochs, passed = Random(arguments.seed), arguments.epochs, {}
    for mask in (True, False):
        loader = FreeLoader(arguments.packs, arguments.shard, mask=mask)
        passed[mask] = sum(loader.passes(random.randbytes(32), arguments.probes) for _ in range(epochs))
        said = "masked after coding" if mask else "coded last, without the mask"
        console.print(f"{said}: the free-loader passes {passed[mask]} of {epochs} audits of {arguments.probes} probes")
    if passed[True] or passed[False] != epochs:
        raise SystemExit(1)
