"""Each statement of a record bundle under the believed state, and for observations the rules of reading."""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.light_clients.ibc.commitment import merkle_path
from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, PredicateFailed, cited, rule
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.records import (
    ANY_TRUST,
    OBSERVATION_PREFIX,
    ClientEpoch,
    Demand,
    FieldPlace,
    Observation,
    SlotPlace,
    SourceTrust,
    StorePlace,
    TrustKind,
    decode_epoch,
    header_is_fresh,
    judge_evm_places,
    judge_observation,
    trust_is_enough,
)
from hutong.light_clients.records.multiproof import claims_are_proven
from hutong.light_clients.tendermint import codec
from hutong.relay.archive.bundle import ChainKind
from hutong.relay.archive.checkpoint import Checkpoint, TendermintTrust
from hutong.relay.archive.record_bundle import RecordBundle, RecordKey, Statement
from hutong.relay.archive.shared_records import claims_of
from hutong.relay.audit.inquiry import Inquiry
from hutong.relay.audit.light_clients import LIGHT_CLIENTS
from hutong.relay.audit.records.states import BelievedState
from hutong.relay.audit.records.words import OBSERVED, place_text

SPEC = "docs/spec/records.md"
_EPOCHS = OBSERVATION_PREFIX + b"client/"


@dataclass(frozen=True, slots=True)
class Asked:
    """What the reader asks beside the proofs, in whole seconds.

    `at_s` is the reader's time, None: that of the bundle's header. `max_age_s` None: however old.
    """

    at_s: int | None = None
    max_age_s: int | None = None
    min_trust: int = ANY_TRUST

    def demand(self, header_time_s: int, max_drift_s: int) -> Demand:
        """As the rules of reading take it.

        Raises:
            MalformedInput: a member is out of its bounds.
        """
        now_s = header_time_s if self.at_s is None else self.at_s
        max_age_s = MAX_UINT64 if self.max_age_s is None else self.max_age_s
        return Demand(now_s, max_age_s, self.min_trust, max_drift_s)


@dataclass(frozen=True, slots=True)
class Finding:
    """A statement that holds; what its value says, where it is an observation or the epoch of a client."""

    statement: Statement
    said: Observation | ClientEpoch | None = None


def judge_statements(
    inquiry: Inquiry, bundle: RecordBundle, checkpoint: Checkpoint, state: BelievedState, asked: Asked
) -> tuple[Finding, ...]:
    """Every statement in order: its proof, and then what may be read of it.

    Raises:
        VerificationError: the first rule that does not hold, which `inquiry` has heard.
    """
    time_s = state.time_ns // NANOSECONDS_PER_SECOND
    demand = asked.demand(time_s, checkpoint.max_clock_drift_s)
    if bundle.chain.kind is not ChainKind.TENDERMINT:
        _judge_places(inquiry, bundle, state)
        judge = inquiry.about(f"chain {bundle.chain.chain_id}")
        judge(header_is_fresh, time_s, demand)
        if state.root is not None and state.root.threshold:
            attested = SourceTrust(TrustKind.ATTESTED, state.root.threshold, state.root.attestors)
            judge(trust_is_enough, attested, demand.min_trust)
        return tuple(Finding(statement) for statement in bundle.statements)
    if bundle.multiproof is None:
        for statement in bundle.statements:
            _judge_membership(inquiry, statement, checkpoint, state)
    else:
        judge = inquiry.about(f"records of {bundle.chain.chain_id} at {bundle.height}")
        judge(claims_are_proven, judge(hub_has_one_tree, checkpoint, state), claims_of(bundle), bundle.multiproof)
    proven = {
        one.what.key: one.value
        for one in bundle.statements
        if isinstance(one.what, RecordKey) and one.value is not None
    }
    return tuple(_read(inquiry, statement, proven, time_s, demand) for statement in bundle.statements)


@rule(SPEC)
def hub_has_one_tree(checkpoint: Checkpoint, state: BelievedState) -> bytes:
    """The checkpoint's chain has the hub's one tree directly under its app hash. Returns the app hash.

    Raises:
        PredicateFailed: other stores, or another tree.
    """
    trust = checkpoint.trust
    if state.store is None or not isinstance(trust, TendermintTrust):
        raise TypeError(f"no store of chain {checkpoint.chain_id}")
    if (trust.merkle_prefix, trust.proof_specs) != ((b"",), ("smt",)):
        raise PredicateFailed("hub_has_one_tree", "another tree or prefix", list(trust.proof_specs), ["smt"])
    return codec.decode_consensus_state(state.store.consensus_state).root


def _judge_places(inquiry: Inquiry, bundle: RecordBundle, state: BelievedState) -> None:
    if state.root is None:
        raise TypeError(f"no state root of chain {bundle.chain.chain_id}")
    places = [one.what for one in bundle.statements if isinstance(one.what, SlotPlace | FieldPlace)]
    judge = inquiry.about(f"state of {bundle.chain.chain_id} at {bundle.height}")
    values = judge_evm_places(judge, state.root.state_root, bundle.nodes, places)
    for statement, value in zip(bundle.statements, values, strict=True):
        inquiry.about(place_text(statement.what))(value_is_the_states, statement, value)


def _judge_membership(inquiry: Inquiry, statement: Statement, checkpoint: Checkpoint, state: BelievedState) -> None:
    judge = inquiry.about(place_text(statement.what))
    if state.store is None or statement.proof is None:
        raise TypeError(f"no store of chain {checkpoint.chain_id}")
    path = judge(place_is_of_the_chain, statement, checkpoint)
    LIGHT_CLIENTS[ChainKind.TENDERMINT].judge_membership(
        judge, state.store.client_state, state.store.consensus_state, statement.proof, path, statement.value
    )


def _read(
    inquiry: Inquiry, statement: Statement, proven: Mapping[bytes, bytes], time_s: int, demand: Demand
) -> Finding:
    """Observations by every rule of reading; of others the age of the header alone."""
    judge = inquiry.about(f"reading {place_text(statement.what)}")
    key = statement.what.key if isinstance(statement.what, RecordKey) else b""
    if statement.value is not None and key.startswith(OBSERVED):
        return Finding(statement, judge_observation(judge, key, proven, time_s, demand))
    if statement.value is not None and key.startswith(_EPOCHS):
        epoch = judge(epoch_well_formed, statement.value)
        judge(header_is_fresh, time_s, demand)
        return Finding(statement, epoch)
    judge(header_is_fresh, time_s, demand)
    return Finding(statement)


epoch_well_formed = cited(decode_epoch, SPEC, "epoch_well_formed")


@rule(SPEC)
def place_is_of_the_chain(statement: Statement, checkpoint: Checkpoint) -> tuple[bytes, ...]:
    """The path of the statement in the chain's stores: a record has one store, as the checkpoint's chain, or a named one.

    Raises:
        PredicateFailed: the checkpoint's chain has another number of stores.
    """
    trust, what = checkpoint.trust, statement.what
    if not isinstance(trust, TendermintTrust) or not isinstance(what, RecordKey | StorePlace):
        raise TypeError(f"no store of chain {checkpoint.chain_id}")
    path = merkle_path(trust.merkle_prefix, what.key) if isinstance(what, RecordKey) else what.path
    wanted = 1 if isinstance(what, RecordKey) else 2
    if not len(path) == len(trust.merkle_prefix) == wanted:
        raise PredicateFailed(
            "place_is_of_the_chain", "stores under the chain's app hash", wanted, len(trust.merkle_prefix)
        )
    return path


@rule(SPEC)
def value_is_the_states(statement: Statement, value: bytes | None) -> None:
    """What the statement says is what the state holds there.

    Raises:
        PredicateFailed: the state holds something else, or nothing.
    """
    if statement.value != value:
        raise PredicateFailed("value_is_the_states", "the state holds another value", statement.value, value)
