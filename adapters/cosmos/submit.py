"""Transactions of a Cosmos SDK chain: the destination half of `CosmosChain`.

A transaction is all or nothing, pays its whole fee whatever it uses, and once in a pool it stays until it is in a block
or the pool finds it invalid: there is no dearer copy that takes its place.
"""

from base64 import b64encode
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace

from hutong.adapters.cometbft import CommittedBlocks
from hutong.adapters.cosmos.reading.inclusion import Inclusion, Inclusions, noops
from hutong.adapters.cosmos.reading.pool import pooled_packet
from hutong.adapters.cosmos.refusals import (
    SDK,
    UNAUTHORIZED_CODE,
    checked_refusal,
    failing_message,
    node_has_just_started,
    pool_refusal,
    reason_of,
)
from hutong.adapters.cosmos.rpc import MAX_CODESPACE_CHARS, MAX_LOG_CHARS, CosmosRpc, cut_text
from hutong.adapters.cosmos.settings import CosmosSettings
from hutong.adapters.cosmos.simulation import Simulated, SimulationRefused, Simulator, Verdict
from hutong.adapters.cosmos.transactions.accounts import Accounts
from hutong.adapters.cosmos.transactions.addresses import account_address, decode_address
from hutong.adapters.cosmos.transactions.fees import Coin, FeeAboveCap, GasPrice, adjusted_gas
from hutong.adapters.cosmos.transactions.messages import UPDATE_CLIENT_URL, SdkMessage, encode_message
from hutong.adapters.cosmos.transactions.transactions import (
    ENVELOPE_BYTES,
    decode_raw,
    encode_auth_info,
    encode_body,
    encode_raw,
    encode_sign_document,
    transaction_hash,
)
from hutong.adapters.interface import (
    AccountState,
    AlreadyKnown,
    Batch,
    BatchLimits,
    BatchTooLarge,
    BroadcastRefused,
    EndpointUnavailable,
    Head,
    MessageFailure,
    NonceTooLow,
    PreparedTransaction,
    RefusedByChain,
    Relayed,
    RpcRefused,
    SignedTransaction,
    Signer,
    SubmitMisbehaviour,
    TransactionOutcome,
    UpdateClient,
)
from hutong.adapters.rpc import Attempt, Endpoint, Fields
from hutong.light_clients.interface import MalformedInput, VerificationError

UNKNOWN_GAS = 200_000
UNKNOWN_GAS_PER_BYTE = 40
"""For an account without the fee's token, which the chain simulates nothing for: it will say so when the fee is due."""
MAX_SIMULATED_BYTES = 480_000
"""CometBFT takes requests of at most 1 MB unless told otherwise, and a simulation's is in hex."""
REMEMBERED_BROADCASTS = 4_096

Offered = tuple[BroadcastRefused, bool] | None
"""None: taken. Else the refusal, and whether it is about the signature."""


class Submission:
    """See ChainAdapter for every public method."""

    def __init__(
        self,
        settings: CosmosSettings,
        rpc: CosmosRpc,
        blocks: CommittedBlocks,
        head: Callable[[], Awaitable[Head]],
    ) -> None:
        limits = settings.limits
        self._limits = replace(limits, max_bytes=min(limits.max_bytes, MAX_SIMULATED_BYTES))
        self._settings = settings
        self._rpc = rpc
        self._blocks = blocks
        self._head = head
        self._price = GasPrice.parse(settings.gas_price)
        self._accounts = Accounts(rpc)
        self._simulator = Simulator(rpc, Coin(min(1, self._price.fee(1)), self._price.denom))
        self._inclusions = Inclusions(rpc, blocks, head)
        self._signed_at: OrderedDict[bytes, int] = OrderedDict()
        self._offered: OrderedDict[bytes, None] = OrderedDict()

    @property
    def batch_limits(self) -> BatchLimits:
        """As configured, with `max_bytes` cut to what the request of a simulation can hold."""
        return self._limits

    def address_of(self, signer: Signer) -> str:
        """The bech32 account of the signer's compressed key, with the configured prefix."""
        return account_address(self._settings.bech32_prefix, signer.public_key)

    async def prepare(self, batch: Batch, sender: str) -> PreparedTransaction:
        """See ChainAdapter. A sender without the fee's token gets a guess of the gas, and an empty `expected`.

        The chain simulates nothing for such an account; it will say so when the fee is due.

        Raises:
            BatchTooLarge: more messages, bytes or gas than the limits allow.
            RefusedByChain: the chain refuses the batch and no message of it is to blame.
            NotSupported: an update of a client of another type than 07-tendermint.
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        """
        limits = self._limits
        if len(batch.messages) > limits.max_messages:
            raise BatchTooLarge("messages", len(batch.messages), limits.max_messages)
        messages = [encode_message(message, sender) for message in batch.messages]
        body = encode_body(messages)
        if len(body) + ENVELOPE_BYTES > limits.max_bytes:
            raise BatchTooLarge("bytes", len(body) + ENVELOPE_BYTES, limits.max_bytes)
        if not await self._can_pay(sender):
            guess = UNKNOWN_GAS * len(messages) + UNKNOWN_GAS_PER_BYTE * len(body)
            return self._prepared(body, sender, min(guess, limits.max_gas), ())
        standing = dict(enumerate(messages))
        while standing:
            verdict = await self._simulator.run(list(standing.values()), sender)
            if isinstance(verdict, Simulated):
                expected = tuple(index in standing for index in range(len(messages)))
                return self._prepared(body, sender, self._gas(verdict.gas_used), expected)
            for index in await self._failing(verdict, standing, sender):
                if isinstance(batch.messages[index], UpdateClient | SubmitMisbehaviour):
                    # What comes after it may need it, and fails for no reason of its own.
                    standing = {before: message for before, message in standing.items() if before < index}
                standing.pop(index, None)
        return self._prepared(body, sender, 0, (False,) * len(messages))

    async def prepare_messages(
        self, messages: Sequence[SdkMessage], sender: str, memo: str = ""
    ) -> PreparedTransaction:
        """Simulate and price any messages of the SDK. Nothing is signed or sent.

        Raises:
            RefusedByChain: one of them would fail, or the sender holds nothing to pay the fee with.
            BatchTooLarge: they need more gas than the limits allow.
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        """
        if not await self._can_pay(sender):
            denom = self._price.denom
            raise RefusedByChain(
                "insufficient funds",
                f"{sender} holds no {denom} to pay the fee with: send it some, or name the chain's fee token in gas_price",
            )
        verdict = await self._simulator.run(messages, sender)
        if isinstance(verdict, SimulationRefused):
            raise RefusedByChain("simulation", verdict.reason)
        body = encode_body(messages, memo)
        return self._prepared(body, sender, self._gas(verdict.gas_used), (True,) * len(messages))

    async def _can_pay(self, sender: str) -> bool:
        """Where gas has no price, nothing needs to be held."""
        return not self._price.per_gas or await self._accounts.balance(sender, self._price.denom) > 0

    async def _failing(
        self, refused: SimulationRefused, standing: dict[int, SdkMessage], sender: str
    ) -> tuple[int, ...]:
        """Which of `standing` the chain blames.

        Malformed messages, and those at which a module panics (as ibc-go does for a port that no app has), are refused
        without an index. Such a message is the last one of the shortest refused beginning, and is refused again without
        what came before it, but for the updates that it may need: gas that ran out on the way is nobody's fault.
        """
        indexes = list(standing)
        if refused.index is not None:
            return (indexes[refused.index],)

        async def tried(chosen: Sequence[int]) -> Verdict:
            return await self._simulator.run([standing[index] for index in chosen], sender)

        passing, failing = 0, len(indexes)
        while failing - passing > 1:
            middle = (passing + failing) // 2
            verdict = await tried(indexes[:middle])
            if isinstance(verdict, Simulated):
                passing = middle
            elif verdict.index is not None:
                return (indexes[verdict.index],)
            else:
                failing = middle
        suspect = indexes[passing]
        if passing:
            needed = [index for index in indexes[:passing] if standing[index].type_url == UPDATE_CLIENT_URL]
            is_guilty = isinstance(await tried([*needed, suspect]), SimulationRefused)
        else:
            # Whatever is refused at the first message may be about the sender: then others are refused alike.
            others = [await tried([index]) for index in indexes[1:2]]
            is_guilty = any(isinstance(other, Simulated) or other.index is not None for other in others)
        if not is_guilty:
            raise RefusedByChain("simulation", refused.reason)
        return (suspect,)

    def _gas(self, gas_used: int) -> int:
        limit = self._limits.max_gas
        if gas_used > limit:
            raise BatchTooLarge("gas", gas_used, limit)
        return min(limit, adjusted_gas(gas_used, self._settings.gas_adjustment_percent))

    def _prepared(self, body: bytes, sender: str, gas: int, expected: tuple[bool, ...]) -> PreparedTransaction:
        return PreparedTransaction(
            chain_id=self._settings.chain_id,
            sender=sender,
            to="",
            data=body,
            value_wei=0,
            gas=gas,
            max_fee_per_gas_wei=0,
            max_priority_fee_per_gas_wei=0,
            gas_price_wei=None,
            expected=expected,
            fee_wei=self._price.fee(gas),
        )

    async def refusal(self, batch: Batch, sender: str) -> str:
        """See ChainAdapter; the reason of the simulation of all of `batch`, or that it would succeed.

        Raises:
            RefusedByChain: the sender's sequence moves faster than a simulation.
            NotSupported: an update of a client of another type than 07-tendermint.
        """
        verdict = await self._simulator.run([encode_message(message, sender) for message in batch.messages], sender)
        return verdict.reason if isinstance(verdict, SimulationRefused) else "it would succeed"

    async def sign(self, prepared: PreparedTransaction, nonce: int, signer: Signer) -> SignedTransaction:
        """Sign a prepared transaction with `nonce` as its sequence. Nothing is sent.

        Raises:
            FeeAboveCap: the fee is above `max_fee` of the settings.
            ValueError: the transaction is of another chain or account.
            EndpointUnavailable, RpcRefused, NotSupported: the account's number or the head cannot be read.
            SigningFailed: no signature is had.
        """
        settings = self._settings
        if prepared.chain_id != settings.chain_id or prepared.sender != self.address_of(signer):
            raise ValueError(f"{settings.name}: a transaction of {prepared.chain_id}, {prepared.sender} is not ours")
        fee = Coin(prepared.fee_cap_wei, self._price.denom)
        if fee.amount > settings.max_fee:
            raise FeeAboveCap(settings.name, fee.amount, settings.max_fee, fee.denom)
        number = await self._accounts.number(prepared.sender)
        auth_info = encode_auth_info(signer.public_key, nonce, prepared.gas, fee)
        document = encode_sign_document(prepared.data, auth_info, settings.chain_id, number)
        raw = encode_raw(prepared.data, auth_info, await signer.sign_document(document))
        signed = SignedTransaction(transaction_hash(raw), raw, nonce, prepared)
        self._signed_at[signed.hash] = (await self._head()).height
        while len(self._signed_at) > REMEMBERED_BROADCASTS:
            self._signed_at.popitem(last=False)
        return signed

    async def broadcast(self, signed: SignedTransaction) -> None:
        """See ChainAdapter. It goes to one endpoint at first and, when offered again, to all of them.

        The first endpoint may have a pool that the validators hear nothing of.

        Raises:
            AlreadyKnown, AlreadyRelayed, NonceTooLow, NonceTooHigh, InsufficientFunds, Underpriced: by the refusal's
                code.
            BroadcastRefused: another reason.
            EndpointUnavailable: no endpoint answered; the transaction may be in a pool all the same.
        """
        number = await self._accounts.number(signed.prepared.sender)

        async def offer(attempt: Attempt) -> Offered:
            return await _offer(attempt, signed, number)

        refusals = [refusal for _, refusal in await self._to_all(offer)] if signed.hash in self._offered else []
        self._offered[signed.hash] = None
        while len(self._offered) > REMEMBERED_BROADCASTS:
            self._offered.popitem(last=False)
        if refusals:
            refusal = min(refusals, key=_how_far)
        else:
            refusal = await self._rpc.client.run("broadcast_tx_sync", offer)
        if refusal is None:
            return
        kind, unauthorized = refusal
        if unauthorized:
            self._accounts.forget_number(signed.prepared.sender)
        if isinstance(kind, NonceTooLow) and await self.inclusion(signed.hash) is not None:
            raise AlreadyKnown(signed.hash, "it is in a block already")
        raise kind

    async def _to_all(self, offer: Callable[[Attempt], Awaitable[Offered]]) -> list[tuple[Endpoint, Offered]]:
        try:
            return await self._rpc.client.ask_each("broadcast_tx_sync", offer)
        except EndpointUnavailable:
            return []

    async def inclusion(self, wanted: bytes) -> Inclusion | None:
        """Where a transaction is in a committed block, failed or not; that block may be above the head.

        None also where its checks failed in the block: it then used no sequence and may still be included.

        Raises:
            As `Inclusions.find`.
        """
        found = await self._inclusions.find(wanted, self._signed_at.get(wanted))
        return found if found is not None and found.consumed else None

    async def outcome(self, transaction_hash: bytes) -> TransactionOutcome | None:
        """See ChainAdapter. A transaction whose checks failed in a block used no sequence, and counts as not included.

        Raises:
            As `Inclusions.find` and `outcome_of`.
        """
        found = await self.inclusion(transaction_hash)
        if found is None or found.height > (await self._head()).height:
            return None
        return await self.outcome_of(transaction_hash, found)

    async def outcome_of(self, transaction_hash: bytes, found: Inclusion) -> TransactionOutcome:
        """What became of a transaction that is in a block at or below the head, which the caller has checked.

        Raises:
            MalformedInput: the transaction is not of one signer with a secp256k1 key, as ours are.
            HeightUnavailable, EndpointUnavailable: the header of its block cannot be read.
        """
        content = decode_raw(found.raw)
        block_hash, block_time_ns = await self._blocks.facts(found.height)
        reverted = reason_of(found.codespace, found.code, found.log) if found.code else None
        guilty = failing_message(found.log, len(content.messages)) if found.code else None
        return TransactionOutcome(
            transaction_hash=transaction_hash,
            height=found.height,
            block_hash=block_hash,
            block_time_ns=block_time_ns,
            gas_used=found.gas_used,
            fee_wei=sum(coin.amount for coin in content.fee if coin.denom == self._price.denom),
            reverted=reverted,
            failures=() if guilty is None else (MessageFailure(guilty, reverted or "", b""),),
            noops=() if found.code else noops(found.data),
        )

    async def relayed_by(self, transaction_hash: bytes) -> Relayed | None:
        """See ChainAdapter. None without an index, since blocks are not read through for it, and for several signers.

        Raises:
            EndpointUnavailable, RpcRefused: no endpoint gave a usable answer.
        """
        found = await self._inclusions.indexed(transaction_hash)
        if found is None:
            return None
        try:
            content = decode_raw(found.raw)
            sender = account_address(self._settings.bech32_prefix, content.public_key)
        except (MalformedInput, VerificationError):
            return None
        packets = map(pooled_packet, content.messages)
        return Relayed(sender, frozenset(packet.client_id for packet in packets if packet is not None))

    async def account(self, address: str) -> AccountState:
        """See ChainAdapter; nonces are sequences, and the balance is in the fee's denomination.

        Raises:
            ValueError: `address` is not of this chain's prefix.
            RpcRefused, NotSupported, BadAnswer: as `Accounts.account`.
        """
        self._check_address(address)
        account = await self._accounts.account(address)
        balance = await self._accounts.balance(address, self._price.denom)
        pending = await self._simulator.pool_sequence(address) if account.exists else None
        return AccountState(address, account.sequence, max(account.sequence, pending or 0), balance)

    async def final_nonce(self, address: str) -> int:
        """The account's sequence on the newest state, which is final; 0 for an unknown account.

        Raises:
            ValueError: `address` is not of this chain's prefix.
            RpcRefused, NotSupported, BadAnswer: as `Accounts.account`.
        """
        self._check_address(address)
        return (await self._accounts.account(address)).sequence

    def _check_address(self, address: str) -> None:
        try:
            decode_address(address, self._settings.bech32_prefix)
        except MalformedInput as error:
            raise ValueError(str(error)) from error


def _how_far(refusal: Offered) -> int:
    """A pool that has the transaction comes before all that refuse it."""
    return 0 if refusal is None else 1 if isinstance(refusal[0], AlreadyKnown) else 2


async def _offer(attempt: Attempt, signed: SignedTransaction, number: int) -> Offered:
    """`number` is the account's."""

    def decode(fields: Fields) -> Offered:
        code = fields.at("code").decimal(2**32 - 1)
        if not code:
            return None
        codespace = "" if (given := fields.get("codespace")) is None else given.text(MAX_CODESPACE_CHARS)
        log = "" if (given := fields.get("log")) is None else cut_text(given, MAX_LOG_CHARS)
        if node_has_just_started(codespace, code, log, number):
            raise fields.at("log").bad("the node has made no block since it started, and checks signatures wrongly")
        return checked_refusal(signed.hash, codespace, code, log), (codespace, code) == (SDK, UNAUTHORIZED_CODE)

    try:
        return await attempt.call("broadcast_tx_sync", {"tx": b64encode(signed.raw).decode()}, decode)
    except RpcRefused as refused:
        refusal = pool_refusal(signed.hash, f"{refused.message}: {refused.data}")
        if refusal is None:
            raise
        return refusal, False
