"""Acceptances of credentials and seals judged from files: what `hutong audit identity` reads, and what it found."""

from pathlib import Path
from typing import Any

from hutong.light_clients.interface import MalformedInput
from hutong.light_clients.tendermint.rpc_json import format_time
from hutong.relay.archive.acceptance import MAX_ACCEPTANCE_BYTES, Acceptance, ShownPresentation
from hutong.relay.archive.checkpoint import Checkpoint
from hutong.relay.audit import MissingTrust
from hutong.relay.audit.identity import AcceptanceAuditor, AcceptanceReport, AcceptanceTerms, Accepted
from hutong.relay.verify.inputs import UnusableInput, read_file
from hutong.relay.verify.verdict_fields import check_fields

_NANOSECONDS = 1_000_000_000


def judge_acceptance_file(path: Path, checkpoint: Checkpoint, now_ns: int, terms: AcceptanceTerms) -> AcceptanceReport:
    """Every rule of an acceptance, up to the first that does not hold.

    Args:
        now_ns: time of judgement, nanoseconds of Unix time.

    Raises:
        UnusableInput: the file cannot be read, or the checkpoint is of another hub.
        ModuleNotFoundError: it is a presentation, and the extra `identity` is not installed.
    """
    try:
        return AcceptanceAuditor.of(checkpoint, now_ns, terms).audit(read_file(path, MAX_ACCEPTANCE_BYTES))
    except MissingTrust as error:
        raise UnusableInput(f"{path}: {error}") from None


def terms_of(
    ages: tuple[int, int], newest_epoch: int, schema: str | None, types: list[str], algorithms: list[str]
) -> AcceptanceTerms:
    """The reader's terms of what a command line says: ages are of the holder's signature and of clocks, in seconds.

    Args:
        types: each `VCT=SHA256`.

    Raises:
        UnusableInput: a bound, a hash or a type is not one.
    """
    named = {}
    for text in types:
        vct, _, digits = text.rpartition("=")
        if not vct:
            raise UnusableInput(f"--type {text[:80]!r}: write VCT=SHA256, the hash that of its schema")
        named[vct] = _hash(digits, "--type")
    asked = None if schema is None else _hash(schema, "--schema")
    try:
        chosen = frozenset(algorithms) or None
        return AcceptanceTerms(ages[0], ages[1], newest_epoch, types=named, algorithms=chosen, schema=asked)
    except MalformedInput as error:
        raise UnusableInput(str(error)) from None


def _hash(text: str, option: str) -> bytes:
    if len(text) != 64 or set(text) - set("0123456789abcdef"):
        raise UnusableInput(f"{option}: a schema is named by its SHA-256, 64 lower-case hexadecimal digits")
    return bytes.fromhex(text)


def kind_of(acceptance: Acceptance) -> str:
    """What was accepted."""
    return "credential" if isinstance(acceptance.shown, ShownPresentation) else "seal"


def acceptance_fields(report: AcceptanceReport) -> dict[str, Any]:
    """The report as JSON has it; what an acceptance says stands there only where every rule held."""
    acceptance, accepted = report.acceptance, report.accepted
    return {
        "valid": report.is_valid,
        "kind": None if acceptance is None else kind_of(acceptance),
        "accepted": None if accepted is None else accepted_fields(accepted),
        "trust": report.trust,
        "predicates": report.rules,
        "failure": None if report.failure is None else check_fields(report.failure),
        "checks": [check_fields(one) for one in report.verdicts],
    }


def accepted_fields(accepted: Accepted) -> dict[str, Any]:
    """What an acceptance shows."""
    place, judged, issuer = accepted.place, accepted.judged, accepted.standing.issuer
    return {
        "chain_id": place.chain_id,
        "height": str(place.height),
        "time": format_time(place.time_s * _NANOSECONDS),
        "issuer": accepted.did,
        "schema": accepted.schema.hex(),
        "epoch": issuer.epoch.number,
        "accreditation": [
            {"accreditor": None if one.grant.is_root else one.grant.accreditor.hex(), "depth": one.grant.depth}
            for one in issuer.chain
        ],
        "list": judged.list_number,
        "index": judged.index,
        "key": judged.issuance.key_thumbprint.hex(),
        "key_state": accepted.standing.key.end.state.name.lower(),
        "digest": judged.issuance.digest.hex(),
        "audience": accepted.addressee.audience,
        "nonce": accepted.addressee.nonce,
        "claims": {name: _plain(value) for name, value in accepted.claims.items()},
    }


def _plain(value: Any) -> Any:
    return f"0x{value.hex()}" if isinstance(value, bytes) else value
