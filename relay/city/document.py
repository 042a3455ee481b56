"""`city.json` and `city.trust.json`: what programs, and what an auditor, are told of the city (docs/city.md)."""

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from hutong.relay.archive.log_chain import log_chain_id
from hutong.relay.base.durable_files import READABLE, write_durably
from hutong.relay.city.cosmos import CosmosMember
from hutong.relay.city.home import CityHome
from hutong.relay.city.people import Person
from hutong.relay.city.plan import COUNTERPARTY, Belief, CityPlan
from hutong.relay.local.chain import DemoChain
from hutong.relay.local.hub import CHAIN_ID, EVM_CHAIN_ID, Hub

CITY_FORMAT = "hutong-city"
TRUST_FORMAT = "hutong-case-trust"
VERSION = 1


@dataclass(frozen=True, slots=True)
class MemberChain:
    """An EVM chain of the city, connected: `contracts` are all its addresses by name."""

    chain: DemoChain
    belief: Belief
    contracts: dict[str, str]


@dataclass(frozen=True, slots=True)
class SignedLog:
    """The signed log, with the hub's client of it. `trusted` is what its readers believe, as the log prints it."""

    name: str
    url: str
    hub_client: str
    trusted: dict[str, Any]

    @property
    def as_peer(self) -> DemoChain:
        """As a Mailbox is told of it: a name, and the hub's client. It has no contracts and is never asked."""
        return DemoChain(self.name, self.url, chain_id=0, router_address="", client_on_hub=self.hub_client)


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A part of the city that does not run here, and why."""

    name: str
    why: str


@dataclass(frozen=True, slots=True)
class CityFacts:
    """Everything that the two files say."""

    plan: CityPlan
    hub: Hub
    members: tuple[MemberChain, ...]
    cosmos: CosmosMember | None
    log: SignedLog
    people: tuple[Person, ...]
    root_did: str
    """Of the organisation that is the hub's root of accreditation."""
    left_out: tuple[LeftOut, ...]


def write_city_files(home: CityHome, facts: CityFacts) -> None:
    """Write both, the city's last: whoever waits for it may begin when it is there.

    Raises:
        OSError: one cannot be written.
    """
    _write(home.trust_file, trust_document(facts))
    _write(home.city_file, city_document(home, facts))


def _write(path: Path, document: dict[str, Any]) -> None:
    write_durably(path, (json.dumps(document, indent=1) + "\n").encode(), READABLE)


def city_document(home: CityHome, facts: CityFacts) -> dict[str, Any]:
    """`city.json`; files are named from the home, and nothing in it is a secret."""
    ethereum = facts.hub.running.ethereum_ports
    return {
        "format": CITY_FORMAT,
        "version": VERSION,
        "api": {"url": f"http://127.0.0.1:{facts.plan.api_port}", "key_file": "keys/api.key"},
        "config_file": "relay.toml",
        "checkpoints": home.checkpoints.name,
        "hub": {
            "name": facts.hub.chain.name,
            "chain_id": CHAIN_ID,
            "evm_chain_id": EVM_CHAIN_ID,
            "rpc_urls": [f"http://127.0.0.1:{port}" for port in ethereum],
            "checkpoint_file": str(home.checkpoint_of(facts.hub.chain.name).relative_to(home.path)),
        },
        "chains": [_chain(member) for member in facts.members],
        "cosmos_chains": [] if facts.cosmos is None else [facts.cosmos.document()],
        "log": {
            "name": facts.log.name,
            "url": facts.log.url,
            "hub_client": facts.log.hub_client,
            "client_of_hub": COUNTERPARTY,
            "trusted": facts.log.trusted,
            "append": f"{facts.log.url}/append",
            "publish": f"{facts.log.url}/publish",
        },
        "identity": {"root": facts.root_did},
        "accounts": {
            person.name: {"address": person.address, "key_file": str(person.key_file.relative_to(home.path))}
            for person in facts.people
        },
        "left_out": [{"name": left.name, "why": left.why} for left in facts.left_out],
    }


def _chain(member: MemberChain) -> dict[str, Any]:
    chain = member.chain
    return {
        "name": chain.name,
        "kind": member.belief.value,
        "rpc_url": chain.rpc_url,
        "chain_id": chain.chain_id,
        "client_of_hub": chain.hub_client,
        "hub_client": chain.client_on_hub,
        "client_created": True,
        "contracts": member.contracts,
    }


def trust_document(facts: CityFacts) -> dict[str, Any]:
    """`city.trust.json`, in the form of docs/spec/case-evidence.md: which clients, contracts and people are meant."""
    chains = [
        _meant(one.chain.name, str(one.chain.chain_id), one.chain.client_on_hub, one.contracts) for one in facts.members
    ]
    chains.append(_meant(facts.log.name, log_chain_id(facts.log.trusted["origin"]), facts.log.hub_client, {}))
    if facts.cosmos is not None:
        said = facts.cosmos.document()
        chains.append(_meant(str(said["name"]), str(said["chain_id"]), str(said["hub_client"]), {}))
    return {
        "format": TRUST_FORMAT,
        "version": VERSION,
        "hub_chain_id": CHAIN_ID,
        "chains": chains,
        "people": {person.name: person.address for person in facts.people},
        "values": {"identity-root": facts.root_did},
    }


def _meant(name: str, chain_id: str, hub_client: str, contracts: dict[str, str]) -> dict[str, Any]:
    return {"name": name, "chain_id": chain_id, "hub_client": hub_client, "contracts": contracts}
