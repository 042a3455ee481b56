"""How a city is: each process, each chain's height, the log's size."""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import trio

from hutong.relay.city.errors import CityUnusable
from hutong.relay.city.home import CityHome
from hutong.relay.city.record import CityProcess, ProcessRecord, read_record
from hutong.relay.local.processes import last_line

ASK_LIMIT_S = 5
MAX_CITY_BYTES = 1024 * 1024
MAX_HEIGHT = 2**63 - 1
RUNS, STARTING, ENDED = "runs", "starting", "ended"


@dataclass(frozen=True, slots=True)
class ProcessState:
    """A process: `state` is RUNS, or ENDED with the last line of its log in `said`."""

    name: str
    purpose: str
    state: str
    pid: int | None
    log: str
    said: str | None


@dataclass(frozen=True, slots=True)
class Height:
    """How far a chain or log is: its newest block, or its number of entries; None where it does not answer."""

    name: str
    what: str
    at: int | None


@dataclass(frozen=True, slots=True)
class CityState:
    """`state` is RUNS, STARTING or ENDED, of the city as a whole."""

    state: str
    processes: tuple[ProcessState, ...]
    heights: tuple[Height, ...]

    @property
    def good(self) -> bool:
        """It is up, each process runs, and each chain answers."""
        alive = all(process.state == RUNS for process in self.processes)
        return self.state == RUNS and alive and all(height.at is not None for height in self.heights)


async def look_at_city(home: CityHome) -> CityState:
    """Ask the system for every process and the chains for their heights.

    Raises:
        CityUnusable: there is no city in this home, or its files cannot be read.
    """
    record = read_record(home.processes_file)
    if record is None:
        raise CityUnusable(f"there is no city in {home.path}; `hutong city up --home {home.path}` starts one")
    document = _city_document(home)
    heights = () if document is None else await _heights(document)
    return CityState(_state(record, document), tuple(map(_process_state, record.processes)), heights)


def _state(record: ProcessRecord, document: dict[str, Any] | None) -> str:
    if not record.keeper.runs:
        return ENDED
    return STARTING if document is None else RUNS


def _process_state(process: CityProcess) -> ProcessState:
    identity = process.identity
    if identity is not None and identity.runs:
        return ProcessState(process.name, process.purpose, RUNS, identity.pid, process.log, None)
    return ProcessState(process.name, process.purpose, ENDED, None, process.log, _last_words(process.log))


def _last_words(log: str) -> str | None:
    try:
        return last_line(Path(log))
    except OSError:
        return None


def _city_document(home: CityHome) -> dict[str, Any] | None:
    try:
        with home.city_file.open("rb") as file:
            document = json.loads(file.read(MAX_CITY_BYTES))
    except FileNotFoundError:
        return None
    except (OSError, ValueError) as error:
        raise CityUnusable(f"{home.city_file} cannot be read: {error}") from None
    return document if isinstance(document, dict) else None


async def _heights(document: dict[str, Any]) -> tuple[Height, ...]:
    nodes = [("hub", document["hub"]["rpc_urls"][0])]
    nodes += [(chain["name"], chain["rpc_url"]) for chain in document["chains"]]
    cosmos = [(chain["name"], chain["rpc_url"]) for chain in document["cosmos_chains"]]
    found: dict[str, Height] = {}

    async def ask(client: httpx.AsyncClient, name: str, url: str) -> None:
        found[name] = Height(name, "block", await _block(client, url))

    async def ask_cosmos(client: httpx.AsyncClient, name: str, url: str) -> None:
        found[name] = Height(name, "block", await _cosmos_block(client, url))

    async def ask_log(client: httpx.AsyncClient, name: str, url: str) -> None:
        found[name] = Height(name, "entries", await _entries(client, url))

    async with httpx.AsyncClient(trust_env=False, timeout=ASK_LIMIT_S) as client, trio.open_nursery() as nursery:
        for name, url in nodes:
            nursery.start_soon(ask, client, name, url)
        for name, url in cosmos:
            nursery.start_soon(ask_cosmos, client, name, url)
        nursery.start_soon(ask_log, client, document["log"]["name"], document["log"]["url"])
    return tuple(found[name] for name in [*(name for name, _ in nodes + cosmos), document["log"]["name"]])


async def _block(client: httpx.AsyncClient, url: str) -> int | None:
    body = {"jsonrpc": "2.0", "id": 1, "method": "eth_blockNumber", "params": []}
    try:
        return _bounded(int((await client.post(url, json=body)).json()["result"], 16))
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


async def _cosmos_block(client: httpx.AsyncClient, url: str) -> int | None:
    try:
        said = (await client.get(f"{url}/status")).json()["result"]["sync_info"]["latest_block_height"]
        return _bounded(int(said))
    except (httpx.HTTPError, ValueError, KeyError, TypeError):
        return None


async def _entries(client: httpx.AsyncClient, url: str) -> int | None:
    try:
        return _bounded(int((await client.get(f"{url}/checkpoint")).text.splitlines()[1]))
    except (httpx.HTTPError, ValueError, IndexError):
        return None


def _bounded(number: int) -> int | None:
    return number if 0 <= number <= MAX_HEIGHT else None


def as_lines(state: CityState) -> Sequence[str]:
    """For a terminal: processes, then heights."""
    names = [process.name for process in state.processes]
    width = max(map(len, names), default=0)
    lines = [
        f"the city {'is up' if state.state == RUNS else 'is starting' if state.state == STARTING else 'has ended'}"
    ]
    for process in state.processes:
        more = f"pid {process.pid}" if process.state == RUNS else f"ended: {process.said}; its log is {process.log}"
        lines.append(f"{process.name:<{width}}  {more:<12}  {process.purpose}")
    for height in state.heights:
        at = "does not answer" if height.at is None else f"{height.what} {height.at}"
        lines.append(f"{height.name:<{width}}  {at}")
    return lines
