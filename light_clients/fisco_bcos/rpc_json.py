"""Blocks and Merkle proofs as nodes serve them, both generations.

2.x: `getBlockHeaderByNumber`, hex quantities, keys without 0x (WeBASE: decimal texts). 3.x: `getBlockByNumber`, numbers
and decimal texts, keys with 0x. Nothing is believed: the caller compares the hash of what comes out.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from hutong.light_clients.crypto.hashes import HASH_BYTES
from hutong.light_clients.fisco_bcos import suite
from hutong.light_clients.fisco_bcos.block_header import encode_block_header
from hutong.light_clients.fisco_bcos.merkle import MAX_STEPS, V2_WIDTH, V3_WIDTH
from hutong.light_clients.fisco_bcos.types import (
    LOGS_BLOOM_BYTES,
    MAX_EXTRA_DATA_BYTES,
    MAX_EXTRA_DATA_ITEMS,
    MAX_SEALERS,
    PUBLIC_KEY_BYTES,
    BlockHeader,
    BlockHeaderV2,
    BlockHeaderV3,
    CryptoSuite,
    Generation,
    Header,
    MerkleStep,
    Sealer,
    SealSignature,
    check_sealers,
)
from hutong.light_clients.interface import Height, MalformedInput, UnsupportedOperation

_HEX = re.compile(r"(?:0x)?((?:[0-9a-fA-F]{2})*)")
_NUMBER = re.compile(r"0x[0-9a-fA-F]{1,64}|[0-9]{1,78}")
_COUNT_BYTES = 4


def header_from_rpc(block: Mapping[str, Any], trusted_height: Height) -> Header:
    """The header of an RPC block and its signature list; the generation is told by the fields.

    Raises:
        MalformedInput: a missing key, or a value that is not of its form and size.
        UnsupportedOperation: a block of generation 3 with extra data (the genesis block has them).
    """
    header: BlockHeader = _v3(block) if generation_of(block) is Generation.V3 else _v2(block)
    check_sealers(header.sealers, "block.sealerList")
    return Header(trusted_height, encode_block_header(header), header, _signatures(block))


def generation_of(block: Mapping[str, Any]) -> Generation:
    """Generation 3 serves a list of parents, generation 2 the one parent's hash."""
    return Generation.V3 if "parentInfo" in block else Generation.V2


def suite_of(header: Header, block_hash: bytes) -> CryptoSuite:
    """The suite under which the fields hash to the hash that the node names.

    Raises:
        MalformedInput: neither does.
        UnsupportedOperation: Keccak-256 does not, and GM is not installed.
    """
    for crypto_suite in CryptoSuite:
        if suite.digest(crypto_suite, header.encoded) == block_hash:
            return crypto_suite
    raise MalformedInput("block.hash", "is not the hash of the block's fields under any suite", got=block_hash)


def steps_from_rpc(proof: object, leaf_hash: bytes, crypto_suite: CryptoSuite) -> tuple[MerkleStep, ...]:
    """A Merkle path: `[{left, right}]` as 2.x serves it, or counts and hashes in one list as 3.x does.

    A list of 3.x does not say which member of a group is the one below: that is found by hashing up from the leaf.

    Raises:
        MalformedInput: another form, too much of it, or a group without the node below.
        UnsupportedOperation: the suite is not installed.
    """
    if not isinstance(proof, Sequence) or isinstance(proof, str):
        raise MalformedInput("proof", "is not a list", got=proof)
    if len(proof) > MAX_STEPS * (V3_WIDTH + 1):
        raise MalformedInput("proof", f"more than {MAX_STEPS} steps", got=len(proof))
    if all(isinstance(step, Mapping) for step in proof):
        return tuple(_step(step, f"proof[{index}]") for index, step in enumerate(proof))
    return _grouped_steps(tuple(hex_bytes(text, "proof") for text in proof), leaf_hash, crypto_suite)


def _step(step: Mapping[str, Any], field: str) -> MerkleStep:
    return MerkleStep(*(_siblings(step.get(side), f"{field}.{side}") for side in ("left", "right")))


def _siblings(value: object, field: str) -> tuple[bytes, ...]:
    if not isinstance(value, Sequence) or isinstance(value, str) or len(value) >= V2_WIDTH:
        raise MalformedInput(field, f"is not a list of at most {V2_WIDTH - 1} siblings", got=value)
    return tuple(hex_bytes(text, field, max_size=HASH_BYTES + 5) for text in value)


def _grouped_steps(items: tuple[bytes, ...], leaf_hash: bytes, crypto_suite: CryptoSuite) -> tuple[MerkleStep, ...]:
    if len(items) == 1:
        if items[0] != leaf_hash:
            raise MalformedInput("proof", "the root of a lone leaf is the leaf", got=items[0], expected=leaf_hash)
        return ()
    steps: list[MerkleStep] = []
    node, at = leaf_hash, 0
    while at < len(items):
        count = int.from_bytes(items[at][:_COUNT_BYTES], "big")
        group = items[at + 1 : at + 1 + count]
        if not 0 < count <= V3_WIDTH or len(group) != count or any(items[at][_COUNT_BYTES:]):
            raise MalformedInput(f"proof[{at}]", f"is no count of 1 to {V3_WIDTH} hashes that follow", got=items[at])
        if node not in group:
            raise MalformedInput(f"proof[{at}]", "the group does not hold the node below", expected=node)
        place = group.index(node)
        steps.append(MerkleStep(group[:place], group[place + 1 :]))
        node = suite.digest(crypto_suite, b"".join(group))
        at += 1 + count
    return tuple(steps)


def _v2(block: Mapping[str, Any]) -> BlockHeaderV2:
    return BlockHeaderV2(
        parent_hash=sized(block, "parentHash", HASH_BYTES),
        state_root=sized(block, "stateRoot", HASH_BYTES),
        transactions_root=sized(block, "transactionsRoot", HASH_BYTES),
        receipts_root=sized(block, "receiptsRoot", HASH_BYTES),
        db_hash=sized(block, "dbHash", HASH_BYTES),
        logs_bloom=sized(block, "logsBloom", LOGS_BLOOM_BYTES),
        number=_number(block, "number"),
        gas_limit=_number(block, "gasLimit"),
        gas_used=_number(block, "gasUsed"),
        timestamp_ms=_number(block, "timestamp"),
        extra_data=tuple(
            hex_bytes(text, "block.extraData", max_size=MAX_EXTRA_DATA_BYTES)
            for text in _list(block, "extraData", MAX_EXTRA_DATA_ITEMS)
        ),
        sealer=_number(block, "sealer"),
        sealer_list=_sealer_keys(block),
    )


def _v3(block: Mapping[str, Any]) -> BlockHeaderV3:
    if block.get("extraData") not in (None, "", "0x"):
        raise UnsupportedOperation("FISCO BCOS 3 headers with extra data: the hash does not say where they begin")
    parents = _list(block, "parentInfo", 1)
    if len(parents) != 1 or not isinstance(parents[0], Mapping):
        raise MalformedInput("block.parentInfo", "a block has one parent", got=len(parents), expected=1)
    keys = _sealer_keys(block)
    weights = _list(block, "consensusWeights", MAX_SEALERS)
    if len(weights) != len(keys):
        raise MalformedInput("block.consensusWeights", "one of each sealer", got=len(weights), expected=len(keys))
    return BlockHeaderV3(
        version=_number(block, "version"),
        parent_number=_number(parents[0], "blockNumber"),
        parent_hash=sized(parents[0], "blockHash", HASH_BYTES),
        transactions_root=sized(block, "txsRoot", HASH_BYTES),
        receipts_root=sized(block, "receiptsRoot", HASH_BYTES),
        state_root=sized(block, "stateRoot", HASH_BYTES),
        number=_number(block, "number"),
        gas_used=_number(block, "gasUsed"),
        timestamp_ms=_number(block, "timestamp"),
        sealer=_number(block, "sealer"),
        sealers=tuple(
            Sealer(key, number(weight, "block.consensusWeights")) for key, weight in zip(keys, weights, strict=True)
        ),
    )


def _signatures(block: Mapping[str, Any]) -> tuple[SealSignature, ...]:
    signatures: list[SealSignature] = []
    for position, entry in enumerate(_list(block, "signatureList", MAX_SEALERS)):
        field = f"block.signatureList[{position}]"
        if not isinstance(entry, Mapping):
            raise MalformedInput(field, "is not an object")
        index = number(entry.get("index", entry.get("sealerIndex")), f"{field}.index")
        if index >= MAX_SEALERS:
            raise MalformedInput(f"{field}.index", f"is not below {MAX_SEALERS}", got=index)
        data = hex_bytes(entry.get("signature"), f"{field}.signature", max_size=suite.MAX_SIGNATURE_BYTES)
        signatures.append(SealSignature(index, data))
    return tuple(signatures)


def _sealer_keys(block: Mapping[str, Any]) -> tuple[bytes, ...]:
    return tuple(
        hex_bytes(text, "block.sealerList", max_size=PUBLIC_KEY_BYTES)
        for text in _list(block, "sealerList", MAX_SEALERS)
    )


def _list(block: Mapping[str, Any], key: str, most: int) -> Sequence[Any]:
    value = block.get(key)
    if not isinstance(value, list) or len(value) > most:
        raise MalformedInput(f"block.{key}", f"is not a list of at most {most}", got=value)
    return value


def _number(block: Mapping[str, Any], key: str) -> int:
    return number(block.get(key), f"block.{key}")


def number(value: object, field: str) -> int:
    """A number as either generation writes it: a JSON number, decimal text or 0x and hex digits; below 2^256.

    Raises:
        MalformedInput: another form, negative, or too great.
    """
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**256:
        return value
    if isinstance(value, str) and _NUMBER.fullmatch(value):
        parsed = int(value, 16 if value.startswith("0x") else 10)
        if parsed < 2**256:
            return parsed
    raise MalformedInput(field, "is not a number", got=value)


def sized(value: Mapping[str, Any], key: str, size: int, field: str = "block") -> bytes:
    """The bytes under `key`, which are `size`; hex with or without 0x.

    Raises:
        MalformedInput: missing, not hex, or of another size.
    """
    data = hex_bytes(value.get(key), f"{field}.{key}", max_size=size)
    if len(data) != size:
        raise MalformedInput(f"{field}.{key}", f"must be {size} bytes", got=data)
    return data


def hex_bytes(text: object, field: str, max_size: int = HASH_BYTES) -> bytes:
    """Hex with or without 0x, of at most `max_size` bytes.

    Raises:
        MalformedInput: not a text, not hex, or too long.
    """
    if not isinstance(text, str) or len(text) > 2 + 2 * max_size:
        raise MalformedInput(field, f"is not hex of at most {max_size} bytes", got=text)
    match = _HEX.fullmatch(text)
    if match is None:
        raise MalformedInput(field, "is not hex", got=text)
    data = bytes.fromhex(match[1])
    if len(data) > max_size:
        raise MalformedInput(field, f"more than {max_size} bytes", got=len(data))
    return data
