"""Certificates whose issuer has a signed log and no chain: their root came to p1 by a message of the log, and all are stated."""

from hutong.light_clients.ibc.abi import decode_canonical
from hutong.light_clients.interface import PredicateFailed, rule
from hutong.relay.audit.cases.anchored import window_is_whole
from hutong.relay.audit.cases.named import message_is_there
from hutong.relay.audit.cases.shown import Shown, message_is_between
from hutong.relay.audit.cases.spoken import spoken
from hutong.relay.audit.cases.statements import SPEC, Fate, ShownMessage
from hutong.relay.audit.cases.trust import CaseTrust
from hutong.relay.audit.inquiry import Inquiry

LOG, CHAIN, CONTRACT, ISSUER = "l", "p1", "certificates", "farm"
CERTIFIED, FORGED = "certified", "forged-certificates"
ROOT_TYPES = ["bytes32", "uint64"]


def judge_certificates(inquiry: Inquiry, shown: Shown, trust: CaseTrust) -> list[bytes]:
    """The issuer's certificates (statements `certified`, `certificate-0000` on), in their order; and that somebody else's
    were refused (`forged-certificates`).

    Raises:
        VerificationError: the first rule that does not hold.
        MissingTrust: the reader does not say what is meant.
    """
    judge = inquiry.about("certificates")
    message = judge(message_is_there, shown, CERTIFIED)
    judge(message_is_between, message, trust, LOG, CHAIN)
    root, count = judge(root_is_the_issuers, message, trust)
    entries = judge(window_is_whole, shown, "certificate", CERTIFIED, count, message.said.value.index(root))
    judge = inquiry.about("forged certificates")
    forged = judge(message_is_there, shown, FORGED)
    judge(message_is_between, forged, trust, LOG, CHAIN)
    judge(forged_root_was_refused, forged, trust)
    return entries


@rule(SPEC)
def root_is_the_issuers(message: ShownMessage, trust: CaseTrust) -> tuple[bytes, int]:
    """The message was delivered to the contract that is meant, from the issuer. Returns root and count of what it says.

    Raises:
        PredicateFailed: it ended otherwise, or is of somebody else, or to somebody else.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say who issuer and contract are.
    """
    name = "root_is_the_issuers"
    if message.statement.fate is not Fate.DELIVERED:
        raise PredicateFailed(name, "the root did not arrive", message.statement.fate, Fate.DELIVERED)
    sender, receiver, payload = spoken(message, name)
    wanted = f"0x{trust.person(ISSUER).hex()}", _contract(trust)
    if (sender, receiver.lower()) != wanted:
        raise PredicateFailed(name, "is of another sender or receiver", (sender, receiver), wanted)
    return _root(payload)


@rule(SPEC)
def forged_root_was_refused(message: ShownMessage, trust: CaseTrust) -> None:
    """A root that somebody who is not the issuer sent to the contract by the same log was refused there.

    Raises:
        PredicateFailed: it was not refused, it was the issuer's, or it went elsewhere.
        MalformedInput: it cannot be read.
        MissingTrust: the reader does not say who issuer and contract are.
    """
    name = "forged_root_was_refused"
    if message.statement.fate is not Fate.REFUSED:
        raise PredicateFailed(name, "it ended otherwise", message.statement.fate, Fate.REFUSED)
    sender, receiver, payload = spoken(message, name)
    if sender == f"0x{trust.person(ISSUER).hex()}" or receiver.lower() != _contract(trust):
        raise PredicateFailed(name, "it was the issuer's own, or went elsewhere", (sender, receiver), _contract(trust))
    _root(payload)


def _contract(trust: CaseTrust) -> str:
    return f"0x{trust.chain(CHAIN).contract(CONTRACT).hex()}"


def _root(payload: bytes) -> tuple[bytes, int]:
    root, count = decode_canonical(ROOT_TYPES, payload, "certificates", 64)
    return bytes(root), int(count)
