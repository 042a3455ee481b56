"""The head of a chain whose endpoints are asked for it once for all."""

from hutong.adapters.interface import Head
from hutong.adapters.rpc.heads import HeadFollower


class FollowedChain:
    """A kind of chain makes `_heads`: what is final, it decides there."""

    _heads: HeadFollower

    async def head(self) -> Head:
        """The newest final block; callers that come while one asks share what it hears.

        Raises:
            EndpointUnavailable, EndpointMismatch, BadAnswer: no head is to be believed.
        """
        return await self._heads.head()

    async def wait_for_height(self, height: int) -> Head:
        """The head once it is at `height` or above; asked for at each announced block, else every `poll_interval_s`.

        Raises:
            As `head`.
        """
        return await self._heads.wait_for_height(height)
