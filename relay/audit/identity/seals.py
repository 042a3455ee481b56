"""Seals in acceptances. Nothing but secp256k1 is needed where the issuer's key is of that curve."""

from hutong.light_clients.interface import Judge
from hutong.relay.archive.acceptance import ShownSeal
from hutong.relay.audit.identity.terms import AcceptanceTerms
from hutong.relay.services.identity.rules.acceptance.seal import (
    AcceptedSeal,
    PresentedSeal,
    SealTerms,
    judge_presented_seal,
)
from hutong.relay.services.identity.rules.acceptance.standing import Evidence, Ground
from hutong.relay.services.identity.rules.seals import accepting
from hutong.relay.services.identity.rules.seals.claim_tree import ShownClaim
from hutong.relay.services.identity.rules.seals.presentation import Gate, Presentation
from hutong.relay.services.identity.rules.seals.seal import Seal, seal_digest


def judge_shown_seal(
    judge: Judge, ground: Ground, issuer: bytes, shown: ShownSeal, evidence: Evidence, terms: AcceptanceTerms
) -> AcceptedSeal:
    """Every rule of `judge_presented_seal`, as an acceptance has it.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold, or a member that no seal or call has.
    """
    return judge_presented_seal(judge, ground, issuer, presented_seal(shown, evidence), SealTerms(terms.schema))


def presented_seal(shown: ShownSeal, evidence: Evidence) -> PresentedSeal:
    """The seal and its presentation as the rules take them.

    Raises:
        MalformedInput: a member that no seal or call has.
    """
    seal, call = seal_of_words(shown.members), shown.call
    claims = tuple(ShownClaim.of((one.salt, one.name_hash, one.kind, one.value, one.path)) for one in shown.claims)
    given = accepting.ShownSeal(seal, shown.signature, claims, evidence.chunk, evidence.logged)
    gate = Gate(call.chain_id, call.gate)
    said = Presentation(gate, call.caller, call.nonce, call.deadline_s, seal_digest(seal), call.call_hash)
    return PresentedSeal(given, said, call.signature)


def seal_of_words(words: tuple[bytes, ...]) -> Seal:
    """A seal of the words of its struct.

    Raises:
        MalformedInput: a member out of its rule.
    """
    schema, issuer, list_number, index, not_after_s, holder, claims_root = words
    account = int.from_bytes(holder, "big")
    return Seal(
        schema,
        issuer,
        int.from_bytes(list_number, "big"),
        int.from_bytes(index, "big"),
        int.from_bytes(not_after_s, "big"),
        account.to_bytes(max(20, (account.bit_length() + 7) // 8), "big"),
        claims_root,
    )


def words_of_seal(seal: Seal) -> tuple[bytes, ...]:
    """Inverse of `seal_of_words`."""
    numbers = (number.to_bytes(32, "big") for number in (seal.list_number, seal.index, seal.not_after_s))
    return (seal.schema, seal.issuer, *numbers, seal.holder.rjust(32, b"\0"), seal.claims_root)
