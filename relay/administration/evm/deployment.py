"""The contracts of an EVM chain deployed, and every role handed to the account that shall hold it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from random import Random

from eth_utils.address import to_canonical_address

from hutong.adapters.evm.administration.deploy import (
    Beginning,
    ContractOrder,
    Deployment,
    addresses_from,
    deploy_with_roles,
    managed,
)
from hutong.adapters.evm.administration.rights import differences
from hutong.adapters.evm.administration.rights_reading import read_rights
from hutong.adapters.ics26.transactor import Transactor
from hutong.adapters.interface import RefusedByChain
from hutong.relay.administration.evm.access import Endpoint, open_endpoint
from hutong.relay.administration.evm.deployment_journal import Undertaking, begun, journal_of
from hutong.relay.administration.evm.roles_file import encode_rights
from hutong.relay.keys import Signer


@dataclass(frozen=True, slots=True)
class DeploymentOrder:
    """What to deploy where. `out` is the new file for what then stands, beside which the journal is kept."""

    rpc: str
    chain_id: int
    contracts: ContractOrder
    out: Path | None


async def deploy(
    order: DeploymentOrder, signer: Signer, tell: Callable[[str], None], random: Random
) -> tuple[Deployment, str]:
    """The deployment, and the text of its roles file: what the chain says stands, which is what was asked for.

    Args:
        tell: is given sentences about what is done, if the order has a file.

    Returns:
        The text is empty where the order has no file.

    Raises:
        Unusable: the journal of an earlier run asks for something else, or cannot be used.
        RefusedByChain: the chain refuses a step, or other roles stand than were asked for.
        AdapterError: it does not answer.
    """
    async with open_endpoint(Endpoint(order.rpc, order.chain_id), random) as execution:
        transactor = Transactor(execution, order.chain_id, signer)
        return await _undertake(transactor, order, tell)


async def _undertake(
    transactor: Transactor, order: DeploymentOrder, tell: Callable[[str], None]
) -> tuple[Deployment, str]:
    beginning, wish = await Beginning.now(transactor), order.contracts
    if order.out is None:
        return await deploy_with_roles(transactor, wish, beginning, _silent), ""
    address = transactor.signer.address
    apps = tuple(app.value for app in wish.apps)
    undertaking = Undertaking(order.chain_id, address, wish.forward_margin_s, wish.plan, beginning, apps)
    beginning = begun(journal_of(order.out), undertaking)
    deployment = await deploy_with_roles(transactor, wish, beginning, tell)
    named = {name: str(address) for name, address in deployment.fields().items() if name != "height"}
    wanted = wish.plan.rights(order.chain_id, deployment.height, managed(named))
    contracts = managed(addresses_from(bytes(to_canonical_address(address)), beginning.nonce, wish.apps))
    found = await read_rights(transactor.execution, order.chain_id, contracts, deployment.height)
    wrong = differences(wanted, found)
    if wrong:
        raise RefusedByChain("roles differ", "; ".join(map(str, wrong)))
    return deployment, encode_rights(found)


def _silent(_: str) -> None: ...
