"""FastAPI's bare hello on the API's own server: what there is to lose. `python -m bench.api_hello PORT [SERVER]`.

SERVER is `uvicorn` (as `hutong api run` has it), `hypercorn` (trio, as inside the relay) or `granian`.
"""

import asyncio
import socket
import sys

from fastapi import FastAPI

app = FastAPI()


@app.get("/hello")
async def hello() -> dict[str, str]:
    return {"hello": "world"}


def _uvicorn(port: int) -> None:
    import uvicorn

    from hutong.relay.api.serving.standalone import server_config
    from hutong.relay.config import ApiConfig

    server = uvicorn.Server(server_config(app, ApiConfig(listen=f"127.0.0.1:{port}")))
    with asyncio.Runner(loop_factory=server.config.get_loop_factory()) as runner:
        runner.run(server.serve(sockets=[socket.create_server(("127.0.0.1", port))]))


def _hypercorn(port: int) -> None:
    import trio

    from hutong.relay.evm.listener import listen, listen_config

    trio.run(listen, app, listen_config("127.0.0.1", port))


def _granian(port: int) -> None:
    from granian import Granian  # only for the comparison: `pip install granian`

    Granian("bench.api_hello:app", "127.0.0.1", port, interface="asgi", workers=1, websockets=False).serve()


if __name__ == "__main__":
    chosen = sys.argv[2] if len(sys.argv) > 2 else "uvicorn"
    {"uvicorn": _uvicorn, "hypercorn": _hypercorn, "granian": _granian}[chosen](int(sys.argv[1]))
