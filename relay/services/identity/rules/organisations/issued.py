"""Whether a credential was issued by a key that counted: while the key is good by the key alone, afterwards by the log alone.

What the credential says of its own date is not asked. Signature, status and accreditation are judged elsewhere.
"""

from dataclasses import dataclass

from hutong.light_clients.interface import Judge, PredicateFailed, rule
from hutong.light_clients.proofs.merkle.proof import MerkleProof, judge_inclusion
from hutong.light_clients.proofs.merkle.tree import leaf_hash
from hutong.relay.services.identity.rules.organisations.approvals import SPEC
from hutong.relay.services.identity.rules.organisations.resolving import ProvenDid
from hutong.relay.services.identity.rules.records.key_record import KeyPurpose, KeyRecord, KeyState
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, decode_log_entry


@dataclass(frozen=True, slots=True)
class Logged:
    """An entry of the issuer's log, as bytes, and its RFC 6962 inclusion proof in the tree that the key's record names."""

    entry: bytes
    index: int
    aunts: tuple[bytes, ...]


@rule(SPEC)
def key_is_the_dids(issuer: ProvenDid, thumbprint: bytes) -> KeyRecord:
    """The key that signed is one of the DID's, good or ended. Returns its record.

    Raises:
        PredicateFailed: it is not.
    """
    found = issuer.keys.get(thumbprint)
    if found is None:
        raise PredicateFailed("key_is_the_dids", "the DID has no such key", got=thumbprint)
    return found


@rule(SPEC)
def key_is_for(record: KeyRecord, purpose: KeyPurpose) -> None:
    """The key is for what it signed: `SIGNING` a credential, `CONTRACT` a seal.

    Raises:
        PredicateFailed: it is for something else.
    """
    if not record.has(purpose):
        raise PredicateFailed("key_is_for", "the key is for something else", int(record.use.purposes), int(purpose))


@rule(SPEC)
def key_counts(record: KeyRecord, time_s: int) -> None:
    """A key that has not ended is within its window.

    Raises:
        PredicateFailed: the window has not begun, or is over.
    """
    if not record.counts_at(time_s):
        raise PredicateFailed(
            "key_counts", "is out of its window", time_s, f"{record.use.valid_from_s} to {record.use.valid_until_s}"
        )


@rule(SPEC)
def issuance_is_logged(logged: Logged | None) -> Logged:
    """Under a key that has ended a credential brings its log entry. Returns it.

    Raises:
        PredicateFailed: it does not.
    """
    if logged is None:
        raise PredicateFailed("issuance_is_logged", "the key has ended, and no log entry is shown")
    return logged


@dataclass(frozen=True, slots=True)
class Judged:
    """A credential or a seal that is judged: what signed what, for which index of which list.

    `issuance.digest` is computed from it by whoever judges it, as `LogEntry` says.
    """

    list_number: int
    index: int
    issuance: Issuance
    purpose: KeyPurpose
    """`SIGNING` for a credential, `CONTRACT` for a seal, but `SIGNING` for one by a P-256 key."""
    is_seal: bool = False
    """Said of a seal whose purpose does not tell: its entry names it as one, as `CredentialGateP256` asks."""


@rule(SPEC)
def entry_is_of_what_is_judged(entry: LogEntry, judged: Judged) -> None:
    """The entry names the list and the index, and the credential or seal with the key that signed it.

    Raises:
        PredicateFailed: it is of another one, such as of another person's index.
    """
    name = "entry_is_of_what_is_judged"
    got, expected = (entry.list_number, entry.index), (judged.list_number, judged.index)
    if got != expected:
        raise PredicateFailed(name, "another list or index", got=got, expected=expected)
    is_seal = judged.is_seal or judged.purpose is KeyPurpose.CONTRACT
    found = entry.seal if is_seal else entry.credential
    if found != judged.issuance:
        raise PredicateFailed(name, "another credential or key", got="none" if found is None else found.digest)


@rule(SPEC)
def key_has_a_log(record: KeyRecord) -> None:
    """Something was logged before the key ended.

    Raises:
        PredicateFailed: nothing was, so that nothing under the key passes.
    """
    if record.end.log_size == 0:
        raise PredicateFailed("key_has_a_log", "nothing was logged before the key ended", got=record.end.ended_s)


def judge_issued(
    judge: Judge, issuer: ProvenDid, judged: Judged, time_s: int, logged: Logged | None = None
) -> KeyRecord:
    """The key of a credential or seal counts now, or did when it was logged. Returns its record.

    Args:
        time_s: of the hub's header under which `issuer` is proven, Unix seconds.

    Raises:
        PredicateFailed: the first rule that does not hold.
        MalformedInput: the entry is not one.
    """
    key = judge(key_is_the_dids, issuer, judged.issuance.key_thumbprint)
    judge(key_is_for, key, judged.purpose)
    if key.end.state is KeyState.ACTIVE and issuer.record.is_active:
        judge(key_counts, key, time_s)
        return key
    shown = judge(issuance_is_logged, logged)
    judge(entry_is_of_what_is_judged, decode_log_entry(shown.entry), judged)
    judge(key_has_a_log, key)
    proof = MerkleProof(key.end.log_size, shown.index, leaf_hash(shown.entry), shown.aunts)
    judge_inclusion(judge, proof, key.end.log_root, shown.entry)
    return key
