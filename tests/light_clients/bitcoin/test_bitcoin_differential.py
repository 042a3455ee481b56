"""Against the second reading of Core's rules: equal verdicts on mutated runs and proofs, equal bits on every network.

python -m tests.light_clients.bitcoin.test_bitcoin_differential COUNT SEED      more mutations, and the rate per layer
"""

import sys
from collections import Counter
from dataclasses import replace
from random import Random

import pytest

from hutong.light_clients.bitcoin import (
    BitcoinClient,
    BlockHeader,
    Header,
    MembershipProof,
    Network,
    encode_header_message,
    encode_membership_proof,
    encode_message,
    message_for,
    parameters_of,
    state_after,
    state_from_ancestors,
)
from hutong.light_clients.bitcoin.types import Transaction, hash256
from hutong.light_clients.bitcoin.work import bits_of, required_bits, target_of
from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    Height,
    MalformedInput,
    PredicateFailed,
    Updated,
    VerificationError,
)
from tests.light_clients.bitcoin import reference_bitcoin as reference
from tests.light_clients.bitcoin.bitcoin_chain import DEPTH, PUBLISHER, SimulatedChain, mine, trusting

CLIENT = BitcoinClient()
KEY, VALUE = b"client-0\x01" + (1).to_bytes(8, "big"), bytes(range(1, 33))
TRUSTED, BELIEVED = 12, 14
MUTATIONS = 600
NETWORKS = {
    Network.MAINNET: reference.MAINNET,
    Network.TESTNET3: reference.TESTNET3,
    Network.TESTNET4: reference.TESTNET4,
    Network.REGTEST: reference.REGTEST,
}


@pytest.mark.parametrize("network", NETWORKS)
def test_bits_are_those_of_the_walk_back_over_the_whole_chain(network):
    """Two periods of blocks at any pace: what a state carries along is what Core finds by walking back."""
    parameters, rules = parameters_of(network), NETWORKS[network]
    random = Random(int(network))
    bits = bits_of(min(parameters.pow_limit, target_of(0x1C7FFFFF) if network is not Network.REGTEST else 1 << 255))
    genesis = BlockHeader(4, bytes(32), bytes(32), 1_400_000_000, bits, 0)
    state = state_from_ancestors((genesis,), 0, parameters)
    chain = [(genesis.time_s, genesis.bits)]
    for height in range(1, 2 * reference.INTERVAL + 5):
        pace = random.choice([1, 300, 600, 600, 1_199, 1_200, 1_201, 4_000, -200])
        time_s = max(state.median_time_past_s + 1, state.time_s + pace)
        expected = required_bits(state, time_s, parameters)
        if random.random() < 0.1 or height % reference.INTERVAL in (0, 1, reference.INTERVAL - 1):
            assert expected == reference.get_next_work_required(chain, time_s, rules), height
        header = BlockHeader(4, state.block_hash, bytes(32), time_s, expected, height)
        state = state_after(state, header, parameters)
        chain.append((time_s, expected))
    assert len({bits for _, bits in chain}) > 1 or network is Network.REGTEST


class World:
    """One chain with a message, and how to damage what is shown of it, structure first."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)
        self.chain = SimulatedChain()
        self.chain.publish((KEY, VALUE), (b"other", VALUE))
        self.chain.advance(4)
        self.raw = [block.header.encode() for block in self.chain.blocks]
        self.client, self.states = trusting(self.chain, TRUSTED)
        self.update = self.chain.update(BELIEVED, TRUSTED)
        self.proof = self.chain.membership_proof(KEY, BELIEVED)
        self.layers: Counter[str] = Counter()

    def changed_header(self, header: BlockHeader) -> BlockHeader:
        random = self.random
        field = random.choice(["version", "previous_block_hash", "merkle_root", "time_s", "bits", "nonce"])
        near = [self.chain.state(h).median_time_past_s + d for h in range(11, 15) for d in (-1, 0, 1)]
        value = {
            "version": lambda: random.choice([0, 1, 2, 3, 4, -1, -(2**31), random.getrandbits(31)]),
            "previous_block_hash": lambda: random.choice([bytes(32), random.randbytes(32)]),
            "merkle_root": lambda: random.randbytes(32),
            "time_s": lambda: random.choice([0, 2**32 - 1, *near, header.time_s + random.randint(-9_000, 9_000)]),
            "bits": lambda: random.choice([0, 0x207FFFFE, 0x2000FFFF, 0x2100FFFF, random.getrandbits(32)]),
            "nonce": lambda: random.getrandbits(32),
        }[field]()
        return replace(header, **{field: value})

    def mutated_update(self) -> bytes:
        random = self.random
        headers = list(self.update.headers)
        at = random.randrange(len(headers))
        kind = random.choice(["field", "field", "field", "drop", "repeat", "swap", "cut", "height", "bytes", "none"])
        update = self.update
        if kind == "field":
            headers[at] = self.changed_header(headers[at])
        elif kind == "drop":
            del headers[at]
        elif kind == "repeat":
            headers.insert(at, headers[at])
        elif kind == "swap":
            headers[at], headers[-1] = headers[-1], headers[at]
        elif kind == "cut":
            headers = headers[: at + 1]
        elif kind == "height":
            update = replace(update, height=Height(0, random.randrange(TRUSTED - 1, TRUSTED + 9)))
        if kind not in ("bytes", "height", "cut", "none") and random.random() < 0.7:
            for index in range(min(at, len(headers) - 1), len(headers)):  # so that only the rule at stake is broken
                previous = headers[index - 1].block_hash if index else self.chain.state(TRUSTED).block_hash
                if random.random() < 0.95:
                    headers[index] = replace(headers[index], previous_block_hash=previous)
                if 0 < self.target(headers[index]) and random.random() < 0.95:
                    headers[index] = mine(headers[index])
        data = encode_header_message(replace(update, headers=tuple(headers)))
        if kind == "bytes":
            cut = bytearray(data)
            cut[random.randrange(len(cut))] ^= 1 << random.randrange(8)
            data = bytes(cut)
        return data

    @staticmethod
    def target(header: BlockHeader) -> int:
        """0 where it cannot be mined in no time."""
        value, usable = reference.set_compact(header.bits)
        return value if usable and value >> 244 else 0

    def judge_update(self, now_s: int) -> None:
        data = self.mutated_update()
        try:
            verdict = CLIENT.verify_header(self.client, self.states, data, now_s * NANOSECONDS_PER_SECOND)
        except MalformedInput:
            self.layers["update: decoder"] += 1
            return
        except VerificationError as error:
            layer = error.predicate if isinstance(error, PredicateFailed) else type(error).__name__
            self.layers[f"update: {layer}"] += 1
            assert layer != "most_work"
            assert not self.reference_takes(data, now_s), (layer, data.hex())
            return
        assert isinstance(verdict, Updated)
        self.layers["update: believed"] += 1
        assert self.reference_takes(data, now_s), data.hex()

    def reference_takes(self, data: bytes, now_s: int) -> bool:
        from hutong.light_clients.bitcoin import decode_header_message

        update: Header = decode_header_message(data)
        trusted, height = update.trusted_height.revision_height, update.height.revision_height
        if trusted != TRUSTED or not trusted < height <= update.tip_height - DEPTH + 1:
            return False
        run = [header.encode() for header in update.headers]
        return reference.run_refused(self.raw[: TRUSTED + 1], run, reference.REGTEST, now_s) is None

    def changed_bytes(self, data: bytes) -> bytes:
        changed = bytearray(data)
        changed[self.random.randrange(len(changed))] ^= 1 << self.random.randrange(8)
        return bytes(changed)

    def mutated_proof(self) -> MembershipProof:
        random, proof = self.random, self.proof

        def transaction(item: Transaction) -> Transaction:
            other = random.choice([*self.chain.blocks[13].transactions, proof.funding, None])
            if other is not None:
                return other
            from hutong.light_clients.bitcoin import decode_transaction

            try:
                return decode_transaction(self.changed_bytes(item.serialized))
            except MalformedInput:
                return item

        def siblings(items: tuple[bytes, ...]) -> tuple[bytes, ...]:
            kept = list(items)
            at = random.randrange(len(kept))
            kind = random.choice(["bit", "drop", "more", "leaf", "swap"])
            if kind == "bit":
                kept[at] = self.changed_bytes(kept[at])
            elif kind == "drop":
                del kept[at]
            elif kind == "more":
                kept.insert(at, hash256(kept[at]))
            elif kind == "leaf":
                kept[at] = proof.transaction.txid
            else:
                kept.reverse()
            return tuple(kept)

        small = random.randrange(10)
        return random.choice(
            [
                lambda: replace(proof, headers=self.other_headers()),
                lambda: replace(proof, transaction=transaction(proof.transaction)),
                lambda: replace(proof, coinbase=transaction(proof.coinbase)),
                lambda: replace(proof, funding=transaction(proof.funding)),
                lambda: replace(proof, branch=replace(proof.branch, index=random.choice([small, 2**32 - 1]))),
                lambda: replace(proof, branch=replace(proof.branch, siblings=siblings(proof.branch.siblings))),
                lambda: replace(proof, coinbase_siblings=siblings(proof.coinbase_siblings)),
                lambda: replace(proof, output_index=small),
                lambda: replace(proof, input_index=small % 3),
                lambda: proof,
            ]
        )()

    def other_headers(self) -> tuple[BlockHeader, ...]:
        first = self.random.randrange(10, 16)
        last = self.random.randrange(first, 18)
        return tuple(block.header for block in self.chain.blocks[first : last + 1])

    def judge_proof(self) -> None:
        proof = self.mutated_proof()
        data = encode_membership_proof(proof)
        if self.random.random() < 0.1:
            data = self.changed_bytes(data)
        state = self.chain.consensus_state(BELIEVED)
        try:
            CLIENT.verify_membership(self.client, state, data, (KEY,), VALUE)
        except MalformedInput:
            self.layers["proof: decoder"] += 1
            return
        except VerificationError as error:
            layer = error.predicate if isinstance(error, PredicateFailed) else type(error).__name__
            self.layers[f"proof: {layer}"] += 1
            assert not self.reference_proves(data), (layer, data.hex())
            return
        self.layers["proof: believed"] += 1
        assert self.reference_proves(data), data.hex()

    def reference_proves(self, data: bytes) -> bool:
        from hutong.light_clients.bitcoin import decode_membership_proof

        proof = decode_membership_proof(data)
        return reference.proves(
            [header.encode() for header in proof.headers],
            self.chain.state(BELIEVED).block_hash,
            (proof.coinbase.serialized, proof.coinbase_siblings),
            (proof.transaction.serialized, proof.branch.index, proof.branch.siblings),
            (proof.funding.serialized, proof.input_index),
            proof.output_index,
            PUBLISHER,
            encode_message(message_for(KEY, VALUE)),
        )

    def run(self, count: int) -> None:
        now_s = self.chain.state(self.chain.height).time_s
        for _ in range(count // 2):
            self.judge_update(now_s)
            self.judge_proof()


def past_the_decoder(layers: Counter[str]) -> float:
    return 1 - sum(number for layer, number in layers.items() if "decoder" in layer) / layers.total()


def test_mutations_are_judged_alike():
    world = World(seed=7)
    world.run(MUTATIONS)
    assert world.layers.total() == MUTATIONS
    assert past_the_decoder(world.layers) > 0.5
    assert {"update: believed", "proof: believed"} <= world.layers.keys()
    assert len(world.layers) > 12, "mutations reach many rules"


if __name__ == "__main__":
    many = World(seed=int(sys.argv[2]))
    many.run(int(sys.argv[1]))
    for name, number in sorted(many.layers.items()):
        print(f"{name:40} {number:8} {number / many.layers.total():7.1%}")
    print(f"past the first decoder: {past_the_decoder(many.layers):.1%} of {many.layers.total()}")
