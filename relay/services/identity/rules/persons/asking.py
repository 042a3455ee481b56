"""Who may ask a registrar's service for the proof of a person: the person by a key of its own, and its guardians."""

from typing import Final

from hutong.light_clients.crypto import recover_eth_address
from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules.persons.person import SPEC, Person, Place, next_key_commitment
from hutong.relay.services.identity.rules.persons.recovering import policy_was_committed_to_by_leaf
from hutong.relay.services.identity.rules.persons.signed import COMPACT_BYTES, proof_request_digest, recoverable_form

MAX_ASKING_LIFE_S: Final = 600
"""A request that somebody has read on its way is of no use for longer."""


@rule(SPEC)
def asked_in_time(expires_s: int, now_s: int) -> None:
    """The request has not expired, and expires before long.

    Raises:
        PredicateFailed: either.
    """
    if not now_s <= expires_s <= now_s + MAX_ASKING_LIFE_S:
        raise PredicateFailed(
            "asked_in_time", "expired, or too far ahead", expires_s, (now_s, now_s + MAX_ASKING_LIFE_S)
        )


@rule(SPEC)
def asker_is_of_person(person: Person, policy: bytes | None, digest: bytes, compact: bytes) -> bytes:
    """The account that asks: the present key's, the committed next one's, or that of a guardian who shows the policy.

    Raises:
        MalformedInput: a policy of another form.
        PredicateFailed: it is somebody else, or the leaf commits to another policy.
    """
    found = recover_eth_address(digest, recoverable_form(compact)) if len(compact) == COMPACT_BYTES else None
    if found is not None:
        if found == person.control.account or next_key_commitment(found) == person.control.next_key:
            return found
        if policy is not None and found in policy_was_committed_to_by_leaf(person, policy).guardians:
            return found
    raise PredicateFailed("asker_is_of_person", "neither a key of the person nor a guardian's", got=found)


def judge_asking(
    judge: Judge, hub: str, of: tuple[Place, Person], said: tuple[int, bytes, bytes | None], now_s: int
) -> bytes:
    """The account of whoever asks for a person's proof.

    Args:
        of: where the person stands, and who it is now.
        said: until when the request counts (Unix seconds), its signature of 64 bytes, and the policy of recovery if shown.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    (place, person), (expires_s, signature, policy) = of, said
    judge(asked_in_time, expires_s, now_s)
    return judge(asker_is_of_person, person, policy, proof_request_digest(hub, place, expires_s), signature)
