"""Both clients behind one way of asking, so that one suite tries them."""

from contextlib import aclosing

import trio

from hutong.relay.sdk import Hutong, TrioHutong
from hutong.relay.web.api_keys import new_key

WRITER, ADMIN = new_key(), new_key()


class Blocking:
    """`Hutong`: `call` is one method's value, `take` the first values of an iteration."""

    name = "sync"

    def call(self, url, method, *args, options=None, **named):
        with Hutong(url, **options or {}) as hutong:
            return getattr(hutong, method)(*args, **named)

    def take(self, count, url, method, *args, options=None, **named):
        with Hutong(url, **options or {}) as hutong:
            found = []
            for value in getattr(hutong, method)(*args, **named):
                found.append(value)
                if len(found) == count:
                    break
            return found


class UnderTrio:
    """`TrioHutong`, likewise."""

    name = "trio"

    def call(self, url, method, *args, options=None, **named):
        async def ask():
            async with TrioHutong(url, **options or {}) as hutong:
                return await getattr(hutong, method)(*args, **named)

        return trio.run(ask)

    def take(self, count, url, method, *args, options=None, **named):
        async def ask():
            found = []
            async with TrioHutong(url, **options or {}) as hutong:
                async with aclosing(getattr(hutong, method)(*args, **named)) as values:
                    async for value in values:
                        found.append(value)
                        if len(found) == count:
                            break
            return found

        return trio.run(ask)
