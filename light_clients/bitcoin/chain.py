"""A run of headers on a known block: what each leaves behind, and the rules over all of them in order."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import partial

from light_clients.bitcoin import predicates
from light_clients.bitcoin.networks import MEDIAN_TIME_SPAN, RETARGET_INTERVAL, ChainParameters
from light_clients.bitcoin.types import BlockHeader, ConsensusState
from light_clients.bitcoin.work import bits_of, starts_period, work_of
from light_clients.interface import Check

CORE_HEADER = "Bitcoin Core ContextualCheckBlockHeader"


def state_after(
    parent: ConsensusState, header: BlockHeader, parameters: ChainParameters, block_hash: bytes | None = None
) -> ConsensusState:
    """What `header`, whose bits were judged, leaves behind as the child of `parent`. `block_hash` is the header's own."""
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


@dataclass(slots=True)
class Run:
    """Headers on a trusted block. `hashes` and `states` are filled by the rules over links and difficulty, in this order.

    `states` begins with the trusted one.
    """

    trusted: ConsensusState
    headers: tuple[BlockHeader, ...]
    parameters: ChainParameters
    hashes: list[bytes] = field(default_factory=list)
    states: list[ConsensusState] = field(default_factory=list)

    @property
    def tip(self) -> ConsensusState:
        return self.states[-1]

    def at(self, height: int) -> ConsensusState:
        """The state of a block of the run, or of the trusted one."""
        return self.states[height - self.trusted.height]

    def holds(self, height: int) -> bool:
        return self.trusted.height <= height <= self.trusted.height + len(self.headers)

    def link(self) -> None:
        """Follow the headers from parent to child."""
        hashes = [header.block_hash for header in self.headers]
        for index, header in enumerate(self.headers):
            parent = hashes[index - 1] if index else self.trusted.block_hash
            predicates.headers_linked(header, parent, self.trusted.height + 1 + index)
        self.hashes = hashes

    def weigh(self) -> None:
        """Each header has the bits that its ancestors demand, and adds their work."""
        states = [self.trusted]
        for header, block_hash in zip(self.headers, self.hashes, strict=True):
            predicates.difficulty_as_required(header, states[-1], self.parameters)
            states.append(state_after(states[-1], header, self.parameters, block_hash))
        self.states = states

    def each(self, rule: Callable[[BlockHeader, ConsensusState], None]) -> None:
        """A rule over every header and its parent's state."""
        for header, parent in zip(self.headers, self.states, strict=False):
            rule(header, parent)


def run_checks_of(run: Run, now_ns: int) -> Iterator[Check]:
    """Every rule over the headers of a run, whoever shows it and whatever else is known. Work comes before what is cheap to fake."""
    yield Check("headers_linked", "Bitcoin Core AcceptBlockHeader", run.link)
    yield Check("difficulty_as_required", "Bitcoin Core GetNextWorkRequired; BIP94", run.weigh)
    yield Check(
        "proof_of_work",
        "Bitcoin Core CheckProofOfWork",
        lambda: predicates.every_proof_of_work(run.headers, run.hashes, run.parameters.pow_limit),
    )
    yield Check("time_above_median", f"{CORE_HEADER}; BIP113", partial(run.each, predicates.time_above_median))
    if run.parameters.enforces_bip94:
        yield Check("no_time_warp", "BIP94", partial(run.each, predicates.no_time_warp))
    yield Check(
        "version_not_obsolete",
        f"{CORE_HEADER}; BIP34, BIP66, BIP65",
        partial(run.each, lambda header, parent: predicates.version_not_obsolete(header, parent, run.parameters)),
    )
    yield Check(
        "header_not_from_future",
        f"{CORE_HEADER}, MAX_FUTURE_BLOCK_TIME",
        partial(
            run.each,
            lambda header, parent: predicates.header_not_from_future(header.time_s, parent.height + 1, now_ns),
        ),
    )


def state_from_ancestors(
    headers: tuple[BlockHeader, ...], first_height: int, parameters: ChainParameters, chainwork: int | None = None
) -> ConsensusState:
    """State of the last of `headers`, which are linked and trusted, from what stands in them.

    They must reach back to the first block of its period and to the 10 blocks before it (`headers_needed_from`).
    `chainwork` is that of the last header where it is known; else work is counted over the given headers.

    Raises:
        ValueError: they do not reach back far enough.
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
    """The lowest height of which `state_from_ancestors` reads a header."""
    return max(0, min(height - height % RETARGET_INTERVAL, height - MEDIAN_TIME_SPAN + 1))
