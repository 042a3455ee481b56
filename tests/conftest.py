"""Simulators and suites are imported by their full name, `tests.…`, from wherever pytest was started."""

import gc
import os
import random
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
import structlog
from hypothesis import HealthCheck, settings

from tests.gate import pytest_plugin

# A slow machine is no failure, and the same commit draws the same cases on every day and machine: what explores freshly drawn
# inputs is a section of `.ci/whole`, which sets this variable and prints a seed that repeats it.
BY_CLOCK = [HealthCheck.too_slow]
settings.register_profile(
    "same cases", deadline=None, derandomize=True, database=None, print_blob=True, suppress_health_check=BY_CLOCK
)
settings.register_profile("fresh cases", deadline=None, database=None, print_blob=True, suppress_health_check=BY_CLOCK)
FRESH = bool(os.environ.get("HUTONG_FRESH_CASES"))
settings.load_profile("fresh cases" if FRESH else "same cases")

# Hundreds of tests start processes of ours: where the environment forbids bytecode, each would compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Some ten thousand tests make small objects and drop them: looking for circles at each step took a tenth of the processor time.
gc.set_threshold(100_000, 50, 50)


def pytest_configure(config):
    """Under the gate a run says what failed, how long it took and what it left; elsewhere nothing is registered."""
    pytest_plugin.register(config)


def pytest_runtest_setup(item):
    """What draws without a generator of its own draws the same at each run of a test, whichever ran before it."""
    random.seed(f"{os.environ.get('SEED', '') if FRESH else ''}{item.nodeid}")


@pytest.hookimpl(tryfirst=True)
def pytest_collection(session):
    """In a fresh checkout each worker compiles a part of the tests, where each would compile all of them at the same time."""
    worker = getattr(session.config, "workerinput", None)
    if worker is None or session.config.args != session.config.getini("testpaths"):
        return
    number, workers = int(worker["workerid"].removeprefix("gw")), worker["workercount"]
    modules = sorted(Path(__file__).parent.glob("**/test_*.py"))
    for module in modules[len(modules) * number // workers : len(modules) * (number + 1) // workers]:
        if any(module.parent.glob(f"__pycache__/{module.stem}.*")):
            continue
        name = ".".join(module.relative_to(session.config.rootpath).with_suffix("").parts)
        # what cannot be imported is said when it is collected
        with suppress(Exception, pytest.skip.Exception):
            import_module(name)


def pytest_ignore_collect(collection_path, config):
    """CI's other sections are of a fifth of the files each, which name their mark; importing the others took most of a minute."""
    asked = config.option.markexpr
    if asked not in ("long", "nodes") or not collection_path.name.startswith("test_"):
        return None
    return True if f"mark.{asked}" not in collection_path.read_text() else None


def pytest_collection_finish(session):
    """What collection made stays to the end."""
    gc.freeze()


@pytest.fixture(autouse=True)
def _logs_of_their_own():
    """A test that configures logs, as every command does, must not leave its closed stream to the next."""
    yield
    structlog.reset_defaults()


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium a process: the library cannot be started twice in one."""
    from playwright.sync_api import sync_playwright

    from tests.nodes.provision import chromium

    with sync_playwright() as playwright:
        # CI runs as root, where Chromium's sandbox does not start; it opens nothing but our own pages.
        browser = playwright.chromium.launch(executable_path=chromium(), args=["--no-sandbox"])
        yield browser
        browser.close()
