"""A StorageAudit on a chain: what dapps there ask of the hub's storage audits."""

from dataclasses import dataclass
from random import Random

from eth_abi.abi import encode

from hutong.adapters.evm.administration.reader import read_reader
from hutong.adapters.evm.storage_audit import HUB_READER
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import BadAnswer
from hutong.contracts.artifacts import load_artifact
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class AuditDeployment:
    """The contract, the reader that it asks, and the chain's client of the hub that the reader has; addresses as text."""

    audit: str
    reader: str
    hub_client: str


async def deploy_audit(chain: Endpoint, reader: bytes, signer: Signer, random: Random) -> AuditDeployment:
    """Deploy a StorageAudit on a reader of the hub's records.

    Args:
        reader: a HubReader of the chain, 20 bytes.

    Raises:
        AdapterError: the chain does not answer, is another one, has no reader there, or refuses it.
    """
    async with open_endpoint(chain, random) as execution:
        found = await read_reader(execution, reader)
        code = load_artifact("StorageAudit").bytecode + encode(["address"], [reader])
        receipt = await Transactor(execution, chain.chain_id, signer).send(None, code)
        if receipt.contract_address is None:
            raise BadAnswer("eth_getTransactionReceipt", "contractAddress", "is missing after a creation")
        (asked,) = HUB_READER.decode(await execution.call(receipt.contract_address, HUB_READER.encode()))
        if bytes.fromhex(asked[2:]) != reader:
            raise BadAnswer("eth_call", "hubReader", "is not the one that it was created with")
        return AuditDeployment(f"0x{receipt.contract_address.hex()}", found.reader, found.hub_client)
