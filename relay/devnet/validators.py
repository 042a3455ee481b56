"""The validators of a development chain, whose keys the one process holds, and how they seal."""

from dataclasses import dataclass, replace

from hutong.light_clients.bft_evm import Consensus, ExtraData, commit_seal_hash, encode_extra_data
from hutong.light_clients.bft_evm.extra_data import proposer_seal_hash
from hutong.light_clients.bft_evm.predicates import quorum_size
from hutong.light_clients.clique import seals as clique
from hutong.light_clients.crypto import eth_address, secp256k1
from hutong.light_clients.evm_header import ExecutionHeader

VANITY = b"hutong devnet".rjust(32, b"\0")
KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Validator:
    """One key."""

    private_key: bytes
    address: bytes

    @classmethod
    def of(cls, private_key: bytes) -> "Validator":
        """The validator of a key of 32 bytes, with its address.

        Raises:
            ValueError: it is not a private key of secp256k1.
        """
        address = eth_address(secp256k1.public_key_of(private_key))
        if address is None:
            raise ValueError("a public key made of a private one is on the curve")
        return cls(private_key, address)

    def __repr__(self) -> str:
        return f"Validator(0x{self.address.hex()})"


@dataclass(frozen=True, slots=True)
class ValidatorSet:
    """The validators of one height, ascending by address, as nodes list them."""

    validators: tuple[Validator, ...]

    @classmethod
    def of(cls, private_keys: tuple[bytes, ...]) -> "ValidatorSet":
        """The validators of these keys (32 bytes each), sorted by address.

        Raises:
            ValueError: one is not a private key of secp256k1.
        """
        return cls(tuple(sorted(map(Validator.of, private_keys), key=lambda validator: validator.address)))

    @property
    def addresses(self) -> tuple[bytes, ...]:
        """20 bytes each, ascending."""
        return tuple(validator.address for validator in self.validators)

    def encode(self) -> bytes:
        """The private keys, in order."""
        return b"".join(validator.private_key for validator in self.validators)

    @classmethod
    def decode(cls, data: bytes) -> "ValidatorSet":
        """Inverse of `encode`. Length and number are not checked.

        Raises:
            ValueError: a part is not a private key of secp256k1.
        """
        return cls.of(tuple(data[start : start + KEY_BYTES] for start in range(0, len(data), KEY_BYTES)))

    def proposer(self, number: int) -> Validator:
        """Round robin over the heights, as QBFT has it in round 0."""
        return self.validators[number % len(self.validators)]

    def unsealed(self, consensus: Consensus = Consensus.QBFT) -> ExtraData:
        """Extra data of round 0: vanity and addresses, without seals and without a vote."""
        round_width = 4 if consensus is Consensus.IBFT2 else 0
        return ExtraData(VANITY, self.addresses, None, 0, (), consensus, round_width)

    def seal(self, header: ExecutionHeader, extra: ExtraData) -> tuple[ExecutionHeader, ExtraData]:
        """Header and extra data with the seals of a quorum that begins at the proposer.

        A real chain has the same when the last validators are slow. The returned header carries the returned extra
        data.
        """
        count = len(self.validators)
        start = header.number % count
        if extra.consensus is Consensus.ISTANBUL:
            digest = proposer_seal_hash(header, extra)
            proposer = self.proposer(header.number)
            extra = replace(extra, proposer_seal=secp256k1.sign_recoverable(proposer.private_key, digest))
        digest = commit_seal_hash(header, extra)
        seals = tuple(
            secp256k1.sign_recoverable(self.validators[(start + step) % count].private_key, digest)
            for step in range(quorum_size(count))
        )
        extra = replace(extra, seals=seals)
        return replace(header, extra_data=encode_extra_data(extra)), extra

    def seal_clique(self, header: ExecutionHeader) -> ExecutionHeader:
        """The seal of the signer whose turn it is, over the extra data so far."""
        unsealed = clique.sealed_block(replace(header, extra_data=header.extra_data + bytes(clique.SEAL_BYTES)))
        seal = secp256k1.sign_recoverable(self.proposer(header.number).private_key, unsealed.seal_hash)
        return replace(header, extra_data=header.extra_data + seal)
