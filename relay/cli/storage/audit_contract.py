"""`hutong storage deploy-audit`: the contract by which dapps on a chain accept storage audits of the hub."""

from dataclasses import asdict
from functools import partial
from typing import Annotated

import typer

from hutong.relay.cli.common.endpoint_options import ChainId, Rpc
from hutong.relay.cli.common.named_values import print_values
from hutong.relay.cli.common.options import AsJson
from hutong.relay.cli.common.signers import SignerOptions


def deploy_audit(
    rpc: Rpc,
    chain_id: ChainId,
    reader: Annotated[str, typer.Option(help="Address of the chain's HubReader, `hutong reader deploy`.")],
    as_json: AsJson = False,
    *,
    payer: SignerOptions,
) -> None:
    """Deploy a StorageAudit, which dapps ask. Anybody may: nobody has rights in it. One is enough for a chain."""
    from hutong.relay.administration.addresses import address_of
    from hutong.relay.administration.evm.access import endpoint_of
    from hutong.relay.administration.evm.storage_audit import deploy_audit as deploy
    from hutong.relay.cli.common.session import run_administration

    chain, address = endpoint_of(rpc, chain_id, "--rpc"), address_of(reader, "--reader")
    signer = payer.open()
    deployed = run_administration(partial(deploy, chain, address, signer), as_json=as_json)
    print_values(asdict(deployed) | ({"chain_id": chain_id} if as_json else {}), as_json=as_json)
