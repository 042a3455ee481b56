"""The city's Cosmos chain, where simd is at hand: a stock ibc-go chain with the same people."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from eth_keys.datatypes import PrivateKey

from hutong.adapters.cosmos.transactions.addresses import account_address
from hutong.relay.city.people import Person
from hutong.relay.city.plan import COSMOS_NAME
from hutong.relay.local.config_file import Paths
from hutong.relay.local.keys import Key, make_key
from hutong.relay.local.processes import Daemon
from hutong.relay.local.simd import CHAIN_ID, FEE_DENOM, FUNDS, PREFIX, TOKEN_DENOM, TOKEN_SUPPLY, SimdPlan


@dataclass(frozen=True, slots=True)
class CosmosMember:
    """The chain while it is being connected. `people` are its addresses by name; `path` is there once it is connected."""

    plan: SimdPlan
    relayer: Key
    people: Mapping[str, str]
    path: Paths = field(default_factory=dict)

    @property
    def table(self) -> str:
        """Its entry of the relay's configuration."""
        return self.plan.table(self.plan.rpc_port, self.relayer)

    def document(self) -> dict[str, object]:
        """Its entry of `city.json`."""
        return {
            "name": self.plan.name,
            "kind": "07-tendermint",
            "rpc_url": self.plan.rpc_url,
            "rest_url": self.plan.rest_url,
            "chain_id": CHAIN_ID,
            "client_of_hub": self.path["a"]["client"],
            "hub_client": self.path["b"]["client"],
            "client_created": True,
            "bech32_prefix": PREFIX,
            "fee_denom": FEE_DENOM,
            "token_denom": TOKEN_DENOM,
            "accounts": dict(self.people),
        }


def plan_cosmos(home: Path, program: Path, ports: tuple[int, int, int, int], people: Sequence[Person]) -> CosmosMember:
    """The chain before it runs, with a new key of the relay's.

    Raises:
        FileExistsError: there is such a key already.
        OSError: a person's key cannot be read.
    """
    plan = SimdPlan(COSMOS_NAME, program, home / COSMOS_NAME, *ports)
    return CosmosMember(
        plan, make_key(home, f"relayer-{COSMOS_NAME}"), {person.name: _address(person) for person in people}
    )


def _address(person: Person) -> str:
    secret = PrivateKey(bytes.fromhex(person.key_file.read_text().strip()))
    return account_address(PREFIX, secret.public_key.to_compressed_bytes())


async def cosmos_daemon(home: Path, member: CosmosMember) -> Daemon:
    """Fill the chain's home, its people funded and the token shared out among them; its process, not started yet.

    Raises:
        DemoFailed: a command of `simd` failed.
    """
    plan, people = member.plan, list(member.people.values())
    share = {FEE_DENOM: FUNDS, TOKEN_DENOM: TOKEN_SUPPLY // len(people)}
    relayer = account_address(PREFIX, member.relayer.signer().public_key)
    await plan.initialise({relayer: {FEE_DENOM: FUNDS}, **dict.fromkeys(people, share)})
    log = home / f"{plan.name}.log"
    return Daemon(plan.name, plan.start_command(), log, plan.ask_for_supply(), program=(str(plan.binary),))
