"""One connection with a peer that has shown its certificate and said hello."""

from collections.abc import Awaitable, Callable

import trio

from hutong.light_clients.interface import MalformedInput
from hutong.relay.hub.network.link.codec import decode_message, encode_message
from hutong.relay.hub.network.link.frames import frame, read_frame
from hutong.relay.hub.network.link.messages import Hello, Message, Status
from hutong.relay.hub.network.outbox import Outbox
from hutong.relay.hub.network.score import FrameAllowance, Offence

IDLE_LIMIT_S = 10.0
"""A status comes several times as often."""
WRITE_LIMIT_S = 20.0
MAX_UNJUDGED = 512
MAX_UNJUDGED_BYTES = 12 * 1024 * 1024
RESEND_AFTER_S = 1.0
ANSWER_STATUS_EVERY_S = 0.02
MAX_TOLD = 8_192
"""More votes than a height of a hundred validators has in forty rounds."""


class PeerOffended(Exception):
    """The peer broke a rule of the protocol."""

    def __init__(self, offence: Offence, reason: str) -> None:
        self.offence, self.reason = offence, reason
        super().__init__(offence, reason)

    def __str__(self) -> str:
        return self.reason


class Link:
    """`told` remembers what was sent to the peer or came from it at one height, so that it is not sent at every status."""

    def __init__(self, node_id: str, stream: trio.abc.Stream, hello: Hello) -> None:
        self.node_id = node_id
        self.hello = hello
        self.status: Status | None = None
        self.since_s = trio.current_time()
        self.outbox = Outbox()
        self._stream = stream
        self._allowance = FrameAllowance(at_s=self.since_s)
        self._unjudged = self._unjudged_bytes = 0
        self._room = trio.lowlevel.ParkingLot()
        self._answered_at_s = float("-inf")
        self._told_height = 0
        self._told: dict[tuple[int, int, int, bytes], float] = {}
        self.closing = trio.Event()

    @property
    def height(self) -> int:
        """The height that the peer says it decides now: by its last status, else by its hello."""
        return self.hello.height + 1 if self.status is None else self.status.height

    def send(self, message: Message, *, urgent: bool = True) -> bool:
        """Encode and put into the outbox; False where it was dropped. Never waits."""
        return self.send_frame(frame(*encode_message(message)), urgent=urgent)

    def send_frame(self, data: bytes, *, urgent: bool = True) -> bool:
        """Put an encoded frame into the outbox; False where it was dropped. Never waits."""
        return self.outbox.put(data, urgent=urgent)

    def tell(self, height: int, key: tuple[int, int, int, bytes]) -> bool:
        """Whether to send the peer what `key` names of `height` now; then it counts as told for RESEND_AFTER_S.

        The key is (round, kind, validator index, block hash). Only the newest height is remembered, up to MAX_TOLD
        keys.
        """
        now_s = trio.current_time()
        if height < self._told_height:
            return True
        if height > self._told_height:
            self._told_height = height
            self._told.clear()
        if now_s - self._told.get(key, -RESEND_AFTER_S) < RESEND_AFTER_S:
            return False
        if len(self._told) < MAX_TOLD:
            self._told[key] = now_s
        return True

    def may_answer_status(self) -> bool:
        """Whether a status is to be answered now: at most one each ANSWER_STATUS_EVERY_S costs a comparison."""
        now_s = trio.current_time()
        if now_s - self._answered_at_s < ANSWER_STATUS_EVERY_S:
            return False
        self._answered_at_s = now_s
        return True

    def handed_over(self, size: int) -> None:
        """Something of this peer, `size` bytes of payload, waits to be judged; at its bound the link stops reading."""
        self._unjudged += 1
        self._unjudged_bytes += size

    def judged(self, size: int) -> None:
        """What was handed over is judged; `size` must be the same. The link may read on."""
        self._unjudged -= 1
        self._unjudged_bytes -= size
        self._room.unpark()

    async def run(self, handle: Callable[["Link", Message, int], Awaitable[None]]) -> None:
        """Read, decode and hand over messages until `closing` is set; writes what is in the outbox meanwhile.

        `handle` is awaited for each message with its payload's length in bytes, one at a time.

        Raises:
            StreamEnded: the peer closed the connection.
            PeerOffended: it sent too many frames, a second hello, or a payload that does not decode.
            MalformedInput: the head of a frame is not one.
            trio.TooSlowError: nothing came for IDLE_LIMIT_S.
            OSError, trio.BrokenResourceError: the stream broke.
        """
        try:
            async with trio.open_nursery() as nursery:
                nursery.start_soon(self._write)
                nursery.start_soon(self._read, handle)
                await self.closing.wait()
                nursery.cancel_scope.cancel()
        except BaseExceptionGroup as group:
            # The writer ends quietly, so it is the reader's alone.
            raise group.exceptions[0] from None

    async def _write(self) -> None:
        while True:
            data = await self.outbox.take()
            try:
                with trio.fail_after(WRITE_LIMIT_S):
                    await self._stream.send_all(data)
            except (trio.TooSlowError, trio.BrokenResourceError, trio.ClosedResourceError, OSError):
                self.closing.set()
                return

    async def _read(self, handle: Callable[["Link", Message, int], Awaitable[None]]) -> None:
        while True:
            while self._unjudged >= MAX_UNJUDGED or self._unjudged_bytes >= MAX_UNJUDGED_BYTES:
                await self._room.park()
            with trio.fail_after(IDLE_LIMIT_S):
                kind, payload = await read_frame(self._stream)
            if not self._allowance.take(trio.current_time()):
                raise PeerOffended(Offence.FLOOD, "it sends more frames than any validator")
            try:
                message = decode_message(kind, payload)
            except MalformedInput as error:
                raise PeerOffended(Offence.MALFORMED, str(error)) from error
            if isinstance(message, Hello):
                raise PeerOffended(Offence.MALFORMED, "it says hello twice")
            await handle(self, message, len(payload))
