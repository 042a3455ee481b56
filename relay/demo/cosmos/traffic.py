"""What the users of the Cosmos demo send, phase by phase, and how the relay is killed meanwhile."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from random import Random

import trio

from hutong.relay.demo.cosmos.network import CosmosNetwork
from hutong.relay.demo.cosmos.supply import read_supplies
from hutong.relay.demo.cosmos.wallet import Payment, Wallet
from hutong.relay.demo.supply import Supply
from hutong.relay.local.chain import denom_on_hub, packets_in_flight, until, voucher
from hutong.relay.local.hub import Disturbance
from hutong.relay.local.member import admin_options
from hutong.relay.local.processes import run_command
from hutong.relay.local.traffic import LIFETIME_S, TOKEN_AMOUNT, User

POLL_S = 0.5
SETTLE_LIMIT_S = 900
IN_FLIGHT_LIMIT_S = 90
KILL_AFTER_S = 0.5, 4.0
FIRST_LATE_S = 25
"""From the send to T2 of a packet that is to be late for the hub: its first leg has the margin less."""
SECOND_LATE_S = 50
"""From the send to T2 of a packet that is to reach the hub in time, and its destination late."""
Sends = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class Kill:
    """`in_flight` is how many packets that users sent were unsettled just then, read from the chains."""

    phase: str
    in_flight: int


class Journey:
    """All phases. What only the way can show stays here; everything else is read from the chains at the end."""

    def __init__(
        self,
        network: CosmosNetwork,
        wallet: Wallet,
        transfers: int,
        timeouts: int,
        of_the_hub: Sequence[Disturbance],
        say: Callable[[str], None],
    ) -> None:
        self.kills: list[Kill] = []
        self.abroad: tuple[Supply, ...] = ()
        self._network = network
        self._wallet = wallet
        self._alpha_user = User(network.alpha, network.alpha_user)
        self._chains = network.simd, network.alpha
        self._transfers = transfers
        self._late = timeouts - timeouts // 2, timeouts // 2
        self._of_the_hub = of_the_hub
        self._say = say
        self._random = Random(1)  # noqa: S311 - moments, not secrets
        self._amount = TOKEN_AMOUNT
        self._sent = 0

    @property
    def intended(self) -> int:
        """Packets that the users want to send in all: each transfer goes out and home, each late one is sent once."""
        return 4 * self._transfers + 2 * sum(self._late)

    async def run(self) -> None:
        """Until every packet is settled, or a phase's limit has passed; the checker says which.

        Raises:
            DemoFailed: a command failed, or a killed validator did not come back.
        """
        out = self._amounts(self._transfers), self._amounts(self._transfers)
        self._say(f"{self._transfers} transfers each way between simd and alpha; the relay is killed meanwhile")
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._disturb_the_hub)
            await self._disturbed("out", self._own_of_simd(out[0]), self._own_of_alpha(out[1]))
        self.abroad = await trio.to_thread.run_sync(self.supplies)
        self._say(f"{2 * self._transfers} vouchers go home; the relay is killed meanwhile")
        await self._disturbed("home", self._vouchers_on_simd(out[1]), self._vouchers_on_alpha(out[0]))
        await self._late_for_the_hub()
        await self._late_for_alpha()
        await self._late_for_simd()

    def supplies(self) -> tuple[Supply, Supply]:
        """Simd's token and alpha's token, as `read_supplies`, while nothing is in flight. Blocks."""
        network = self._network
        users = self._wallet.address, network.alpha_user.address
        return read_supplies(network.simd, network.alpha, network.hub.chain, *users)

    def _amounts(self, count: int) -> list[int]:
        """Every packet that goes out has an amount of its own, so that it can be told from others on every chain."""
        first, self._amount = self._amount + 1, self._amount + count
        return list(range(first, first + count))

    def _own_of_simd(self, amounts: Sequence[int], lifetime_s: int = LIFETIME_S) -> Sends:
        return lambda: self._send_from_simd(self._network.simd.token, amounts, lifetime_s)

    def _own_of_alpha(self, amounts: Sequence[int], lifetime_s: int = LIFETIME_S) -> Sends:
        return lambda: self._send_from_alpha(self._network.alpha.token_address, amounts, lifetime_s)

    def _vouchers_on_simd(self, amounts: Sequence[int]) -> Sends:
        denom = self._network.simd.voucher(denom_on_hub(self._network.alpha))
        return lambda: self._send_from_simd(denom, amounts, LIFETIME_S)

    def _vouchers_on_alpha(self, amounts: Sequence[int]) -> Sends:
        async def send() -> None:
            network = self._network
            token = await trio.to_thread.run_sync(voucher, network.alpha, network.simd.token_on_hub)
            await self._send_from_alpha(token, amounts, LIFETIME_S)

        return send

    async def _send_from_simd(self, denom: str, amounts: Sequence[int], lifetime_s: int) -> None:
        network = self._network
        timeout_s = await trio.to_thread.run_sync(network.simd.time_s) + lifetime_s
        receiver, onward = network.alpha_user.address.lower(), network.alpha.client_on_hub
        await self._wallet.send([Payment(denom, amount, onward, receiver, timeout_s) for amount in amounts])

    async def _send_from_alpha(self, token: str, amounts: Sequence[int], lifetime_s: int) -> None:
        user = self._alpha_user

        def send() -> None:
            timeout_s = user.timeout_s(lifetime_s)
            for amount in amounts:
                user.send_tokens(self._network.simd, self._wallet.address, token, amount, timeout_s)

        await trio.to_thread.run_sync(send)

    async def _send(self, *senders: Sends) -> None:
        """At once; returns when all that was ever sent is in blocks."""
        async with trio.open_nursery() as nursery:
            for sender in senders:
                nursery.start_soon(sender)
        with trio.move_on_after(SETTLE_LIMIT_S):
            await until(lambda: sum(chain.sent() for chain in self._chains) >= self._sent, POLL_S)

    async def _disturbed(self, phase: str, *senders: Sends) -> None:
        """Send, kill the relay on the way, settle."""
        self._sent += 2 * self._transfers
        async with trio.open_nursery() as nursery:
            nursery.start_soon(self._kill, phase)
            await self._send(*senders)
        await self._settle()

    async def _disturb_the_hub(self) -> None:
        """From when the first packets are in flight on."""
        if self._of_the_hub:
            await self._wait_for_flight()
        for disturbance in self._of_the_hub:
            await disturbance()

    async def _wait_for_flight(self) -> None:
        with trio.move_on_after(IN_FLIGHT_LIMIT_S):
            await until(lambda: packets_in_flight(self._chains) > 0, POLL_S)

    async def _kill(self, phase: str) -> None:
        """SIGKILL to the relay while packets are in flight, at no chosen moment. It is started again."""
        relay = self._network.relay
        await relay.wait_until_up()
        await self._wait_for_flight()
        with trio.move_on_after(self._random.uniform(*KILL_AFTER_S)):
            await until(lambda: packets_in_flight(self._chains) <= 1, POLL_S)
        relay.kill()
        self.kills.append(Kill(phase, await trio.to_thread.run_sync(packets_in_flight, self._chains)))
        await relay.wait_until_up()

    async def _settle(self) -> None:
        with trio.move_on_after(SETTLE_LIMIT_S):
            await until(lambda: packets_in_flight(self._chains) == 0, POLL_S)

    async def _late_for_the_hub(self) -> None:
        """Both chains send while the hub is paused, until it is too late there."""
        simd, alpha = self._late
        self._say(
            f"{simd + alpha} tokens are sent while the hub is paused, until they are late; the relay is killed meanwhile"
        )
        await self._pause_hub("pause")
        self._sent += simd + alpha
        late = (
            self._own_of_simd(self._amounts(simd), FIRST_LATE_S),
            self._own_of_alpha(self._amounts(alpha), FIRST_LATE_S),
        )
        await self._send(*late)
        await self._kill("late")
        await self._wait_until_late(self._hub_time_s, FIRST_LATE_S)
        await self._settle()
        await self._pause_hub("resume")

    async def _late_for_alpha(self) -> None:
        """Its router is paused until what the hub sent on is too late there."""
        count, alpha, owner = self._late[0], self._network.alpha, self._network.alpha_owner
        self._say(f"{count} tokens are sent to alpha while its router is paused, until they are late")
        await trio.to_thread.run_sync(alpha.call, owner, alpha.router, "pause")
        self._sent += count
        await self._send(self._own_of_simd(self._amounts(count), SECOND_LATE_S))
        await self._wait_until_late(lambda: alpha.time_s(alpha.head()), SECOND_LATE_S)
        await trio.to_thread.run_sync(alpha.call, owner, alpha.router, "unpause")
        await self._settle()

    async def _late_for_simd(self) -> None:
        """The relay is cut off from it until what the hub sent on is too late there."""
        count, network = self._late[1], self._network
        self._say(f"{count} tokens are sent to simd while the relay cannot reach it, until they are late")
        network.gate.shut()
        self._sent += count
        await self._send(self._own_of_alpha(self._amounts(count), SECOND_LATE_S))
        await self._wait_until_late(network.simd.time_s, SECOND_LATE_S)
        network.gate.open()
        await self._settle()

    async def _wait_until_late(self, now_s: Callable[[], int], lifetime_s: int) -> None:
        """What was sent until now with that lifetime is late by this clock."""
        sent_s = await trio.to_thread.run_sync(lambda: max(self._alpha_user.timeout_s(0), self._network.simd.time_s()))
        with trio.move_on_after(SETTLE_LIMIT_S):
            await until(lambda: now_s() > sent_s + lifetime_s, POLL_S)

    def _hub_time_s(self) -> int:
        hub = self._network.hub.chain
        return hub.time_s(hub.head())

    async def _pause_hub(self, command: str) -> None:
        network = self._network
        options = admin_options(network.hub.admins)
        await run_command(["hub", command, "--config", str(network.administration), *options])
