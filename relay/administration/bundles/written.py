"""Bundles that are judged before they are written, as whoever is given them will judge them."""

import time
from pathlib import Path

from hutong.relay.administration.bundles.record_bundles import MadeRecord
from hutong.relay.administration.errors import Declined, Unusable
from hutong.relay.archive.bundle import Bundle, encode_bundle
from hutong.relay.archive.checkpoint import TendermintTrust
from hutong.relay.archive.record_bundle import RecordBundle, encode_record_bundle
from hutong.relay.archive.shared_records import share_proofs
from hutong.relay.audit import Auditor, MissingTrust
from hutong.relay.audit.records import RecordAuditor, RecordReport
from hutong.relay.base.durable_files import READABLE, write_durably


def write_bundle(path: Path, bundle: Bundle, auditor: Auditor | None) -> None:
    """The bundle of a packet as a file, mode 0644; one of that name is replaced.

    Args:
        auditor: judges it first; None where there are no checkpoints to judge it by.

    Raises:
        Declined: it does not hold.
        Unusable: there is no checkpoint of one of its chains, or the file cannot be written.
    """
    data = encode_bundle(bundle)
    if auditor is not None:
        try:
            failure = auditor.audit(data).failure
        except MissingTrust as error:
            raise Unusable(str(error)) from None
        if failure is not None:
            raise Declined(f"{bundle.packet_id}: {failure.subject}: {failure.check.error}")
    write_evidence(path, data)


def write_record(path: Path, made: MadeRecord) -> RecordReport:
    """What a chain's state holds as a file, mode 0644, if it holds; an observation of a closed epoch does not. Several records of
    a hub have one multiproof there.

    Returns:
        What every rule said. Nothing was written where one failed.

    Raises:
        Unusable: the file cannot be written.
    """
    data = encode_record_bundle(_shared(made))
    report = RecordAuditor(made.checkpoint, time.time_ns()).audit(data)
    if report.failure is None:
        write_evidence(path, data)
    return report


def _shared(made: MadeRecord) -> RecordBundle:
    bundle, trust = made.bundle, made.checkpoint.trust
    has_one_tree = isinstance(trust, TendermintTrust) and trust.proof_specs == ("smt",)
    return share_proofs(bundle) if has_one_tree and len(bundle.statements) > 1 else bundle


def write_evidence(path: Path, data: bytes) -> None:
    """A file for an auditor, mode 0644, whole or not at all; one of that name is replaced.

    Raises:
        Unusable: it cannot be written.
    """
    try:
        write_durably(path, data, READABLE)
    except OSError as error:
        raise Unusable(f"{path} cannot be written: {error.strerror}") from None
