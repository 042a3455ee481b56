"""Real misbehaviour of the demo's hub: its validators' keys sign a second block at a height that has one."""

import json
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any

import httpx

from hutong.light_clients.crypto.hashes import sha256
from hutong.light_clients.tendermint import rpc_json
from hutong.light_clients.tendermint.codec import encode_header
from hutong.light_clients.tendermint.hashing import header_hash, part_set_header, vote_sign_bytes
from hutong.light_clients.tendermint.types import (
    BlockId,
    BlockIdFlag,
    Commit,
    CommitSig,
    SignedHeader,
    SignedMessageType,
)
from hutong.relay.config import read_private_file
from hutong.relay.demo.cosmos.network import CosmosNetwork
from hutong.relay.hub.home.home import ValidatorKey, decode_validator_key
from hutong.relay.local.processes import run_command

OTHER_STATE = sha256(b"a state that the hub never had")


def twin(real: SignedHeader, keys: Iterable[ValidatorKey]) -> SignedHeader:
    """The same block with another state, signed by all who signed the real one, at the times of their real votes.

    Args:
        keys: of every validator that signed the real block, else KeyError.
    """
    header = replace(real.header, app_hash=OTHER_STATE)
    block_id = BlockId(header_hash(header), part_set_header(encode_header(header)))
    by_address = {key.public_key.address: key for key in keys}
    precommit = SignedMessageType.PRECOMMIT

    def forged(vote: CommitSig) -> CommitSig:
        if vote.block_id_flag is not BlockIdFlag.COMMIT:
            return vote
        said = vote_sign_bytes(
            header.chain_id, precommit, header.height, real.commit.round, block_id, vote.timestamp_ns
        )
        return replace(vote, signature=by_address[vote.validator_address].sign(sha256(said)))

    votes = tuple(map(forged, real.commit.signatures))
    return SignedHeader(header, Commit(header.height, real.commit.round, block_id, votes))


async def freeze_by_evidence(network: CosmosNetwork) -> None:
    """Show simd both blocks, as anyone may who has seen them: its user does.

    The files of evidence stay in the demo's home. The client is frozen when the transaction is in a block.

    Raises:
        DemoFailed: `hutong client misbehaviour` failed.
        httpx.HTTPError: the hub does not answer.
    """
    hub = f"http://127.0.0.1:{network.hub.running.cometbft_ports[0]}"
    async with httpx.AsyncClient(trust_env=False) as client:
        height = (await _get(client, f"{hub}/status"))["sync_info"]["latest_block_height"]
        height = str(int(height) - 1)
        served = await _get(client, f"{hub}/commit?height={height}")
        validators = await _get(client, f"{hub}/validators?height={height}")
    real = rpc_json.signed_header_from_rpc(served["signed_header"])
    keys = [decode_validator_key(read_private_file(file)) for file in network.hub.running.key_files]
    files = network.home / "evidence-1.json", network.home / "evidence-2.json"
    for file, header in zip(files, (real, twin(real, keys)), strict=True):
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
