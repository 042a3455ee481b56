"""Updates of many periods over several processes: decoding the 512 keys of each committee is nearly all of the work.

What a store becomes by an update does not depend on whether that update is valid, so every update can be judged from the store
that those before it claim to make. All of them are valid one by one exactly where they are in order; at the first that is not,
what was said of later ones is thrown away.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from hutong.light_clients.ethereum import Bootstrap, LightClientStore, Network
from hutong.light_clients.interface import CheckVerdict, VerificationError, audit
from hutong.relay.base.child_processes import WorkersDied, worker_pool
from hutong.relay.verify.ethereum import Served, Trust, judge_file, judge_start, judge_updates
from hutong.relay.verify.inputs import UnusableInput

FEW_UPDATES = 40
"""So many are judged before other processes have started."""
RUN = 8
"""Updates of one task of a process: neighbours may be of one committee."""


@dataclass(frozen=True, slots=True)
class _Run:
    """Updates that follow each other, and the store that they are judged from. Nothing in it is believed."""

    store: LightClientStore
    updates: tuple[Served, ...]


def verdicts_of(
    served: list[Served], trust: Trust, now_ns: int, jobs: int, few: int = FEW_UPDATES
) -> tuple[CheckVerdict, ...]:
    """What every rule said, in order, as `audit(judge_file, …)`; the last one did not hold where something was refused.

    Args:
        now_ns: nanoseconds of Unix time.
        jobs: processes at most.
        few: below so many updates none is started.

    Raises:
        UnusableInput: there is not one bootstrap, at the beginning, or the system ended a process.
    """
    if jobs <= 1 or len(served) <= few:
        return audit(judge_file, served, trust, now_ns)
    started = audit(judge_start, served, trust, now_ns)
    if not all(verdict.held for verdict in started):
        return started
    found = list(started)
    runs = list(_runs(served, trust.network))
    with worker_pool(jobs, _start, (trust, now_ns)) as pool:
        try:
            for run, verdicts in zip(runs, pool.map(_judge_run, runs), strict=True):
                # a refusal is said by this process, whose errors need not be sent
                said = verdicts or audit(judge_updates, run.store, run.updates, trust, now_ns)
                found += said
                if not all(verdict.held for verdict in said):
                    break
        except WorkersDied:
            raise UnusableInput("the system ended a process (memory?): try fewer with --jobs") from None
        finally:
            pool.shutdown(cancel_futures=True)
    return tuple(found)


def _runs(served: Sequence[Served], network: Network) -> Iterator[_Run]:
    """All updates in order, in runs of `RUN`; what cannot be followed without being judged is one run, the last."""
    first = served[0].value
    if not isinstance(first, Bootstrap):
        raise UnusableInput("the first file is not a bootstrap")
    updates = tuple(served[1:])
    store = LightClientStore(network, first.header, first.current_sync_committee, None, None, first.header)
    for at in range(0, len(updates), RUN):
        run = _Run(store, updates[at : at + RUN])
        try:
            for item in run.updates:
                if isinstance(item.value, Bootstrap):
                    raise UnusableInput("there is more than one bootstrap")
                store = store.after_valid(item.value)
        except Exception:  # whatever is wrong with it is found, and named, when it is judged
            yield _Run(run.store, updates[at:])
            return
        yield run


_terms: tuple[Trust, int] | None = None
"""Of a worker process: what is believed, and when it is judged."""


def _start(trust: Trust, now_ns: int) -> None:
    global _terms  # noqa: PLW0603  a process pool has no other place for what each process keeps
    _terms = (trust, now_ns)


def _judge_run(run: _Run) -> tuple[CheckVerdict, ...] | None:
    """What every rule said, where all of them held; else None."""
    if _terms is None:
        raise RuntimeError("the process was not started for this")
    try:
        verdicts = audit(judge_updates, run.store, run.updates, *_terms)
    except (UnusableInput, VerificationError):
        return None
    return verdicts if all(verdict.held for verdict in verdicts) else None
