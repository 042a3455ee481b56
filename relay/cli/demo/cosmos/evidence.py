"""Real misbehaviour of the demo's hub: its validator's key signs a second block at a height that has one."""

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx
import trio

from light_clients.crypto.hashes import sha256
from light_clients.tendermint import rpc_json
from light_clients.tendermint.codec import encode_header
from light_clients.tendermint.hashing import header_hash, part_set_header, vote_sign_bytes
from light_clients.tendermint.types import BlockId, Commit, SignedHeader, SignedMessageType
from relay.cli.demo.cosmos.network import CosmosNetwork
from relay.cli.demo.processes import run_command
from relay.hub.node.home import ValidatorKey, load_validator_key

OTHER_STATE = sha256(b"a state that the hub never had")


def twin(real: SignedHeader, key: ValidatorKey) -> SignedHeader:
    """The same block with another state, which the only validator signed at the time of its real vote."""
    header = replace(real.header, app_hash=OTHER_STATE)
    block_id = BlockId(header_hash(header), part_set_header(encode_header(header)))
    (vote,) = real.commit.signatures
    precommit = SignedMessageType.PRECOMMIT
    said = vote_sign_bytes(header.chain_id, precommit, header.height, real.commit.round, block_id, vote.timestamp_ns)
    forged = replace(vote, signature=key.sign(sha256(said)))
    return SignedHeader(header, Commit(header.height, real.commit.round, block_id, (forged,)))


async def freeze_by_evidence(network: CosmosNetwork) -> None:
    """Show simd both blocks, as anybody may who has seen them: its user does."""
    hub = f"http://127.0.0.1:{network.hub.running.cometbft_ports[0]}"
    async with httpx.AsyncClient(trust_env=False) as client:
        height = (await _get(client, f"{hub}/status"))["sync_info"]["latest_block_height"]
        height = str(int(height) - 1)
        served = await _get(client, f"{hub}/commit?height={height}")
        validators = await _get(client, f"{hub}/validators?height={height}")
    real = rpc_json.signed_header_from_rpc(served["signed_header"])
    key = await trio.to_thread.run_sync(load_validator_key, network.home / "hub")
    files = network.home / "evidence-1.json", network.home / "evidence-2.json"
    for file, header in zip(files, (real, twin(real, key)), strict=True):
        _write(file, header, validators)
    await run_command(
        [
            *("client", "misbehaviour", "--config", str(network.administration), "--chain", network.simd.name),
            *("--client", network.simd.hub_client, *network.simd_user.options),
            *(part for file in files for part in ("--evidence", str(file))),
        ]
    )


async def _get(client: httpx.AsyncClient, url: str) -> dict[str, Any]:
    response = await client.get(url)
    response.raise_for_status()
    result: dict[str, Any] = response.json()["result"]
    return result


def _write(file: Path, header: SignedHeader, validators: dict[str, Any]) -> None:
    file.write_text(json.dumps({"signed_header": rpc_json.signed_header_to_rpc(header), **validators}))
