"""A run of headers on a known block: what each leaves behind, and the rules over all of them in order."""

from collections.abc import Sequence
from dataclasses import dataclass

from hutong.light_clients.bitcoin import predicates
from hutong.light_clients.bitcoin.networks import MEDIAN_TIME_SPAN, RETARGET_INTERVAL, ChainParameters
from hutong.light_clients.bitcoin.types import BlockHeader, ConsensusState
from hutong.light_clients.bitcoin.work import bits_of, starts_period, work_of
from hutong.light_clients.interface import Judge, rule

CORE_HEADER = "Bitcoin Core ContextualCheckBlockHeader"


def state_after(
    parent: ConsensusState, header: BlockHeader, parameters: ChainParameters, block_hash: bytes | None = None
) -> ConsensusState:
    """What `header`, whose bits were judged, leaves behind as the child of `parent`. `block_hash` is the header's own.

    Raises:
        PredicateFailed: its bits stand for no target.
        MalformedInput: height, work or median time is out of bounds.
    """
    height = parent.height + 1
    first = starts_period(height)
    took_least = parameters.allows_min_difficulty and header.bits == bits_of(parameters.pow_limit)
    return ConsensusState(
        height=height,
        block_hash=header.block_hash if block_hash is None else block_hash,
        chainwork=parent.chainwork + work_of(header.bits),
        bits=header.bits,
        regular_bits=parent.regular_bits if took_least and not first else header.bits,
        period_first_bits=header.bits if first else parent.period_first_bits,
        period_first_time_s=header.time_s if first else parent.period_first_time_s,
        recent_times_s=(*parent.recent_times_s, header.time_s)[-MEDIAN_TIME_SPAN:],
    )


@dataclass(frozen=True, slots=True)
class Run:
    """Headers on a trusted block, as they were shown."""

    trusted: ConsensusState
    headers: tuple[BlockHeader, ...]
    parameters: ChainParameters


@dataclass(frozen=True, slots=True)
class Weighed:
    """A run whose headers are linked and have the bits that are required. `states` begins with the trusted one."""

    run: Run
    states: tuple[ConsensusState, ...]

    @property
    def trusted(self) -> ConsensusState:
        """The state on which the run was shown; `states[0]`."""
        return self.run.trusted

    @property
    def tip(self) -> ConsensusState:
        """The state of the last header, whose work is that of the whole run."""
        return self.states[-1]

    def at(self, height: int) -> ConsensusState:
        """The state of a block of the run, or of the trusted one, at a height that it `holds`."""
        return self.states[height - self.trusted.height]

    def holds(self, height: int) -> bool:
        """Whether a height is the trusted one's, the tip's or one between."""
        return self.trusted.height <= height <= self.tip.height


@rule("Bitcoin Core AcceptBlockHeader")
def headers_linked(run: Run) -> list[bytes]:
    """Follow the headers from parent to child. Returns their hashes, in internal byte order.

    Raises:
        PredicateFailed: the first header with another parent, by its height.
    """
    hashes = [header.block_hash for header in run.headers]
    for index, header in enumerate(run.headers):
        parent = hashes[index - 1] if index else run.trusted.block_hash
        predicates.headers_linked(header, parent, run.trusted.height + 1 + index)
    return hashes


@rule("Bitcoin Core GetNextWorkRequired; BIP94")
def difficulty_as_required(run: Run, hashes: Sequence[bytes]) -> Weighed:
    """Each header has the bits that its ancestors demand, and adds their work. `hashes` are the headers' own.

    Raises:
        PredicateFailed: the first header with other bits, by its height.
        MalformedInput: the work, or a median time, is out of bounds.
    """
    states = [run.trusted]
    for header, block_hash in zip(run.headers, hashes, strict=True):
        predicates.difficulty_as_required(header, states[-1], run.parameters)
        states.append(state_after(states[-1], header, run.parameters, block_hash))
    return Weighed(run, tuple(states))


@rule("Bitcoin Core CheckProofOfWork")
def proof_of_work(run: Run, hashes: Sequence[bytes]) -> None:
    """See `predicates.proof_of_work`, of each header; `hashes` are their own.

    Raises:
        PredicateFailed: the first header whose hash is above its target.
    """
    predicates.every_proof_of_work(run.headers, hashes, run.parameters.pow_limit)


@rule(f"{CORE_HEADER}; BIP113")
def time_above_median(weighed: Weighed) -> None:
    """See `predicates.time_above_median`, of each header.

    Raises:
        PredicateFailed: the first header that is not later, by its height.
    """
    for header, parent in zip(weighed.run.headers, weighed.states, strict=False):
        predicates.time_above_median(header, parent)


@rule("BIP94")
def no_time_warp(weighed: Weighed) -> None:
    """See `predicates.no_time_warp`, of each header. Only networks that enforce BIP94 are judged by it.

    Raises:
        PredicateFailed: the first header of a period that is too early, by its height.
    """
    for header, parent in zip(weighed.run.headers, weighed.states, strict=False):
        predicates.no_time_warp(header, parent)


@rule(f"{CORE_HEADER}; BIP34, BIP66, BIP65")
def version_not_obsolete(weighed: Weighed) -> None:
    """See `predicates.version_not_obsolete`, of each header.

    Raises:
        PredicateFailed: the first header of an obsolete version, by its height.
    """
    for header, parent in zip(weighed.run.headers, weighed.states, strict=False):
        predicates.version_not_obsolete(header, parent, weighed.run.parameters)


@rule(f"{CORE_HEADER}, MAX_FUTURE_BLOCK_TIME")
def header_not_from_future(weighed: Weighed, now_ns: int) -> None:
    """See `predicates.header_not_from_future`, of each header.

    Raises:
        PredicateFailed: the first header that is more than two hours ahead, by its height.
    """
    for header, parent in zip(weighed.run.headers, weighed.states, strict=False):
        predicates.header_not_from_future(header.time_s, parent.height + 1, now_ns)


def judge_run(judge: Judge, run: Run, now_ns: int) -> Weighed:
    """Every rule over the headers of a run, whoever shows it. Work comes before what is cheap to fake.

    What else is known of the chain, such as a heavier branch, is not asked.

    Raises:
        PredicateFailed, MalformedInput: the first rule that does not hold.
    """
    hashes = judge(headers_linked, run)
    weighed = judge(difficulty_as_required, run, hashes)
    judge(proof_of_work, run, hashes)
    judge(time_above_median, weighed)
    if run.parameters.enforces_bip94:
        judge(no_time_warp, weighed)
    judge(version_not_obsolete, weighed)
    judge(header_not_from_future, weighed, now_ns)
    return weighed


def state_from_ancestors(
    headers: tuple[BlockHeader, ...], first_height: int, parameters: ChainParameters, chainwork: int | None = None
) -> ConsensusState:
    """State of the last of `headers`, which are linked and trusted, from what stands in them.

    They must reach back to the first block of its period and to the 10 blocks before it (`headers_needed_from`).
    `chainwork` is that of the last header where it is known; else work is counted over the given headers.

    Raises:
        ValueError: they do not reach back far enough.
        PredicateFailed: bits of a header stand for no target.
        MalformedInput: height or work is out of bounds.
    """
    height = first_height + len(headers) - 1
    if first_height > headers_needed_from(height):
        raise ValueError(f"headers from {headers_needed_from(height)} on are needed")
    last = headers[-1]
    period = headers[height - height % RETARGET_INTERVAL - first_height :]
    limit_bits = bits_of(parameters.pow_limit)
    regular = [
        header.bits
        for index, header in enumerate(period)
        if index == 0 or not (parameters.allows_min_difficulty and header.bits == limit_bits)
    ]
    return ConsensusState(
        height=height,
        block_hash=last.block_hash,
        chainwork=sum(work_of(header.bits) for header in headers) if chainwork is None else chainwork,
        bits=last.bits,
        regular_bits=regular[-1],
        period_first_bits=period[0].bits,
        period_first_time_s=period[0].time_s,
        recent_times_s=tuple(header.time_s for header in headers[-MEDIAN_TIME_SPAN:]),
    )


def headers_needed_from(height: int) -> int:
    """The lowest height of which `state_from_ancestors` reads a header.

    It is that of the period's first block, or of the tenth block below `height` where that one is lower.
    """
    return max(0, min(height - height % RETARGET_INTERVAL, height - MEDIAN_TIME_SPAN + 1))
