"""Random histories of organisations against a model that knows no code of the module: Hypothesis, rule by rule.

The model says of each step whether it is refused and what the records say after it. What must hold of every history at every
step: a key's end never lets more pass than it did, bits and epochs never fall, a chain of accreditations holds exactly where
the model's tree says so, and what one account cannot do leaves the state as it was.
"""

from dataclasses import dataclass, field

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from hutong.light_clients.interface import VerificationError
from hutong.light_clients.proofs.merkle.consistency import prove_consistency
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.evm.store.database import MemoryStore
from hutong.relay.hub.application.identity import accreditations, controlling, issuing, key_changes, registering
from hutong.relay.hub.application.identity.approving import Approval, require_approval
from hutong.relay.hub.application.identity.governing import accredit_root
from hutong.relay.hub.application.identity.registry import Registry
from hutong.relay.hub.application.refusal import Refusal
from hutong.relay.hub.state import GENESIS_KEY, VersionedState
from hutong.relay.services.identity.rules.organisations.controlling import (
    policy_was_committed_to,
    who_decides_on_a_change,
)
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records import keys
from hutong.relay.services.identity.rules.records.accreditation_record import Grant
from hutong.relay.services.identity.rules.records.did_record import Document, Moment
from hutong.relay.services.identity.rules.records.epoch_record import decode_epoch_record
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyState, KeyUse
from hutong.relay.services.identity.rules.records.list_record import ListBinding
from hutong.relay.services.identity.rules.records.policy_record import Controllers, Guardians, PolicyRecord
from hutong.relay.services.identity.rules.records.policy_record import policy_commitment as commitment
from hutong.relay.services.identity.rules.status.chunk_tree import TreeShape
from hutong.relay.services.identity.rules.status.chunk_update import prove_update
from tests.relay.hub.application.identity.organisations import SCHEMA, named, public_key
from tests.relay.hub.simulated_hub import address_of

START_S, DELAY_S = 1_700_000_000, 3_600
PEOPLE = [named(f"person {number}") for number in range(6)]
ACCOUNTS = [address_of(one) for one in PEOPLE]
KEYS = [public_key(named(f"signing {number}")) for number in range(8)]
PRINTS = [thumbprint(key) for key in KEYS]
SALT = b"\x05" * 32
SHAPE = TreeShape(1, 256)
NAMES = range(3)
SENDERS = st.one_of(st.none(), st.none(), st.none(), st.integers(0, 5))
"""Mostly None: whoever may. Otherwise one of the people, who may or may not."""


@dataclass
class Known:
    """What the model knows of one organisation."""

    controller: int
    following: int | None
    """Who was committed to as the next controller."""
    guardian: int
    sequence: int = 0
    keys: dict[int, tuple[str, int | None]] = field(default_factory=dict)
    """By number: state, and how many log entries pass under it where it has ended."""
    added_s: dict[int, int] = field(default_factory=dict)
    declared_s: dict[int, int] = field(default_factory=dict)
    lists: list[tuple[int, bool, set[int]]] = field(default_factory=list)
    """Key, sealed, set bits."""
    log: list[tuple[int, bytes]] = field(default_factory=list)
    """(second, entry)."""
    recovery: tuple[int, int] | None = None
    """(who, from when)."""
    accredited: tuple[int | None, int, bool] | None = None
    """(accreditor, None for governance; depth; revoked)."""


class Histories(RuleBasedStateMachine):
    """Three organisations, one schema, time that goes on."""

    def __init__(self) -> None:
        super().__init__()
        state = VersionedState(MemoryStore())
        self.view = state.view_at(0)
        self.view.set(GENESIS_KEY, b"\x01")
        self.now = Moment(1, START_S)
        self.known: dict[int, Known] = {}
        self.epochs: dict[int, int] = {}
        self.passing: dict[tuple[int, int], int] = {}

    # --- plumbing

    @property
    def registry(self) -> Registry:
        return Registry(self.view, self.now)

    def did(self, name: int) -> bytes:
        return keys.did_id("hutong", ACCOUNTS[name], SALT)

    def attempt(self, expected: bool, act) -> bool:
        """Do it as a call does: as a whole or not at all."""
        mark = self.view.snapshot()
        try:
            act(self.registry)
        except (VerificationError, Refusal) as error:
            self.view.revert(mark)
            assert not expected, error
            return False
        self.view.commit(mark)
        assert expected
        return True

    def decide(self, name: int, sender: int | None, expected: bool, act) -> bool:
        """An approved call by one account."""
        known, did = self.known[name], self.did(name)
        sender = known.controller if sender is None else sender

        def run(registry: Registry) -> None:
            controllers = registry.policy(did).controllers
            approval = Approval(did, known.sequence, (), ACCOUNTS[sender], bytes(32))
            require_approval(registry, "hutong", approval, (controllers.threshold, controllers.accounts))
            act(registry)

        done = self.attempt(expected and sender == known.controller, run)
        known.sequence += done
        return done

    def policy(self, controller: int, following: int | None, guardian: int) -> PolicyRecord:
        next_policy = bytes(32) if following is None else commitment(1, (ACCOUNTS[following],), SALT)
        return PolicyRecord(
            Controllers(1, (ACCOUNTS[controller],), next_policy), Guardians(1, (ACCOUNTS[guardian],), DELAY_S)
        )

    def holds(self, name: int) -> bool:
        """Whether the model's tree accredits a name now."""
        above: int | None = None
        while True:
            known = self.known.get(name)
            accredited = None if known is None else known.accredited
            if accredited is None or accredited[2] or (above is not None and above >= accredited[1]):
                return False
            if accredited[0] is None:
                return True
            above, name = accredited[1], accredited[0]

    # --- what may happen

    @initialize(
        following=st.lists(st.sampled_from([None, 4, 5]), min_size=3, max_size=3),
        guardians=st.lists(st.sampled_from([3, 4]), min_size=3, max_size=3),
    )
    def everybody_registers(self, following, guardians) -> None:
        for name in NAMES:
            known = Known(name, following[name], guardians[name])
            policy = self.policy(name, following[name], guardians[name])
            registering.register(self.registry, self.did(name), policy, Document(), ())
            self.known[name] = known
            self.a_key_is_added(name=name, sender=None, number=0)
        self.governance_says_who_is_a_root(name=0, depth=4, revoked=False)
        self.one_accredits_another(name=0, sender=None, to=1, depth=2)
        self.one_accredits_another(name=1, sender=None, to=2, depth=1)
        for name in NAMES:
            self.a_list_is_opened(name=name, number=0)

    @rule(seconds=st.sampled_from([0, 1, 1, 60, DELAY_S]))
    def time_goes_on(self, seconds) -> None:
        self.now = Moment(self.now.height + 1, self.now.time_s + seconds)

    @rule(name=st.sampled_from(NAMES), sender=SENDERS, number=st.integers(0, 2))
    def a_key_is_added(self, name, sender, number) -> None:
        known = self.known[name]
        use = KeyUse(KeyPurpose.SIGNING, 0)
        done = self.decide(
            name,
            sender,
            number not in known.keys,
            lambda registry: key_changes.add_key(registry, self.did(name), (KEYS[number], use)),
        )
        if done:
            known.keys[number], known.added_s[number] = ("active", None), self.now.time_s

    @rule(name=st.sampled_from(NAMES), sender=SENDERS, number=st.integers(0, 2))
    def a_key_is_retired(self, name, sender, number) -> None:
        known = self.known[name]
        may = known.keys.get(number, ("", None))[0] == "active"
        if self.decide(
            name, sender, may, lambda registry: key_changes.retire_key(registry, self.did(name), PRINTS[number])
        ):
            self.ended(known, number, "retired", len(known.log))

    @rule(
        name=st.sampled_from(NAMES),
        sender=SENDERS,
        number=st.integers(0, 2),
        back_s=st.sampled_from([-1, 0, 1, 60, 61, DELAY_S]),
    )
    def a_key_is_compromised(self, name, sender, number, back_s) -> None:
        known, from_s = self.known[name], self.now.time_s - back_s
        state = known.keys.get(number, ("", None))[0]
        may = state != "" and known.added_s[number] <= from_s <= self.now.time_s
        may = may and (state != "compromised" or from_s < known.declared_s[number])
        if self.decide(
            name,
            sender,
            may,
            lambda registry: key_changes.compromise_key(registry, self.did(name), PRINTS[number], from_s),
        ):
            passing = sum(second < from_s for second, _ in known.log)
            earlier = known.keys[number][1]
            self.ended(known, number, "compromised", passing if earlier is None else min(passing, earlier))
            known.declared_s[number] = from_s

    def ended(self, known: Known, number: int, state: str, passing: int) -> None:
        known.keys[number] = (state, passing)
        known.lists = [(key, sealed or key == number, bits) for key, sealed, bits in known.lists]

    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 2))
    def a_list_is_opened(self, name, number) -> None:
        known = self.known[name]
        may = self.holds(name) and known.keys.get(number, ("", None))[0] == "active"
        if self.attempt(
            may,
            lambda registry: issuing.open_list(registry, self.did(name), ListBinding(PRINTS[number], SCHEMA), SHAPE),
        ):
            known.lists.append((number, False, set()))

    @precondition(lambda self: any(known.lists for known in self.known.values()))
    @rule(name=st.sampled_from(NAMES), number=st.integers(0, 2), index=st.integers(0, 255))
    def a_bit_rises(self, name, number, index) -> None:
        known = self.known[name]
        if number >= len(known.lists):
            return
        bits = known.lists[number][2]
        octets = octets_of(bits)
        update = prove_update(SHAPE, octets, {0: octets_of(bits | {index})})
        if self.attempt(
            index not in bits,
            lambda registry: issuing.update_list(registry, (self.did(name), number), update, bytes(32)),
        ):
            bits.add(index)

    @precondition(lambda self: any(known.lists for known in self.known.values()))
    @rule(name=st.sampled_from(NAMES), entries=st.integers(1, 3), forged=st.booleans())
    def something_is_logged(self, name, entries, forged) -> None:
        known = self.known[name]
        before = [leaf_hash(entry) for _, entry in known.log]
        added = [b"%d %d" % (len(known.log) + n, name) for n in range(entries)]
        leaves = [*before, *map(leaf_hash, added)]
        nodes = prove_consistency(leaves, len(before)).nodes
        root = bytes(32) if forged and before else root_of_leaves(leaves)
        may = bool(known.lists) and not (forged and before)
        if self.attempt(may, lambda registry: issuing.append_log(registry, self.did(name), len(leaves), root, nodes)):
            known.log += [(self.now.time_s, entry) for entry in added]

    @rule(name=st.sampled_from(NAMES), depth=st.integers(0, 4), revoked=st.booleans())
    def governance_says_who_is_a_root(self, name, depth, revoked) -> None:
        known = self.known[name]
        window = (0, 0) if revoked else (0, 2**40)
        may = not revoked or known.accredited is not None
        if self.attempt(may, lambda registry: accredit_root(registry, (self.did(name), SCHEMA), depth, window)):
            if not revoked:
                known.accredited = (None, depth, False)
            elif known.accredited is not None and known.accredited[2]:
                known.accredited = None
            elif known.accredited is not None:
                known.accredited = (*known.accredited[:2], True)

    @rule(name=st.sampled_from(NAMES), sender=SENDERS, to=st.sampled_from(NAMES), depth=st.integers(0, 4))
    def one_accredits_another(self, name, sender, to, depth) -> None:
        mine, theirs = self.known[name].accredited, self.known[to].accredited
        may = self.holds(name) and mine is not None and depth < mine[1]
        if theirs is not None and self.holds(to) and theirs[0] != name:
            may = False
        granted = Grant(self.did(name), SCHEMA, depth, 0, 2**40)
        if self.decide(
            name, sender, may, lambda registry: accreditations.grant(registry, self.did(to), SCHEMA, granted)
        ):
            self.known[to].accredited = (name, depth, False)

    @rule(name=st.sampled_from(NAMES), sender=SENDERS, to=st.sampled_from(NAMES))
    def one_revokes_another(self, name, sender, to) -> None:
        theirs = self.known[to].accredited
        may = theirs is not None and name in (theirs[0], to)
        if (
            self.decide(
                name,
                sender,
                may,
                lambda registry: accreditations.revoke(registry, self.did(name), self.did(to), SCHEMA),
            )
            and theirs is not None
        ):
            self.known[to].accredited = None if theirs[2] else (theirs[0], theirs[1], True)

    @rule(name=st.sampled_from(NAMES), sender=SENDERS, heir=st.integers(0, 5), salted=st.booleans())
    def controllers_change(self, name, sender, heir, salted) -> None:
        known, did = self.known[name], self.did(name)
        if sender is None:
            heir = heir if known.following is None else known.following
            sender = known.controller if known.following is None else heir
        following = self.policy(heir, None, known.guardian)
        if known.following is None:
            may = sender == known.controller
        else:
            may = heir == known.following == sender and salted

        def run(registry: Registry) -> None:
            standing = registry.policy(did).controllers
            policy_was_committed_to(standing, following.controllers, SALT if salted else bytes(32))
            deciding = who_decides_on_a_change(standing, following.controllers)
            approval = Approval(did, known.sequence, (), ACCOUNTS[sender], bytes(32))
            require_approval(registry, "hutong", approval, (deciding.threshold, deciding.accounts))
            controlling.change_policy(registry, did, following)

        if self.attempt(may, run):
            known.sequence += 1
            known.controller, known.following, known.recovery = heir, None, None

    @rule(name=st.sampled_from(NAMES), sender=SENDERS, heir=st.integers(0, 5))
    def a_recovery_begins(self, name, sender, heir) -> None:
        known, did = self.known[name], self.did(name)
        sender = known.guardian if sender is None else sender
        may = sender == known.guardian and known.recovery is None

        def run(registry: Registry) -> None:
            approval = Approval(did, known.sequence, (), ACCOUNTS[sender], bytes(32))
            require_approval(registry, "hutong", approval, controlling.guardians_of(registry, did))
            controlling.start_recovery(registry, did, self.policy(heir, None, known.guardian))

        if self.attempt(may, run):
            known.sequence += 1
            known.recovery = (heir, self.now.time_s + DELAY_S)

    @rule(name=st.sampled_from(NAMES), sender=SENDERS)
    def a_recovery_is_cancelled(self, name, sender) -> None:
        known = self.known[name]
        may = known.recovery is not None
        if self.decide(name, sender, may, lambda registry: controlling.cancel_recovery(registry, self.did(name))):
            known.recovery = None

    @rule(name=st.sampled_from(NAMES))
    def a_recovery_is_completed(self, name) -> None:
        known = self.known[name]
        may = known.recovery is not None and self.now.time_s >= known.recovery[1]
        if self.attempt(may, lambda registry: controlling.complete_recovery(registry, self.did(name))):
            assert known.recovery is not None
            known.controller, known.following, known.recovery = known.recovery[0], None, None

    # --- what must hold

    @invariant()
    def records_say_what_the_model_says(self) -> None:
        for name, known in self.known.items():
            did, registry = self.did(name), self.registry
            record = registry.did(did)
            states = [state for state, _ in known.keys.values()]
            assert record.sequence == known.sequence
            assert record.counts.keys == len(states) and record.counts.active_keys == states.count("active")
            assert registry.policy(did).controllers.accounts == (ACCOUNTS[known.controller],)
            for number, (state, passing) in known.keys.items():
                key = registry.key(did, PRINTS[number])
                assert key.end.state is KeyState[state.upper()]
                assert key.end.log_size == (passing or 0)
                leaves = [leaf_hash(entry) for _, entry in known.log[: passing or 0]]
                assert key.end.log_root == (root_of_leaves(leaves) if leaves else bytes(32))
                opened = sum(bound == number and not sealed for bound, sealed, _ in known.lists)
                assert key.open_lists == opened
            for number, (_, sealed, bits) in enumerate(known.lists):
                found = registry.list(did, number)
                assert found.is_sealed == sealed and found.root == octets_of(bits)
            depth = accreditations.depth_of(registry, did, SCHEMA)
            accredited = known.accredited
            assert depth == (accredited[1] if accredited is not None and self.holds(name) else None)
            granted = [one.accredited for one in self.known.values() if one.accredited is not None]
            assert record.counts.accreditations == sum(one[0] == name for one in granted)

    @invariant()
    def epochs_never_fall(self) -> None:
        for name in self.known:
            raw = self.view.get(keys.epoch_key(self.did(name)))
            assert raw is not None
            number = decode_epoch_record(raw).number
            assert number >= self.epochs.get(name, 0)
            self.epochs[name] = number

    @invariant()
    def what_passes_under_an_ended_key_never_grows(self) -> None:
        for name, known in self.known.items():
            for number, (_, passing) in known.keys.items():
                if passing is not None:
                    found = self.registry.key(self.did(name), PRINTS[number]).end.log_size
                    assert found <= self.passing.get((name, number), found)
                    self.passing[name, number] = found


def octets_of(bits: set[int]) -> bytes:
    return sum(1 << bit for bit in bits).to_bytes(32, "little")


TestHistories = Histories.TestCase
TestHistories.settings = settings(max_examples=12, stateful_step_count=30, deadline=None)
