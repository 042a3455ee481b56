"""An archive of bundles judged as a whole, with what is anchored of it on a hub, and one entry's proof."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import audit
from hutong.relay.archive.anchor import MAX_PROOF_FILE_BYTES
from hutong.relay.archive.bundle import MAX_BUNDLE_BYTES
from hutong.relay.archive.store import Findings, verify
from hutong.relay.archive.store.manifest import digest_of
from hutong.relay.audit import Verdict
from hutong.relay.audit.anchor import judge_entry, judge_log
from hutong.relay.verify.bundles.anchored import JudgedAnchor
from hutong.relay.verify.bundles.archives import opened_archive
from hutong.relay.verify.inputs import read_file
from hutong.relay.verify.verdict_fields import check_fields


@dataclass(frozen=True, slots=True)
class JudgedArchive:
    """What was found in an archive, and the verdicts on its log."""

    findings: Findings
    verdicts: tuple[Verdict, ...]
    trust: str

    @property
    def is_whole(self) -> bool:
        """Whether nothing is damaged and every rule held."""
        return self.findings.is_whole and all(one.check.held for one in self.verdicts)

    def counts(self) -> dict[str, Any]:
        """How much was found, by the names that are printed."""
        found = self.findings
        return {
            "entries": found.head.size,
            "root": found.head.root.hex(),
            "bundles": found.bundles,
            "files": found.files,
            "superseded": found.superseded,
            "pruned": found.pruned,
            "objects": found.objects,
            "unneeded_objects": found.unneeded,
        }

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        return {
            "valid": self.is_whole,
            **self.counts(),
            "damages": [{"subject": one.subject, "reason": one.reason} for one in self.findings.damages],
            "trust": self.trust,
            "checks": [check_fields(one) for one in self.verdicts],
        }


def judge_archive(location: str, anchored: JudgedAnchor) -> JudgedArchive:
    """Hash every object and entry, and judge that the log began as the anchor says, if there is one.

    Args:
        location: a folder or `s3://bucket/prefix`.

    Raises:
        UnusableInput: the archive cannot be read.
    """
    verdicts = list(anchored.verdicts)
    with opened_archive(location) as archive:
        findings = verify(archive)
        if anchored.anchor is not None:
            verdicts += [Verdict("the log", one) for one in audit(judge_log, archive.log.leaves, anchored.anchor)]
    return JudgedArchive(findings, tuple(verdicts), anchored.trust)


def archive_fields(location: str) -> dict[str, Any]:
    """How much an archive says is in it, by the names that are printed. No object is hashed.

    Raises:
        UnusableInput: it cannot be read.
    """
    with opened_archive(location) as archive:
        head = archive.head
        return {
            "location": archive.location,
            "entries": head.size,
            "root": head.root.hex(),
            "packets": len(archive.newest),
            "settled": sum(kept.is_settled for kept in archive.newest.values()),
            "files": len(archive.files),
            "pruned_packets": len(archive.pruned - archive.newest.keys()),
            "writing": head.writer is not None,
            "damages": [str(one) for one in archive.log.damages],
        }


def judge_entry_proof(file: Path, bundle: Path | None, anchored: JudgedAnchor) -> tuple[Verdict, ...]:
    """The verdicts on an anchor and, if they all hold, on the proof that an entry is in the log.

    Args:
        bundle: the file that the entry must be of; None: any.

    Raises:
        UnusableInput: a file cannot be read.
    """
    verdicts = anchored.verdicts
    digest = None if bundle is None else digest_of(read_file(bundle, MAX_BUNDLE_BYTES))
    if not all(one.check.held for one in verdicts):
        return verdicts
    return (*verdicts, *judge_entry(read_file(file, MAX_PROOF_FILE_BYTES), anchored.anchor, digest).verdicts)
