"""A real PostgreSQL for one test session: its own cluster in a temporary folder, reached by socket and password."""

import os
import pwd
import shutil
import subprocess
import tempfile
import time
from pathlib import Path

from tests.nodes.provision import postgres

PASSWORD = "correct horse, battery staple"
START_TIMEOUT_S = 300


class PostgresServer:
    """PostgreSQL refuses to run as root: then it runs as `nobody`."""

    def __init__(self) -> None:
        self.directory = Path(tempfile.mkdtemp(prefix="hutong-pg-"))
        self.user = pwd.getpwnam("nobody").pw_uid if os.getuid() == 0 else os.getuid()
        self.process: subprocess.Popen | None = None
        self._databases = 0

    def _as_user(self) -> dict:
        return {"user": self.user} if os.getuid() == 0 else {}

    def start(self) -> None:
        data = self.directory / "data"
        if not data.exists():
            secret = self.directory / "secret"
            secret.write_text(PASSWORD + "\n")
            for path in (self.directory, secret):
                os.chown(path, self.user, -1)
            command = [postgres("initdb"), "-D", data, "-U", "hutong", "--pwfile", secret, "-A", "scram-sha-256", "-N"]
            subprocess.run(command, check=True, stdout=subprocess.DEVNULL, **self._as_user())
        log = (self.directory / "log").open("ab")
        os.chown(self.directory / "log", self.user, -1)
        options = ["-k", self.directory, "-c", "listen_addresses=", "-c", "fsync=off", "-c", "max_connections=20"]
        self.process = subprocess.Popen(
            [postgres("postgres"), "-D", data, *options], stdout=log, stderr=log, **self._as_user()
        )
        log.close()
        deadline = time.monotonic() + START_TIMEOUT_S
        while time.monotonic() < deadline:
            try:
                self._execute("select 1")
            except Exception:
                time.sleep(0.1)
            else:
                return
        raise AssertionError((self.directory / "log").read_text())

    def stop(self) -> None:
        if self.process is not None:
            self.process.send_signal(3)  # immediate shutdown
            self.process.wait(30)
            self.process = None

    def close(self) -> None:
        self.stop()
        shutil.rmtree(self.directory, ignore_errors=True)

    def new_database(self) -> str:
        """URL, without the password, of a database of its own."""
        self._databases += 1
        self._execute(f"create database ledger_{self._databases}")
        return self.url(f"ledger_{self._databases}")

    def url(self, database: str) -> str:
        return f"postgresql://hutong@/{database}?host={self.directory}"

    def _execute(self, statement: str) -> None:
        import psycopg

        with psycopg.connect(
            host=str(self.directory), user="hutong", password=PASSWORD, dbname="postgres", autocommit=True
        ) as connection:
            connection.execute(statement)
