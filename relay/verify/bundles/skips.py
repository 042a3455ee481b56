"""Evidence that a block of the hub counts as empty, judged from files."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.light_clients.interface import CheckVerdict, MalformedInput
from hutong.light_clients.tendermint.skip_certificate import SkipCertificate
from hutong.relay.archive.checkpoint import decode_checkpoint
from hutong.relay.audit.skips import MAX_EVIDENCE_BYTES, decode_evidence, judge_skip
from hutong.relay.verify.inputs import UnusableInput, read_file


@dataclass(frozen=True, slots=True)
class JudgedSkip:
    """The certificate, and what each rule says of it and of the hub's state."""

    certificate: SkipCertificate
    verdicts: tuple[CheckVerdict, ...]

    @property
    def holds(self) -> bool:
        """Whether the last rule was reached and held."""
        return self.verdicts[-1].held

    @property
    def signers(self) -> list[str]:
        """Public keys in hex."""
        return [one.public_key.hex() for one in self.certificate.signatures]

    def as_dict(self) -> dict[str, Any]:
        """The fields that `--json` prints."""
        rows = [{"predicate": one.name, "source": one.source, "error": str(one.error or "")} for one in self.verdicts]
        height = self.certificate.statement.height
        return {"height": height, "holds": self.holds, "signers": self.signers, "predicates": rows}


def judge_skip_files(evidence: Path, checkpoint: Path, now_ns: int) -> JudgedSkip:
    """Judge that a block counts as empty.

    Args:
        checkpoint: what is believed of the hub, from before the block.
        now_ns: nanoseconds of Unix time, by which the checkpoint expires.

    Raises:
        UnusableInput: a file is unusable.
    """
    try:
        trusted = decode_checkpoint(read_file(checkpoint, MAX_EVIDENCE_BYTES))
        shown = decode_evidence(read_file(evidence, MAX_EVIDENCE_BYTES))
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None
    return JudgedSkip(shown.certificate, tuple(judge_skip(shown, trusted, now_ns)))
