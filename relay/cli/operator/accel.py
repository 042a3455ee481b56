"""`hutong accel`: the engines of cryptography, tried and measured beside their plain paths in the same run."""

import json
from collections.abc import Iterable, Sequence
from contextlib import nullcontext
from pathlib import Path
from typing import Annotated, Any

import typer

from hutong.light_clients.crypto.engines import ALGORITHMS, NotInstalled
from hutong.relay.acceleration.differential import Compared, JudgeFailed, run_differential
from hutong.relay.acceleration.evidence import EvidenceFolder
from hutong.relay.acceleration.machine import Machine, this_machine, usable_cores
from hutong.relay.acceleration.measuring import Measured, SideRate, measure, start_process, version_of
from hutong.relay.acceleration.random_questions import MADE
from hutong.relay.base.child_processes import WorkersDied, worker_pool
from hutong.relay.cli.common.command_group import command_group
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.refusal import REFUSED, UNUSABLE, Refused

SOFTWARE = "software on a CPU; not a chip"
QUIET_LOAD = 1.0
"""Above it a thread waits for a core, which looks as if it waited for the lock."""
SHARES = {"bls12-381 verify": 1_000, "sm2 verify": 100}
"""Of a differential run over all algorithms, these get so small a share: their judges do some 3 and 40 a second."""

app = command_group("Engines of cryptography: what they are, whether they compute rightly, and how fast.")


@app.command()
def accel(
    algorithm: Annotated[
        list[str] | None, typer.Option(help="One of the table's; may be given again. Without it all of them.")
    ] = None,
    differential: Annotated[
        int, typer.Option(metavar="N", min=0, help="Ask N random questions of engine and judge instead of measuring.")
    ] = 0,
    seed: Annotated[int, typer.Option(help="Of the random questions.", min=0)] = 0,
    jobs: Annotated[int | None, typer.Option(help="Processes of a differential run at most.", min=1)] = None,
    evidence: Annotated[
        Path, typer.Option(help="Folder in which a question is kept that engine and judge answer differently.")
    ] = Path("engine-evidence"),
    at_once: Annotated[
        bool | None,
        typer.Option(
            "--at-once/--no-at-once",
            help="Also measure two threads and two processes at once, by the clock. Without it: where the machine is quiet.",
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Try and measure the engines, or hold them against other authors' libraries. Exit code 0 good, 1 one computes wrongly."""
    names = _names(algorithm, ALGORITHMS if not differential else MADE)
    machine = this_machine()
    if differential:
        wanted = {name: differential if algorithm else max(1, differential // SHARES.get(name, 1)) for name in names}
        bad = _differential(wanted, seed, jobs or usable_cores(), EvidenceFolder(evidence), machine, as_json=as_json)
    else:
        is_quiet = machine.load <= QUIET_LOAD and machine.cores > 1
        bad = _measured(names, machine, at_once=is_quiet if at_once is None else at_once, as_json=as_json)
    if bad:
        raise typer.Exit(REFUSED)


def _names(asked: Sequence[str] | None, offered: Iterable[str]) -> list[str]:
    known = list(offered)
    for name in asked or ():
        if name not in known:
            raise Refused(f"--algorithm {name} is not one of: {', '.join(known)}", UNUSABLE)
    return list(asked or known)


def _measured(names: Sequence[str], machine: Machine, *, at_once: bool, as_json: bool) -> bool:
    if not as_json:
        _head(machine, at_once=at_once)
    try:
        with worker_pool(2, start_process, ()) if at_once else nullcontext() as pool:
            rows = [_shown(measure(ALGORITHMS[name], pool), machine, as_json=as_json) for name in names]
    except WorkersDied:
        raise Refused("the system ended a process of the measurement (memory?): try --no-at-once", UNUSABLE) from None
    if as_json:
        document = {"kind": SOFTWARE, "machine": _machine(machine), "engines": [_row(row, machine) for row in rows]}
        typer.echo(json.dumps(document, indent=1))
    return any(row.self_test is None and row.ours.rate is not None for row in rows)


def _head(machine: Machine, *, at_once: bool) -> None:
    typer.echo(f"engines of cryptography: {SOFTWARE}. {machine}")
    typer.echo("rates by processor time of one core, the best of rounds that take turns")
    if not at_once:
        typer.echo(
            "two at once not measured: the clock means nothing on a busy machine; --at-once measures all the same"
        )
    typer.echo("")


def _shown(row: Measured, machine: Machine, *, as_json: bool) -> Measured:
    if not as_json:
        for line in _lines(row, machine):
            typer.echo(line)
    return row


def _lines(row: Measured, machine: Machine) -> list[str]:
    engine = row.algorithm.engines[0]
    version = f"{engine.distribution} {row.ours.version}".rstrip()
    features = ", ".join(name for name in engine.features if name in machine.features) or "none"
    tried = row.reason or f"{row.self_test} known answers good in {row.self_test_ms:.0f} ms"
    lines = [
        f"{row.algorithm.name} ({row.algorithm.use}): {engine.name} ({version}), {engine.runs}, CPU features {features}",
        f"    self-test: {tried}",
        f"    {row.workload}: {_rate_text(row.ours, row.unit)}",
    ]
    for number, other in enumerate(row.others):
        gain = "" if row.ours.rate is None or not other.rate else f", so {_times(row.ours.rate / other.rate)}"
        kind = "plain path" if number == 0 else "beside it"
        lines.append(f"    {kind} {other.name} {other.version}".rstrip() + f": {_rate_text(other, row.unit)}{gain}")
    if row.two_threads is not None and row.two_processes is not None:
        lines.append(
            f"    at once by the clock, load {machine.load:.0f}: two threads {_times(row.two_threads)}, "
            f"two processes {_times(row.two_processes)}"
        )
    return lines


def _times(ratio: float) -> str:
    return f"{ratio:,.0f} times" if ratio >= 10 else f"{ratio:.2f} times"


def _rate_text(side: SideRate, unit: str) -> str:
    if side.rate is None:
        return side.reason
    text = f"{side.rate:,.0f}" if side.rate >= 10 else f"{side.rate:.2f}"
    return text + unit if unit == "/s" else f"{text} {unit}"


def _machine(machine: Machine) -> dict[str, Any]:
    return {"cpu": machine.cpu, "cores": machine.cores, "load": round(machine.load, 2)}


def _row(row: Measured, machine: Machine) -> dict[str, Any]:
    engine = row.algorithm.engines[0]
    return {
        "algorithm": row.algorithm.name,
        "use": row.algorithm.use,
        "engine": engine.name,
        "distribution": engine.distribution,
        "version": row.ours.version,
        "runs": engine.runs,
        "pays_from": engine.pays_from,
        "features": list(engine.features),
        "features_here": [name for name in engine.features if name in machine.features],
        "self_test": {"known_answers": row.self_test, "ms": round(row.self_test_ms, 2), "reason": row.reason},
        "workload": row.workload,
        "unit": row.unit,
        "rate": row.ours.rate,
        "plain_path": row.others[0].name if row.others else None,
        "gain": row.gain,
        "others": [
            {"name": one.name, "version": one.version, "rate": one.rate, "reason": one.reason} for one in row.others
        ],
        "two_threads": row.two_threads,
        "two_processes": row.two_processes,
    }


def _differential(
    wanted: dict[str, int], seed: int, jobs: int, folder: EvidenceFolder, machine: Machine, *, as_json: bool
) -> bool:
    rows: list[dict[str, Any]] = []
    bad = False
    if not as_json:
        typer.echo(f"engines against other authors' libraries, seed {seed}: {SOFTWARE}. {machine}")
    for name, count in wanted.items():
        try:
            compared = run_differential(name, count, seed, jobs, lambda _: None)
        except (NotInstalled, JudgeFailed) as missing:
            rows.append({"algorithm": name, "reason": str(missing)})
            if not as_json:
                typer.echo(f"{name}: {missing}")
            continue
        except WorkersDied:
            raise Refused("the system ended a process of the run (memory?): try fewer with --jobs", UNUSABLE) from None
        bad = bad or compared.contradictions > 0
        rows.append(_compared(compared, folder, machine, as_json=as_json))
    if as_json:
        typer.echo(
            json.dumps({"kind": SOFTWARE, "machine": _machine(machine), "seed": seed, "differential": rows}, indent=1)
        )
    return bad


def _compared(compared: Compared, folder: EvidenceFolder, machine: Machine, *, as_json: bool) -> dict[str, Any]:
    kept = None
    if compared.first is not None:
        version = version_of(ALGORITHMS[compared.algorithm].engines[0].distribution)
        kept = folder.keep(compared.first, version, machine.name)
    if not as_json:
        typer.echo(
            f"{compared.algorithm}: {compared.engine} against {compared.judge}: {compared.asked:,} questions, of them "
            f"{compared.refused:,} refused, {compared.contradictions} answered differently"
        )
        if compared.first is not None:
            typer.echo(f"    question {compared.first_number}: {compared.first}; kept in {kept}")
    return {
        "algorithm": compared.algorithm,
        "engine": compared.engine,
        "judge": compared.judge,
        "asked": compared.asked,
        "refused": compared.refused,
        "contradictions": compared.contradictions,
        "evidence": None if kept is None else str(kept),
    }
