"""Updates of an Ethereum chain in a bundle: believed in order, as a light client that begins at the checkpoint would."""

from hutong.light_clients.ethereum import decode_client_state
from hutong.light_clients.interface import HeaderVerdict, Height, Judge, PredicateFailed, Updated, rule
from hutong.relay.archive.bundle import ChainHeaders, HeaderEntry
from hutong.relay.audit.blocks import SPEC
from hutong.relay.audit.following import Following, update_stands_alone, updated_by


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
        proof_heights: on which a proof of the bundle stands; an update must serve one.
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        VerificationError: as the judge raises where a rule does not hold.
    """
    judge(update_stands_alone, chain, entry)
    verdict = following.client.judge_header(judge, following.client_state, following.states, entry.header, now_ns)
    is_last = entry == chain.headers[-1]
    return following.after(judge(update_is_used, verdict, following.client_state, proof_heights, is_last=is_last))


@rule(SPEC)
def update_is_used(
    verdict: HeaderVerdict, client_state: bytes, proof_heights: frozenset[Height], *, is_last: bool
) -> Updated:
    """The header is new, and a proof stands on it or it brings the committee of later ones.

    Raises:
        PredicateFailed: it shows nothing new or misbehaviour, or nothing in the bundle needs it.
    """
    updated = updated_by(verdict)
    before = decode_client_state(client_state).committees
    after = decode_client_state(updated.client_state).committees
    brings = (before.current_root, before.next_root) != (after.current_root, after.next_root)
    if updated.height not in proof_heights and (is_last or not brings):
        raise PredicateFailed(
            "update_is_used", "no proof stands on it, and it brings no committee that is needed", got=updated.height
        )
    return updated
