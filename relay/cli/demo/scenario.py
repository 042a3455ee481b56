"""What happens in the demo, in order: messages and tokens go out, tokens come home, some packets are made to time out."""

from collections.abc import Awaitable, Callable, Iterator, Sequence
from itertools import cycle, permutations

import trio

from relay.cli.demo.chain import DemoChain, denom_on_hub, packets_in_flight, until, voucher
from relay.cli.demo.network import FORWARD_MARGIN_S, Network
from relay.cli.demo.processes import DemoFailed
from relay.cli.demo.traffic import LIFETIME_S, TOKEN_AMOUNT, Send, Traffic, User, Users, first_sends

POLL_S = 0.5
FIRST_SLICES, HOME_SLICES, LATE_SLICES = 5, 2, 1
LATE_LEG_S = 12
"""From the send to T2 of a packet whose second leg is to time out: the first leg has this less the margin."""

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

    async def run(self) -> None:
        """Until every packet is settled, or the limit of a phase has passed; the checker says which."""
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
            await self._disturb()

    def _send_all(self, sends: Sequence[Send]) -> None:
        for send in sends:
            send(self._users)

    async def _disturb(self) -> None:
        disturbance = next(self._disturbances, None)
        if disturbance is not None:
            await disturbance()

    async def _settle(self) -> None:
        with trio.move_on_after(self._settle_limit_s):
            await until(lambda: packets_in_flight(self._network.chains) == 0, POLL_S)

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
        """Some packets have a second for their first leg; for others the destination is closed until they are late."""
        chains = self._network.chains
        *senders, closed = chains
        owner = self._network.owners[closed.name]
        self._say(f"{self._traffic.late_first_leg} tokens get one second for their way to the hub")
        at_once = [
            (here.name, self._tokens(here, there, here.token_address, self._next_amount(), FORWARD_MARGIN_S + 1))
            for (here, there), _ in zip(
                cycle(permutations(chains, 2)), range(self._traffic.late_first_leg), strict=False
            )
        ]
        self._say(
            f"{self._traffic.late_second_leg} tokens go to {closed.name}, whose router is paused until they are late"
        )
        await trio.to_thread.run_sync(closed.call, owner, closed.router, "pause")
        for_closed = [
            (here.name, self._tokens(here, closed, here.token_address, self._next_amount(), LATE_LEG_S))
            for here, _ in zip(cycle(senders), range(self._traffic.late_second_leg), strict=False)
        ]
        await self._send([*at_once, *for_closed], LATE_SLICES)
        late_s = max(user.timeout_s(0) for user in self._users.values()) + LATE_LEG_S
        with trio.move_on_after(self._settle_limit_s):
            await until(lambda: closed.time_s(closed.head()) > late_s, POLL_S)
        await trio.to_thread.run_sync(closed.call, owner, closed.router, "unpause")
