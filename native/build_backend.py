"""How pip builds this: maturin, after Cargo.lock was made of the list of crates. No source distribution: it would carry the lock."""

from pathlib import Path
from typing import Any

import crates_lock
import maturin

get_requires_for_build_wheel = maturin.get_requires_for_build_wheel

FOLDER = Path(__file__).resolve().parent


def prepare_metadata_for_build_wheel(metadata_directory: str, config_settings: dict[str, Any] | None = None) -> str:
    """The folder's name. Raises LockDiffers: as `build_wheel`."""
    crates_lock.rebuild(FOLDER)
    name: str = maturin.prepare_metadata_for_build_wheel(metadata_directory, config_settings)
    return name


def build_wheel(
    wheel_directory: str, config_settings: dict[str, Any] | None = None, metadata_directory: str | None = None
) -> str:
    """The wheel's name.

    Raises:
        LockDiffers: cargo would build anything but what the list says.
    """
    crates_lock.rebuild(FOLDER)
    name: str = maturin.build_wheel(wheel_directory, config_settings, metadata_directory)
    return name
