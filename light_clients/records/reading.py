"""Who may read an observation as good (docs/spec/records.md): the rules, and the verifier that applies them in order.

That the bytes stand under the hub's root is the caller's to show first, by the proof that it has.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from hutong.light_clients.interface import Judge, MalformedInput, PredicateFailed, rule
from hutong.light_clients.interface.height import MAX_UINT64
from hutong.light_clients.records.codec import decode_epoch, decode_observation_of
from hutong.light_clients.records.places import ObservationKey, epoch_key, parse_observation_key
from hutong.light_clients.records.types import MAX_ATTESTORS, ClientEpoch, Observation, SourceTrust, TrustKind

SPEC = "docs/spec/records.md"
ANY_TRUST = 0
PROVEN_ALONE = 255


@dataclass(frozen=True, slots=True)
class Demand:
    """What a reader asks: its own time and how old header and source may be, in whole seconds; and how much trust.

    `min_trust` 0 takes anything, 1 to 64 what is proven or attested by at least so many, 255 what is proven alone.
    Times up to `max_drift_s` ahead of `now_s` count as of now.
    """

    now_s: int
    max_age_s: int
    min_trust: int = ANY_TRUST
    max_drift_s: int = 0

    def __post_init__(self) -> None:
        for name in ("now_s", "max_age_s", "max_drift_s"):
            if not 0 <= getattr(self, name) <= MAX_UINT64:
                raise MalformedInput(f"demand.{name}", "a uint64", got=getattr(self, name))
        if not ANY_TRUST <= self.min_trust <= MAX_ATTESTORS and self.min_trust != PROVEN_ALONE:
            raise MalformedInput("demand.min_trust", f"0 to {MAX_ATTESTORS}, or {PROVEN_ALONE}", got=self.min_trust)


@rule(SPEC)
def record_well_formed(key: bytes, value: bytes) -> tuple[ObservationKey, Observation]:
    """Key and value are those of an observation, to the byte, and fit each other.

    Raises:
        MalformedInput: the first member that is out of its rule.
    """
    place = parse_observation_key(key)
    return place, decode_observation_of(place, value)


@rule(SPEC)
def epoch_is_proven(proven: Mapping[bytes, bytes], client_id: str) -> ClientEpoch:
    """The epoch of the observation's own client stands under the same root, well-formed.

    Raises:
        PredicateFailed: the reader was not shown it.
        MalformedInput: it is not the value of an epoch, to the byte.
    """
    value = proven.get(epoch_key(client_id))
    if value is None:
        raise PredicateFailed("epoch_is_proven", "no epoch is shown beside the observation", expected=client_id)
    return decode_epoch(value)


@rule(SPEC)
def client_is_readable(epoch: ClientEpoch) -> None:
    """The client was active after the block under whose root the epoch is shown.

    Raises:
        PredicateFailed: it was frozen or had expired.
    """
    if not epoch.is_readable:
        raise PredicateFailed("client_is_readable", "the client of this observation is frozen or has expired")


@rule(SPEC)
def epoch_is_current(observation: Observation, epoch: ClientEpoch) -> None:
    """The observation was written in the client's present epoch: after its last freeze, expiry and recovery.

    Raises:
        PredicateFailed: it is of another epoch.
    """
    if observation.epoch != epoch.number:
        raise PredicateFailed("epoch_is_current", "epoch of the observation", observation.epoch, epoch.number)


@rule(SPEC)
def header_is_fresh(header_time_s: int, demand: Demand) -> None:
    """The hub's header is younger than the demanded age; at exactly that age it is too old.

    Raises:
        PredicateFailed: older, or from the future by more than the drift.
    """
    _demand_fresh("header_is_fresh", "header", header_time_s, demand)


@rule(SPEC)
def source_is_fresh(source_time_s: int, demand: Demand) -> None:
    """The source block is younger than the demanded age: where headers go on and observations stop, this stops too.

    Raises:
        PredicateFailed: older, or from the future by more than the drift.
    """
    _demand_fresh("source_is_fresh", "source block", source_time_s, demand)


@rule(SPEC)
def trust_is_enough(trust: SourceTrust, min_trust: int) -> None:
    """What is proven is enough for every reader; what is attested is judged by its threshold.

    Raises:
        PredicateFailed: attested by fewer than the reader asks, or attested where it asks for proof.
    """
    if trust.kind is TrustKind.ATTESTED and (min_trust == PROVEN_ALONE or trust.threshold < min_trust):
        wanted = "proven" if min_trust == PROVEN_ALONE else f"proven, or attested by at least {min_trust}"
        raise PredicateFailed("trust_is_enough", "trust", f"attested by {trust.threshold} of {trust.attestors}", wanted)


def _demand_fresh(predicate: str, what: str, time_s: int, demand: Demand) -> None:
    if time_s > demand.now_s + demand.max_drift_s:
        raise PredicateFailed(
            predicate, f"time of the {what} is in the future", time_s, f"<= {demand.now_s + demand.max_drift_s}"
        )
    if demand.now_s >= time_s + demand.max_age_s:
        raise PredicateFailed(predicate, f"the {what} is too old", time_s, f"> {demand.now_s - demand.max_age_s}")


def judge_observation(
    judge: Judge, key: bytes, proven: Mapping[bytes, bytes], header_time_s: int, demand: Demand
) -> Observation:
    """Every rule of reading after the proofs, in order; what the observation under `key` says.

    Args:
        proven: records by key that the caller has proven under one root: the observation, and its client's epoch.
        header_time_s: time of the header with that root, in whole seconds.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
        KeyError: `key` is not among `proven`; a bug of the caller.
    """
    place, observation = judge(record_well_formed, key, proven[key])
    epoch = judge(epoch_is_proven, proven, place.client_id)
    judge(client_is_readable, epoch)
    judge(epoch_is_current, observation, epoch)
    judge(header_is_fresh, header_time_s, demand)
    judge(source_is_fresh, observation.source_time_s, demand)
    judge(trust_is_enough, observation.trust, demand.min_trust)
    return observation
