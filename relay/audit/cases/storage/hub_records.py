"""Records of trusted storage that the hub of the reader shows of itself."""

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.archive.record_bundle import RecordKey
from hutong.relay.audit.cases.shown import Shown, statement_is_there
from hutong.relay.audit.cases.statements import SPEC, ShownState
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.services.storage.rules.records import keys
from hutong.relay.services.storage.rules.records.values import SeedRecord, decode_seed_record

MAX_EPOCH_DIGITS = 12


@rule(SPEC)
def hub_record_is_meant(shown: Shown, trust: CaseTrust, name: str, key: bytes) -> ShownState:
    """The statement is of this key of the hub's own state.

    Raises:
        PredicateFailed: there is no such statement, or it is of another hub or key.
    """
    state = statement_is_there(shown, name, ShownState)
    said = state.statement
    if (said.chain_id, said.client) != (trust.hub_chain_id, None):
        got = (said.chain_id, said.client)
        raise PredicateFailed("hub_record_is_meant", f"{name} is not of the hub", got, (trust.hub_chain_id, None))
    if said.what != RecordKey(key):
        raise PredicateFailed("hub_record_is_meant", f"{name} is of another key", said.what, RecordKey(key))
    return state


@rule(SPEC)
def epoch_is_meant(trust: CaseTrust, name: str) -> int:
    """The reader's value is the number of an epoch.

    Raises:
        PredicateFailed: it is not.
        MissingTrust: there is none.
    """
    text = trust.value(name)
    if not (text.isascii() and text.isdigit() and len(text) <= MAX_EPOCH_DIGITS):
        raise PredicateFailed("epoch_is_meant", f"the value {name} is not the number of an epoch", text)
    return int(text)


@rule(SPEC)
def seed_is_younger(before: ShownState, after: ShownState) -> SeedRecord:
    """At `before` the hub had no seed of the epoch, and not even the header that the seed holds; at `after` it has, with a
    secret of an auditor in it. So nobody knew it before.

    Args:
        before, after: of the key of one epoch's seed.

    Raises:
        PredicateFailed: there was a seed already, there is none yet, or somebody could have known it.
        MalformedInput: what stands there is not a seed.
    """
    name = "seed_is_younger"
    if before.statement.value is not None:
        raise PredicateFailed(name, "the hub had the seed already", before.statement.height)
    if after.statement.value is None:
        raise PredicateFailed(name, "the hub has no seed yet", after.statement.height)
    seed = decode_seed_record(after.statement.value)
    if seed.is_weak:
        raise PredicateFailed(name, "no auditor's secret is in the seed", seed.reveals, ">= 1")
    if seed.header_height <= before.statement.height.revision_height:
        got, bound = seed.header_height, before.statement.height.revision_height
        raise PredicateFailed(name, "the header in the seed is not later", got, f"> {bound}")
    return seed


def judge_beacon(judge: Judge, shown: Shown, trust: CaseTrust) -> tuple[int, bytes]:
    """Of statements `beacon-before` and `beacon`: since when there can be the seed, Unix seconds, and its 32 bytes.

    Raises:
        VerificationError: the first rule that does not hold.
        MissingTrust: the reader does not say which epoch is meant.
    """
    key = keys.seed_key(judge(epoch_is_meant, trust, "beacon-epoch"))
    before = judge(hub_record_is_meant, shown, trust, "beacon-before", key)
    after = judge(hub_record_is_meant, shown, trust, "beacon", key)
    return before.statement.time_s, judge(seed_is_younger, before, after).seed
