"""Who must seal a block: listed in its header, or selected by a contract in the state that its parent left behind."""

from collections import OrderedDict
from typing import Protocol

from hutong.adapters.evm.proofs import ReadHeader, proof_nodes
from hutong.adapters.ics26.execution import ExecutionRpc, hex_data
from hutong.adapters.interface import BadAnswer, EndpointUnavailable
from hutong.adapters.rpc import Fields
from hutong.light_clients.bft_evm import (
    QuorumRule,
    SealedBlock,
    SealRules,
    ValidatorContract,
    ValidatorsProof,
    decode_extra_data,
    header_of,
)
from hutong.light_clients.bft_evm.contract import contract_validators, element_slots
from hutong.light_clients.bft_evm.predicates import overlap_size, recover_all_committers
from hutong.light_clients.bft_evm.types import MAX_CONTRACT_VALIDATORS
from hutong.light_clients.evm_header import ExecutionHeader
from hutong.light_clients.interface import Height, VerificationError
from hutong.light_clients.proofs.mpt import verify_account, verify_storage

CACHED_LISTS = 64


def overlaps(trusted_validators: frozenset[bytes], committers: frozenset[bytes]) -> bool:
    """Whether more than a third of the trusted validators sealed (rule 7 of the design). Both are 20-byte addresses."""
    return len(committers & trusted_validators) >= overlap_size(len(trusted_validators))


def most_validators(seals: int, rule: QuorumRule) -> int:
    """How many validators there may be at most if `seals` are a quorum of them by `rule`."""
    return 3 * ((seals + 1) // 2) if rule is QuorumRule.TWO_F_PLUS_ONE else 3 * seals // 2


class Validators(Protocol):
    """Lists of a chain under `rules`."""

    rules: SealRules

    async def of(self, header: ExecutionHeader) -> tuple[bytes, ...]:
        """The validators that must seal `header`, 20 bytes each, in the order of their list.

        Raises:
            BadAnswer: the header's extra data is malformed, or its list cannot be proven.
            EndpointUnavailable, HeightUnavailable: as `RpcClient.run`, where a contract selects them.
        """

    async def proof(self, header: ExecutionHeader) -> ValidatorsProof | None:
        """What an update of `header` carries to prove its validators; None if the header itself lists them.

        Raises:
            As `of`.
        """

    async def vouch(self, trusted: ExecutionHeader, committers: frozenset[bytes]) -> bool:
        """Whether more than a third of those that must seal `trusted` are among `committers` (20 bytes each).

        A hint for the choice of steps: every update is verified before it is sent.

        Raises:
            As `of`.
        """


class ListedValidators:
    """See Validators."""

    def __init__(self, rules: SealRules) -> None:
        self.rules = rules

    async def of(self, header: ExecutionHeader) -> tuple[bytes, ...]:
        """See Validators: those in the header's own extra data; asks nobody. Whether they sealed it is not checked.

        Raises:
            BadAnswer: the extra data is not of this consensus.
        """
        try:
            return decode_extra_data(header.extra_data, self.rules.consensus).validators
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "extraData", str(error)) from error

    async def proof(self, header: ExecutionHeader) -> ValidatorsProof | None:
        """None: the header lists them itself."""
        return None

    async def vouch(self, trusted: ExecutionHeader, committers: frozenset[bytes]) -> bool:
        """See Validators; by the list in the trusted header alone.

        Raises:
            BadAnswer: the extra data of `trusted` is not of this consensus.
        """
        return overlaps(frozenset(await self.of(trusted)), committers)


class ContractValidators:
    """See Validators. Every list is proven under the parent's state root before it is used (EIP-1186)."""

    def __init__(
        self, rules: SealRules, contract: ValidatorContract, execution: ExecutionRpc, header: ReadHeader
    ) -> None:
        self.rules = rules
        self._contract = contract
        self._execution = execution
        self._header = header
        self._lists: OrderedDict[bytes, tuple[tuple[bytes, ...], ValidatorsProof]] = OrderedDict()

    async def of(self, header: ExecutionHeader) -> tuple[bytes, ...]:
        """See Validators: those that the contract selects in the state of the header's parent, proven there.

        Raises:
            BadAnswer: a genesis block, which nobody was selected to seal, or nodes that prove another list.
            EndpointUnavailable: no endpoint keeps that state, or gave a proof of at most MAX_CONTRACT_VALIDATORS.
        """
        return (await self._list(header))[0]

    async def proof(self, header: ExecutionHeader) -> ValidatorsProof | None:
        """See Validators: the parent's header with the nodes that prove the list in its state. Raises as `of`."""
        return (await self._list(header))[1]

    async def vouch(self, trusted: ExecutionHeader, committers: frozenset[bytes]) -> bool:
        """See Validators. The trusted header may be from before the states that nodes keep (geth's 128 blocks).

        Its seals say enough if they are a third of the longest list that they can be a quorum of, and are all there is
        to say if the list is not to be had.

        Raises:
            BadAnswer: the extra data is malformed, a seal is not a signature, or `trusted` is a genesis block.
        """
        try:
            sealers = recover_all_committers(header_of(Height(0, 0), trusted, (), self.rules.consensus))
        except VerificationError as error:
            raise BadAnswer("eth_getBlockByNumber", "extraData", str(error)) from error
        most = most_validators(len(sealers), self.rules.quorum_rule)
        if len(committers & sealers) >= overlap_size(most):
            return True
        try:
            validators = frozenset(await self.of(trusted))
        except EndpointUnavailable:
            validators = sealers
        return overlaps(validators, committers)

    async def _list(self, header: ExecutionHeader) -> tuple[tuple[bytes, ...], ValidatorsProof]:
        if header.number == 0:
            raise BadAnswer(
                "eth_getBlockByNumber", "number", "is a genesis block, which no validator was selected to seal"
            )
        known = self._lists.get(header.parent_hash)
        if known is None:
            known = self._lists[header.parent_hash] = await self._read(header.number - 1)
            while len(self._lists) > CACHED_LISTS:
                self._lists.popitem(last=False)
        return known

    async def _read(self, number: int) -> tuple[tuple[bytes, ...], ValidatorsProof]:
        _, parent = await self._header(number)
        account_nodes, (length_nodes,), count = await self._prove(parent, [self._contract.slot], self._count)
        slots = list(element_slots(self._contract.slot, count))
        elements: list[tuple[bytes, ...]] = []
        if slots:
            _, elements, _ = await self._prove(parent, slots, lambda *_: 0)
        extra = decode_extra_data(parent.extra_data, self.rules.consensus)
        proof = ValidatorsProof(SealedBlock(parent, extra), account_nodes, (length_nodes, *elements))
        try:
            return contract_validators(self._contract, proof), proof
        except VerificationError as error:
            raise BadAnswer("eth_getProof", "result", str(error)) from error

    def _count(self, parent: ExecutionHeader, account_nodes: tuple[bytes, ...], nodes: tuple[bytes, ...]) -> int:
        account = verify_account(parent.state_root, self._contract.address, account_nodes)
        word = None if account is None else verify_storage(account.storage_root, self._contract.slot, nodes)
        return int.from_bytes(word or b"", "big")

    async def _prove(
        self, parent: ExecutionHeader, slots: list[bytes], read: "_Read"
    ) -> tuple[tuple[bytes, ...], list[tuple[bytes, ...]], int]:
        """(nodes of the account, nodes of each slot, what `read` makes of the account and the first slot)."""

        def decode(fields: Fields) -> tuple[tuple[bytes, ...], list[tuple[bytes, ...]], int]:
            account_nodes = proof_nodes(fields.at("accountProof"))
            entries = [proof_nodes(entry.at("proof")) for entry in fields.at("storageProof").items(len(slots))]
            if len(entries) != len(slots):
                raise fields.at("storageProof").bad(f"has {len(entries)} entries for {len(slots)} slots")
            try:
                count = read(parent, account_nodes, entries[0])
            except VerificationError as error:
                raise fields.bad(str(error)) from error
            if count > MAX_CONTRACT_VALIDATORS:
                raise fields.bad(f"selects {count} validators, more than {MAX_CONTRACT_VALIDATORS}")
            return account_nodes, entries, count

        params = [hex_data(self._contract.address), [hex_data(slot) for slot in slots], hex(parent.number)]
        return await self._execution.at_height(parent.number, "eth_getProof", params, decode)


class _Read(Protocol):
    def __call__(
        self, parent: ExecutionHeader, account_nodes: tuple[bytes, ...], nodes: tuple[bytes, ...], /
    ) -> int: ...
