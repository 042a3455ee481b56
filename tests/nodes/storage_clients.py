"""versitygw's own tests of S3 servers, as its program runs them, unmodified."""

import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path

from tests.nodes.provision import versitygw

LIMIT_S = 600


def bare_environment() -> dict[str, str]:
    """Without what would send requests to loopback elsewhere, or make Go read another list of authorities."""
    return {
        name: value for name, value in os.environ.items() if not re.search("PROXY|CA_BUNDLE|SSL_CERT", name.upper())
    }


def suite_verdict(url: str, keys: Mapping[str, str], name: str, folder: Path) -> str:
    """What versitygw's test of this name says of a server: PASS, or the sentence of its failure. `folder` gets a link to the program."""
    program = folder / "versitygw"
    if not program.exists():
        program.symlink_to(versitygw())
    command = ["./versitygw", "test", "-a", keys["s3_access_key"], "-s", keys["s3_secret_key"], "-e", url, name]
    done = subprocess.run(
        command, cwd=folder, env=bare_environment(), capture_output=True, text=True, timeout=LIMIT_S, check=False
    )
    said = re.sub(r"\x1b\[[0-9;]*m", "", done.stdout + done.stderr)
    failed = [line for line in said.splitlines() if "FAIL" in line or line.startswith("panic")]
    return "PASS" if "PASS" in said and not failed else (failed or ["no verdict"])[0]


def suite_names() -> list[str]:
    """Names of all tests of versitygw's suite."""
    listed = subprocess.run(
        [versitygw(), "test", "--help"],
        env=bare_environment(),
        capture_output=True,
        text=True,
        timeout=LIMIT_S,
        check=True,
    )
    found = (line.split() for line in listed.stdout.splitlines())
    return sorted({words[0] for words in found if words and re.fullmatch(r"[A-Za-z]+\d?[A-Za-z0-9]*_\w+", words[0])})
