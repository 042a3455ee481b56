"""A long run of a hub whose validators come, go, change their power and miss votes; everything real but sockets and clock."""

import random
from collections.abc import Iterator
from dataclasses import replace
from hashlib import sha256

from hutong.light_clients.interface import VerificationError
from hutong.relay.evm.store.database import KeyValueStore
from hutong.relay.hub.application import abi
from hutong.relay.hub.application.admin import action_hash, set_validator_action
from hutong.relay.hub.application.genesis import GenesisValidator
from hutong.relay.hub.application.modules import CLIENT_MANAGER_ADDRESS
from hutong.relay.hub.application.validators import changed_powers, read_powers
from hutong.relay.hub.consensus.votes import above_two_thirds
from hutong.relay.hub.home.home import validator_key
from tests.relay.hub.simulated_hub import ADMINS, DAPP, SimulatedHub, hub_genesis

POOL = tuple(validator_key(sha256(b"validator of the run %d" % number).digest()) for number in range(9))
GENESIS_POWERS = (30, 20, 20, 10)
MOST_POWER = 60
ACCOUNT = b"\x77" * 20


class ValidatorRun:
    """The same seed makes the same chain. `changes` is the share of blocks that change the set."""

    def __init__(self, seed: int, store: KeyValueStore | None = None, changes: float = 0.05) -> None:
        self.rng = random.Random(seed)
        self.changes = changes
        members = zip(POOL, GENESIS_POWERS, strict=False)
        self._genesis_powers = {key.public_key.data: power for key, power in zip(POOL, GENESIS_POWERS, strict=False)}
        validators = tuple(GenesisValidator(key.public_key, power) for key, power in members)
        self.hub = SimulatedHub(store, genesis=replace(hub_genesis(), validators=validators), validator_keys=POOL)
        self.joined = self.left = self.powers_changed = self.refused = self.transfers = self.missed_votes = 0

    def run(self, height: int) -> Iterator[int]:
        """Make blocks up to `height`, each yielded once it is applied."""
        while self.hub.height < height:
            self._miss_votes()
            raw: list[bytes] = []
            busy = self.rng.random()
            if busy < self.changes:
                raw = self._change_validators(self.rng.choice((1, 1, 1, 2, 3)))
            elif busy < self.changes + 0.005:
                raw = self._change_beyond_the_rules()
            elif busy < self.changes + 0.03:
                raw = [self.hub.raw(ACCOUNT, b"", DAPP, gas=21_000, value=1)]
                self.transfers += 1
            outcomes = self.hub.advance(*raw)
            if self.changes <= busy < self.changes + 0.005:
                assert outcomes[-1].reverted_with(abi.VERIFICATION_FAILED)
                self.refused += 1
            else:
                assert all(outcome.ok for outcome in outcomes)
            yield self.hub.height

    def powers(self) -> dict[bytes, int]:
        return read_powers(self.hub.view(), self._genesis_powers)

    def _miss_votes(self) -> None:
        """Some validators are absent or vote nil, as many as may be."""
        hub, validators = self.hub, self.hub.ledger.tip.validators
        hub.absent, hub.nil = set(), set()
        left = total = validators.total_voting_power
        for validator in self.rng.sample(validators.validators, len(validators.validators)):
            if self.rng.random() < 0.25 and above_two_thirds(left - validator.voting_power, total):
                left -= validator.voting_power
                self.rng.choice((hub.absent, hub.nil)).add(validator.address)
                self.missed_votes += 1

    def _change_validators(self, count: int) -> list[bytes]:
        """Transactions of one block that change so many validators, each within the rules."""
        before = self.powers()
        current, raw = before, []
        for _ in range(40):
            if len(raw) == 3 * count:
                break
            key = self.rng.choice(POOL).public_key.data
            power = 0 if self.rng.random() < 0.4 else self.rng.randint(1, MOST_POWER)
            try:
                changed = changed_powers(current, before, key, power)
            except VerificationError:
                continue
            if not 3 <= len(changed) < len(POOL) or power == current.get(key):
                continue
            self.left += power == 0
            self.joined += key not in current
            self.powers_changed += power > 0 and key in current
            current = changed
            raw += self._action(key, power)
        return raw

    def _change_beyond_the_rules(self) -> list[bytes]:
        """A newcomer with more than all power that there is."""
        newcomer = next(key.public_key.data for key in POOL if key.public_key.data not in self.powers())
        return self._action(newcomer, sum(self.powers().values()) + 1)

    def _action(self, key: bytes, power: int) -> list[bytes]:
        hub = self.hub
        action = set_validator_action(hub.next_salt(), key, power)
        hashed = action_hash(hub.genesis.chain_id, action)
        approvals = [hub.raw(CLIENT_MANAGER_ADDRESS, abi.APPROVE.call(hashed), a, gas=500_000) for a in ADMINS[:2]]
        return [*approvals, hub.raw(CLIENT_MANAGER_ADDRESS, abi.EXECUTE.call(action), ADMINS[0], gas=1_000_000)]

    def summary(self) -> str:
        return (
            f"{self.hub.height} blocks, {self.joined} validators joined, {self.left} left, {self.powers_changed} changed"
            f" their power, {self.refused} changes refused, {self.transfers} transfers, {self.missed_votes} votes missed"
        )
