"""The rules of a misbehaviour message (ibc-go v10 07-tendermint/{misbehaviour,misbehaviour_handle}.go).

Both headers must be such that this client would have believed them, each from its own trusted state, and they must
contradict each other. Clock drift is not judged: a signature over a future time is a signature.
"""

import re

from hutong.light_clients.interface import Judge, MalformedInput, cited, rule
from hutong.light_clients.tendermint import predicates
from hutong.light_clients.tendermint.predicates import HANDLE, MISBEHAVIOUR
from hutong.light_clients.tendermint.types import (
    ClientState,
    ConsensusState,
    Misbehaviour,
    TendermintHeader,
    revision_of,
    with_revision,
)
from hutong.light_clients.tendermint.verification import judge_commit

_chain_id_matches = cited(predicates.chain_id_matches, HANDLE)
_within_trusting_period = cited(predicates.within_trusting_period, HANDLE)
_trusted_power_signed = cited(predicates.trusted_power_signed, HANDLE)

_CLIENT_ID = re.compile(r"[a-zA-Z0-9._+\-#\[\]<>]{9,64}")
"""ibc-go 24-host ClientIdentifierValidator."""


@rule(MISBEHAVIOUR)
def client_id_is_identifier(client_id: str) -> None:
    """Nobody reads it, but stock chains refuse a message without one.

    Raises:
        MalformedInput: not 9 to 64 of the characters of an ICS-24 identifier.
    """
    if _CLIENT_ID.fullmatch(client_id) is None:
        raise MalformedInput("misbehaviour.client_id", "is no ICS-24 client identifier", got=client_id)


def judge_evidence(
    judge: Judge,
    client: ClientState,
    evidence: Misbehaviour,
    trusted: tuple[ConsensusState, ConsensusState],
    now_ns: int,
) -> None:
    """Every rule in order; `trusted` are the states at the trusted heights of the two headers.

    Raises:
        InsufficientTrust: too little of the trusted power signed one of the headers.
        ClientExpired: one of the trusted states is too old.
        MalformedInput, PredicateFailed: the first rule that does not hold; an audit shows which header it is of.
    """
    one, two = evidence.header_1.signed_header, evidence.header_2.signed_header
    judge(client_id_is_identifier, evidence.client_id)
    judge(predicates.evidence_heights_in_order, one.header, two.header)
    judge(predicates.headers_conflict, one, two)
    _judge_believed(judge.under("header_1."), client, evidence.header_1, trusted[0], now_ns)
    _judge_believed(judge.under("header_2."), client, evidence.header_2, trusted[1], now_ns)


def _judge_believed(
    judge: Judge, client: ClientState, update: TendermintHeader, trusted: ConsensusState, now_ns: int
) -> None:
    signed_header, header = update.signed_header, update.signed_header.header
    judge(predicates.header_has_ibc_height, header)
    chain_id = with_revision(client.chain_id, revision_of(header.chain_id))
    signatures = predicates.CommitSignatures(chain_id, signed_header.commit)
    judge(_chain_id_matches, header, chain_id)
    judge(predicates.trusted_height_is_below, update.trusted_height, update.height)
    judge(_within_trusting_period, trusted.timestamp_ns, client.trusting_period_ns, now_ns)
    judge(predicates.trusted_validators_are_sound, update.trusted_validators)
    judge(predicates.trusted_validators_hash_matches, update.trusted_validators, trusted.next_validators_hash)
    judge(_trusted_power_signed, update.trusted_validators, signed_header.commit, client.trust_level, signatures)
    judge_commit(judge, signed_header, update.validator_set, signatures)
