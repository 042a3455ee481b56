"""Issuers believed by a hub's records: a DID whose key signed, accredited for the schema, with a list that the hub proves.

Before anything of a presentation is believed, its `iss` and status say which records are needed. What they say is judged after
its signature, under the key that the records name: whoever names another issuer's DID has not that issuer's key.
"""

from collections import OrderedDict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from hutong.light_clients.crypto import sha256
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.light_clients.interface.judge import VERIFY
from hutong.relay.services.identity.daemon.hub_records import HubRecords, HubUnreachable, RecordsAsked
from hutong.relay.services.identity.rules.acceptance.credential import (
    key_signs_credentials,
    trust_in_key,
    type_is_of_a_schema,
)
from hutong.relay.services.identity.rules.acceptance.list_place import status_uri_names_a_list
from hutong.relay.services.identity.rules.acceptance.standing import (
    Ground,
    judge_accredited,
    judge_issuer_did,
    judge_list_record,
    proven_list,
)
from hutong.relay.services.identity.rules.dids.did_hutong import METHOD, parse_hutong_did
from hutong.relay.services.identity.rules.dids.syntax import parse_did
from hutong.relay.services.identity.rules.jose import read_jws
from hutong.relay.services.identity.rules.organisations.issued import Judged, judge_issued, key_is_the_dids
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyRecord
from hutong.relay.services.identity.rules.records.list_record import ListRecord
from hutong.relay.services.identity.rules.records.log_record import Issuance
from hutong.relay.services.identity.rules.sd_jwt import IssuerTrust, TrustedKeys, VerifiedPresentation, read_compact
from hutong.relay.services.identity.rules.seals.accepting import list_is_for_the_schema
from hutong.relay.services.identity.rules.status import ProvenList, StatusReference, status_claim_well_formed
from hutong.relay.services.identity.verifier.settings import PolicyHub

SPEC: Final = "docs/spec/identity-acceptance.md"
MAX_KEPT: Final = 1_024


@rule(SPEC)
def header_is_fresh(time_s: int, now_s: int, max_age_s: int) -> None:
    """The hub's header is no older than the policy says, and not of the future by more than that.

    Raises:
        PredicateFailed: it is: the hub has stopped, or what is shown is old.
    """
    if abs(now_s - time_s) > max_age_s:
        raise PredicateFailed("header_is_fresh", "time of the hub's header", time_s, f"within {max_age_s} s of {now_s}")


@rule(SPEC)
def hub_is_the_policys(hub: str, expected: str) -> None:
    """The issuer is registered on the hub whose records are read.

    Raises:
        PredicateFailed: on another.
    """
    if hub != expected:
        raise PredicateFailed("hub_is_the_policys", "hub of the issuer's DID", hub, expected)


@dataclass(frozen=True, slots=True)
class HubIssuer:
    """An issuer as the hub's records show it, with the list and the key of one presentation."""

    did: str
    ground: Ground
    proven: ProvenDid
    number: int
    record: ListRecord
    signing: KeyRecord

    @property
    def status_list(self) -> ProvenList:
        """What the status list token has to be."""
        return proven_list(self.record, self.proven.epoch, KeyPurpose.SIGNING)


class HubTrust:
    """Reads the records of issuers, and remembers the newest epoch of each: what was taken back is not forgotten."""

    def __init__(self, records: HubRecords) -> None:
        self._records = records
        self._epochs: OrderedDict[bytes, int] = OrderedDict()

    async def issuers(self, texts: Iterable[str], hub: PolicyHub, now_s: int) -> Mapping[str, HubIssuer]:
        """By presentation, the issuer whose DID it names. One that names none is left to the policy's anchors.

        Raises:
            VerificationError: a DID whose records do not hold, are too old, or cannot be had (`hub_is_reachable`).
        """
        return {text: found for text in texts if (found := await self._issuer(text, hub, now_s)) is not None}

    async def _issuer(self, text: str, hub: PolicyHub, now_s: int) -> HubIssuer | None:
        claims = read_jws(read_compact(text).issuer_jwt, "credential").claims()
        name = claims.get("iss")
        if not isinstance(name, str) or not name.startswith(f"did:{METHOD}:"):
            return None
        did = parse_hutong_did(parse_did(name))
        number = status_uri_names_a_list(status_claim_well_formed(claims.get("status")).uri)
        try:
            ground = await self._records.ground(RecordsAsked(did.id, number, hub.schema_hash))
        except HubUnreachable as error:
            raise PredicateFailed("hub_is_reachable", str(error), name) from None
        hub_is_the_policys(did.hub, ground.hub)
        header_is_fresh(ground.time_s, now_s, hub.max_age_s)
        proven = judge_issuer_did(VERIFY, ground, did.id)
        record = judge_list_record(VERIFY, ground, did.id, number)
        signing = key_is_the_dids(proven, record.bound.key_thumbprint)
        key_signs_credentials(signing)
        return HubIssuer(name, ground, proven, number, record, signing)

    def judge(self, verified: VerifiedPresentation, text: str, issuer: HubIssuer, hub: PolicyHub) -> StatusReference:
        """How a presentation whose signature holds stands on the hub; where its status is, which is judged next.

        Raises:
            VerificationError: the first rule that does not hold.
        """
        token = read_compact(text).issuer_jwt
        schema = type_is_of_a_schema(verified.claims, verified.vct, {verified.vct: hub.schema_hash})
        reference = status_claim_well_formed(verified.status)
        issuance = Issuance(verified.issuer.key.thumbprint(), sha256(token.encode()))
        judged = Judged(issuer.number, reference.index, issuance, KeyPurpose.SIGNING)
        judge_issued(VERIFY, issuer.proven, judged, issuer.ground.time_s)
        list_is_for_the_schema(issuer.record.bound, schema)
        judge_accredited(VERIFY, issuer.ground, issuer.proven, issuer.number, issuer.record)
        return reference

    def newest_epoch(self, issuer: HubIssuer) -> int:
        """The highest epoch of the issuer that was seen, this one included."""
        newest = max(self._epochs.get(issuer.proven.did, 0), issuer.proven.epoch.number)
        self._epochs[issuer.proven.did] = newest
        self._epochs.move_to_end(issuer.proven.did)
        if len(self._epochs) > MAX_KEPT:
            self._epochs.popitem(last=False)
        return newest


def trust_with(trust: IssuerTrust, issuers: Iterable[HubIssuer]) -> IssuerTrust:
    """The policy's trust, and each issuer's key under its own DID alone."""
    keys = list(trust.keys)
    for issuer in issuers:
        keys += [TrustedKeys(one.keys, issuer.did) for one in trust_in_key(issuer.signing).keys]
    return IssuerTrust(tuple(keys), trust.anchors, trust.pinned)
