"""The light client half of the Beacon API: what is asked, and typed answers of bounded size.

Nothing that comes from here is believed: it is judged by the light client before anything is paid for.
"""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

from hutong.adapters.interface import BadAnswer, EndpointMismatch
from hutong.adapters.rpc import Attempt, Endpoint, RpcClient
from hutong.light_clients.ethereum import Bootstrap, Fork, Network, Update, beacon_json
from hutong.light_clients.interface import MalformedInput, UnsupportedOperation

MAX_GENESIS_BYTES = 16 * 1024
MAX_FINALITY_UPDATE_BYTES = 64 * 1024
"""Two headers with their payload headers of at most 3 KiB of JSON each, branches and signature: under 16 KiB."""
MAX_COMMITTEE_JSON_BYTES = 64 * 1024
"""512 keys of 98 characters, quoted and parted: 52 KiB."""
MAX_BOOTSTRAP_BYTES = MAX_FINALITY_UPDATE_BYTES + MAX_COMMITTEE_JSON_BYTES
MAX_UPDATE_BYTES = MAX_FINALITY_UPDATE_BYTES + MAX_COMMITTEE_JSON_BYTES
MAX_UPDATES_ASKED = 4

_LIGHT_CLIENT = "/eth/v1/beacon/light_client"
_GENESIS = "/eth/v1/beacon/genesis"

Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class ServedUpdate:
    """An update in the containers of `fork`, as a node gave it."""

    fork: Fork
    update: Update


def decode_genesis_root(answer: Any) -> bytes:
    """The 32 bytes of `genesis_validators_root` in the answer of `/eth/v1/beacon/genesis`.

    Raises:
        BadAnswer: missing or malformed.
    """
    return _read(
        "genesis",
        lambda: beacon_json.hex_bytes(
            _member(_member(answer, "data"), "genesis_validators_root"), "data.genesis_validators_root", 32
        ),
    )


def decode_finality_update(answer: Any, network: Network) -> ServedUpdate:
    """A finality update that names a finalized header with its execution payload. Nothing of it is verified.

    Args:
        answer: parsed JSON with the fork's name in `version`.

    Raises:
        BadAnswer: malformed, of an unknown fork, or without such a header.
    """
    served = _read("finality_update", lambda: _served_update(answer, network))
    finalized = served.update.finalized_header
    if finalized is None or finalized.execution is None:
        raise BadAnswer(
            "finality_update", "data.finalized_header", "names no finalized block with an execution payload"
        )
    return served


def decode_updates(answer: Any, network: Network, first_period: int, count: int) -> tuple[ServedUpdate, ...]:
    """Best updates of the periods from `first_period` on, in order and none left out; maybe fewer than asked for.

    Raises:
        BadAnswer: more than `count`, one of another period or without a next committee, or malformed.
    """
    if not isinstance(answer, list) or len(answer) > count:
        raise BadAnswer("updates", "body", f"is not a list of at most {count}")
    updates = _read("updates", lambda: tuple(_served_update(item, network) for item in answer))
    for index, served in enumerate(updates):
        period = network.period_at(served.update.attested_slot)
        if period != first_period + index or served.update.next_sync_committee is None:
            raise BadAnswer("updates", f"[{index}]", f"is not an update of period {first_period + index}", got=period)
    return updates


def decode_bootstrap(answer: Any, network: Network) -> Bootstrap:
    """A bootstrap as a node gave it. Whether it is of a trusted block is the caller's to judge.

    Raises:
        BadAnswer: malformed, or of an unknown fork.
    """
    return _read(
        "bootstrap",
        lambda: beacon_json.bootstrap(_member(answer, "data"), _version(answer), network.preset),
    )


class BeaconApi:
    """Typed calls over the endpoints of one beacon chain."""

    def __init__(self, client: RpcClient, network: Network) -> None:
        self.client = client
        self._network = network

    async def finality_updates(self) -> list[tuple[Endpoint, ServedUpdate]]:
        """The newest finality update of every usable endpoint, with who gave it. Nothing of them is verified.

        Raises:
            EndpointUnavailable: no endpoint gave a well-formed one.
        """

        async def ask(attempt: Attempt) -> ServedUpdate:
            answer = await attempt.get(f"{_LIGHT_CLIENT}/finality_update", "finality_update", MAX_FINALITY_UPDATE_BYTES)
            return decode_finality_update(answer, self._network)

        return await self.client.ask_each("finality_update", ask)

    async def updates(self, first_period: int, count: int = 1) -> tuple[ServedUpdate, ...]:
        """The best update of each of `count` sync committee periods; maybe fewer, if the last is too young.

        Raises:
            ValueError: `count` is not 1 to MAX_UPDATES_ASKED.
            EndpointUnavailable, RpcRefused: no endpoint gave well-formed ones.
        """
        if not 1 <= count <= MAX_UPDATES_ASKED:
            raise ValueError(f"1 to {MAX_UPDATES_ASKED} updates, not {count}")
        path = f"{_LIGHT_CLIENT}/updates?start_period={first_period}&count={count}"

        async def ask(attempt: Attempt) -> tuple[ServedUpdate, ...]:
            answer = await attempt.get(path, "updates", count * MAX_UPDATE_BYTES)
            return decode_updates(answer, self._network, first_period, count)

        return await self.client.run("updates", ask)

    async def bootstrap(self, block_root: bytes) -> Bootstrap:
        """The bootstrap of a finalized block at the end of an epoch, by its root of 32 bytes. It is not verified.

        Raises:
            RpcRefused: the nodes have none of this block.
            EndpointUnavailable: no endpoint gave a well-formed one.
        """
        path = f"{_LIGHT_CLIENT}/bootstrap/0x{block_root.hex()}"

        async def ask(attempt: Attempt) -> Bootstrap:
            return decode_bootstrap(await attempt.get(path, "bootstrap", MAX_BOOTSTRAP_BYTES), self._network)

        return await self.client.run("bootstrap", ask)


async def identify_beacon(attempt: Attempt, network: Network) -> None:
    """Check that an endpoint serves the chain of that genesis; `RpcClient` runs it before the endpoint's first use.

    Raises:
        EndpointMismatch: it serves another chain.
        AttemptFailed, BadAnswer, RpcRefused: it gives no usable answer.
    """
    got = decode_genesis_root(await attempt.get(_GENESIS, "genesis", MAX_GENESIS_BYTES))
    if got != network.genesis_validators_root:
        raise EndpointMismatch(attempt.endpoint_name, "genesis validators root", got, network.genesis_validators_root)


def _served_update(answer: Any, network: Network) -> ServedUpdate:
    fork = _version(answer)
    return ServedUpdate(fork, beacon_json.update(_member(answer, "data"), fork, network.preset))


def _version(answer: Any) -> Fork:
    return beacon_json.fork_named(_member(answer, "version"))


def _member(value: Any, name: str) -> Any:
    if not isinstance(value, dict) or name not in value:
        raise MalformedInput(name, "is missing")
    return value[name]


def _read(operation: str, read: Callable[[], Value]) -> Value:
    try:
        return read()
    except MalformedInput as error:
        raise BadAnswer(operation, error.field, error.reason, got=error.got) from error
    except UnsupportedOperation as error:
        raise BadAnswer(operation, "version", str(error)) from error
