"""The judge of a whole log ("Read (Resolve)"): every entry, in order, or nothing.

The specification lets a resolver serve the entries before one that fails. This one does not: whoever can append what does
not verify has the controller's web server, and the reader should know.
"""

from dataclasses import dataclass
from typing import Final

from hutong.light_clients.interface import rule
from hutong.light_clients.interface.errors import MalformedInput, PredicateFailed
from hutong.relay.services.identity.rules.dids.instants import NANOSECONDS
from hutong.relay.services.identity.rules.dids.syntax import parse_did
from hutong.relay.services.identity.rules.dids.webvh.entry import MAX_ENTRY_BYTES, LogEntry, read_log
from hutong.relay.services.identity.rules.dids.webvh.hashes import entry_hash_of, scid_of
from hutong.relay.services.identity.rules.dids.webvh.identifier import WebvhDid, parse_webvh_did
from hutong.relay.services.identity.rules.dids.webvh.parameters import LogParameters, parameters_after
from hutong.relay.services.identity.rules.dids.webvh.proof import proof_verifies
from hutong.relay.services.identity.rules.dids.webvh.witnesses import (
    approved_up_to,
    enough_witnesses_approved,
    read_witness_file,
    witnesses_of,
)
from hutong.relay.services.identity.rules.drafts import DID_WEBVH
from hutong.relay.services.identity.rules.jose.strict_json import JsonObject

MAX_CLOCK_DRIFT_S: Final = 300
"""How far ahead of the reader's clock an entry may be dated: the specification's five minutes."""


@dataclass(frozen=True, slots=True)
class LogVersion:
    """One version that was judged good. `number` counts from 1; `document` is the state as the log has it."""

    number: int
    version_id: str
    version_time_ns: int
    document: JsonObject
    document_id: str
    parameters: LogParameters


@dataclass(frozen=True, slots=True)
class VerifiedLog:
    """All versions of a log, at least one, oldest first."""

    did: WebvhDid
    versions: tuple[LogVersion, ...]

    @property
    def latest(self) -> LogVersion:
        """The newest version."""
        return self.versions[-1]


def verify_log(did: WebvhDid, log: bytes, witness_file: bytes | None, now_s: int) -> VerifiedLog:
    """Judge the log of `did` at `now_s`, seconds since 1970. `witness_file` is None where none was found.

    Raises:
        MalformedInput: bytes that are no log, or no file of witness proofs.
        PredicateFailed: the first rule that an entry breaks, by its name.
        UnsupportedOperation: a key or host of a kind that is not supported.
    """
    versions: list[LogVersion] = []
    for entry in read_log(log):
        versions.append(_judged(did, entry, versions[-1] if versions else None, now_s))
    some_version_carries_the_did(did, versions)
    _judge_witnesses(versions, witness_file)
    return VerifiedLog(did, tuple(versions))


def _judged(did: WebvhDid, entry: LogEntry, before: LogVersion | None, now_s: int) -> LogVersion:
    parameters = parameters_after(None if before is None else before.parameters, entry.stated)
    scid_is_of_the_did(did, parameters)
    _judge_proofs(entry, None if before is None else before.parameters, parameters)
    number = version_id_continues(entry, before, parameters.scid)
    version_time_is_in_order(entry, before, now_s)
    if before is None:
        scid_is_the_hash_of_the_first_entry(entry, parameters.scid)
    document_is_of_the_did(entry, before, parameters)
    return LogVersion(number, entry.version_id, entry.version_time_ns, entry.state, entry.document_id, parameters)


def _judge_proofs(entry: LogEntry, before: LogParameters | None, after: LogParameters) -> None:
    authorised = after.update_keys if before is None or before.next_key_hashes else before.update_keys
    for proof in entry.proofs:
        proof_key_is_authorised(proof.multikey, authorised)
        proof_verifies(proof, entry.unproven)


@rule(f"{DID_WEBVH}, Authorized Keys")
def proof_key_is_authorised(key: str, authorised: tuple[str, ...]) -> None:
    """Every proof is by a key that was active: of the entry before it, or under pre-rotation of the entry itself."""
    if key not in authorised:
        raise PredicateFailed("proof_key_is_authorised", "the key may not update the DID", got=key)


@rule(f"{DID_WEBVH}, Reading did:webvh DID URLs")
def scid_is_of_the_did(did: WebvhDid, parameters: LogParameters) -> None:
    """The log is of the SCID that was asked for, whatever its host serves."""
    if parameters.scid != did.scid:
        raise PredicateFailed(
            "scid_is_of_the_did", "the log is of another SCID", got=parameters.scid, expected=did.scid
        )


@rule(f"{DID_WEBVH}, Entry Hash Generation and Verification")
def version_id_continues(entry: LogEntry, before: LogVersion | None, scid: str) -> int:
    """The version is the next number and the hash of the entry, which covers the version before it."""
    number = 1 if before is None else before.number + 1
    expected = f"{number}-{entry_hash_of(entry.unproven, scid if before is None else before.version_id)}"
    if entry.version_id != expected:
        raise PredicateFailed("version_id_continues", "another number or hash", got=entry.version_id, expected=expected)
    return number


@rule(f"{DID_WEBVH}, SCID Generation and Verification")
def scid_is_the_hash_of_the_first_entry(entry: LogEntry, scid: str) -> None:
    """Whoever makes another first entry makes another DID."""
    expected = scid_of(entry.unproven, scid, MAX_ENTRY_BYTES)
    if scid != expected:
        raise PredicateFailed("scid_is_the_hash_of_the_first_entry", "another hash", got=scid, expected=expected)


@rule(f"{DID_WEBVH}, Read (Resolve) step 4")
def version_time_is_in_order(entry: LogEntry, before: LogVersion | None, now_s: int) -> None:
    """Later than the version before it, and not ahead of the reader's clock by more than `MAX_CLOCK_DRIFT_S`."""
    if entry.version_time_ns > (now_s + MAX_CLOCK_DRIFT_S) * NANOSECONDS:
        raise PredicateFailed("version_time_is_in_order", "is in the future", got=entry.version_time)
    if before is not None and entry.version_time_ns <= before.version_time_ns:
        raise PredicateFailed("version_time_is_in_order", "is not after the version before it", got=entry.version_time)


@rule(f"{DID_WEBVH}, Read (Resolve) step 6; DID Portability")
def document_is_of_the_did(entry: LogEntry, before: LogVersion | None, after: LogParameters) -> None:
    """The document's id has the SCID; another id than before needs a portable DID and names the old one as its own."""
    try:
        named = parse_webvh_did(parse_did(entry.document_id, "state.id"))
    except MalformedInput as error:
        raise PredicateFailed("document_is_of_the_did", f"state.id {error.reason}", got=entry.document_id) from error
    if named.scid != after.scid:
        raise PredicateFailed(
            "document_is_of_the_did", "state.id has another SCID", got=named.scid, expected=after.scid
        )
    if before is None or entry.document_id == before.document_id:
        return
    if not (before.parameters.portable and after.portable):
        raise PredicateFailed("document_is_of_the_did", "a DID that is not portable moves", got=entry.document_id)
    known_as = entry.state.get("alsoKnownAs")
    if not isinstance(known_as, list) or before.document_id not in known_as:
        raise PredicateFailed(
            "document_is_of_the_did", "a moved DID does not name its old one", expected=before.document_id
        )


@rule(f"{DID_WEBVH}, Read (Resolve): didIdMatchCount")
def some_version_carries_the_did(did: WebvhDid, versions: list[LogVersion]) -> None:
    """The log of a SCID does not answer for a DID of that SCID under a host that it never named."""
    if all(version.document_id != str(did.did) for version in versions):
        raise PredicateFailed("some_version_carries_the_did", "no version is of this DID", expected=str(did.did))


def _judge_witnesses(versions: list[LogVersion], witness_file: bytes | None) -> None:
    demanded = [
        (version.number, demand)
        for before, version in zip([None, *versions], versions, strict=False)
        if (demand := witnesses_of(None if before is None else before.parameters, version.parameters)) is not None
    ]
    if not demanded:
        return
    witnesses = frozenset(witness for _, demand in demanded for witness in demand.witnesses)
    numbers = {version.version_id: version.number for version in versions}
    proofs = () if witness_file is None else read_witness_file(witness_file)
    approved = approved_up_to(proofs, numbers, witnesses)
    for number, demand in demanded:
        enough_witnesses_approved(demand, number, approved)
