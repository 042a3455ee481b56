"""The suite that every `LightClient` passes, driven through a `Harness`."""

from collections.abc import Callable
from contextlib import nullcontext
from dataclasses import dataclass, replace

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hutong.light_clients.interface import (
    NANOSECONDS_PER_SECOND,
    ClientExpired,
    ClientFrozen,
    ClientStatus,
    Created,
    Height,
    MalformedInput,
    MemoryConsensusStates,
    Misbehaved,
    NoOp,
    NotEnoughTrust,
    PredicateFailed,
    UnsupportedOperation,
    Updated,
    VerificationError,
    audit,
)
from tests.light_clients.conformance.harness import Harness

KEY = b"client-0\x01" + (1).to_bytes(8, "big")
OTHER_KEY = b"client-0\x01" + (2).to_bytes(8, "big")
VALUE = bytes(range(1, 33))
FUZZ = settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))


@dataclass
class StoredClient:
    """A client and its states as an owner keeps them; `apply` stores a verdict."""

    harness: Harness
    state: bytes
    consensus_states: MemoryConsensusStates

    @classmethod
    def created(cls, harness: Harness, height: Height) -> "StoredClient":
        state, consensus_state = harness.states(height)
        created = harness.client.create(state, consensus_state, harness.time_ns(height))
        assert created == Created(height)
        return cls(harness, state, MemoryConsensusStates({height: consensus_state}))

    @property
    def now_ns(self) -> int:
        return self.harness.time_ns(self.harness.latest_height)

    def verify(self, header: bytes, now_ns: int | None = None):
        return self.harness.client.verify_header(
            self.state, self.consensus_states, header, self.now_ns if now_ns is None else now_ns
        )

    def apply(self, verdict) -> None:
        if isinstance(verdict, Updated):
            self.consensus_states = self.consensus_states.with_state(verdict.height, verdict.consensus_state)
        self.state = verdict.client_state

    def update(self, height: Height, trusted: Height) -> Updated:
        verdict = self.verify(self.harness.header(height, trusted))
        assert isinstance(verdict, Updated), verdict
        assert verdict.height == height
        self.apply(verdict)
        return verdict

    def status(self, now_ns: int | None = None) -> ClientStatus:
        return self.harness.client.status(self.state, self.consensus_states, self.now_ns if now_ns is None else now_ns)

    def snapshot(self) -> tuple[bytes, MemoryConsensusStates]:
        return self.state, self.consensus_states


def above(height: Height, blocks: int = 1) -> Height:
    return replace(height, revision_height=height.revision_height + blocks)


class LightClientConformance:
    """Subclass with `make_harness`; a fresh chain for each test."""

    make_harness: Callable[[], Harness]
    VALUE = VALUE
    """What is stored under KEY: 32 bytes, or the commitment that belongs to KEY where the client proves packets."""
    proves_membership = True
    proves_absence = True
    """False where the chain commits to nothing that shows it; the client must then say `UnsupportedOperation`."""

    def start(self) -> tuple[Harness, StoredClient, Height]:
        harness = self.make_harness()
        trusted = harness.advance(2)
        return harness, StoredClient.created(harness, trusted), trusted

    # create

    def test_created_client_is_active_at_its_height_and_time(self):
        harness, client, trusted = self.start()
        assert client.status() is ClientStatus.ACTIVE
        assert harness.client.latest_height(client.state) == trusted
        assert harness.client.timestamp_ns(client.consensus_states.get(trusted)) == harness.time_ns(trusted)

    def test_create_refuses_an_expired_state_at_the_exact_edge(self):
        harness = self.make_harness()
        height = harness.advance()
        states = harness.states(height)
        edge_ns = harness.time_ns(height) + harness.trusting_period_ns
        harness.client.create(*states, edge_ns - 1)
        with pytest.raises(ClientExpired) as caught:
            harness.client.create(*states, edge_ns)
        assert (caught.value.expired_at_ns, caught.value.now_ns) == (edge_ns, edge_ns)

    def test_create_refuses_a_state_from_the_future(self):
        harness = self.make_harness()
        height = harness.advance()
        states = harness.states(height)
        now_ns = harness.time_ns(height) - harness.max_clock_drift_ns
        harness.client.create(*states, now_ns + 1)
        with pytest.raises(PredicateFailed) as caught:
            harness.client.create(*states, now_ns)
        assert caught.value.predicate == "header_not_from_future"

    def test_create_refuses_a_frozen_state(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        frozen = harness.client.check_misbehaviour(
            client.state, client.consensus_states, harness.misbehaviour(height, trusted), client.now_ns
        )
        with pytest.raises(ClientFrozen):
            harness.client.create(frozen.client_state, client.consensus_states.get(trusted), client.now_ns)

    # update

    def test_next_header_updates(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        client.update(height, trusted)
        assert harness.client.latest_height(client.state) == height
        assert harness.client.timestamp_ns(client.consensus_states.get(height)) == harness.time_ns(height)
        assert client.status() is ClientStatus.ACTIVE

    def test_gap_is_skipped_where_the_validators_stay(self):
        harness, client, trusted = self.start()
        height = harness.advance(7)
        client.update(height, trusted)
        assert harness.client.latest_height(client.state) == height

    def test_stale_header_is_stored_and_leaves_the_latest_height(self):
        harness, client, trusted = self.start()
        between, height = above(trusted), harness.advance(3)
        client.update(height, trusted)
        client.update(between, trusted)
        assert harness.client.latest_height(client.state) == height
        assert client.consensus_states.get(between) is not None

    def test_same_header_again_is_no_op(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        client.update(height, trusted)
        assert client.verify(harness.header(height, trusted)) == NoOp(height)

    def test_too_few_signatures_are_never_believed(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        with pytest.raises(PredicateFailed):
            client.verify(harness.header_with_few_signatures(height, trusted))
        client.update(height, trusted)

    # time

    def test_trusting_period_ends_at_its_exact_edge(self):
        harness, client, trusted = self.start()
        header = harness.header(harness.advance(), trusted)
        edge_ns = harness.time_ns(trusted) + harness.trusting_period_ns
        assert client.status(edge_ns - 1) is ClientStatus.ACTIVE
        assert isinstance(client.verify(header, edge_ns - 1), Updated)
        assert client.status(edge_ns) is ClientStatus.EXPIRED
        with pytest.raises(ClientExpired) as caught:
            client.verify(header, edge_ns)
        assert caught.value.expired_at_ns == edge_ns

    def test_header_from_the_future_is_refused_at_the_exact_drift(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        header = harness.header(height, trusted)
        now_ns = harness.time_ns(height) - harness.max_clock_drift_ns
        with pytest.raises(PredicateFailed) as caught:
            client.verify(header, now_ns)
        assert caught.value.predicate == "header_not_from_future"
        assert isinstance(client.verify(header, now_ns + 1), Updated)

    # misbehaviour

    def test_conflicting_header_freezes(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        client.update(height, trusted)
        verdict = client.verify(harness.conflicting_header(height, trusted))
        assert isinstance(verdict, Misbehaved), verdict
        assert verdict.height == height
        client.apply(verdict)
        assert client.status() is ClientStatus.FROZEN

    def test_time_that_goes_back_between_stored_states_freezes(self):
        harness, client, trusted = self.start()
        between, height = above(trusted), harness.advance(2)
        client.update(height, trusted)
        late_ns = harness.time_ns(height) + NANOSECONDS_PER_SECOND
        verdict = client.verify(harness.header_with_time(between, trusted, late_ns), late_ns)
        assert isinstance(verdict, Misbehaved), verdict

    def test_evidence_of_a_fork_freezes_and_nothing_works_until_recovery(self):
        harness, client, trusted = self.start()
        harness.put(KEY, self.VALUE)
        height = harness.advance(2)
        client.update(height, trusted)
        evidence = harness.misbehaviour(height, trusted)
        verdict = harness.client.check_misbehaviour(client.state, client.consensus_states, evidence, client.now_ns)
        assert verdict.height == height
        client.apply(verdict)
        assert client.status() is ClientStatus.FROZEN
        proven = harness.prove(KEY, height)
        absent = harness.prove(OTHER_KEY, height)
        consensus_state = client.consensus_states.get(height)
        for attempt in (
            lambda: client.verify(harness.header(height, trusted)),
            lambda: harness.client.check_misbehaviour(client.state, client.consensus_states, evidence, client.now_ns),
            lambda: harness.client.verify_membership(
                client.state, consensus_state, proven.proof, proven.path, proven.value
            ),
            lambda: harness.client.verify_non_membership(client.state, consensus_state, absent.proof, absent.path),
        ):
            with pytest.raises(ClientFrozen):
                attempt()

    def test_evidence_that_shows_nothing_does_not_freeze(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        with pytest.raises(PredicateFailed) as caught:
            harness.client.check_misbehaviour(
                client.state, client.consensus_states, harness.harmless_misbehaviour(height, trusted), client.now_ns
            )
        assert caught.value.predicate == "headers_conflict"

    def test_evidence_from_an_expired_state_does_not_freeze(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        edge_ns = harness.time_ns(trusted) + harness.trusting_period_ns
        evidence = harness.misbehaviour(height, trusted)
        with pytest.raises(ClientExpired):
            harness.client.check_misbehaviour(client.state, client.consensus_states, evidence, edge_ns)
        harness.client.check_misbehaviour(client.state, client.consensus_states, evidence, edge_ns - 1)

    # recovery

    def frozen(self) -> tuple[Harness, StoredClient, Height]:
        harness, client, trusted = self.start()
        height = harness.advance()
        client.apply(
            harness.client.check_misbehaviour(
                client.state, client.consensus_states, harness.misbehaviour(height, trusted), client.now_ns
            )
        )
        return harness, client, trusted

    def test_recovery_by_a_substitute_makes_the_client_work_again(self):
        harness, client, _ = self.frozen()
        height = harness.advance(2)
        substitute, consensus_state = harness.states(height)
        harness.client.check_substitute(client.state, substitute)
        client.state = harness.client.recovered(client.state, substitute)
        client.consensus_states = client.consensus_states.with_state(height, consensus_state)
        assert client.status() is ClientStatus.ACTIVE
        assert harness.client.latest_height(client.state) == height
        client.update(harness.advance(), height)

    def test_recovery_of_an_expired_client(self):
        harness, client, trusted = self.start()
        edge_ns = harness.time_ns(trusted) + harness.trusting_period_ns
        height = harness.advance(2)
        assert client.status(edge_ns) is ClientStatus.EXPIRED
        substitute, consensus_state = harness.states(height)
        client.state = harness.client.recovered(client.state, substitute)
        client.consensus_states = MemoryConsensusStates({height: consensus_state})
        assert client.status(edge_ns) is ClientStatus.ACTIVE
        header = harness.header(harness.advance(), height)
        assert isinstance(client.verify(header, edge_ns), Updated)

    def test_unfit_substitutes_are_refused(self):
        harness, client, _ = self.frozen()
        height = harness.advance(2)
        other, _ = harness.states_with_other_parameters(height)
        for substitute in (client.state, other):
            with pytest.raises((PredicateFailed, ClientFrozen)):
                harness.client.check_substitute(client.state, substitute)
            with pytest.raises((PredicateFailed, ClientFrozen)):
                harness.client.recovered(client.state, substitute)

    # proofs

    def stored_value(self) -> tuple[Harness, StoredClient, Height, Height]:
        harness, client, trusted = self.start()
        before = harness.advance()
        client.update(before, trusted)
        harness.put(KEY, self.VALUE)
        height = harness.advance(2)
        client.update(height, trusted)
        return harness, client, before, height

    def test_membership_and_absence_are_proven_at_their_heights(self):
        harness, client, before, height = self.stored_value()
        present, absent, earlier = (
            harness.prove(KEY, height),
            harness.prove(OTHER_KEY, height),
            harness.prove(KEY, before),
        )
        assert (present.value, absent.value, earlier.value) == (self.VALUE, None, None)
        at = client.consensus_states.get
        with nullcontext() if self.proves_membership else pytest.raises(UnsupportedOperation):
            harness.client.verify_membership(client.state, at(height), present.proof, present.path, self.VALUE)
        for state, proven in ((at(height), absent), (at(before), earlier)):
            with nullcontext() if self.proves_absence else pytest.raises(UnsupportedOperation):
                harness.client.verify_non_membership(client.state, state, proven.proof, proven.path)

    def test_wrong_root_value_key_and_kind_are_refused(self):
        harness, client, before, height = self.stored_value()
        at = client.consensus_states.get
        present, absent = harness.prove(KEY, height), harness.prove(OTHER_KEY, height)
        member, not_member = harness.client.verify_membership, harness.client.verify_non_membership
        for attempt in (
            lambda: member(client.state, at(before), present.proof, present.path, self.VALUE),
            lambda: member(client.state, at(height), present.proof, present.path, self.VALUE[::-1]),
            lambda: member(client.state, at(height), present.proof, present.path, bytes(32)),
            lambda: member(client.state, at(height), present.proof, present.path, b""),
            lambda: member(client.state, at(height), present.proof, absent.path, self.VALUE),
            lambda: member(client.state, at(height), absent.proof, absent.path, self.VALUE),
            lambda: member(client.state, at(height), present.proof, (), self.VALUE),
            lambda: member(client.state, at(height), present.proof, present.path * 2, self.VALUE),
            lambda: member(client.state, at(height), b"", present.path, self.VALUE),
            lambda: not_member(client.state, at(height), present.proof, present.path),
            lambda: not_member(client.state, at(height), absent.proof, present.path),
            lambda: not_member(client.state, at(before), absent.proof, absent.path),
            lambda: not_member(client.state, at(height), b"", absent.path),
        ):
            with pytest.raises(VerificationError):
                attempt()
        with nullcontext() if self.proves_membership else pytest.raises(UnsupportedOperation):
            member(client.state, at(height), present.proof, present.path, self.VALUE)

    # one verifier, two judges

    def test_audit_prints_what_verify_decides(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        header = harness.header(height, trusted)
        judge_header = harness.client.judge_header
        verdicts = audit(judge_header, client.state, client.consensus_states, header, client.now_ns)
        assert verdicts and all(verdict.held and verdict.name and verdict.source for verdict in verdicts)
        edge_ns = harness.time_ns(trusted) + harness.trusting_period_ns
        refused = audit(judge_header, client.state, client.consensus_states, header, edge_ns)
        with pytest.raises(ClientExpired) as caught:
            client.verify(header, edge_ns)
        assert refused[-1].error == caught.value
        assert all(verdict.held for verdict in refused[:-1])

    def test_audit_of_a_proof_names_the_broken_rule(self):
        harness, client, _, height = self.stored_value()
        proven = harness.prove(KEY, height)
        consensus_state = client.consensus_states.get(height)
        judge_membership = harness.client.judge_membership
        verdicts = audit(judge_membership, client.state, consensus_state, proven.proof, proven.path, self.VALUE)
        assert all(verdict.held for verdict in verdicts) is self.proves_membership
        verdicts = audit(judge_membership, client.state, consensus_state, proven.proof, proven.path, self.VALUE[::-1])
        assert verdicts[-1].error is not None

    # bytes

    def test_stored_states_have_one_encoding(self):
        harness, client, trusted = self.start()
        verdict = client.update(harness.advance(), trusted)
        for tail in (b"\x00", verdict.client_state):
            with pytest.raises(MalformedInput):
                harness.client.latest_height(verdict.client_state + tail)
            with pytest.raises(MalformedInput):
                harness.client.timestamp_ns(verdict.consensus_state + tail)

    def test_client_goes_on_from_its_stored_bytes(self):
        """All that a client is lies in its bytes: another instance that reads them back says the same of everything."""
        harness, client, before, height = self.stored_value()
        again = type(harness.client)()
        kept = {at: bytes(bytearray(client.consensus_states.get(at))) for at in (before, height)}
        state, states = bytes(bytearray(client.state)), MemoryConsensusStates(kept)
        assert again.status(state, states, client.now_ns) is ClientStatus.ACTIVE
        assert again.latest_height(state) == height
        assert again.timestamp_ns(kept[height]) == harness.time_ns(height)
        proven = harness.prove(KEY, height)
        with nullcontext() if self.proves_membership else pytest.raises(UnsupportedOperation):
            again.verify_membership(state, kept[height], proven.proof, proven.path, self.VALUE)
        header = harness.header(harness.advance(), height)
        verdict = again.verify_header(state, states, header, client.now_ns)
        assert isinstance(verdict, Updated) and verdict == client.verify(header)
        evidence = harness.misbehaviour(height, before)
        frozen = again.check_misbehaviour(state, states, evidence, client.now_ns)
        assert frozen == harness.client.check_misbehaviour(
            client.state, client.consensus_states, evidence, client.now_ns
        )
        assert again.status(frozen.client_state, states, client.now_ns) is ClientStatus.FROZEN
        substitute, _ = harness.states(harness.advance())
        assert again.recovered(frozen.client_state, substitute) == harness.client.recovered(
            frozen.client_state, substitute
        )

    def test_state_of_a_height_is_the_same_by_every_way_to_it(self):
        harness, client, trusted = self.start()
        between, height = above(trusted), harness.advance(3)
        straight = client.verify(harness.header(height, trusted))
        assert isinstance(straight, Updated)
        client.update(between, trusted)
        stepped = client.update(height, between)
        assert (stepped.consensus_state, stepped.client_state) == (straight.consensus_state, straight.client_state)

    def test_values_of_another_kind_are_malformed(self):
        harness, client, trusted = self.start()
        height = harness.advance()
        header = harness.header(height, trusted)
        evidence = harness.misbehaviour(height, trusted)
        consensus_state = client.consensus_states.get(trusted)
        subject = harness.client
        for attempt in (
            lambda: subject.create(header, consensus_state, client.now_ns),
            lambda: subject.create(client.state, header, client.now_ns),
            lambda: subject.verify_header(header, client.consensus_states, header, client.now_ns),
            lambda: client.verify(client.state),
            lambda: client.verify(consensus_state),
            lambda: client.verify(evidence),
            lambda: subject.check_misbehaviour(client.state, client.consensus_states, header, client.now_ns),
            lambda: subject.timestamp_ns(header),
            lambda: subject.check_substitute(client.state, consensus_state),
        ):
            with pytest.raises(MalformedInput):
                attempt()

    @FUZZ
    @given(data=st.binary(max_size=400))
    def test_any_bytes_end_in_a_typed_error(self, data):
        harness, client, trusted = self.prepared()
        consensus_state = client.consensus_states.get(trusted)
        subject = harness.client
        now_ns = client.now_ns
        path = (KEY,)
        for attempt in (
            lambda: subject.create(data, consensus_state, now_ns),
            lambda: subject.create(client.state, data, now_ns),
            lambda: subject.status(data, client.consensus_states, now_ns),
            lambda: subject.latest_height(data),
            lambda: subject.timestamp_ns(data),
            lambda: client.verify(data),
            lambda: subject.verify_header(data, client.consensus_states, data, now_ns),
            lambda: subject.check_misbehaviour(client.state, client.consensus_states, data, now_ns),
            lambda: subject.verify_membership(client.state, consensus_state, data, path, self.VALUE),
            lambda: subject.verify_non_membership(client.state, consensus_state, data, path),
            lambda: subject.verify_membership(client.state, data, data, path, self.VALUE),
            lambda: subject.check_substitute(client.state, data),
        ):
            with pytest.raises(VerificationError):
                attempt()

    @FUZZ
    @given(data=st.data())
    def test_any_damage_to_valid_bytes_ends_in_a_verdict_or_a_typed_error(self, data):
        harness, client, trusted = self.prepared()
        height = harness.latest_height
        header = harness.header(height, trusted)
        proven = harness.prove(KEY, height)
        valid = client.verify(header)
        assert isinstance(valid, Updated)
        damaged = self.damage(data, header)
        try:
            verdict = client.verify(damaged)
        except VerificationError:
            pass
        else:
            assert isinstance(verdict, NotEnoughTrust) or verdict == valid, "damage that changes what is believed"
        for target in (self.damage(data, client.state), self.damage(data, valid.consensus_state)):
            for use in (
                lambda: harness.client.create(target, valid.consensus_state, client.now_ns),
                lambda: harness.client.verify_header(target, client.consensus_states, header, client.now_ns),
                lambda: harness.client.timestamp_ns(target),
            ):
                try:
                    use()
                except VerificationError:
                    pass
        try:
            harness.client.verify_membership(
                client.state, valid.consensus_state, self.damage(data, proven.proof), proven.path, self.VALUE
            )
        except VerificationError:
            pass

    _prepared: tuple[Harness, StoredClient, Height] | None = None

    def prepared(self) -> tuple[Harness, StoredClient, Height]:
        """One chain for all examples of a property; nothing that the properties do changes it."""
        cls = type(self)
        if cls._prepared is None:
            harness, client, trusted = self.start()
            harness.put(KEY, self.VALUE)
            harness.advance(2)
            cls._prepared = harness, client, trusted
        return cls._prepared

    @staticmethod
    def damage(data, original: bytes) -> bytes:
        changed = bytearray(original)
        kind = data.draw(st.sampled_from(("flip", "cut", "insert", "delete")))
        at = data.draw(st.integers(0, len(changed) - 1))
        if kind == "flip":
            changed[at] ^= 1 << data.draw(st.integers(0, 7))
        elif kind == "cut":
            del changed[at:]
        elif kind == "insert":
            changed[at:at] = data.draw(st.binary(min_size=1, max_size=4))
        else:
            del changed[at : at + data.draw(st.integers(1, 4))]
        return bytes(changed)
