"""The issuance log of an issuer: it only grows, and never faster than the hub can say when."""

from hutong.light_clients.interface import PredicateFailed, rule
from hutong.light_clients.proofs.merkle.consistency import ConsistencyProof, verify_consistency
from hutong.light_clients.proofs.merkle.tree import EMPTY_ROOT
from hutong.relay.services.identity.rules.organisations.approvals import SPEC
from hutong.relay.services.identity.rules.records.did_record import Moment
from hutong.relay.services.identity.rules.records.log_record import LogRecord


@rule(SPEC)
def log_grows(standing: LogRecord | None, size: int) -> None:
    """The log becomes larger.

    Raises:
        PredicateFailed: it does not.
    """
    before = 0 if standing is None else standing.size
    if size <= before:
        raise PredicateFailed("log_grows", "a log only grows", got=size, expected=f"> {before}")


def appended(standing: LogRecord | None, size: int, root: bytes, nodes: tuple[bytes, ...], now: Moment) -> LogRecord:
    """The log after an append; `nodes` are its RFC 6962 consistency proof, none for the first one.

    Raises:
        PredicateFailed: `log_grows`, or a rule of the proof.
        MalformedInput: a root or size out of its bounds.
    """
    log_grows(standing, size)
    record = LogRecord(root, size, now)
    before, root_before = (0, EMPTY_ROOT) if standing is None else (standing.size, standing.root)
    verify_consistency(ConsistencyProof(before, size, nodes), root_before, root)
    return record
