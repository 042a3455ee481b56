"""Simulators and suites are imported by their full name, `tests.…`, from wherever pytest was started."""

import gc
import os
import sys
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import pytest
import structlog
from hypothesis import settings

# A slow machine is no failure; the rest is as Hypothesis has it for this environment.
settings.register_profile("no clock", settings.get_profile(settings.get_current_profile_name()), deadline=None)
settings.load_profile("no clock")

# Hundreds of tests start processes of ours: where the environment forbids bytecode, each would compile every module anew.
os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
sys.dont_write_bytecode = False

# Some ten thousand tests make small objects and drop them: looking for circles at each step took a tenth of the processor time.
gc.set_threshold(100_000, 50, 50)


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
