"""Updates of a Clique chain, or of one whose validators a contract selects: believed in order, as a light client that begins
at the checkpoint would, by that client's own predicates."""

from hutong.light_clients import bft_evm, clique
from hutong.light_clients.interface import HeaderVerdict, Height, Judge, PredicateFailed, Updated, cited, rule
from hutong.relay.archive.bundle import ChainHeaders, ChainKind, HeaderEntry
from hutong.relay.archive.checkpoint import check_followed
from hutong.relay.audit.blocks import SPEC
from hutong.relay.audit.following import Following, update_stands_alone, updated_by

CHECKPOINT = "docs/spec/checkpoint.md"


checkpoint_hash_matches = cited(check_followed, CHECKPOINT, "checkpoint_hash_matches")
"""Hash, height and time of the checkpoint are those of its states: a checkpoint that was made in memory is no exception."""


def judge_entry(
    judge: Judge,
    chain: ChainHeaders,
    entry: HeaderEntry,
    following: Following,
    proof_heights: frozenset[Height],
    now_ns: int,
) -> Following:
    """The light client's own rules for one update. Returns the client after it.

    Args:
        proof_heights: on which a proof of the bundle stands; the last update must serve one.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        VerificationError: as the judge raises where a rule does not hold.
    """
    judge(update_stands_alone, chain, entry)
    judge(update_starts_at_the_one_before, chain.kind, entry, following)
    verdict = following.client.judge_header(judge, following.client_state, following.states, entry.header, now_ns)
    return following.after(judge(update_is_used, verdict, proof_heights, is_last=entry == chain.headers[-1]))


@rule(SPEC)
def update_starts_at_the_one_before(kind: ChainKind, entry: HeaderEntry, following: Following) -> None:
    """The update's trusted height is where the client stands.

    Raises:
        PredicateFailed: it is another.
        MalformedInput: the update cannot be read.
    """
    if kind is ChainKind.CLIQUE:
        got = clique.decode_header_message(entry.header).trusted_height
    else:
        rules = bft_evm.decode_client_state(following.client_state).seal_rules
        got = bft_evm.decode_header_message(entry.header, rules).trusted_height
    if got != following.height:
        raise PredicateFailed(
            "update_starts_at_the_one_before",
            "an update does not follow the one before: export the bundle again with this checkpoint",
            got,
            following.height,
        )


@rule(SPEC)
def update_is_used(verdict: HeaderVerdict, proof_heights: frozenset[Height], *, is_last: bool) -> Updated:
    """The update is new, and a proof stands on it or the next update starts from it.

    Raises:
        PredicateFailed: it shows nothing new or misbehaviour, or is the last and no proof stands on it.
    """
    updated = updated_by(verdict)
    if is_last and updated.height not in proof_heights:
        raise PredicateFailed("update_is_used", "no proof stands on the last update", got=updated.height)
    return updated
