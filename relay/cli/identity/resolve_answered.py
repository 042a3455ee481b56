"""A did:hutong asked of a resolver, and its answer judged by the reader's checkpoint, now or later from the file that was kept."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console

from hutong.light_clients.interface import NANOSECONDS_PER_SECOND
from hutong.relay.cli.audit.options import judged_at_ns
from hutong.relay.cli.common.printable import printable, printable_reason
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.verdicts import print_verdict
from hutong.relay.cli.identity.resolve_recorded import RecordOptions

if TYPE_CHECKING:
    from hutong.relay.verify.credentials.resolver_answers import AnswerReport

WHOLE_S = 60.0
TIMEOUT_S = 15.0


@dataclass(frozen=True, slots=True)
class ResolverOptions:
    """Whom a did:hutong is asked of, and what is kept."""

    resolver: Annotated[
        str | None, typer.Option(metavar="URL", help="A resolver of the hub's DIDs; it is not believed.")
    ] = None
    answer: Annotated[Path | None, typer.Option(help="What a resolver answered before, judged in place of asking.")] = (
        None
    )
    proof: Annotated[
        Path | None, typer.Option(help="Where the answer's proof goes, a bundle for `hutong identity check`.")
    ] = None
    keep: Annotated[Path | None, typer.Option(help="Where the whole answer goes, for --answer.")] = None
    accredited: Annotated[
        str | None, typer.Option(help="SHA-256 of a schema: the DID's chain of accreditations for it is shown too.")
    ] = None

    @property
    def is_given(self) -> bool:
        """Whether a resolver is asked, or was."""
        return self.resolver is not None or self.answer is not None


def resolve_answered(
    did: str, given: ResolverOptions, records: RecordOptions, query: dict[str, str], at: str | None, *, as_json: bool
) -> int:
    """Ask or read, keep, judge, print. Returns the exit code: 0 it holds, also where it is proven that there is no such DID.

    Args:
        query: parameters of the request besides the DID.

    Raises:
        Refused: the resolver does not answer, or nothing says by what to judge.
        UnusableInput: a file cannot be read, or is of another hub.
    """
    from hutong.relay.verify.credentials.resolver_answers import MAX_ANSWER_BYTES
    from hutong.relay.verify.inputs import read_file

    if given.answer is not None:
        data = read_file(given.answer, MAX_ANSWER_BYTES)
    else:
        data = _ask(
            given.resolver or "", did, query | ({"accreditedFor": given.accredited} if given.accredited else {})
        )
    _keep(given, data)
    if records.checkpoint is None:
        typer.echo("kept and not judged: judge it with --checkpoint, which says what you trust of the hub", err=True)
        return UNUSABLE if given.proof is None and given.keep is None else 0
    report = _judged(did, data, given, records, at)
    if as_json:
        typer.echo(
            json.dumps(
                {"valid": report.failure is None, "reason": report.failure, "didDocument": report.document}, indent=2
            )
        )
    else:
        _print(report)
    return 0 if report.failure is None else REFUSED


def _ask(resolver: str, did: str, query: dict[str, str]) -> bytes:
    import httpx

    from hutong.relay.base.http import AnswerTooLarge, AnswerTooSlow, read_answer
    from hutong.relay.services.identity.rules.dids.resolution import RESULT_MEDIA_TYPE
    from hutong.relay.verify.credentials.resolver_answers import MAX_ANSWER_BYTES

    address = f"{resolver.rstrip('/')}/1.0/identifiers/{did}"
    headers = {"accept": RESULT_MEDIA_TYPE, "accept-encoding": "identity"}
    try:
        with (
            httpx.Client(timeout=TIMEOUT_S, follow_redirects=False, trust_env=False) as client,
            client.stream("GET", address, params=query or None, headers=headers) as answer,
        ):
            body = read_answer(answer, MAX_ANSWER_BYTES, WHOLE_S)
    except (httpx.HTTPError, httpx.InvalidURL, httpx.StreamError, AnswerTooLarge, AnswerTooSlow) as error:
        raise Refused(
            f"{resolver} does not answer: {printable_reason(str(error) or type(error).__name__)}", REFUSED
        ) from None
    return body


def _keep(given: ResolverOptions, data: bytes) -> None:
    from hutong.light_clients.interface import VerificationError
    from hutong.relay.services.identity.rules.jose import read_json_object
    from hutong.relay.verify.credentials.resolver_answers import MAX_ANSWER_BYTES, answer_has_one_proof
    from hutong.relay.verify.output_files import write_file

    if given.keep is not None:
        write_file(given.keep, data)
    if given.proof is not None:
        try:
            bundle = answer_has_one_proof(read_json_object(data, "answer", MAX_ANSWER_BYTES))
        except VerificationError as error:
            raise Refused(f"no proof to keep: {printable_reason(str(error))}", REFUSED) from None
        write_file(given.proof, bundle)


def _judged(did: str, data: bytes, given: ResolverOptions, records: RecordOptions, at: str | None) -> "AnswerReport":
    from hutong.light_clients.interface import MalformedInput
    from hutong.relay.administration.identity.identifiers import schema_of_text
    from hutong.relay.audit.records import Asked
    from hutong.relay.services.identity.rules.dids.did_hutong import parse_hutong_did
    from hutong.relay.services.identity.rules.dids.syntax import parse_did
    from hutong.relay.verify.bundles.inputs import read_checkpoint
    from hutong.relay.verify.credentials.resolver_answers import judge_answer

    try:
        named = parse_hutong_did(parse_did(did))
    except MalformedInput as error:
        raise Refused(printable_reason(str(error)), UNUSABLE) from None
    if records.checkpoint is None:
        raise TypeError("judged without a checkpoint")
    now_ns = judged_at_ns(at, "--at")
    at_s = None if at is None and records.max_age is None else now_ns // NANOSECONDS_PER_SECOND
    schema = None if given.accredited is None else schema_of_text(given.accredited)
    asked = (Asked(at_s, records.max_age), schema)
    return judge_answer(data, named, read_checkpoint(records.checkpoint), now_ns, asked)


def _print(report: "AnswerReport") -> None:
    console = Console(soft_wrap=True, highlight=False)
    for verdict in (*report.checks, *(report.records.checks if report.records is not None else ())):
        print_verdict(console, verdict)
    if report.failure is not None:
        console.print(f"[red]invalid[/]: {printable_reason(report.failure)}")
        return
    if report.document is None:
        console.print("[green]valid[/]: there is no document, and that is proven")
        return
    methods = report.document.get("verificationMethod")
    for method in methods if isinstance(methods, list) else ():
        console.print(f"key {printable(str(method['id'] if isinstance(method, dict) else method))}")
    console.print("[green]valid[/]: the document is the records'")
