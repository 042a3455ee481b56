"""The precompiled contracts that a set of rules has, each independent of the host.

py-evm asks the host's OpenSSL for RIPEMD-160, an environment variable for the library that recovers keys, any installed
`blake2b` package for BLAKE2, and reads a file during each point evaluation, whose failure it takes for a false proof.
Consensus can depend on none of these: here they go through `hutong.light_clients.crypto`, through pinned code, and over
a setup that is read once. Group operations of bn254 and BLS12-381 stay py-ecc's, which is plain Python;
`hutong.light_clients.crypto` has signatures alone.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, TypeAlias

import ckzg
from eth import constants
from eth._utils.blake2.coders import extract_blake2b_parameters
from eth._utils.blake2.compression import blake2b_compress
from eth.exceptions import VMError
from eth.precompiles.modexp import extract_lengths
from eth.precompiles.point_evaluation import TRUSTED_SETUP_PATH
from eth.vm.forks.berlin.computation import _compute_modexp_gas_fee_eip_2565
from eth.vm.forks.cancun.constants import (
    BLS_MODULUS,
    FIELD_ELEMENTS_PER_BLOB,
    POINT_EVALUATION_PRECOMPILE_GAS,
    VERSIONED_HASH_VERSION_KZG,
)
from eth_utils.exceptions import ValidationError

from hutong.light_clients.crypto import recover_eth_address, ripemd160, sha256
from hutong.relay.evm.vm.native import Address

Precompile: TypeAlias = Callable[[Any], Any]

POINT_EVALUATION = 0x0A
POINT_EVALUATION_BYTES = 192
TRUSTED_SETUP_SHA256 = bytes.fromhex("d39b9f2d047cc9dca2de58f264b6a09448ccd34db967881a6713eacacf0f26b7")
"""Of the ceremony's file in py-evm."""


class SetupUnusable(Exception):
    """The trusted setup of the point evaluation cannot be read or is another one: py-evm must be installed again."""


def _words(data: bytes) -> int:
    return (len(data) + 31) // 32


def _ecrecover(computation: Any) -> Any:
    computation.consume_gas(constants.GAS_ECRECOVER, "ECRecover precompile")
    data = computation.msg.data_as_bytes[:128].ljust(128, b"\0")
    v = int.from_bytes(data[32:64], "big")
    # Any other v, a scalar out of range or a point that is none gives no output, and no error (yellow paper, appendix E).
    if v in (27, 28):
        address = recover_eth_address(data[:32], data[64:128] + bytes([v - 27]), allow_high_s=True)
        if address is not None:
            computation.output = address.rjust(32, b"\0")
    return computation


def _sha256(computation: Any) -> Any:
    data = computation.msg.data_as_bytes
    computation.consume_gas(constants.GAS_SHA256 + _words(data) * constants.GAS_SHA256WORD, "SHA-256 precompile")
    computation.output = sha256(data)
    return computation


def _ripemd160(computation: Any) -> Any:
    data = computation.msg.data_as_bytes
    gas = constants.GAS_RIPEMD160 + _words(data) * constants.GAS_RIPEMD160WORD
    computation.consume_gas(gas, "RIPEMD-160 precompile")
    computation.output = ripemd160(data).rjust(32, b"\0")
    return computation


def _blake2b_compression(computation: Any) -> Any:
    """EIP-152: one gas a round."""
    try:
        parameters: tuple[Any, ...] = extract_blake2b_parameters(computation.msg.data_as_bytes)
    except ValidationError as error:
        raise VMError(f"BLAKE2b compression: {error}") from error
    computation.consume_gas(parameters[0], "BLAKE2b compression precompile")
    computation.output = blake2b_compress(*parameters)
    return computation


@cache
def trusted_setup() -> Any:
    """The setup of EIP-4844, read once; a node that may need it reads it at its start.

    Raises:
        SetupUnusable: the file cannot be read, or is not the ceremony's. It is tried again at the next call.
    """
    path = Path(TRUSTED_SETUP_PATH)
    try:
        if sha256(path.read_bytes()) != TRUSTED_SETUP_SHA256:
            raise SetupUnusable(f"{path}: is not the setup of the KZG ceremony; install py-evm again")
        return ckzg.load_trusted_setup(str(path), 0)
    except (OSError, RuntimeError) as error:
        raise SetupUnusable(f"{path}: cannot be read ({error}); install py-evm again") from error


def _point_evaluation(computation: Any) -> Any:
    """EIP-4844."""
    computation.consume_gas(POINT_EVALUATION_PRECOMPILE_GAS, "point evaluation precompile")
    data = computation.msg.data_as_bytes
    if len(data) != POINT_EVALUATION_BYTES:
        raise VMError("point evaluation: wrong length of input")
    versioned_hash, z, y, commitment, proof = data[:32], data[32:64], data[64:96], data[96:144], data[144:]
    if VERSIONED_HASH_VERSION_KZG + sha256(commitment)[1:] != versioned_hash:
        raise VMError("point evaluation: the versioned hash is not of the commitment")
    setup = trusted_setup()
    try:
        proven = ckzg.verify_kzg_proof(commitment, z, y, proof, setup)
    except RuntimeError:
        # The library's one error for a field element or point that is not canonical; it allocates nothing here.
        proven = False
    if not proven:
        raise VMError("point evaluation: the proof is false")
    computation.output = FIELD_ELEMENTS_PER_BLOB.to_bytes(32, "big") + BLS_MODULUS.to_bytes(32, "big")
    return computation


def _modexp(computation: Any) -> Any:
    """EIP-198 at the prices of EIP-2565. py-evm's answers 0 for an empty base to the power of zero, which is 1."""
    data = computation.msg.data_as_bytes
    computation.consume_gas(_compute_modexp_gas_fee_eip_2565(data), "MODEXP precompile")
    base_bytes, exponent_bytes, modulus_bytes = extract_lengths(data)
    if modulus_bytes == 0:
        computation.output = b""
        return computation

    def number(start: int, size: int) -> int:
        return int.from_bytes(data[start : start + size].ljust(size, b"\0"), "big")

    base = number(96, base_bytes)
    exponent = number(96 + base_bytes, exponent_bytes)
    modulus = number(96 + base_bytes + exponent_bytes, modulus_bytes)
    result = pow(base, exponent, modulus) if modulus else 0
    computation.output = result.to_bytes(modulus_bytes, "big")
    return computation


_OF_THIS_HOST_NOTHING: Mapping[int, Precompile] = {
    0x01: _ecrecover,
    0x02: _sha256,
    0x03: _ripemd160,
    0x09: _blake2b_compression,
    POINT_EVALUATION: _point_evaluation,
}


@dataclass(frozen=True, slots=True)
class PrecompileSet:
    """How a set of rules differs from py-evm's fork, by number."""

    replaced: Mapping[int, Precompile] = field(default_factory=lambda: _OF_THIS_HOST_NOTHING)
    removed: frozenset[int] = frozenset()

    def of(self, fork: Mapping[Any, Precompile]) -> dict[Address, Precompile]:
        """The fork's precompiles by their 20-byte address, with ours in their places.

        Those that are removed are left out, and what the fork does not have is not added.
        """
        numbered = {int.from_bytes(address, "big"): (bytes(address), run) for address, run in fork.items()}
        return {
            address: self.replaced.get(number, run)
            for number, (address, run) in numbered.items()
            if number not in self.removed
        }


FORK_PRECOMPILES = PrecompileSet()
"""The fork's verdicts. Of rules versions 1 and 2, and of development chains."""
PRECOMPILES_WITHOUT_BLOBS = PrecompileSet(
    replaced={**_OF_THIS_HOST_NOTHING, 0x05: _modexp}, removed=frozenset({POINT_EVALUATION})
)
"""Of rules version 3: no chain of ours has blobs, and a point evaluation is all that needs a file."""
