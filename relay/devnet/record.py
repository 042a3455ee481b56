"""What a development chain keeps beside blocks and state: its genesis and the current validators' keys."""

import json

from hutong.relay.devnet.settings import DevnetError, Genesis
from hutong.relay.devnet.validators import ValidatorSet
from hutong.relay.evm.store.database import KeyValueReader, KeyValueWriter, Table, WritableTable

TABLE_PREFIX = b"devnet/"
_GENESIS = b"genesis"
_VALIDATORS = b"validators"


def store_genesis(writer: KeyValueWriter, genesis: Genesis) -> None:
    """Write the genesis down with the first block, in the same batch; `check_genesis` compares it at every
    later start.
    """
    text = json.dumps(
        {
            "chain_id": genesis.chain_id,
            "fork": genesis.fork,
            "consensus": genesis.consensus,
            "gas_limit": genesis.gas_limit,
            "funds_wei": {address.hex(): str(amount) for address, amount in sorted(genesis.funds_wei.items())},
        },
        sort_keys=True,
    )
    WritableTable(writer, TABLE_PREFIX).put(_GENESIS, text.encode())


def check_genesis(reader: KeyValueReader, genesis: Genesis) -> None:
    """The stored chain is the one that is asked for. Funds that the stored one has besides are passed over.

    Raises:
        DevnetError: naming what differs, or that the store holds no chain.
    """
    stored = Table(reader, TABLE_PREFIX).get(_GENESIS)
    if stored is None:
        raise DevnetError("the home holds no development chain, but is not empty; take another --home")
    known = json.loads(stored)
    if known["chain_id"] != genesis.chain_id:
        raise DevnetError(f"the home holds chain {known['chain_id']}, not {genesis.chain_id}; take another --home")
    if known["fork"] != genesis.fork:
        raise DevnetError(f"the chain in the home runs {known['fork']}, not {genesis.fork}; a fork cannot be changed")
    consensus = known.get("consensus", "qbft")  # homes of older versions do not say
    if consensus != genesis.consensus:
        raise DevnetError(
            f"the chain in the home is sealed by {consensus}, not {genesis.consensus}; take another --home"
        )
    if known["gas_limit"] != genesis.gas_limit:
        raise DevnetError(f"the chain in the home has gas limit {known['gas_limit']}, not {genesis.gas_limit}")
    for address in genesis.funds_wei:
        if address.hex() not in known["funds_wei"]:
            raise DevnetError(
                f"the chain in the home did not fund 0x{address.hex()} in its genesis; take another --home"
            )


def load_validators(reader: KeyValueReader) -> ValidatorSet:
    """The validators whose keys were stored with the newest block.

    Raises:
        DevnetError: the store holds no keys.
    """
    stored = Table(reader, TABLE_PREFIX).get(_VALIDATORS)
    if stored is None:
        raise DevnetError("the home holds no validator keys; take another --home")
    return ValidatorSet.decode(stored)


def store_validators(writer: KeyValueWriter, validators: ValidatorSet) -> None:
    """Write the validators' private keys down, in the clear: these chains guard nothing."""
    WritableTable(writer, TABLE_PREFIX).put(_VALIDATORS, validators.encode())
