"""Update messages of light clients taken apart into the header entries of a bundle."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace

from hutong.light_clients import attestation, bft_evm, clique, ethereum
from hutong.light_clients.crypto import sha256
from hutong.light_clients.ethereum.verification import after_update
from hutong.light_clients.evm_header import decode_header, encode_header
from hutong.light_clients.interface import Height, UnsupportedOperation
from hutong.light_clients.tendermint import codec
from hutong.light_clients.tendermint.hashing import validator_set_hash
from hutong.light_clients.tendermint.types import ABSENT_SIGNATURE, BlockIdFlag, Commit, ValidatorSet
from hutong.relay.archive.bundle import ChainKind, HeaderEntry


@dataclass(frozen=True, slots=True)
class KnownHeader:
    """A signed header. `signers` and `next_signers` name the sets that signed it and that it lets sign the next.

    `validator_sets` are those that the message brought with it, by hash.
    """

    height: int
    entry: HeaderEntry
    signers: bytes
    next_signers: bytes
    validator_sets: Mapping[bytes, bytes] = field(default_factory=dict)


def kind_of(client_type: str, client_state: bytes) -> ChainKind:
    """Of a chain that a client of that type and state follows.

    Raises:
        UnsupportedOperation: a client whose headers no bundle carries. MalformedInput: no state of that type.
    """
    if client_type == ChainKind.BFT_EVM.value:
        selected = bft_evm.decode_client_state(client_state).validator_contract is not None
        return ChainKind.BFT_EVM_CONTRACT if selected else ChainKind.BFT_EVM
    try:
        kind = ChainKind(client_type)
    except ValueError:
        kind = ChainKind.BFT_EVM_CONTRACT
    if kind.client_type != client_type:
        raise UnsupportedOperation(f"bundles and checkpoints of a chain followed by a {client_type} client")
    return kind


def seal_rules_of(kind: ChainKind, client_state: bytes) -> bft_evm.SealRules:
    """By which rules the headers of a `bft-evm` client are read; of other kinds they are not asked.

    Raises:
        MalformedInput: `client_state` is not that of a `bft-evm` client, where `kind` is one.
    """
    if kind.client_type != ChainKind.BFT_EVM.value:
        return bft_evm.SealRules()
    return bft_evm.decode_client_state(client_state).seal_rules


def known_header(kind: ChainKind, message: bytes, rules: bft_evm.SealRules) -> KnownHeader:
    """A light client's update message as the entry of a bundle. Nothing is verified here.

    Args:
        message: encoded as the light client of `kind` takes it.
        rules: those of a `bft-evm` client of the chain; other kinds do not read them.

    Raises:
        MalformedInput: the message cannot be read as one of that kind.
    """
    match kind:
        case ChainKind.TENDERMINT:
            return _tendermint(message)
        case ChainKind.BFT_EVM:
            return _bft_evm(message, rules)
        case ChainKind.TLOG:
            raise UnsupportedOperation("headers of a signed log from its updates")
        case ChainKind.ATTESTATION:
            state = attestation.decode_state(attestation.decode_attestation(message).data)
            return KnownHeader(state.height, HeaderEntry(message), b"", b"")
        case ChainKind.ETHEREUM:
            slot = ethereum.decode_header_message_alone(message).height.revision_height
            return KnownHeader(slot, HeaderEntry(message), b"", b"")
        case ChainKind.CLIQUE:
            return KnownHeader(clique.decode_header_message(message).number, HeaderEntry(message), b"", b"")
        case ChainKind.BFT_EVM_CONTRACT:
            number = bft_evm.decode_header_message(message, rules).execution.number
            return KnownHeader(number, HeaderEntry(message), b"", b"")


class SyncCommitteeWay:
    """Where a client stands after the updates that it was given; they are not judged here."""

    def __init__(self, client_state: bytes) -> None:
        self._client = ethereum.decode_client_state(client_state)

    @property
    def client_state(self) -> bytes:
        """The client's state after the updates passed over so far, as the `ethereum` light client encodes it."""
        return ethereum.encode_client_state(self._client)

    @property
    def height(self) -> Height:
        """Revision 0, and the newest slot that the client knows to be finalized."""
        return self._client.latest_height

    def pass_over(self, message: bytes) -> None:
        """Bring the client forward as the update would, without judging it: no signature and no branch is checked.

        Raises:
            MalformedInput: it is not an update of this network's preset.
        """
        client = self._client
        update = ethereum.decode_header_message(message, client.network.preset).update
        self._client = replace(client, committees=after_update(client.committees, update, client.network))


def next_signers_of(kind: ChainKind, header: bytes, rules: bft_evm.SealRules) -> bytes:
    """Who may sign the headers that follow a bare header, named as `KnownHeader.signers` names them.

    Args:
        header: as the chain's adapter gives it (`bare_header`); its signatures are not there and not asked for.

    Returns:
        The hash of the next validator set (CometBFT), or SHA-256 over the sorted validators of the extra data (BFT
        EVM).

    Raises:
        UnsupportedOperation: chains of that kind have no bare headers that name signers.
        MalformedInput: the header cannot be read.
    """
    match kind:
        case ChainKind.TENDERMINT:
            return codec.decode_header(header).next_validators_hash
        case ChainKind.BFT_EVM:
            return _listed(bft_evm.header_of(Height(0, 0), decode_header(header), (), rules.consensus))
        case ChainKind.ATTESTATION:
            raise UnsupportedOperation("headers of an attested chain")
        case ChainKind.ETHEREUM | ChainKind.CLIQUE | ChainKind.BFT_EVM_CONTRACT | ChainKind.TLOG:
            raise UnsupportedOperation(f"bare headers of a chain of kind {kind}")


def _tendermint(message: bytes) -> KnownHeader:
    update = codec.decode_tendermint_header(message)
    header = update.signed_header.header
    sets = {
        validator_set_hash(one): codec.encode_validator_set(_canonical(one))
        for one in (update.validator_set, update.trusted_validators)
    }
    entry = HeaderEntry(codec.encode_header(header), codec.encode_commit(_for_block(update.signed_header.commit)))
    return KnownHeader(header.height, entry, header.validators_hash, header.next_validators_hash, sets)


def _canonical(validator_set: ValidatorSet) -> ValidatorSet:
    """Only what the hash commits to."""
    return ValidatorSet.of(tuple(replace(validator, proposer_priority=0) for validator in validator_set.validators))


def _for_block(commit: Commit) -> Commit:
    """Without votes for nil, which prove nothing."""
    entries = tuple(
        entry if entry.block_id_flag is BlockIdFlag.COMMIT else ABSENT_SIGNATURE for entry in commit.signatures
    )
    return replace(commit, signatures=entries)


def _bft_evm(message: bytes, rules: bft_evm.SealRules) -> KnownHeader:
    header = bft_evm.decode_header_message(message, rules)
    entry = HeaderEntry(encode_header(header.execution), None, header.account_proof)
    signers = _listed(header)
    return KnownHeader(header.execution.number, entry, signers, signers)


def _listed(header: bft_evm.Header) -> bytes:
    return sha256(b"".join(sorted(header.extra.validators)))
