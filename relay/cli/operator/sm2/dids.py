"""`--did`: keys of SM2 of an organisation, proven by its records under what the reader trusts of the hub."""

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, NoReturn

import typer

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND, PredicateFailed
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.verdicts import failure_sentence, report

if TYPE_CHECKING:
    from hutong.relay.services.identity.rules.organisations.file_signatures import SignedFile
    from hutong.relay.verify.credentials.identity_records import DidReport


@dataclass(frozen=True, slots=True)
class OfDid:
    """Whose keys, and what shows them."""

    did: Annotated[str | None, typer.Option(help="did:hutong:<hub>:<id>: its keys of SM2, in the place of a file.")] = (
        None
    )
    records: Annotated[
        Path | None, typer.Option(help="Records of the DID, as `hutong identity prove` writes them.")
    ] = None
    checkpoint: Annotated[Path | None, typer.Option(help="What you trust of the hub.")] = None
    at: Annotated[str | None, typer.Option(help="Your time, RFC 3339 or Unix seconds; without it the header's.")] = None
    max_age: Annotated[int | None, typer.Option(min=1, help="Seconds that the header may be old.")] = None

    def judged(self) -> "DidReport":
        """The records, judged.

        Raises:
            Refused: code 1, they do not hold; code 2, an option is missing or unusable.
        """
        from hutong.relay.administration.identity.identifiers import METHOD, did_of_text
        from hutong.relay.audit.records import Asked
        from hutong.relay.verify.bundles.inputs import read_checkpoint
        from hutong.relay.verify.credentials.identity_records import DidQuestion, judge_did_file
        from hutong.relay.verify.tendermint import parse_time

        if self.did is None or self.records is None or self.checkpoint is None:
            raise Refused("a DID's keys need --did, --records and --checkpoint together", UNUSABLE)
        if not self.did.startswith(METHOD):
            raise Refused(f"--did: {self.did[:80]!r} is not a DID of a hub: did:hutong:<hub>:<id>", UNUSABLE)
        question = DidQuestion(self.did[len(METHOD) :].rpartition(":")[0], did_of_text(self.did))
        now_ns = time.time_ns() if self.at is None else parse_time(self.at, "--at")
        asked = Asked(None if self.at is None else now_ns // NANOSECONDS_PER_SECOND, self.max_age)
        report = judge_did_file(self.records, read_checkpoint(self.checkpoint), question, now_ns, asked)
        if report.is_refused:
            raise Refused(_reason(report), REFUSED)
        return report

    def judge_file(self, signed: "SignedFile", *, as_json: bool) -> NoReturn:
        """Print each rule of the records and of the file's signature, and end the command.

        Raises:
            Refused: as `judged`.
            typer.Exit: always else: code 0, the file is signed by a key of the DID that counts, or 1.
        """
        from hutong.relay.verify.credentials.sm2_of_dids import judge_file_of_did

        proven = self.judged()
        found = judge_file_of_did(proven, signed)
        subject = {"did": str(self.did), "time": str(proven.time_s)}
        if found.key is not None:
            subject["key"] = found.key.hex()
        report(found.checks, subject, as_json=as_json)

    def key_to_seal_to(self) -> tuple[str, bytes]:
        """Thumbprint and x ‖ y of the key that files for the DID are sealed to.

        Raises:
            Refused: as `judged`, and code 1, there is none.
        """
        from hutong.relay.verify.credentials.sm2_of_dids import key_to_seal_to

        try:
            print_of, record = key_to_seal_to(self.judged())
        except PredicateFailed as error:
            raise Refused(str(error), REFUSED) from None
        return print_of.hex(), record.key.x + record.key.y


def _reason(report: "DidReport") -> str:
    failure = report.records.failure
    return str(report.checks[-1].error) if failure is None else failure_sentence(failure.subject, failure.check)
