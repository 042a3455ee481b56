"""The employer's contract on the dev chain: applications with a diploma, and what it says to one that it refuses."""

import json
from dataclasses import dataclass
from typing import Any

import trio
from eth_abi.abi import encode
from web3 import Web3

from hutong.adapters.evm.submit import evm_reverts
from hutong.relay.demo.identity.commands import Commands
from hutong.relay.demo.identity.ground import HUB_NAME, Ground
from hutong.relay.local.chain import REQUEST_TIMEOUT_S
from hutong.relay.local.processes import DemoFailed
from hutong.relay.sdk.identity_gate import ACCEPTANCE, NOT_LOGGED, Gate, status_proof
from hutong.relay.services.identity.rules.jose import read_jws
from hutong.relay.services.identity.rules.status import list_claims_well_formed
from hutong.relay.services.identity.rules.status.list_claims import MAX_PAYLOAD_BYTES

FUNCTION = "applyFor(ACCEPTANCE,bytes32)"
POSITION = Web3.keccak(text="bridge builder")
GAS = 1_500_000
REVOKED = "CredentialRevoked"
"""What a gate says to a credential whose bit is set."""


@dataclass(frozen=True, slots=True)
class Employer:
    """The contract, and who sends applications there and pays; it need not be the holder."""

    ground: Ground
    commands: Commands

    @property
    def caller(self) -> str:
        """Address of who sends."""
        return str(self.ground.running.plan.user.address)

    @property
    def gate(self) -> Gate:
        """The call for which a wallet signs."""
        return Gate(self.ground.chain.chain_id, self.ground.employer, self.caller, FUNCTION, (bytes(POSITION),))

    @property
    def call(self) -> bytes:
        """Selector and arguments after the acceptance, as `hutong wallet present-contract` takes them."""
        return self.gate.selector + encode(self.gate.types, self.gate.arguments)

    async def update_client(self) -> None:
        """Bring the chain's client to the hub's newest header; a relay does the same all the time.

        Raises:
            DemoFailed: the command failed.
        """
        running = self.ground.running
        end = ("--chain", running.plan.name, "--client", self.ground.chain.hub_client, "--follows", HUB_NAME)
        await self.commands.run("client", "update", "--config", running.config, *end, *running.plan.owner.options)

    async def sync(self, did: str, number: int) -> str:
        """Show the chain what the hub says of an issuer and its list, under that header; the issuer's standing.

        Raises:
            DemoFailed: the command failed.
        """
        running = self.ground.running
        where = (*running.chain_options, "--cache", self.ground.cache, *running.hub_options)
        paid = (*running.plan.owner.options, "--json")
        said = await self.commands.run("identity", "sync", did, "--list", number, *where, *paid)
        return str(json.loads(said)["standing"])

    async def refusal(self, data: bytes) -> str | None:
        """By which error the contract refuses a call now; None where it would take it."""
        return await trio.to_thread.run_sync(self._refusal, data)

    async def send(self, data: bytes) -> tuple[bool, int]:
        """Send the application: whether the chain took it, and the gas that it used.

        Raises:
            web3.exceptions.TimeExhausted: no block had it in time.
        """
        return await trio.to_thread.run_sync(self._send, data)

    def _refusal(self, data: bytes) -> str | None:
        fields = {"from": self.caller, "to": self.ground.employer, "data": f"0x{data.hex()}", "gas": hex(GAS)}
        answer: dict[str, Any] = dict(self.ground.chain.web3.provider.make_request("eth_call", [fields, "latest"]))  # type: ignore[arg-type]  # a method by its name
        if "error" not in answer:
            return None
        said = answer["error"].get("data")
        if not isinstance(said, str):
            raise DemoFailed(f"the dev chain does not say why it refuses: {answer['error'].get('message')}")
        return evm_reverts().read(bytes.fromhex(said.removeprefix("0x"))).name

    def _send(self, data: bytes) -> tuple[bool, int]:
        chain, user = self.ground.chain, self.ground.running.plan.user
        fields = {"to": Web3.to_checksum_address(self.ground.employer), "data": data, "gas": GAS, "value": 0}
        digest = chain.transact(user, chain.next_nonce(user.address), fields)
        receipt = chain.web3.eth.wait_for_transaction_receipt(digest, timeout=REQUEST_TIMEOUT_S, poll_latency=0.2)
        return receipt["status"] == 1, int(receipt["gasUsed"])


def application(signed: str, token: str) -> bytes:
    """Calldata of an application.

    Args:
        signed: what `hutong wallet present-contract` printed.
        token: the issuer's status list.

    Raises:
        VerificationError: the token is no list. InvalidArgument: it has not the credential's index.
    """
    said = json.loads(signed)
    seal, presentation = said["seal"], said["presentation"]
    statuses = list_claims_well_formed(read_jws(token, "token", MAX_PAYLOAD_BYTES).claims()).statuses
    status = status_proof(statuses.octets, statuses.bits, seal["index"])
    disclosures = [
        (_data(one["salt"]), _data(one["nameHash"]), one["kind"], _data(one["value"]), [*map(_data, one["path"])])
        for one in said["disclosures"]
    ]
    places = (seal["list"], seal["index"], seal["notAfter"])
    members = (
        (_data(seal["schema"]), _data(seal["issuer"]), *places, seal["holder"], _data(seal["claimsRoot"])),
        _data(said["key"]),
        _data(said["sealSignature"]),
        disclosures,
        status.chunk,
        list(status.siblings),
        (NOT_LOGGED.credential_key, NOT_LOGGED.credential_hash, NOT_LOGGED.place, list(NOT_LOGGED.path)),
        int(presentation["nonce"]),
        presentation["deadline"],
        _data(said["holderSignature"]),
    )
    gate = Gate(int(presentation["chainId"]), presentation["gate"], presentation["caller"], FUNCTION)
    return gate.selector + encode([ACCEPTANCE, *gate.types], [members, bytes(POSITION)])


def _data(text: str) -> bytes:
    return bytes.fromhex(text.removeprefix("0x"))
