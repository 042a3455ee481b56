"""What an auditor says of a case beside checkpoints: which contracts and accounts are meant (docs/spec/case-evidence.md)."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeVar

from hutong.light_clients.crypto import ADDRESS_BYTES
from hutong.light_clients.ibc.identifiers import check_client_id
from hutong.light_clients.interface.document import Document, HexForm
from hutong.relay.archive.bundle import CHAIN_ID
from hutong.relay.audit.auditor import MissingTrust
from hutong.relay.audit.cases.statements import name_of

TRUST_FORMAT = "hutong-case-trust"
TRUST_VERSION = 1
MAX_TRUST_BYTES = 1024 * 1024
MAX_CHAINS = 64
MAX_NAMES = 1_024
MAX_TEXT_CHARS = 1_024
MAX_CLIENT_CHARS = 64
Named = TypeVar("Named")


@dataclass(frozen=True, slots=True)
class ChainMeant:
    """A chain by its id, the hub's client of it, and the 20-byte addresses of its contracts by name."""

    name: str
    chain_id: str
    hub_client: str
    contracts: Mapping[str, bytes] = field(default_factory=dict)

    def contract(self, name: str) -> bytes:
        """The 20 bytes of a contract's address.

        Raises:
            MissingTrust: the reader does not say which one is meant.
        """
        return _of(self.contracts, name, f"a contract {name} of chain {self.name}")


@dataclass(frozen=True, slots=True)
class CaseTrust:
    """What the reader means: `values` are ids and other texts that a case's rule asks for by name."""

    hub_chain_id: str
    chains: Mapping[str, ChainMeant]
    people: Mapping[str, bytes] = field(default_factory=dict)
    values: Mapping[str, str] = field(default_factory=dict)

    def chain(self, name: str) -> ChainMeant:
        """The chain that the reader calls so.

        Raises:
            MissingTrust: there is none.
        """
        return _of(self.chains, name, f"a chain {name}")

    def person(self, name: str) -> bytes:
        """The 20-byte address of whoever has this role.

        Raises:
            MissingTrust: the reader does not say who.
        """
        return _of(self.people, name, f"a person {name}")

    def value(self, name: str) -> str:
        """A text of that name.

        Raises:
            MissingTrust: the reader does not say it.
        """
        return _of(self.values, name, f"a value {name}")


def _of(table: Mapping[str, Named], name: str, what: str) -> Named:
    found = table.get(name)
    if found is None:
        raise MissingTrust(f"the trust file does not say {what}, which this case is about")
    return found


def decode_trust(data: bytes) -> CaseTrust:
    """A file that people write, so that its JSON need not be canonical.

    Raises:
        MalformedInput: another format, or a field that is not of its form. Two chains have one name.
    """
    document = Document.parse(data, "trust", MAX_TRUST_BYTES)
    with document.of_format("what is trusted of a case", TRUST_FORMAT, TRUST_VERSION) as fields:
        hub = fields["hub_chain_id"].matching(CHAIN_ID, "a chain id")
        chains: dict[str, ChainMeant] = {}
        for one in fields["chains"].items(MAX_CHAINS):
            chain = _chain(one)
            if chain.name in chains:
                raise one.refused("is the second chain of this name", chain.name)
            chains[chain.name] = chain
        people = _addresses(fields["people"], "the name of a person")
        values = {
            name_of(name, "the name of a value"): value.ascii(MAX_TEXT_CHARS)
            for name, value in fields["values"].entries(MAX_NAMES)
        }
    return CaseTrust(hub, chains, people, values)


def _chain(document: Document) -> ChainMeant:
    with document.members() as fields:
        return ChainMeant(
            name_of(fields["name"], "the name of a chain"),
            fields["chain_id"].matching(CHAIN_ID, "a chain id"),
            check_client_id(fields["hub_client"].ascii(MAX_CLIENT_CHARS)),
            _addresses(fields["contracts"], "the name of a contract"),
        )


def _addresses(document: Document, what: str) -> dict[str, bytes]:
    return {
        name_of(name, what): address.hex(ADDRESS_BYTES, HexForm.ANY_CASE)
        for name, address in document.entries(MAX_NAMES)
    }
