"""Verdicts of every light client and proof format written down, so that two versions of the code can be compared.

    python -m tests.light_clients.record_verdicts --count 1000000 --seed 15 --out DIR     changed inputs, one file a subject
    python -m tests.light_clients.record_verdicts --vectors --out DIR                     HUTONG_VECTORS
    python -m tests.light_clients.record_verdicts --bundles --count 4000 --out DIR        the audit's bundles, changed
    python -m tests.light_clients.record_verdicts --only "bitcoin header" --number 4711 --seed 15   one transcript
    python -m tests.light_clients.record_verdicts --compare OLD NEW                       what differs
    HUTONG_VERDICTS=FILE python -m pytest -p tests.light_clients.record_verdicts tests/light_clients   the tests' own inputs

A verdict is what a door of a verifier answered: the returned value, or the error's class and fields; of one call in four also
what the audit prints, each rule's name, source and outcome. A file holds eight bytes of a digest for each input of a subject.
"""

import argparse
import importlib
import os
import re
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from functools import wraps
from hashlib import sha256
from pathlib import Path
from random import Random
from typing import Any
from zlib import crc32

from click.testing import CliRunner

from hutong.light_clients.attestation import AttestationClient
from hutong.light_clients.bft_evm import BftEvmClient
from hutong.light_clients.bitcoin import BitcoinClient
from hutong.light_clients.clique import CliqueClient
from hutong.light_clients.ethereum import EthereumClient
from hutong.light_clients.fisco_bcos import FiscoBcosClient
from hutong.light_clients.interface import CheckVerdict, VerificationError
from hutong.light_clients.proofs import ics23, merkle, mpt
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tlog import TlogClient
from hutong.relay.archive.checkpoint import Checkpoint, decode_checkpoint
from hutong.relay.audit import Auditor, MissingTrust
from tests.light_clients.audited import printed_header, printed_membership
from tests.light_clients.mutation.engine import FalseAcceptance, Hang, Subject, case_limits, case_of

CLIENTS = (
    TendermintClient,
    BftEvmClient,
    CliqueClient,
    BitcoinClient,
    EthereumClient,
    FiscoBcosClient,
    AttestationClient,
    TlogClient,
)
METHODS = (
    "create",
    "check_destination",
    "proven_store",
    "status",
    "latest_height",
    "timestamp_ns",
    "verify_header",
    "check_misbehaviour",
    "verify_membership",
    "verify_non_membership",
    "check_substitute",
    "recovered",
    "check_rescheduled",
    "verify_upgrade",
)
FUNCTIONS = (
    (ics23, "verify_chained"),
    (ics23, "verify_batch"),
    (ics23, "verify_membership"),
    (ics23, "verify_non_membership"),
    (mpt, "verify_storage"),
    (mpt, "verify_account"),
    (merkle, "verify"),
    (merkle, "verify_consistency"),
)
AUDITED_OF = 4
"""Of so many calls that judge, one is audited too."""
DIGEST_BYTES = 8
GM = " gm "
"""In the names of subjects whose honest bytes differ from run to run."""


class Transcript:
    """What the doors answered since `take`; only calls from outside count, since a door may use another one."""

    def __init__(self) -> None:
        self._lines: list[str] = []
        self.depth = 0
        self.audits_all = False

    def say(self, line: str) -> None:
        self._lines.append(line)

    def take(self) -> list[str]:
        lines, self._lines = self._lines, []
        return lines


def said_of(error: VerificationError) -> str:
    """Class, fields and sentence."""
    return f"{type(error).__name__} {vars(error)!r} {error}"


def _printed(verdicts: Sequence[CheckVerdict]) -> Iterator[str]:
    for verdict in verdicts:
        outcome = "held" if verdict.error is None else said_of(verdict.error)
        yield f"  {verdict.name} [{verdict.source}] {outcome}"


def _audit(name: str, client: Any, arguments: tuple[Any, ...]) -> Iterator[str]:
    try:
        if name == "verify_header":
            yield from _printed(printed_header(client, *arguments))
        elif name == "verify_membership":
            yield from _printed(printed_membership(client, *arguments))
        elif name == "verify_non_membership":
            yield from _printed(printed_membership(client, *arguments, None))
    except VerificationError as error:
        yield f"  audit raised {said_of(error)}"


def _recorded(transcript: Transcript, label: str, name: str, door: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(door)
    def call(*arguments: Any, **named: Any) -> Any:
        if transcript.depth:
            return door(*arguments, **named)
        transcript.depth += 1
        try:
            try:
                answer = door(*arguments, **named)
            except VerificationError as error:
                transcript.say(f"{label}.{name} {said_of(error)}")
                raise
            else:
                transcript.say(f"{label}.{name} {answer!r}")
                return answer
            finally:
                data = b"".join(value for value in arguments if isinstance(value, bytes))
                chosen = transcript.audits_all or crc32(data) % AUDITED_OF == 0
                if label.endswith("Client") and not named and chosen:
                    for line in _audit(name, arguments[0], arguments[1:]):
                        transcript.say(line)
        finally:
            transcript.depth -= 1

    return call


@contextmanager
def recording(transcript: Transcript) -> Iterator[None]:
    """Every door of the clients and proof formats writes what it answers."""
    kept: list[tuple[Any, str, Any]] = []
    for owner, names, label in (
        *((client, METHODS, client.__name__) for client in CLIENTS),
        *((module, (name,), module.__name__.rpartition(".")[2]) for module, name in FUNCTIONS),
    ):
        for name in names:
            door = getattr(owner, name, None)
            if door is not None:
                kept.append((owner, name, door))
                setattr(owner, name, _recorded(transcript, label, name, door))
    try:
        yield
    finally:
        for owner, name, door in kept:
            setattr(owner, name, door)


def transcript_of(subject: Subject, data: bytes, transcript: Transcript) -> list[str]:
    """All that the doors answered about one input, and how the subject ended."""
    transcript.take()
    transcript.depth = 0
    transcript.audits_all = GM in subject.name
    try:
        subject.judge(data)
        end = "taken"
    except VerificationError as error:
        end = said_of(error)
    except FalseAcceptance as error:
        end = f"FALSE ACCEPTANCE {error}"
    except Hang as error:
        end = f"HANG {error}"
    except Exception as error:
        end = f"CRASH {type(error).__name__} {error}"
    return [*transcript.take(), end]


_BYTES = re.compile(r"b'(?:[^'\\]|\\.)*'|b\"(?:[^\"\\]|\\.)*\"|(?:0x)?[0-9a-f]{16,}…?")


def without_bytes(lines: Sequence[str]) -> list[str]:
    """SM2 signs with a fresh secret each time, so an honest header of a GM chain has other bytes in each run."""
    return [_BYTES.sub("…", line) for line in lines]


def digest_of(lines: Sequence[str]) -> bytes:
    return sha256("\n".join(lines).encode("utf-8", "backslashreplace")).digest()[:DIGEST_BYTES]


def _file_name(subject: str) -> str:
    return subject.replace(" ", "_").replace("/", "_")


def record_mutations(subjects: Sequence[Subject], count: int, seed: int, out: Path) -> None:
    """The same inputs as `mutate --count --seed`: input `number` belongs to subject `number % len(subjects)`."""
    transcript = Transcript()
    started = time.process_time()
    files = {subject.name: (out / _file_name(subject.name)).open("wb") for subject in subjects}
    with recording(transcript), case_limits():
        for number in range(count):
            subject = subjects[number % len(subjects)]
            lines = transcript_of(subject, case_of(subject, seed, number), transcript)
            if GM in subject.name:
                lines = without_bytes(lines)
            files[subject.name].write(digest_of(lines))
            if number % 20_000 == 0:
                print(f"{number:,} after {time.process_time() - started:.0f} s", flush=True)
                for file in files.values():
                    file.flush()
    for file in files.values():
        file.close()
    print(f"{count:,} inputs, seed {seed}, {time.process_time() - started:.0f} s of processor time")


def record_vectors(out: Path) -> None:
    """Every verification of every vector: its name and how it ended."""
    folder = Path(__file__).parents[1] / "vectors"
    registry = importlib.import_module("tests.vectors.vector_registry")
    for module in sorted(folder.glob("formats_*.py")):
        importlib.import_module(f"tests.vectors.{module.stem}")
    manifest = registry.Manifest(Path(os.environ["HUTONG_VECTORS"]))
    transcript = Transcript()
    lines: list[str] = []
    with recording(transcript):
        for entry in manifest.entries:
            if entry.format not in registry.RUNNERS:
                continue
            transcript.depth = 0
            try:
                for verification in registry.RUNNERS[entry.format](entry, manifest.group_of(entry)):
                    try:
                        verification.run()
                        end = "held"
                    except VerificationError as error:
                        end = said_of(error)
                    lines.append(f"{entry.file} {verification.name}: {end}")
            except VerificationError as error:
                lines.append(f"{entry.file}: {said_of(error)}")
            except Exception as error:
                lines.append(f"{entry.file}: {type(error).__name__} {error}")
            lines += transcript.take()
    (out / "vectors.txt").write_text("\n".join(lines), encoding="utf-8", errors="backslashreplace")
    print(f"vectors: {len(lines):,} lines, digest {digest_of(lines).hex()}")


def _nibble_changed(data: bytes, random: Random) -> bytes:
    """One character of a word of a document became another digit, so that the document keeps its form."""
    while True:
        at = random.randrange(len(data))
        if chr(data[at]) in "0123456789abcdefABCDEF+/":
            break
    return data[:at] + random.choice(b"0123456789abcdef").to_bytes(1, "big") + data[at + 1 :]


def record_bundles(count: int, seed: int, out: Path) -> None:
    """`count` changed bundles of the audit's recorded ones, each judged from the recorded checkpoints: every printed rule."""
    folder = Path(__file__).parents[1] / "relay" / "audit"
    cases: list[tuple[str, bytes, list[Checkpoint], int]] = []
    for place in ("recorded", "recorded_clique"):
        trust = [decode_checkpoint(path.read_bytes()) for path in sorted((folder / place).glob("*.checkpoint.json"))]
        now_ns = max(checkpoint.time_ns for checkpoint in trust) + 60 * 10**9
        for bundle in sorted((folder / place).glob("*.bundle.json")):
            named = sorted((folder / place).glob("*.checkpoint.json"))
            for word in ("before", "after") if place == "recorded" else ("",):
                roots = [one for one, path in zip(trust, named, strict=True) if path.name.startswith(word)]
                cases.append((f"{bundle.name} {word}", bundle.read_bytes(), roots, now_ns))
    lines: list[str] = []
    for number in range(count):
        name, data, roots, now_ns = cases[number % len(cases)]
        random = Random(f"{seed}/{name}/{number}")
        for _ in range(0 if number < len(cases) else random.choice((1, 1, 2))):
            data = _nibble_changed(data, random)
        said = []
        try:
            report = Auditor(roots, now_ns).audit(data)
            for verdict in report.verdicts:
                said += [f"{verdict.subject}: {line}" for line in _printed([verdict.check])]
            said.append(f"{report.packet_id} {report.is_valid} {report.trust} {report.outcome}")
        except MissingTrust as error:
            said.append(f"missing trust: {error}")
        lines.append(f"{number} {name} {len(said)} {digest_of(said).hex()} {said[-1][:300]}")
        if number < len(cases):
            lines += said
    (out / "bundles.txt").write_text("\n".join(lines), encoding="utf-8", errors="backslashreplace")
    print(f"bundles: {count:,} judged, digest {digest_of(lines).hex()}")


def compare(old: Path, new: Path) -> int:
    """Digests of both by subject, the numbers of the first inputs that differ; 1 where any does."""
    differing = 0
    for path in sorted(old.iterdir()):
        other = new / path.name
        if path.suffix == ".txt" or not other.exists():
            continue
        mine, its = path.read_bytes(), other.read_bytes()
        size = min(len(mine), len(its)) // DIGEST_BYTES
        places = [
            at
            for at in range(size)
            if mine[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES] != its[at * DIGEST_BYTES : (at + 1) * DIGEST_BYTES]
        ]
        differing += len(places)
        digest = sha256(mine[: size * DIGEST_BYTES]).hexdigest()[:16]
        print(f"{path.name:<36} {size:>8,} {digest} {'equal' if not places else f'DIFFER {len(places)}: {places[:8]}'}")
    print(f"{differing} verdicts differ")
    return 1 if differing else 0


_TESTS = Transcript()
_PLACES = re.compile(r"/tmp/\S*|\b20\d\d-\d\d-\d\dT[0-9:.]+Z?")


def _command_recorded(invoke: Callable[..., Any]) -> Callable[..., Any]:
    @wraps(invoke)
    def call(*arguments: Any, **named: Any) -> Any:
        result = invoke(*arguments, **named)
        _TESTS.say(f"{result.exit_code} {_PLACES.sub('…', result.output)}")
        return result

    return call


def pytest_sessionstart(session: Any) -> None:
    """As a plugin: doors and commands record for the whole session."""
    session.config.stash_recording = recording(_TESTS)
    session.config.stash_recording.__enter__()
    CliRunner.invoke = _command_recorded(CliRunner.invoke)  # type: ignore[method-assign]


def pytest_runtest_teardown(item: Any) -> None:
    lines = _TESTS.take()
    with Path(os.environ["HUTONG_VERDICTS"]).open("a", encoding="utf-8", errors="backslashreplace") as file:
        file.write(f"{item.nodeid} {len(lines)} {digest_of(lines).hex()}\n")
        if os.environ.get("HUTONG_VERDICTS_WHOLE"):
            file.writelines(f"    {line}\n" for line in lines)


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.light_clients.record_verdicts", description=__doc__)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--seed", type=int, default=15)
    parser.add_argument("--out", type=Path)
    parser.add_argument("--only", default="")
    parser.add_argument("--number", type=int)
    parser.add_argument("--vectors", action="store_true")
    parser.add_argument("--bundles", action="store_true")
    parser.add_argument("--compare", type=Path, nargs=2)
    chosen = parser.parse_args(arguments)
    if chosen.compare is not None:
        return compare(*chosen.compare)
    if chosen.out is not None:
        chosen.out.mkdir(parents=True, exist_ok=True)
    if chosen.vectors:
        record_vectors(chosen.out)
        return 0
    if chosen.bundles:
        record_bundles(chosen.count, chosen.seed, chosen.out)
        return 0
    from tests.light_clients.mutate import all_subjects  # noqa: PLC0415

    subjects = [subject for subject in all_subjects() if chosen.only in subject.name]
    if chosen.number is not None:
        transcript = Transcript()
        with recording(transcript), case_limits():
            for subject in subjects:
                print("\n".join(transcript_of(subject, case_of(subject, chosen.seed, chosen.number), transcript)))
        return 0
    record_mutations(subjects, chosen.count, chosen.seed, chosen.out)
    return 0


if __name__ == "__main__":
    sys.exit(main())
