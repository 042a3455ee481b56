"""What a key may sign, judged on the document itself, where the key is."""

from hutong.adapters.interface.errors import SigningRefused
from hutong.light_clients import attestation, feeds
from hutong.relay.config.keys.policy import PolicyConfig
from hutong.relay.keys.documents import (
    AttestationDocument,
    ConsensusProposal,
    ConsensusSkip,
    ConsensusVote,
    ConsensusVoteExtension,
    CosmosTransaction,
    EvmTransaction,
    FeedReport,
    SigningDocument,
    TypedData,
)

_DOMAINS = {attestation.DOMAIN_SEPARATOR: "attestations", feeds.DOMAIN_SEPARATOR: "feed-reports"}


class KeyPolicy:
    """The rules that need no memory; what is per day is judged by `Spending`."""

    def __init__(self, config: PolicyConfig) -> None:
        self.config = config
        self._contracts = {bytes.fromhex(address[2:]) for address in config.contracts}
        self._selectors = {bytes.fromhex(selector[2:]) for selector in config.selectors}

    def check(self, source: str, document: SigningDocument) -> None:
        """Let the document pass, or say which rule forbids it.

        Args:
            source: the key's, for the error.

        Raises:
            SigningRefused: with the rule's name first.
        """
        if document.kind not in self.config.documents:
            raise SigningRefused(source, f"policy.documents: no {document.kind} is signed")
        reason = self._forbids(document)
        if reason is not None:
            raise SigningRefused(source, f"policy.{reason}")

    def _forbids(self, document: SigningDocument) -> str | None:
        match document:
            case EvmTransaction():
                return self._of_chain(str(document.chain_id)) or self._forbids_call(document)
            case CosmosTransaction():
                return self._of_chain(document.chain_id) or self._forbids_messages(document)
            case AttestationDocument():
                return self._of_chain(document.scope.source_chain_id) or self._of_domain(attestation.DOMAIN_SEPARATOR)
            case FeedReport():
                return self._of_domain(feeds.DOMAIN_SEPARATOR)
            case TypedData():
                return self._of_domain(document.domain_separator)
            case ConsensusVote() | ConsensusProposal() | ConsensusVoteExtension():
                return self._of_chain(document.chain_id)
            case ConsensusSkip():
                return self._of_chain(document.statement.chain_id)
        return None

    def _of_chain(self, chain_id: str) -> str | None:
        allowed = self.config.chains
        return f"chains: nothing is signed for {chain_id[:64]}" if allowed and chain_id not in allowed else None

    def _forbids_call(self, transaction: EvmTransaction) -> str | None:
        if transaction.value_wei > self.config.value_wei:
            return f"value_wei: {transaction.value_wei} wei are sent along, at most {self.config.value_wei}"
        if transaction.to is None:
            return None if self.config.creations else "creations: no contract is created"
        if self._contracts and transaction.to not in self._contracts:
            return f"contracts: nothing is signed to 0x{transaction.to.hex()}"
        if self._selectors and transaction.selector not in self._selectors:
            called = "nothing" if transaction.selector is None else f"0x{transaction.selector.hex()}"
            return f"selectors: {called} is not called"
        return None

    def _forbids_messages(self, transaction: CosmosTransaction) -> str | None:
        allowed = self.config.messages
        other = next((message for message in transaction.messages if allowed and message not in allowed), None)
        if other is not None:
            return f"messages: no {other[:200]} is sent"
        limits = self.config.fee_per_day
        unknown = next((denom for denom, _ in transaction.fee if limits is not None and denom not in limits), None)
        return None if unknown is None else f"fee_per_day: nothing is paid in {unknown[:64]}"

    def _of_domain(self, separator: bytes) -> str | None:
        allowed = self.config.domains
        name = _DOMAINS.get(separator, f"0x{separator.hex()}")
        return f"domains: nothing is signed under {name}" if allowed and name not in allowed else None
