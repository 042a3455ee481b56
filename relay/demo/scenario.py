"""What happens in the demo, in order: messages and tokens go out, tokens come home, some packets are made to time
out."""

from collections.abc import Awaitable, Callable, Iterable, Iterator, Sequence
from itertools import cycle, islice, permutations

import trio

from hutong.relay.local.chain import DemoChain, denom_on_hub, packets_in_flight, until, voucher
from hutong.relay.local.member import FORWARD_MARGIN_S, admin_options
from hutong.relay.local.network import Network
from hutong.relay.local.processes import DemoFailed, run_command
from hutong.relay.local.traffic import LIFETIME_S, TOKEN_AMOUNT, Send, Traffic, User, Users, first_sends

POLL_S = 0.5
FIRST_SLICES, HOME_SLICES, LATE_SLICES = 5, 2, 1
LATE_LEG_S = 5
"""From the send to T1 of a packet that is to be late for the hub."""
SECOND_LATE_S = 20
"""From the send to T2 of a packet that is to be late for its destination: its first leg has the margin less."""

Progress = Callable[[str], None]


class Scenario:
    """One run. `disturb` is called after each slice of the traffic, at most once a disturbance."""

    def __init__(
        self,
        network: Network,
        traffic: Traffic,
        disturbances: Sequence[Callable[[], Awaitable[None]]],
        say: Progress,
        settle_limit_s: float,
    ) -> None:
        self._network = network
        self._traffic = traffic
        self._disturbances: Iterator[Callable[[], Awaitable[None]]] = iter(disturbances)
        self._sliced = bool(disturbances)
        self._say = say
        self._settle_limit_s = settle_limit_s
        self._users: Users = {}
        self._amount = TOKEN_AMOUNT
        self._sent = 0

    async def run(self) -> None:
        """Until every packet is settled, or the limit of a phase has passed; the checker says which.

        Disturbances that the traffic has no slice for come at the end, one after another.

        Raises:
            DemoFailed: a disturbance or a command failed, or a chain received a token that nobody sent.
        """
        chains = self._network.chains
        self._users = await trio.to_thread.run_sync(self._open_users)
        sends = first_sends(chains, self._traffic, self._next_amount)
        self._say(f"{len(sends)} packets go out, in all directions")
        await self._send(sends, FIRST_SLICES)
        await self._settle()
        if self._traffic.tokens_out:
            homes = await trio.to_thread.run_sync(self._homes)
            self._say(f"{len(homes)} token packets come home")
            await self._send(homes, HOME_SLICES)
            await self._settle()
        if self._traffic.late_first_leg:
            await self._late()
            await self._settle()
        for disturbance in self._disturbances:
            await disturbance()

    def _open_users(self) -> Users:
        return {chain.name: User(chain, self._network.users[chain.name]) for chain in self._network.chains}

    def _next_amount(self) -> int:
        """Every token packet has an amount of its own, so that the checker can tell them apart on any chain."""
        self._amount += 1
        return self._amount

    async def _send(self, sends: Sequence[tuple[str, Send]], slices: int) -> None:
        """Each chain's user sends on their own; with disturbances, slice by slice."""
        count = slices if self._sliced else 1
        for number in range(count):
            part = sends[number * len(sends) // count : (number + 1) * len(sends) // count]
            async with trio.open_nursery() as nursery:
                for name in self._users:
                    own = [send for chain, send in part if chain == name]
                    nursery.start_soon(trio.to_thread.run_sync, self._send_all, own)
            self._sent += len(part)
            await self._disturb()

    def _send_all(self, sends: Sequence[Send]) -> None:
        for send in sends:
            send(self._users)

    async def _disturb(self) -> None:
        disturbance = next(self._disturbances, None)
        if disturbance is not None:
            await disturbance()

    async def _settle(self) -> None:
        """Until everything that users sent is in blocks and none of it in flight."""
        chains = self._network.chains
        with trio.move_on_after(self._settle_limit_s):
            await until(lambda: sum(chain.sent() for chain in chains) >= self._sent, POLL_S)
            await until(lambda: packets_in_flight(chains) == 0, POLL_S)

    def _homes(self) -> list[tuple[str, Send]]:
        """Every packet of tokens that arrived goes back to where the token is from, whole."""
        chains = self._network.chains
        homes: list[tuple[str, Send]] = []
        for here in chains:
            origins = {voucher(here, denom_on_hub(there)): there for there in chains if there.name != here.name}
            for event in here.events(here.transfer, "TransferReceived", here.head()):
                origin = origins.get(str(event.args.token))
                if origin is None:
                    raise DemoFailed(f"{here.name} received a token that nobody sent: {event.args.denom}")
                homes.append((here.name, self._tokens(here, origin, str(event.args.token), int(event.args.amount))))
        return homes

    def _tokens(self, here: DemoChain, there: DemoChain, token: str, amount: int, lifetime_s: int = LIFETIME_S) -> Send:
        def send(users: Users) -> None:
            user = users[here.name]
            user.send_tokens(there, users[there.name].receiver, token, amount, user.timeout_s(lifetime_s))

        return send

    async def _late(self) -> None:
        """First the hub, then a chain is closed until what was sent is late on the first leg, and on the second."""
        chains = self._network.chains
        *senders, closed = chains
        owner = self._network.owners[closed.name]
        first = self._late_tokens(permutations(chains, 2), self._traffic.late_first_leg, FORWARD_MARGIN_S + LATE_LEG_S)
        self._say(f"{len(first)} tokens are sent while the hub is paused, until they are late")
        await self._pause_hub("pause")
        await self._send(first, LATE_SLICES)
        await self._wait_until_late(self._network.hub, LATE_LEG_S)
        await self._pause_hub("resume")

        second = self._late_tokens(((here, closed) for here in senders), self._traffic.late_second_leg, SECOND_LATE_S)
        self._say(f"{len(second)} tokens are sent to {closed.name} while its router is paused, until they are late")
        await trio.to_thread.run_sync(closed.call, owner, closed.router, "pause")
        await self._send(second, LATE_SLICES)
        await self._wait_until_late(closed, SECOND_LATE_S)
        await trio.to_thread.run_sync(closed.call, owner, closed.router, "unpause")

    def _late_tokens(
        self, ways: Iterable[tuple[DemoChain, DemoChain]], count: int, lifetime_s: int
    ) -> list[tuple[str, Send]]:
        return [
            (here.name, self._tokens(here, there, here.token_address, self._next_amount(), lifetime_s))
            for here, there in islice(cycle(ways), count)
        ]

    async def _wait_until_late(self, chain: DemoChain, lifetime_s: int) -> None:
        """What was sent until now with that lifetime is in blocks, and late by the time of `chain`."""
        with trio.move_on_after(self._settle_limit_s):
            await until(lambda: sum(sender.sent() for sender in self._network.chains) >= self._sent, POLL_S)
            sent_s = await trio.to_thread.run_sync(lambda: max(user.timeout_s(0) for user in self._users.values()))
            await until(lambda: chain.time_s(chain.head()) > sent_s + lifetime_s, POLL_S)

    async def _pause_hub(self, command: str) -> None:
        network = self._network
        await run_command(["hub", command, "--config", str(network.administration), *admin_options(network.admins)])
