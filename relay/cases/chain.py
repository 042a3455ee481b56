"""A chain of the city as a dapp's author uses it: web3.py, the contracts' ABIs, and people who sign."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache, cached_property
from typing import Any

from eth_account.signers.local import LocalAccount
from hexbytes import HexBytes
from web3 import HTTPProvider, Web3
from web3.contract import Contract
from web3.exceptions import ContractLogicError
from web3.middleware import ExtraDataToPOAMiddleware

from hutong.contracts.artifacts import load_artifact

REQUEST_TIMEOUT_S = 30
RECEIPT_TIMEOUT_S = 60
CALL_GAS = 1_500_000
DEPLOY_GAS = 6_000_000
ASKED_BY_OTHERS = ("IAnchor", "IFeed", "IHubReader", "IIdentityCache", "IRoutedHubClient", "IRouter", "ITitle")


class CallReverted(Exception):
    """A transaction was refused by the contract; `reason` is what the chain says of it."""

    def __init__(self, chain: str, what: str, reason: str) -> None:
        self.reason = reason
        super().__init__(f"{chain}: {what} was refused: {reason}")


@dataclass(frozen=True)
class CaseChain:
    """An EVM chain. `client_of_hub` is its client of the hub, `hub_client` the hub's client of it."""

    name: str
    kind: str
    rpc_url: str
    chain_id: int
    client_of_hub: str
    hub_client: str
    contracts: Mapping[str, str]

    @cached_property
    def web3(self) -> Web3:
        """Made once; its calls block, for REQUEST_TIMEOUT_S each at most."""
        web3 = Web3(HTTPProvider(self.rpc_url, request_kwargs={"timeout": REQUEST_TIMEOUT_S}))
        # BFT chains keep validators and seals in the extra data, which web3.py else holds to 32 bytes.
        web3.middleware_onion.inject(ExtraDataToPOAMiddleware, layer=0)
        return web3

    @cached_property
    def _nonces(self) -> dict[str, int]:
        return {}

    def contract(self, artifact: str, address: str) -> Contract:
        """A contract by the name of its artifact."""
        return self.web3.eth.contract(address=Web3.to_checksum_address(address), abi=load_artifact(artifact).abi)

    def app(self, name: str, artifact: str) -> Contract:
        """One of the city's contracts, such as `swap`, by the artifact of its interface."""
        return self.contract(artifact, self.contracts[name])

    def time_s(self, block: int | None = None) -> int:
        """Of a block, the newest one unless its number is given; whole seconds of Unix time."""
        return int(self.web3.eth.get_block("latest" if block is None else block)["timestamp"])

    def send(self, account: LocalAccount, function: Any, gas: int = CALL_GAS) -> HexBytes:
        """Send a call without waiting for a block. `function` is bound, such as `token.functions.transfer(to, 1)`."""
        fields = {"to": function.address, "data": function._encode_transaction_data(), "gas": gas}
        return self._sign_and_send(account, fields)

    def call(self, account: LocalAccount, function: Any, gas: int = CALL_GAS) -> Any:
        """Send a call and wait for its block; returns the receipt.

        Raises:
            CallReverted: the contract refused it.
            web3.exceptions.TimeExhausted: no block had it in time.
        """
        (receipt,) = self.receipts([self.send(account, function, gas)])
        if receipt["status"] != 1:
            raise CallReverted(self.name, function.fn_name, self.refusal(account, function) or "no reason is given")
        return receipt

    def refusal(self, account: LocalAccount, function: Any) -> str | None:
        """What the contract says to the call now, without sending it: None where it would be done."""
        try:
            function.call({"from": account.address})
        except ContractLogicError as error:
            data = str(error.data or "")
            return _error_name([*function.contract_abi, *_errors_of_others()], data) or str(error)
        return None

    def receipts(self, hashes: Sequence[HexBytes]) -> list[Any]:
        """In the order of the transactions, also of reverted ones.

        Raises:
            web3.exceptions.TimeExhausted: no block had one in time.
        """
        wait = self.web3.eth.wait_for_transaction_receipt
        return [wait(one, timeout=RECEIPT_TIMEOUT_S, poll_latency=0.2) for one in hashes]

    def deploy(self, account: LocalAccount, artifact: str, *arguments: Any) -> Contract:
        """Deploy a contract of an artifact and wait for its block.

        Raises:
            CallReverted: the constructor refused.
        """
        compiled = load_artifact(artifact)
        constructor = self.web3.eth.contract(abi=compiled.abi, bytecode=compiled.bytecode).constructor(*arguments)
        sent = self._sign_and_send(account, {"to": b"", "data": constructor.data_in_transaction, "gas": DEPLOY_GAS})
        (receipt,) = self.receipts([sent])
        if receipt["status"] != 1:
            raise CallReverted(self.name, f"deployment of {artifact}", "its constructor")
        return self.contract(artifact, receipt["contractAddress"])

    def _sign_and_send(self, account: LocalAccount, fields: dict[str, Any]) -> HexBytes:
        address = account.address
        known = self._nonces.get(address)
        nonce = self.web3.eth.get_transaction_count(address, "pending") if known is None else known
        price = {"gasPrice": self.web3.eth.gas_price, "value": 0, "chainId": self.chain_id, "nonce": nonce}
        signed = account.sign_transaction(price | fields)
        sent = self.web3.eth.send_raw_transaction(signed.raw_transaction)
        self._nonces[address] = int(nonce) + 1
        return sent


@cache
def _errors_of_others() -> tuple[Any, ...]:
    """Of contracts that others ask: what these refuse is passed on."""
    return tuple(entry for name in ASKED_BY_OTHERS for entry in load_artifact(name).abi if entry["type"] == "error")


def _error_name(entries: Sequence[Any], data: str) -> str | None:
    """The error whose selector the data begins with."""
    for entry in entries:
        if entry["type"] != "error":
            continue
        signature = f"{entry['name']}({','.join(_type_of(one) for one in entry['inputs'])})"
        if data.startswith(Web3.to_hex(Web3.keccak(text=signature)[:4])):
            return str(entry["name"])
    return None


def _type_of(entry: Mapping[str, Any]) -> str:
    kind = str(entry["type"])
    if not kind.startswith("tuple"):
        return kind
    return f"({','.join(_type_of(one) for one in entry['components'])}){kind.removeprefix('tuple')}"
