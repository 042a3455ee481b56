"""The rules of a misbehaviour message (ibc-go v10 07-tendermint/{misbehaviour,misbehaviour_handle}.go).

Both headers must be such that this client would have believed them, each from its own trusted state, and they must
contradict each other. Clock drift is not judged: a signature over a future time is a signature.
"""

import re
from collections.abc import Iterator
from functools import partial

from light_clients.interface import Check, MalformedInput
from light_clients.tendermint import predicates
from light_clients.tendermint.types import (
    ClientState,
    ConsensusState,
    Misbehaviour,
    TendermintHeader,
    revision_of,
    with_revision,
)
from light_clients.tendermint.verification import UPDATE, commit_checks

MISBEHAVIOUR = "ibc-go 07-tendermint/misbehaviour.go"
HANDLE = "ibc-go 07-tendermint/misbehaviour_handle.go"

_CLIENT_ID = re.compile(r"[a-zA-Z0-9._+\-#\[\]<>]{9,64}")
"""ibc-go 24-host ClientIdentifierValidator."""


def client_id_is_identifier(client_id: str) -> None:
    """Nobody reads it, but stock chains refuse a message without one."""
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise MalformedInput("misbehaviour.client_id", "is no ICS-24 client identifier", got=client_id)


def evidence_checks(
    client: ClientState, evidence: Misbehaviour, trusted: tuple[ConsensusState, ConsensusState], now_ns: int
) -> Iterator[Check]:
    """Every rule in order; `trusted` are the states at the trusted heights of the two headers."""
    one, two = evidence.header_1.signed_header, evidence.header_2.signed_header
    yield Check("client_id_is_identifier", MISBEHAVIOUR, partial(client_id_is_identifier, evidence.client_id))
    yield Check(
        "evidence_heights_in_order", MISBEHAVIOUR, partial(predicates.evidence_heights_in_order, one.header, two.header)
    )
    yield Check("headers_conflict", HANDLE, partial(predicates.headers_conflict, one, two))
    for label, header, state in (
        ("header_1.", evidence.header_1, trusted[0]),
        ("header_2.", evidence.header_2, trusted[1]),
    ):
        for check in _believed_checks(client, header, state, now_ns):
            yield Check(label + check.name, check.source, check.run)


def _believed_checks(
    client: ClientState, update: TendermintHeader, trusted: ConsensusState, now_ns: int
) -> Iterator[Check]:
    signed_header, header = update.signed_header, update.signed_header.header
    yield Check("header_has_ibc_height", MISBEHAVIOUR, partial(predicates.header_has_ibc_height, header))
    chain_id = with_revision(client.chain_id, revision_of(header.chain_id))
    signatures = predicates.CommitSignatures(chain_id, signed_header.commit)
    yield Check("chain_id_matches", HANDLE, partial(predicates.chain_id_matches, header, chain_id))
    yield Check(
        "trusted_height_is_below",
        MISBEHAVIOUR,
        partial(predicates.trusted_height_is_below, update.trusted_height, update.height),
    )
    yield Check(
        "within_trusting_period",
        HANDLE,
        partial(predicates.within_trusting_period, trusted.timestamp_ns, client.trusting_period_ns, now_ns),
    )
    yield Check(
        "trusted_validators_are_sound",
        "cometbft types/validator_set.go",
        partial(predicates.validator_set_is_sound, update.trusted_validators),
    )
    yield Check(
        "trusted_validators_hash_matches",
        UPDATE,
        partial(predicates.trusted_validators_hash_matches, update.trusted_validators, trusted.next_validators_hash),
    )
    yield Check(
        "trusted_power_signed",
        HANDLE,
        partial(
            predicates.trusted_power_signed,
            update.trusted_validators,
            signed_header.commit,
            client.trust_level,
            signatures,
        ),
    )
    yield from commit_checks(signed_header, update.validator_set, signatures)
