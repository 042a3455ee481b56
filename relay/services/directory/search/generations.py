"""An index is replaced whole: the new one is made beside the old one, and one rename makes it the index. So a search finds the old state or the
new one and never an empty index, and whoever is killed while indexing leaves what was there.
"""

import re
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Final

from hutong.relay.base.durable_files import make_folder_durably, sync_folder, write_durably
from hutong.relay.base.file_lock import FileLock
from hutong.relay.services.directory.search.engine import SearchUnavailable

CURRENT: Final = "current"
_LOCK: Final = "building"
_NAME: Final = re.compile(r"generation-[1-9][0-9]{0,8}")


def current_generation(home: Path) -> Path:
    """The folder of the index that is searched.

    Raises:
        SearchUnavailable: there is none.
    """
    try:
        name = (home / CURRENT).read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        raise SearchUnavailable(f"{home} holds no index: make one with hutong directory index build") from None
    if _NAME.fullmatch(name) is None:
        raise SearchUnavailable(f"{home / CURRENT} does not name an index: build it again")
    return home / name


def build_generation(home: Path, make: Callable[[Path], None]) -> Path:
    """A new index, made by `make` in an empty folder, which takes the place of the old one when it is whole.

    Raises:
        SearchUnavailable: another process is building, or the folder cannot be written. What `make` raises, too; the old index stays.
    """
    try:
        make_folder_durably(home)
        lock = FileLock(home / _LOCK, wait=False)
    except BlockingIOError:
        raise SearchUnavailable(f"another process is building the index in {home}") from None
    except OSError as error:
        raise SearchUnavailable(f"{home} cannot be written: {error.strerror or error}") from None
    with lock:
        numbers = [int(one.name.rpartition("-")[2]) for one in home.iterdir() if _NAME.fullmatch(one.name)]
        folder = home / f"generation-{max(numbers, default=0) + 1}"
        unfinished = home / "unfinished"
        shutil.rmtree(unfinished, ignore_errors=True)
        unfinished.mkdir(mode=0o700)
        make(unfinished)
        for one in unfinished.rglob("*"):
            if one.is_dir():
                sync_folder(one)
        sync_folder(unfinished)
        unfinished.rename(folder)
        write_durably(home / CURRENT, f"{folder.name}\n".encode())
        for one in home.iterdir():
            # who has the old one open goes on reading it
            if _NAME.fullmatch(one.name) and one != folder:
                shutil.rmtree(one, ignore_errors=True)
    return folder
