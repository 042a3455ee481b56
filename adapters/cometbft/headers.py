"""Headers of a CometBFT chain for the 07-tendermint clients that follow it."""

from hutong.adapters.cometbft.blocks import CommittedBlocks
from hutong.adapters.cometbft.states import CLIENT_TYPE
from hutong.adapters.interface import HeightUnavailable, NotSupported
from hutong.light_clients.interface import Height
from hutong.light_clients.tendermint.bisection import Bisection
from hutong.light_clients.tendermint.codec import decode_client_state, encode_tendermint_header
from hutong.light_clients.tendermint.types import (
    BlockIdFlag,
    Commit,
    TendermintHeader,
    TrustLevel,
    ValidatorSet,
)

MAX_CLIENT_MESSAGES = 32
"""Headers of one update. Each step goes as far as the set before it vouches for."""


def power_signed_by(trusted: ValidatorSet, commit: Commit) -> int:
    """Power of the trusted validators whose votes for the block are in the commit, found by address.

    The signatures themselves are not checked here.
    """
    powers = {validator.address: validator.voting_power for validator in trusted.validators}
    voted = {entry.validator_address for entry in commit.signatures if entry.block_id_flag is BlockIdFlag.COMMIT}
    return sum(power for address, power in powers.items() if address in voted)


class HeaderSource:
    """Builds update messages from any trusted to any target height."""

    def __init__(self, chain: str, blocks: CommittedBlocks) -> None:
        self._chain = chain
        self._blocks = blocks

    async def client_messages(
        self, client_type: str, client_state: bytes, trusted: Height, target: Height
    ) -> tuple[bytes, ...]:
        """See ChainAdapter: encoded headers, found by bisection, each vouched for by the validators of the one before.

        A step is chosen by the addresses in commits; signatures are for the light client to check.

        Args:
            client_state: encoded; only its trust level is read.

        Raises:
            NotSupported: a client type other than 07-tendermint.
            HeightUnavailable: `target` is below `trusted` or of another revision, more than MAX_CLIENT_MESSAGES headers
                lie between, or no endpoint keeps a block or validator set on the way.
            EndpointUnavailable: no endpoint gave a usable answer.
            MalformedInput: `client_state` is not a 07-tendermint client state.
        """
        if client_type != CLIENT_TYPE:
            raise NotSupported(f"{client_type} headers of {self._chain}")
        if target == trusted:
            return ()
        if target < trusted or target.revision_number != trusted.revision_number:
            raise HeightUnavailable(self._chain, target.revision_height, f"the client is at {trusted} already")
        trust_level = decode_client_state(client_state).trust_level
        way = Bisection.between(trusted.revision_height, target.revision_height)
        while (height := way.next_height) is not None:
            vouched = await self._trusts(way.trusted, height, trust_level)
            way = way.believed() if vouched else way.not_enough_trust()
            if len(way.steps) > MAX_CLIENT_MESSAGES:
                raise HeightUnavailable(
                    self._chain, target.revision_height, f"more than {MAX_CLIENT_MESSAGES} headers from {trusted}"
                )
        below = (trusted.revision_height, *way.steps)
        return tuple(
            [
                await self._message(Height(trusted.revision_number, at), height)
                for at, height in zip(below, way.steps, strict=False)
            ]
        )

    async def _trusts(self, trusted: int, target: int, trust_level: TrustLevel) -> bool:
        """Adjacent headers are bound by hash; others need more than the trust level of the trusted power."""
        if target == trusted + 1:
            return True
        validators = await self._trusted_validators(trusted)
        commit = (await self._blocks.header(target)).commit
        return power_signed_by(validators, commit) > trust_level.power_needed(validators.total_voting_power)

    async def _trusted_validators(self, trusted: int) -> ValidatorSet:
        """The next validators of the trusted header: those that sign the block after it."""
        header = (await self._blocks.header(trusted)).header
        return await self._blocks.validators(trusted + 1, header.next_validators_hash)

    async def _message(self, trusted: Height, height: int) -> bytes:
        signed = await self._blocks.header(height)
        own = await self._blocks.validators(height, signed.header.validators_hash)
        trusted_validators = await self._trusted_validators(trusted.revision_height)
        return encode_tendermint_header(TendermintHeader(signed, own, trusted, trusted_validators))
