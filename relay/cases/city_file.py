"""`city.json` as a case reads it (docs/city.md): where chains, API and contracts are, and the keys of ten people."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from time import monotonic, sleep
from typing import Any, TypeVar

from eth_account import Account
from eth_account.signers.local import LocalAccount
from web3 import HTTPProvider, Web3

from hutong.relay.cases.chain import REQUEST_TIMEOUT_S, CaseChain
from hutong.relay.cases.cosmos_token import CosmosToken
from hutong.relay.cases.operator import Operator
from hutong.relay.sdk import ApiProblem, Hutong, TooSlow, Unreachable

CITY_FILE = "city.json"
TRUST_FILE = "city.trust.json"
FORMAT = "hutong-city"
VERSION = 1
MAX_FILE_BYTES = 1024 * 1024


POLL_S = 0.5
Answer = TypeVar("Answer")
_NOT_YET = ("not_found", "not_exportable", "busy", "chain_unavailable")
"""Codes of the API's refusals that pass: the message is not known yet, or is under way."""


class CityUnreadable(Exception):
    """The home has no city that this version can use; one sentence for the user."""


class CaseBrokeOff(Exception):
    """What the case waits for did not come; one sentence."""


@dataclass(frozen=True)
class City:
    """A city that runs. `left_out` says by name why a chain is not there; `operator` is whoever runs it."""

    home: Path
    document: Mapping[str, Any]
    chains: Mapping[str, CaseChain]
    operator: Operator
    left_out: Mapping[str, str] = field(default_factory=dict)

    @cached_property
    def api(self) -> Hutong:
        """The relay's API, under the city's key."""
        said = self.document["api"]
        return Hutong(said["url"], api_key=self._text(said["key_file"]))

    @property
    def hub_name(self) -> str:
        """As the API calls it."""
        return str(self.document["hub"]["name"])

    @property
    def log_name(self) -> str:
        """As chains' Mailboxes and the API call the signed log."""
        return str(self.document["log"]["name"])

    def chain(self, name: str) -> CaseChain:
        """A chain by its name.

        Raises:
            CityUnreadable: it was left out.
        """
        found = self.chains.get(name)
        if found is None:
            raise CityUnreadable(f"the city has no chain {name}: {self.left_out.get(name, 'it is not in city.json')}")
        return found

    @property
    def cosmos(self) -> CosmosToken | None:
        """The Cosmos chain's token; None where the city has no such chain."""
        found = self.document.get("cosmos_chains") or []
        return CosmosToken.of(found[0]) if found else None

    def hub_time_s(self, height: int) -> int:
        """Of a block of the hub, by its number; whole seconds of Unix time."""
        return int(self._hub.eth.get_block(height)["timestamp"])

    @cached_property
    def _hub(self) -> Web3:
        return Web3(HTTPProvider(self.document["hub"]["rpc_urls"][0], request_kwargs={"timeout": REQUEST_TIMEOUT_S}))

    def person(self, number: int) -> LocalAccount:
        """One of the ten, who hold funds on every EVM chain; 0 to 9."""
        said = self.document["accounts"][f"person-{number}"]
        account: LocalAccount = Account.from_key(bytes.fromhex(self._text(said["key_file"]).removeprefix("0x")))
        return account

    def until(self, what: str, condition: Callable[[], bool], within_s: float) -> None:
        """Ask again and again until it is so.

        Raises:
            CaseBrokeOff: after `within_s`; `what` says what did not come, as in "the relay serves".
        """
        end = monotonic() + within_s
        while not condition():
            if monotonic() > end:
                raise CaseBrokeOff(f"not within {within_s:.0f} s: {what}")
            sleep(POLL_S)

    def bundle(self, packet_id: str, within_s: float) -> bytes:
        """The proof bundle of a message once its sender's chain can know its end, from the API, also over a relay that is
        restarted.

        Raises:
            CaseBrokeOff: there is none after `within_s`.
            ApiProblem: the server refuses for good.
        """

        def of_ended() -> bytes | None:
            bundle = self.api.bundle(packet_id)
            return bundle if says_the_end(bundle) else None

        return self._once_there(f"a bundle of {packet_id}", of_ended, within_s)

    def observed(self, key: bytes, value: bytes, since_s: int, within_s: float) -> bytes:
        """The record bundle of an observation once the hub's record says this value, of a block of `since_s` or later.

        Args:
            value: of an EVM slot without leading zeros: an empty one is zero.
            since_s: Unix seconds by the observed chain's clock.

        Raises:
            CaseBrokeOff: it does not after `within_s`.
            ApiProblem: the server refuses for good.
        """
        name, what = f"0x{key.hex()}", f"the record 0x{key.hex()} says 0x{value.hex()}, since {since_s}"

        def says_so() -> bytes | None:
            said = self.api.record(name).observation
            if said is None or bytes.fromhex((said.value or "0x")[2:]).lstrip(b"\0") != value:
                return None
            # one of another moment is stated by what its bundle says
            is_late = said.time.timestamp() >= since_s
            return self.api.record_bundle(name) if is_late else None

        return self._once_there(what, says_so, within_s)

    def _once_there(self, what: str, ask: Callable[[], Answer | None], within_s: float) -> Answer:
        found: list[Answer] = []

        def asked() -> bool:
            try:
                answer = ask()
            except (Unreachable, TooSlow):
                return False
            except ApiProblem as problem:
                if problem.code not in _NOT_YET:
                    raise
                return False
            if answer is not None:
                found.append(answer)
            return answer is not None

        self.until(what, asked, within_s)
        return found[0]

    def trust(self) -> dict[str, Any]:
        """What the city says that an auditor is to mean by its names, as `hutong audit case` reads it.

        Raises:
            CityUnreadable: the file is not there or not JSON.
        """
        return _read(self.home / TRUST_FILE)

    def _text(self, file: str) -> str:
        try:
            return (self.home / file).read_text().strip()
        except OSError as error:
            raise CityUnreadable(f"{self.home / file} cannot be read: {error.strerror}") from None


def read_city(home: Path, operator: Operator) -> City:
    """The city of that home.

    Raises:
        CityUnreadable: there is none, or it is of another version.
    """
    document = _read(home / CITY_FILE)
    if document.get("format") != FORMAT or document.get("version") != VERSION:
        raise CityUnreadable(f"{home / CITY_FILE} is not of a city that this version can use")
    try:
        chains = {
            said["name"]: CaseChain(
                name=said["name"],
                kind=said["kind"],
                rpc_url=said["rpc_url"],
                chain_id=int(said["chain_id"]),
                client_of_hub=said["client_of_hub"],
                hub_client=said["hub_client"],
                contracts=said["contracts"],
            )
            for said in document["chains"]
        }
        left_out = {said["name"]: said["why"] for said in document["left_out"]}
    except (KeyError, TypeError, ValueError) as error:
        raise CityUnreadable(f"{home / CITY_FILE} lacks what cases need: {error}") from None
    return City(home, document, chains, operator, left_out)


def says_the_end(bundle: bytes) -> bool:
    """Whether a packet's bundle has its acknowledgement or timeout. A server gives one as soon as the next chain on the way
    has received it (docs/spec/bundle.md)."""
    (first, *_) = json.loads(bundle)["legs"]
    claims = {proof["claim"] for proof in first["proofs"]}
    return not claims.isdisjoint({"acknowledged", "timed_out"})


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE_BYTES + 1)
        document = json.loads(data)
    except FileNotFoundError:
        raise CityUnreadable(f"{path} is not there: start a city with `hutong city up`") from None
    except (OSError, ValueError) as error:
        raise CityUnreadable(f"{path} cannot be read: {error}") from None
    if len(data) > MAX_FILE_BYTES or not isinstance(document, dict):
        raise CityUnreadable(f"{path} is not what a city writes")
    return document
