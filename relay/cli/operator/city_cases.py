"""`hutong city test`: application cases against a city that runs, and their evidence judged offline."""

import json
import time
from collections.abc import Awaitable, Callable, Sequence
from contextlib import AbstractContextManager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

import trio
import typer
from eth_account import Account
from rich.console import Console

from hutong.relay.cases.case import Case, CaseReport
from hutong.relay.cases.city_file import City, CityUnreadable, read_city
from hutong.relay.cases.operator import ObservedKey, ObservedSlot, StorageNetwork
from hutong.relay.cases.organisation import Organisation
from hutong.relay.cases.registry import NoSuchCase, chosen
from hutong.relay.cases.running import CaseFiles, run_case, write_report, write_whole
from hutong.relay.city.errors import CityFailed, CityUnusable
from hutong.relay.city.home import CityHome
from hutong.relay.city.operating import CityOperating, WantedPlace
from hutong.relay.city.organising import CityOrganisation, CityOrganising
from hutong.relay.city.storage.running import running_storage
from hutong.relay.cli.common.printable import printable
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused
from hutong.relay.cli.common.verdicts import failure_sentence
from hutong.relay.cli.operator.inner_command import InnerCommands
from hutong.relay.local.processes import DemoFailed
from hutong.relay.verify.case_evidence import audit_case
from hutong.relay.verify.inputs import UnusableInput

Done = TypeVar("Done")


@dataclass(frozen=True, slots=True)
class Judged:
    """What the offline judgement of a case's evidence said; `seconds` it took."""

    valid: bool
    predicates: int
    said: str
    seconds: float


class _Operator:
    """The city's operator as cases know it: chains' readers go by name, and organisations with their keys."""

    def __init__(self, operating: CityOperating, organising: CityOrganising, readers: dict[str, str]) -> None:
        self._operating = operating
        self._organising = organising
        self._readers = readers
        self.kill_relay = operating.kill_relay
        self.prove = operating.prove
        self.prove_records = operating.prove_records
        self.update_client = operating.update_client
        self.deliver_from_log = operating.deliver_from_log
        self.without = operating.without

    def observe(self, places: Sequence[ObservedSlot | ObservedKey]) -> None:
        """As `Operator.observe`."""
        self._operating.observe(
            [
                WantedPlace(
                    one.name,
                    one.chain,
                    _fields_of(one),
                    one.interval_s,
                    tuple((chain, self._readers[chain]) for chain in one.push_to),
                )
                for one in places
            ]
        )

    def storage(self, data: int, parity: int) -> AbstractContextManager[StorageNetwork]:
        """As `Operator.storage`."""
        return running_storage(self._operating.storage(), data, parity)

    def organisation(self, name: str) -> Organisation:
        """As `Operator.organisation`."""
        return self._known(self._organise(self._organising.organisation, name))

    def withdraw_accreditation(self, name: str) -> None:
        """As `Operator.withdraw_accreditation`."""
        self._organise(self._organising.withdraw, name)

    def revoke(self, name: str, index: int) -> Organisation:
        """As `Operator.revoke`."""
        return self._known(self._organise(self._organising.revoke, name, index))

    def _known(self, found: CityOrganisation) -> Organisation:
        secret = (self._organising.home.path / found.seal_key_file).read_text().strip()
        thumbprints = tuple(map(bytes.fromhex, found.thumbprints))
        return Organisation(found.did, Account.from_key(bytes.fromhex(secret)), thumbprints, found.list_bytes)

    @staticmethod
    def _organise(act: Callable[..., Awaitable[Done]], *arguments: str | int) -> Done:
        try:
            return trio.run(act, *arguments)
        except DemoFailed as error:
            raise CityFailed(str(error)) from None


def _fields_of(place: ObservedSlot | ObservedKey) -> tuple[tuple[str, str], ...]:
    if isinstance(place, ObservedSlot):
        return ("contract", place.contract), ("slot", f"0x{place.slot.hex()}")
    return ("store", place.store), ("key", f"0x{place.key.hex()}")


def run_cases(home: Path, names: list[str], commands: InnerCommands, *, full: bool, as_json: bool) -> None:
    """Run each case, judge its evidence, write its report, and print a table.

    Args:
        commands: those of the city's operator.

    Raises:
        Refused: there is no city or no such case; or, at the end, a check failed (exit code 1).
    """
    console = Console(soft_wrap=True, highlight=False, stderr=as_json)
    try:
        cases = chosen(names)
    except NoSuchCase as error:
        raise Refused(str(error), UNUSABLE) from None
    try:
        operating = CityOperating(CityHome(home), commands.run)
        document = json.loads(CityHome(home).city_file.read_bytes())
        readers = {chain["name"]: chain["contracts"]["reader"] for chain in document["chains"]}
        organising = CityOrganising(CityHome(home), home / document["config_file"], commands.run)
        city = read_city(home, _Operator(operating, organising, readers))
        checkpoints = [operating.checkpoint(name) for name in (city.hub_name, *city.chains, city.log_name)]
    except FileNotFoundError:
        raise Refused(f"there is no city in {home}: hutong city up --home {home} starts one", UNUSABLE) from None
    except (CityUnreadable, CityUnusable, OSError, ValueError, KeyError) as error:
        raise Refused(f"there is no city to test in {home}: {error}", UNUSABLE) from None
    done = []
    for case in cases:
        size = case.sizes.full if full else case.sizes.ci
        console.print(f"[bold]{case.number} {case.name}[/]: {case.title}, {size} {case.sizes.unit}")
        done.append(_run(case, city, size, checkpoints, console))
    if as_json:
        typer.echo(json.dumps([asdict(report) | {"audit": asdict(judged)} for report, judged in done], indent=1))
    else:
        typer.echo("\n".join(_lines(done)))
    failed = [report.name for report, judged in done if not (report.good and judged.valid)]
    if failed:
        raise Refused(f"failed: {', '.join(failed)}", REFUSED)


def _run(case: Case, city: City, size: int, checkpoints: Sequence[Path], console: Console) -> tuple[CaseReport, Judged]:
    def say(text: str) -> None:
        console.print(f"  {printable(text)}")

    try:
        report = run_case(case, city, size, say)
    except CityFailed as error:
        raise Refused(str(error), REFUSED) from None
    judged = _judge(_with_checkpoints(CaseFiles.of(city.home, case.name), checkpoints))
    say(f"{'ok    ' if judged.valid else 'FAILED'} evidence judged offline ({judged.said})")
    if report.failure:
        say(f"FAILED {report.failure}")
    write_report(city, report, asdict(judged))
    return report, judged


def _with_checkpoints(files: CaseFiles, checkpoints: Sequence[Path]) -> CaseFiles:
    """Copies beside the evidence, which outlives the city."""
    files.checkpoints.mkdir(parents=True, exist_ok=True)
    for checkpoint in checkpoints:
        write_whole(files.checkpoints / checkpoint.name, checkpoint.read_bytes())
    return files


def _judge(files: CaseFiles) -> Judged:
    if not files.evidence.exists():
        return Judged(valid=False, predicates=0, said="there is none", seconds=0.0)
    started = time.monotonic()
    try:
        report = audit_case(files.evidence, [files.checkpoints], files.trust, time.time_ns())
    except UnusableInput as error:
        return Judged(valid=False, predicates=0, said=str(error), seconds=0.0)
    seconds = round(time.monotonic() - started, 2)
    failure = report.failure
    said = (
        f"{len(report.verdicts)} predicates hold"
        if failure is None
        else failure_sentence(failure.subject, failure.check)
    )
    return Judged(report.is_valid, len(report.verdicts), said, seconds)


HEADINGS = ("case", "size", "checks", "refused", "evidence", "seconds", "messages", "proof bytes", "gas")


def _lines(done: Sequence[tuple[CaseReport, Judged]]) -> list[str]:
    """A table as wide as it has to be, for terminals and files."""
    rows = [HEADINGS, *(_row(report, judged) for report, judged in done)]
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADINGS))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _row(report: CaseReport, judged: Judged) -> tuple[str, ...]:
    refused = [check.held for check in report.checks if check.negative]
    others = [check.held for check in report.checks if not check.negative]
    return (
        f"{report.number} {report.name}{'' if report.good and judged.valid else ' FAILED'}",
        f"{report.size} {report.unit}",
        f"{sum(others)}/{len(others)}",
        f"{sum(refused)}/{len(refused)}",
        f"{judged.predicates} hold" if judged.valid else "refused",
        f"{report.duration_s:.0f}",
        str(report.messages),
        _counted(report.proof_bytes),
        _counted(report.gas),
    )


def _counted(number: int) -> str:
    return f"{number:,}".replace(",", " ")
