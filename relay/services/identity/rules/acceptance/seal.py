"""A seal that its holder presents to a gate, judged by a hub's records: what the gate's contract asks, and the chain of accreditations."""

from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.relay.services.identity.rules.acceptance.standing import (
    SPEC,
    Ground,
    Standing,
    judge_accredited,
    judge_issuer_did,
    judge_list_record,
    log_entry_is_read,
)
from hutong.relay.services.identity.rules.organisations.issued import Judged
from hutong.relay.services.identity.rules.records.log_record import Issuance
from hutong.relay.services.identity.rules.seals import accepting
from hutong.relay.services.identity.rules.seals.presentation import Presentation
from hutong.relay.services.identity.rules.seals.seal import Seal, seal_digest


@dataclass(frozen=True, slots=True)
class PresentedSeal:
    """A seal with its evidence, and what its holder signed for one call of one gate."""

    shown: accepting.ShownSeal
    presentation: Presentation
    holder_signature: bytes


@dataclass(frozen=True, slots=True)
class SealTerms:
    """`schema` None: any that the issuer is accredited for."""

    schema: bytes | None = None


@dataclass(frozen=True, slots=True)
class AcceptedSeal:
    """A seal that holds, is presented by its holder, and stands under the hub's records."""

    presented: PresentedSeal
    standing: Standing
    judged: Judged


@rule(SPEC)
def seal_is_of_the_issuer(seal: Seal, issuer: bytes) -> None:
    """The seal names the DID whose records are shown.

    Raises:
        PredicateFailed: another one.
    """
    if seal.issuer != issuer:
        raise PredicateFailed("seal_is_of_the_issuer", "of another issuer", got=seal.issuer, expected=issuer)


def judge_presented_seal(
    judge: Judge, ground: Ground, issuer_did: bytes, presented: PresentedSeal, terms: SealTerms
) -> AcceptedSeal:
    """Every rule of an acceptance, at the header's time: records of the issuer, the seal, its holder, the accreditations.

    Raises:
        MalformedInput, PredicateFailed: the first rule that does not hold.
    """
    shown, seal = presented.shown, presented.shown.seal
    judge(seal_is_of_the_issuer, seal, issuer_did)
    issuer = judge_issuer_did(judge, ground, issuer_did)
    record = judge_list_record(judge, ground, issuer.did, seal.list_number)
    asked = accepting.Terms(terms.schema or seal.schema, 0, ground.newest_epoch, takes_p256=True)
    standing = accepting.Standing(issuer, record, ground.time_s)
    key = accepting.judge_seal(judge, shown, standing, asked, ground.time_s)
    judge(log_entry_is_read, issuer, key, shown.logged)
    accepting.judge_presentation(judge, seal, presented.presentation, presented.holder_signature, ground.time_s)
    issuance = Issuance(accepting.sealing_thumbprint(record.bound), seal_digest(seal))
    judged = Judged(seal.list_number, seal.index, issuance, accepting.purpose_of_seals(key), is_seal=True)
    accredited = judge_accredited(judge, ground, issuer, seal.list_number, record)
    return AcceptedSeal(presented, Standing(accredited, key, record), judged)
