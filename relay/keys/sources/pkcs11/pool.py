"""The processes of one token in one run, which all keys on it share, and the rules of its PIN.

A session, handle, device or slot that is lost ends its process; a new one logs in once and finds token and key again. What the
token refused as a PIN is refused by us from then on, until this process ends: tokens count, and lock. A login that ends without
an answer may have been counted too, so it is tried once more and no further.
"""

from collections.abc import Awaitable, Callable
from typing import Any

import trio

from hutong.adapters.interface.errors import SignerFaulty, SignerUnavailable, SigningFailed, SigningRefused
from hutong.relay.keys.sources.pkcs11 import token_process
from hutong.relay.keys.sources.pkcs11.process import ProcessGone, TokenFailed, TokenPlace, TokenProcess

BACKOFF_FIRST_S = 0.1
BACKOFF_LAST_S = 2.0
"""Between attempts to find a token that is away: it is back within this time and a start of a process."""
OPENING_LIMIT_S = 10.0
"""For a start of a process, the library and the login: some modules take seconds."""

_REFUSED = frozenset(
    {
        token_process.PIN_REFUSED,
        token_process.PIN_LOCKED,
        token_process.PIN_FILE,
        token_process.NO_KEY,
        token_process.UNSAFE_KEY,
        token_process.UNUSABLE,
    }
)
_FINAL = frozenset({token_process.PIN_REFUSED, token_process.PIN_LOCKED})

MOST_UNANSWERED = 2
"""Logins in a row without an answer of the token. Cards lock after three wrong PINs, and not every token says how many are left."""
_ANSWERS = frozenset({*_FINAL, token_process.PIN_FILE, token_process.NO_TOKEN})
"""Ends of a login by which it is known whether the token counted it."""

_unanswered: dict[TokenPlace, int] = {}
"""Logins since the last good one that ended without an answer. Of the process, as the verdicts."""
_verdicts: dict[TokenPlace, str] = {}
"""Why a token's PIN is not tried again. Of the process, not of a run: a command may run trio more than once."""
_pools: trio.lowlevel.RunVar["dict[TokenPlace, TokenPool]"] = trio.lowlevel.RunVar("token pools")

Start = Callable[[], Awaitable[TokenProcess]]


def pool_of(place: TokenPlace, user: object, processes: int) -> "TokenPool":
    """The run's pool of a token, made at its first use; `user` has it until it leaves.

    Args:
        processes: how many may sign at once; the most that any user asks for counts.
    """
    pools = _pools.get({})
    _pools.set(pools)
    pool = pools.get(place)
    if pool is None:
        pool = pools[place] = TokenPool(place)
    pool.join(user, processes)
    return pool


async def leave_pool(place: TokenPlace, user: object) -> None:
    """Nothing where the user has none. Whoever leaves last ends the processes."""
    pools = _pools.get({})
    pool = pools.get(place)
    if pool is not None and pool.leave(user):
        del pools[place]
        await pool.aclose()


class TokenPool:
    """Processes of one token: as many as are needed at once, up to its limit."""

    def __init__(self, place: TokenPlace, start: Start = TokenProcess.start) -> None:
        self._place = place
        self._start = start
        self._users: set[int] = set()
        self._idle: list[TokenProcess] = []
        self._turns = trio.CapacityLimiter(1)
        self._opening = trio.Lock()
        self._failures = 0
        self._not_before_s = float("-inf")
        self._why_away = ""
        self._closed = False

    def join(self, user: object, processes: int) -> None:
        """See `pool_of`."""
        self._users.add(id(user))
        self._turns.total_tokens = max(self._turns.total_tokens, processes)

    def leave(self, user: object) -> bool:
        """Whether nobody is left."""
        self._users.discard(id(user))
        return not self._users

    async def ask(self, source: str, deed: str, about: dict[str, Any], limit_s: float) -> Any:
        """What a process answers. One that was lost is replaced, and asked once more.

        Args:
            source: whom errors name.
            limit_s: for one answer; a process that takes longer is ended.

        Raises:
            SignerUnavailable: the token or its process is away, or hangs.
            SigningRefused: PIN, key or token are not as configured.
            SignerFaulty: the key is another one.
        """
        async with self._turns:
            for is_last in (False, True):
                process = self._idle.pop() if self._idle else await self._opened(source)
                try:
                    with trio.fail_after(limit_s):
                        answer = await process.ask(deed, about)
                except trio.TooSlowError:
                    await process.aclose(hangs=True)
                    raise self._away(source, f"no answer in {limit_s:g} s") from None
                except (TokenFailed, ProcessGone) as error:
                    if isinstance(error, TokenFailed) and error.code != token_process.LOST:
                        await self._give_back(process)
                        raise _refusal(source, error) from None
                    await process.aclose()
                    if is_last:
                        raise self._away(source, str(error.args[-1])) from None
                except BaseException:
                    await self._give_back(process)
                    raise
                else:
                    self._failures = 0
                    await self._give_back(process)
                    return answer
        raise AssertionError("unreachable")

    async def _give_back(self, process: TokenProcess) -> None:
        if self._closed:
            await process.aclose()
        else:
            self._idle.append(process)

    async def _opened(self, source: str) -> TokenProcess:
        """A process that has logged in. One login at a time, so that a wrong PIN is tried once."""
        async with self._opening:
            if self._idle:
                return self._idle.pop()
            if self._place in _verdicts:
                raise SigningRefused(source, _verdicts[self._place])
            if trio.current_time() < self._not_before_s:
                raise SignerUnavailable(source, self._why_away)
            try:
                process = await self._start()
            except ProcessGone as error:
                raise self._away(source, str(error)) from None
            # A login that began is waited for, whatever becomes of who asked: its verdict must not be lost.
            with trio.CancelScope(shield=True):
                await self._log_in(process, source)
            return process

    async def _log_in(self, process: TokenProcess, source: str) -> None:
        try:
            with trio.fail_after(OPENING_LIMIT_S):
                await process.open(self._place, after_unanswered=self._place in _unanswered)
        except trio.TooSlowError:
            await process.aclose(hangs=True)
            raise self._not_opened(process, source, f"was not opened in {OPENING_LIMIT_S:g} s") from None
        except ProcessGone as error:
            await process.aclose()
            raise self._not_opened(process, source, str(error)) from None
        except TokenFailed as error:
            await process.aclose()
            if error.code in _FINAL:
                _verdicts[self._place] = error.reason
            if error.code in _REFUSED:
                raise _refusal(source, error) from None
            if error.code in _ANSWERS:
                raise self._away(source, error.reason) from None
            raise self._not_opened(process, source, error.reason) from None
        _unanswered.pop(self._place, None)

    def _not_opened(self, process: TokenProcess, source: str, reason: str) -> SigningFailed:
        """The error of a process that came to no session. Where it was logging in, the token may have counted that."""
        if not process.is_logging_in:
            return self._away(source, reason)
        count = _unanswered[self._place] = _unanswered.get(self._place, 0) + 1
        if count < MOST_UNANSWERED:
            self._failures = 10  # the longest pause
            return self._away(source, f"a login got no answer: {reason}")
        _verdicts[self._place] = f"{count} logins got no answer, which a token may count as wrong PINs: {reason}"
        return SigningRefused(source, _verdicts[self._place])

    def _away(self, source: str, reason: str) -> SigningFailed:
        """The error, with the next attempt put off for longer each time."""
        pause_s = min(BACKOFF_FIRST_S * 2**self._failures, BACKOFF_LAST_S)
        self._failures = min(self._failures + 1, 10)
        self._not_before_s = trio.current_time() + pause_s
        self._why_away = reason
        return SignerUnavailable(source, reason)

    async def aclose(self) -> None:
        """End the idle processes; those in use end when they come back."""
        self._closed = True
        while self._idle:
            await self._idle.pop().aclose()


def _refusal(source: str, error: TokenFailed) -> SigningFailed:
    if error.code == token_process.OTHER_KEY:
        return SignerFaulty(source, error.reason)
    if error.code in _REFUSED:
        return SigningRefused(source, error.reason)
    return SignerUnavailable(source, error.reason)
