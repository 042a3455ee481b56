"""A chain of the demo as a dapp sees it: web3.py and the contracts' ABIs, nothing of the relay."""

from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any, Protocol

import trio
from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from requests import exceptions as requests_errors
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import Web3RPCError
from web3.middleware import ExtraDataToPOAMiddleware

from hutong.contracts.artifacts import load_artifact
from hutong.light_clients.crypto.hashes import keccak256
from hutong.light_clients.ibc.denom import Denom
from hutong.light_clients.ibc.transfer import TRANSFER_PORT

HUB_TRANSFER = Web3.to_checksum_address("0x0000000000000000000000000000000000001003")
LOG_RANGE_BLOCKS = 500
SEND_GAS = 800_000
REQUEST_TIMEOUT_S = 20


def _view(name: str, *inputs: str) -> dict[str, Any]:
    arguments = [{"name": f"argument{index}", "type": kind} for index, kind in enumerate(inputs)]
    outputs = [{"name": "", "type": "uint256"}]
    return {"type": "function", "name": name, "stateMutability": "view", "inputs": arguments, "outputs": outputs}


HUB_TRANSFER_ABI = [
    _view("supplyOf", "string"),
    _view("escrowed", "string", "string"),
    _view("homeward", "string"),
]
"""Of the hub's native transfer module (docs/spec/hub-transfer.md)."""


@dataclass(frozen=True)
class DemoChain:
    """An EVM chain with a router; the applications' addresses are empty on the hub, which forwards and holds no
    dapp."""

    name: str
    rpc_url: str
    chain_id: int
    router_address: str
    mailbox_address: str = ""
    transfer_address: str = ""
    receiver_address: str = ""
    token_address: str = ""
    hub_client: str = ""
    client_on_hub: str = ""

    @cached_property
    def web3(self) -> Web3:
        """Made once; its calls block, for REQUEST_TIMEOUT_S seconds each at most."""
        web3 = Web3(HTTPProvider(self.rpc_url, request_kwargs={"timeout": REQUEST_TIMEOUT_S}))
        # QBFT keeps validators and seals in the extra data, which web3.py else holds to 32 bytes.
        web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        return web3

    @cached_property
    def router(self) -> Contract:
        """The chain's router, by its interface alone."""
        return self.contract("IRouter", self.router_address)

    @cached_property
    def mailbox(self) -> Contract:
        """The chain's Mailbox; the hub has none, and asking for it there raises ValueError."""
        return self.contract("IMailbox", self.mailbox_address)

    @cached_property
    def transfer(self) -> Contract:
        """The chain's Transfer contract; the hub has none, and asking for it there raises ValueError."""
        return self.contract("ITransfer", self.transfer_address)

    def contract(self, name: str, address: str) -> Contract:
        """A contract by the name of its artifact, at an address in any case of its letters.

        Raises:
            UnknownContract: there is no artifact of this name.
            ValueError: that is no address.
        """
        return self.web3.eth.contract(address=Web3.to_checksum_address(address), abi=load_artifact(name).abi)

    def with_contracts(self, receiver: str, token: str) -> "DemoChain":
        """The same chain with a receiving contract and a token of its own."""
        return replace(self, receiver_address=receiver, token_address=token)

    def token(self, address: str) -> Contract:
        """An ERC-20 at the address, by ExampleToken's ABI; vouchers are asked in the same way."""
        return self.contract("ExampleToken", address)

    def token_supply(self, address: str) -> int:
        """Total supply of a token in its smallest unit; 0 where none has been created at the address."""
        if not self.web3.eth.get_code(Web3.to_checksum_address(address)):
            return 0
        return int(self.token(address).functions.totalSupply().call())

    def supply_on_hub(self, denom: str) -> int:
        """The hub's vouchers of a denomination, in its smallest unit. For the hub alone.

        Args:
            denom: the whole path as the hub has it.
        """
        return int(self._hub_transfer.functions.supplyOf(denom).call())

    def escrowed_on_hub(self, client: str, denom: str) -> int:
        """What the hub has sent over a client and not brought home. For the hub alone.

        Args:
            client: the hub's client of the chain that it was sent to.
            denom: the whole path as the hub has it.
        """
        return int(self._hub_transfer.functions.escrowed(client, denom).call())

    def homeward_on_hub(self, denom: str) -> int:
        """What is on its way from the hub to where it is from. For the hub alone."""
        return int(self._hub_transfer.functions.homeward(denom).call())

    @cached_property
    def _hub_transfer(self) -> Contract:
        return self.web3.eth.contract(address=HUB_TRANSFER, abi=HUB_TRANSFER_ABI)

    def head(self) -> int:
        """Number of the newest block, which is final on every chain of the demo."""
        return int(self.web3.eth.block_number)

    def time_s(self, block: int) -> int:
        """Time of a block, in whole seconds of Unix time.

        Raises:
            web3.exceptions.BlockNotFound: there is no such block (yet).
        """
        return int(self.web3.eth.get_block(block)["timestamp"])

    def events(self, contract: Contract, name: str, last_block: int) -> Iterator[Any]:
        """All events of that name from the first block to `last_block`, in pieces that every node serves.

        Args:
            contract: one of this chain.
            last_block: included; each LOG_RANGE_BLOCKS are one request.
        """
        for first in range(0, last_block + 1, LOG_RANGE_BLOCKS):
            last = min(first + LOG_RANGE_BLOCKS - 1, last_block)
            yield from contract.events[name]().get_logs(from_block=first, to_block=last)

    def commitment(self, key: bytes) -> bytes:
        """What the router stores under an ICS-24 key; 32 zero bytes if nothing."""
        return bytes(self.router.functions.getCommitment(keccak256(key)).call())

    def sent(self) -> int:
        """How many packets were sent from here, forwarded ones included where this is the hub."""
        return self._count("SendPacket", self.head())

    def unsettled(self) -> int:
        """How many packets were sent from here and are neither acknowledged nor timed out."""
        head = self.head()
        return self._count("SendPacket", head) - self._count("AckPacket", head) - self._count("TimeoutPacket", head)

    def _count(self, event: str, head: int) -> int:
        return sum(1 for _ in self.events(self.router, event, head))

    def next_nonce(self, address: str) -> int:
        """The account's next nonce, waiting transactions counted (`pending`)."""
        return int(self.web3.eth.get_transaction_count(Web3.to_checksum_address(address), "pending"))

    def transact(self, account: LocalAccount, nonce: int, fields: dict[str, Any]) -> HexBytes:
        """Sign and send; returns the hash without waiting for a block.

        A connection that was closed meanwhile is tried again with the same bytes, which a node takes once.

        Args:
            nonce: counted by the caller.
            fields: those of the transaction; they win over the chain's defaults (SEND_GAS, the node's gas price).

        Raises:
            web3.exceptions.Web3RPCError: the node refuses the transaction.
        """
        transaction = {"chainId": self.chain_id, "nonce": nonce, "gas": SEND_GAS, "gasPrice": self.web3.eth.gas_price}
        signed = account.sign_transaction({**transaction, **fields})
        try:
            return self.web3.eth.send_raw_transaction(signed.raw_transaction)
        except (
            requests_errors.ConnectionError
        ):  # an idle connection was closed meanwhile: nobody knows whether the node has it
            with suppress(Web3RPCError):  # then it has
                self.web3.eth.send_raw_transaction(signed.raw_transaction)
            return signed.hash

    def call(self, account: LocalAccount, contract: Contract, function: str, *arguments: Any) -> Any:
        """One transaction, waited for; returns its receipt.

        Raises:
            RuntimeError: it reverted.
            web3.exceptions.TimeExhausted: no block had it within REQUEST_TIMEOUT_S.
        """
        fields = {"to": contract.address, "data": contract.encode_abi(function, arguments), "value": 0}
        digest = self.transact(account, self.next_nonce(account.address), fields)
        receipt = self.web3.eth.wait_for_transaction_receipt(digest, timeout=REQUEST_TIMEOUT_S, poll_latency=0.2)
        if receipt["status"] != 1:
            raise RuntimeError(f"{self.name}: {function} reverted")
        return receipt

    def approve_transfer(self, account: LocalAccount, token: str, amount: int = 2**256 - 1) -> None:
        """Let the Transfer contract take so much of the account's tokens; waits for the block.

        Raises:
            RuntimeError, web3.exceptions.TimeExhausted: as `call`.
        """
        self.call(account, self.token(token), "approve", self.transfer.address, amount)

    def deploy(self, account: LocalAccount, artifact: str, *arguments: Any) -> str:
        """Deploy a contract of an artifact, wait for the block, and return its address.

        Raises:
            RuntimeError: the constructor reverted.
            web3.exceptions.TimeExhausted: no block had it within REQUEST_TIMEOUT_S.
        """
        compiled = load_artifact(artifact)
        constructor = self.web3.eth.contract(abi=compiled.abi, bytecode=compiled.bytecode).constructor(*arguments)
        fields = {"to": b"", "data": constructor.data_in_transaction, "gas": 3_000_000, "value": 0}
        digest = self.transact(account, self.next_nonce(account.address), fields)
        receipt = self.web3.eth.wait_for_transaction_receipt(digest, timeout=REQUEST_TIMEOUT_S, poll_latency=0.2)
        if receipt["status"] != 1:
            raise RuntimeError(f"{self.name}: the deployment of {artifact} reverted")
        return str(receipt["contractAddress"])


async def until(condition: Callable[[], bool], poll_s: float) -> None:
    """Ask the chains again and again, in a thread, until the condition holds. The caller sets the deadline.

    Args:
        condition: may block; what it raises comes through.
        poll_s: seconds between the end of one question and the next.
    """
    while True:
        if await trio.to_thread.run_sync(condition):
            return
        await trio.sleep(poll_s)


class Sender(Protocol):
    """A chain whose users send packets."""

    def sent(self) -> int:
        """How many packets were sent from here, settled ones included."""

    def unsettled(self) -> int:
        """How many of them are neither acknowledged nor timed out."""


def packets_in_flight(chains: Sequence[Sender]) -> int:
    """Packets that the chains' users sent and that are not settled there; blocks, since it asks each chain."""
    return sum(chain.unsettled() for chain in chains)


def denom_on_hub(chain: DemoChain) -> Denom:
    """What the hub calls the chain's own token: port and client of its end, then the ERC-20's address."""
    return Denom(chain.token_address.lower()).prefixed(TRANSFER_PORT, chain.client_on_hub)


def voucher(chain: DemoChain, on_hub: Denom) -> str:
    """Address of the voucher on `chain` for a denomination of the hub, whether or not it exists yet.

    The Transfer contract computes it from the denomination (CREATE2), so it never changes.
    """
    denom = on_hub.prefixed(TRANSFER_PORT, chain.hub_client)
    return str(chain.transfer.functions.voucherAddress(denom.path).call())
