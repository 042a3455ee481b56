"""Evidence of misbehaviour: put together from conflicting headers, and judged with the client's own rules before it is paid for."""

from collections.abc import Callable
from dataclasses import dataclass

from hutong.adapters.interface import Administered, ClientInfo, Source
from hutong.adapters.rpc import each_of
from hutong.light_clients.interface import Height, Misbehaved, PredicateFailed, UnknownHeight
from hutong.light_clients.interface.memory import MemoryConsensusStates
from hutong.light_clients.table import light_client
from hutong.light_clients.tendermint.client import TendermintClient
from hutong.light_clients.tendermint.codec import decode_tendermint_header, encode_misbehaviour
from hutong.light_clients.tendermint.types import Misbehaviour, SignedHeader, TendermintHeader, ValidatorSet
from hutong.relay.core.route.local_verification import verification_time_ns

MAX_STATES = 4
"""That a judgement may ask for: one for each header, the latest, and one more."""
SEARCHED_HEIGHTS = 512
SEARCHED_AT_ONCE = 16


@dataclass(frozen=True, slots=True)
class ConflictingHeader:
    """A block with a commit. Nothing of it is believed yet. `validators` None: the signers' set was not told."""

    signed_header: SignedHeader
    validators: ValidatorSet | None

    @property
    def height(self) -> Height:
        """The height that the header claims, with the revision of its chain id; nothing of the header is verified."""
        return self.signed_header.header.ibc_height


async def judge_evidence(
    host: Administered, info: ClientInfo, evidence: bytes, host_time_ns: Callable[[], int]
) -> Misbehaved:
    """What the client on `host` would say, by its own rules and its stored states. Nothing is sent.

    Which of its stored states the evidence leans on, the light client itself tells by asking for them, MAX_STATES at
    most.

    Args:
        evidence: encoded as the light client of that type takes misbehaviour.
        host_time_ns: this machine's clock, nanoseconds of Unix time; see `verification_time_ns`.

    Raises:
        VerificationError: the client would not freeze. UnknownHeight among them: it lacks a state that the evidence
            needs.
        AdapterError: `host` does not answer.
    """
    judge = light_client(info.client_type)
    states: dict[Height, bytes] = {}
    wanted = info.latest_height
    head = await host.head()
    now_ns = verification_time_ns(head.time_ns, host_time_ns())
    for _ in range(MAX_STATES):
        stored = await host.consensus_state(info.client_id, wanted)
        if stored is None:
            break
        states[wanted] = stored
        try:
            return judge.check_misbehaviour(info.client_state, MemoryConsensusStates(states), evidence, now_ns)
        except UnknownHeight as error:
            if error.height in states:
                raise
            wanted = error.height
    raise UnknownHeight(wanted, info.latest_height)


async def stored_heights(host: Administered, info: ClientInfo, numbers: range) -> list[Height]:
    """At which of `numbers` the client stores a state, each asked from `host`; in the order of `numbers`.

    Args:
        numbers: revision heights of the revision of the client's latest height.

    Raises:
        AdapterError: `host` does not answer.
    """

    async def stored(number: int) -> Height | None:
        at = Height(info.latest_height.revision_number, number)
        return None if await host.consensus_state(info.client_id, at) is None else at

    return [found for found in await each_of(stored, numbers) if found is not None]


async def trusted_below(
    host: Administered, info: ClientInfo, height: Height, searched: int = SEARCHED_HEIGHTS
) -> Height:
    """The highest height under `height` at which the client stores a state. Its latest height is taken without asking.

    Args:
        searched: how many heights below `height` are looked at, SEARCHED_AT_ONCE together.

    Raises:
        UnknownHeight: no state is stored at any of them.
        AdapterError: `host` does not answer.
    """
    if info.latest_height < height:
        return info.latest_height
    top = height.revision_height - 1
    bottom = max(1, top - searched + 1)
    while top >= bottom:
        first = max(bottom, top - SEARCHED_AT_ONCE + 1)
        found = await stored_heights(host, info, range(top, first - 1, -1))
        if found:
            return found[0]
        top = first - 1
    raise UnknownHeight(height, info.latest_height)


async def tendermint_evidence(
    host: Administered, info: ClientInfo, source: Source, headers: tuple[ConflictingHeader, ConflictingHeader]
) -> bytes:
    """A `Misbehaviour` of two headers for one client: what it trusts comes from the client itself and from `source`.

    The evidence is not judged, and its headers need not contradict each other: `judge_evidence` says what it is worth.

    Returns:
        Encoded as ibc-go's 07-tendermint `Misbehaviour`, the higher header first.

    Raises:
        PredicateFailed: the client is not a `07-tendermint` client.
        UnknownHeight: the client stores no state low enough to judge both headers from.
        AdapterError: a chain does not answer.
    """
    if info.client_type != TendermintClient.client_type:
        raise PredicateFailed(
            "evidence_is_of_the_client", "two headers", got=info.client_type, expected="07-tendermint"
        )
    one, two = headers if headers[0].height >= headers[1].height else headers[::-1]
    trusted = await trusted_below(host, info, two.height)
    believed = await _trusted_validators(info, source, trusted)
    completed = [
        TendermintHeader(
            header.signed_header, believed if header.validators is None else header.validators, trusted, believed
        )
        for header in (one, two)
    ]
    # Nobody reads the identifier; stock chains refuse an empty one, and short ones as those of routers.
    return encode_misbehaviour(Misbehaviour(f"{info.client_type}-0", completed[0], completed[1]))


async def _trusted_validators(info: ClientInfo, source: Source, trusted: Height) -> ValidatorSet:
    """The next validators of the trusted header, out of the source's own header above it."""
    above = Height(trusted.revision_number, trusted.revision_height + 1)
    await source.wait_for_height(above.revision_height)
    messages = await source.client_messages(info.client_type, info.client_state, trusted, above)
    return decode_tendermint_header(messages[0]).trusted_validators
