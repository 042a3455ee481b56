"""What was decided for later blocks: the rules version from a height on, the last block of a revision, parameters."""

from collections.abc import Mapping
from typing import Protocol

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, Height, PredicateFailed
from hutong.light_clients.proofs.ics23 import SMT_SPEC
from hutong.light_clients.tendermint.hashing import validator_set_hash
from hutong.light_clients.tendermint.types import (
    ClientState,
    ConsensusState,
    TrustLevel,
    Validator,
    ValidatorSet,
    revision_of,
)
from hutong.light_clients.tendermint.upgrade import (
    SENTINEL_ROOT,
    UPGRADED_CLIENT,
    UPGRADED_CONSENSUS_STATE,
    committed_client,
    committed_consensus,
)
from hutong.relay.hub.application.clients import Store
from hutong.relay.hub.application.constitution import MAX_VOTING_PERIOD_S, MIN_VOTING_PERIOD_S
from hutong.relay.hub.application.revision.revision import next_chain_id
from hutong.relay.hub.application.validators import Powers, canonical_order
from hutong.relay.hub.state import keys

NOTICE_BLOCKS = 5
"""Between a decision and the block that it concerns: the header of the next block is fixed already."""
FARTHEST_BLOCKS = 100_000_000
MAX_RULES_VERSION = 2**31
UPGRADE_PATH = "upgrade"

BOUNDS: Mapping[str, tuple[int, int]] = {
    "block_interval_ms": (10, 5_000),
    "proof_block_delay_ms": (0, 5_000),
    "voting_period_s": (MIN_VOTING_PERIOD_S, MAX_VOTING_PERIOD_S),
}
"""Parameters that may change while the chain runs. Every other one is in what clients and headers were told."""


class Reader(Protocol):
    def get(self, key: bytes) -> bytes | None:
        """The value under a key, None where there is none."""

    def previous(self, key: bytes) -> tuple[bytes, bytes] | None:
        """The row with the greatest key below `key`, None where there is none."""


class Writer(Protocol):
    def set(self, key: bytes, value: bytes) -> None:
        """Write a value, which is not empty."""


def rules_version_at(store: Reader, height: int, at_first: int) -> int:
    """That of block `height`, which the state before it decides; `at_first` before the first change."""
    row = store.previous(keys.rules_key(height + 1))
    return int.from_bytes(row[1], "big") if row is not None and row[0].startswith(keys.RULES_PREFIX) else at_first


def last_height(store: Reader, base_height: int) -> int | None:
    """The last block of this revision, which began after `base_height`; None where its end is not decided."""
    raw = store.get(keys.HALT_KEY)
    end = 0 if raw is None else int.from_bytes(raw, "big")
    return end if end > base_height else None


def parameter(store: Reader, name: str, at_genesis: int) -> int:
    """One of BOUNDS as the state has it now; `at_genesis` where it was never changed. The name is not checked."""
    raw = store.get(keys.parameter_key(name))
    return at_genesis if raw is None else int.from_bytes(raw, "big")


def stand_in(chain_time_ns: int, powers: Powers) -> bytes:
    """The encoded consensus state that clients of the next revision trust first.

    It names the set that goes on, and the time (nanoseconds) of the block that this is written in; its root is a
    sentinel.
    """
    members = ValidatorSet.of(tuple(Validator.of(key, power) for key, power in canonical_order(powers)))
    return committed_consensus(ConsensusState(chain_time_ns, SENTINEL_ROOT, validator_set_hash(members)))


def write_stand_in(store: Writer, end: int, time_ns: int, powers: Powers) -> None:
    """Write `stand_in`, in the last block but one: the header of block `end`, the last one, commits to it."""
    store.set(keys.upgraded_key(end, UPGRADED_CONSENSUS_STATE), stand_in(time_ns, powers))


class Schedule:
    """Decisions about later blocks, over the state of the block `height`, which has rules of `rules_version`."""

    def __init__(
        self,
        store: Store,
        height: int,
        chain_id: str,
        unbonding_period_s: int,
        rules_version: int,
        base_height: int,
    ) -> None:
        self._store = store
        self._height = height
        self._chain_id = chain_id
        self._unbonding_period_s = unbonding_period_s
        self._rules_version = rules_version
        self._base_height = base_height

    def last_height(self) -> int | None:
        """The last block of this revision, None where its end is not decided."""
        return last_height(self._store, self._base_height)

    def planned_rules(self) -> tuple[int, int] | None:
        """(version, height) of the change that is still to come, of which there is at most one; None for none."""
        row = self._store.next(keys.rules_key(self._height))
        if row is None or not row[0].startswith(keys.RULES_PREFIX):
            return None
        return int.from_bytes(row[1], "big"), int.from_bytes(row[0][len(keys.RULES_PREFIX) :], "big")

    def schedule_rules(self, version: int, height: int) -> None:
        """Let the rules of `version` hold from block `height` on; height 0 withdraws what is planned.

        Whether any node has these rules is not checked: one that lacks them halts before that block.

        Raises:
            PredicateFailed: `upgrade_planned`, `one_upgrade_planned`, `rules_version_increases`, `notice`.
        """
        planned = self.planned_rules()
        if height == 0:
            if planned is None or planned[1] <= self._height + 1:
                raise PredicateFailed("upgrade_planned", "no change of rules can be withdrawn", got=planned)
            self._store.delete(keys.rules_key(planned[1]))
            return
        if planned is not None:
            raise PredicateFailed("one_upgrade_planned", "another change of rules is scheduled", got=planned)
        present = rules_version_at(self._store, self._height, self._rules_version)
        if not present < version <= MAX_RULES_VERSION:
            raise PredicateFailed("rules_version_increases", "rules version", got=version, expected=f"> {present}")
        self._check_notice(height)
        self._store.set(keys.rules_key(height), version.to_bytes(4, "big"))

    def end_revision(self, height: int) -> None:
        """Decide the last block, and commit to what clients of this hub follow it into; height 0 withdraws.

        Raises:
            PredicateFailed: `end_planned`, `one_end_planned`, `notice`, `set_fixed_at_end`.
        """
        planned = self.last_height()
        if height == 0:
            if planned is None:
                raise PredicateFailed("end_planned", "no end of the revision is scheduled")
            self.require_set_open()
            self._store.delete(keys.HALT_KEY)
            self._store.delete(keys.upgraded_key(planned, UPGRADED_CLIENT))
            return
        if planned is not None:
            raise PredicateFailed("one_end_planned", "the revision's end is scheduled", got=planned)
        self._check_notice(height)
        self._store.set(keys.HALT_KEY, height.to_bytes(8, "big"))
        self._store.set(keys.upgraded_key(height, UPGRADED_CLIENT), committed_client(self._next_client(height)))

    def require_set_open(self) -> None:
        """The set of the last blocks is that of the next revision's first ones, so it may not change under them.

        Raises:
            PredicateFailed: `set_fixed_at_end`, from the last block but one on.
        """
        end = self.last_height()
        if end is not None and self._height >= end - 1:
            raise PredicateFailed(
                "set_fixed_at_end", "the set and the end stay as they are until the next revision", got=self._height
            )

    def set_parameter(self, name: str, value: int, block_interval_ms: int, proof_block_delay_ms: int) -> None:
        """Set one of BOUNDS. The two intervals are those of genesis, for what the state does not hold.

        Raises:
            PredicateFailed: `parameter_may_change`, `parameter_in_bounds`, `proof_block_within_interval`.
        """
        bounds = BOUNDS.get(name)
        if bounds is None:
            raise PredicateFailed("parameter_may_change", "fixed by genesis, or unknown", got=name)
        low, high = bounds
        if not low <= value <= high:
            raise PredicateFailed("parameter_in_bounds", name, got=value, expected=f"{low} to {high}")
        intervals = {
            "block_interval_ms": parameter(self._store, "block_interval_ms", block_interval_ms),
            "proof_block_delay_ms": parameter(self._store, "proof_block_delay_ms", proof_block_delay_ms),
            name: value,
        }
        if intervals["proof_block_delay_ms"] > intervals["block_interval_ms"]:
            raise PredicateFailed(
                "proof_block_within_interval",
                "the proof block may not come after the next one",
                got=intervals["proof_block_delay_ms"],
                expected=f"<= {intervals['block_interval_ms']}",
            )
        self._store.set(keys.parameter_key(name), value.to_bytes(8, "big"))

    def _check_notice(self, height: int) -> None:
        earliest, latest = self._height + NOTICE_BLOCKS, self._height + FARTHEST_BLOCKS
        if not earliest <= height <= latest:
            raise PredicateFailed("notice", "height", got=height, expected=f"{earliest} to {latest}")

    def _next_client(self, height: int) -> ClientState:
        chain_id = next_chain_id(self._chain_id)
        return ClientState(
            chain_id=chain_id,
            trust_level=TrustLevel(0, 0),
            trusting_period_ns=0,
            unbonding_period_ns=self._unbonding_period_s * NANOSECONDS_PER_SECOND,
            max_clock_drift_ns=0,
            frozen_height=Height(0, 0),
            latest_height=Height(revision_of(chain_id), height + 1),
            proof_specs=(SMT_SPEC,),
            upgrade_path=(UPGRADE_PATH,),
        )
