"""Eight moments of a key's life, of a credential and of the seal beside it, judged online by the rules and offline from the bytes.

`pytest -s tests/relay/audit/identity/test_rotation_table.py` prints the table.
"""

from dataclasses import dataclass, replace
from hashlib import sha256

from hutong.light_clients.interface import VERIFY, PredicateFailed
from hutong.light_clients.proofs.merkle.proof import prove_leaf
from hutong.light_clients.proofs.merkle.tree import leaf_hash, root_of_leaves
from hutong.relay.archive.acceptance import Acceptance, ShownEntry, ShownPresentation, encode_acceptance
from hutong.relay.audit.identity.seals import presented_seal
from hutong.relay.services.identity.rules.acceptance.credential import (
    CredentialTerms,
    PresentedCredential,
    judge_credential,
)
from hutong.relay.services.identity.rules.acceptance.seal import SealTerms, judge_presented_seal
from hutong.relay.services.identity.rules.acceptance.standing import Evidence, Ground
from hutong.relay.services.identity.rules.organisations.issued import Logged
from hutong.relay.services.identity.rules.organisations.key_form import thumbprint
from hutong.relay.services.identity.rules.records.key_record import KeyEnd, KeyPurpose, KeyState
from hutong.relay.services.identity.rules.records.log_record import Issuance, LogEntry, encode_log_entry
from hutong.relay.services.identity.rules.status.chunk_tree import ChunkProof
from tests.relay.audit.identity.accepted_credentials import (
    INDEX,
    ISSUER,
    SEALING_SECRET,
    SIGNING,
    World,
    k256,
    key_record,
    later,
    p256,
)

RETIRED, COMPROMISED = KeyState.RETIRED, KeyState.COMPROMISED
DAY_S = 86_400


@dataclass(frozen=True)
class Case:
    """`ended`: how both keys ended, and how many leaves the log had then. `entry`: the leaf that is shown."""

    name: str
    verdict: str
    ended: tuple[KeyState, int] | None = None
    entry: str | None = "own"
    iat_s: int = -DAY_S


CASES = (
    Case("before the rotation, the key is good", "accepted", entry=None),
    Case("after it, logged before", "accepted", (RETIRED, 3)),
    Case("after it, signed with the old key and not logged", "issuance_is_logged", (RETIRED, 3), None),
    Case("iat dated back, logged after the end", "index_within_total", (RETIRED, 2), "own", -30 * DAY_S),
    Case(
        "iat dated back, on another's allocated index", "entry_is_of_what_is_judged", (RETIRED, 3), "other", -30 * DAY_S
    ),
    Case("compromise declared an hour back, logged earlier", "accepted", (COMPROMISED, 3)),
    Case("compromise declared an hour back, logged later", "index_within_total", (COMPROMISED, 2)),
    Case("compromise, nothing was logged before it", "key_has_a_log", (COMPROMISED, 0)),
)
"""The log has two entries of others, and the credential's and seal's own as its third."""


def made(case: Case) -> tuple[World, dict[str, Acceptance]]:
    """The hub and the two acceptances of a case."""
    plain = World(claims={"iat": later(case.iat_s)})
    sealed = plain.sealed
    credential = Issuance(SIGNING.public.thumbprint(), digest_of(plain))
    seal = Issuance(thumbprint(k256(SEALING_SECRET)), seal_digest_of(sealed))
    entries = [
        encode_log_entry(
            LogEntry(0, INDEX, replace(credential, digest=b"\x01" * 32), replace(seal, digest=b"\x01" * 32))
        ),
        encode_log_entry(LogEntry(0, INDEX + 1, replace(credential, digest=b"\x02" * 32), None)),
        encode_log_entry(LogEntry(0, INDEX, credential, seal)),
    ]
    leaves = [leaf_hash(entry) for entry in entries]
    world = plain
    if case.ended is not None:
        state, size = case.ended
        root = root_of_leaves(leaves[:size]) if size else bytes(32)
        end = KeyEnd(state, later(-3_600), size, root)
        ended = {
            thumbprint(p256(SIGNING)): key_record(p256(SIGNING), KeyPurpose.SIGNING, end),
            thumbprint(k256(SEALING_SECRET)): key_record(k256(SEALING_SECRET), KeyPurpose.CONTRACT, end),
        }
        world = plain.but(keys={**plain.keys, **ended})
    place = {"own": 2, "other": 0, None: None}[case.entry]
    entry = None if place is None else ShownEntry(entries[place], place, prove_leaf(leaves, place).aunts)
    return world, {
        "SD-JWT": replace(world.acceptance, entry=entry),
        "seal": replace(world.acceptance, shown=sealed.shown, entry=entry),
    }


def digest_of(world: World) -> bytes:
    return sha256(world.issued.issuer_jwt.encode()).digest()


def seal_digest_of(acceptance: Acceptance) -> bytes:
    return presented_seal(acceptance.shown, Evidence(ChunkProof(bytes(32), ()))).presentation.seal_digest


def online(acceptance: Acceptance) -> str:
    """As a verifier judges who holds fresh records, before anything is put into a file."""
    proven = {claim.key: claim.value for claim in acceptance.claims}
    ground = Ground("hutong", proven, later(0))
    entry, shown = acceptance.entry, acceptance.shown
    logged = None if entry is None else Logged(entry.entry, entry.index, entry.aunts)
    evidence = Evidence(ChunkProof(acceptance.chunk.chunk, acceptance.chunk.siblings), logged)
    try:
        if isinstance(shown, ShownPresentation):
            presented = PresentedCredential(ISSUER, shown.text, shown.audience, shown.nonce)
            judge_credential(VERIFY, ground, presented, evidence, CredentialTerms())
        else:
            judge_presented_seal(VERIFY, ground, ISSUER, presented_seal(shown, evidence), SealTerms())
    except PredicateFailed as error:
        return error.predicate
    return "accepted"


def offline(world: World, acceptance: Acceptance) -> str:
    report = world.audit(encode_acceptance(acceptance))
    return "accepted" if report.failure is None else report.failure.check.name


def test_attack_N173_eight_moments_of_a_keys_life_off_chain_and_on_online_and_offline():
    wrong = []
    for case in CASES:
        world, shown = made(case)
        for kind, acceptance in shown.items():
            for where, verdict in (("online", online(acceptance)), ("offline", offline(world, acceptance))):
                print(f"{case.name:52} {kind:7} {where:8} {verdict}")
                if verdict != case.verdict:
                    wrong.append((case.name, kind, where, verdict))
    assert not wrong
    assert len(CASES) * 2 * 2 == 32
