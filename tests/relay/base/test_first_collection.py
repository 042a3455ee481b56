"""The first collection of a process, and that all others come as usual."""

import subprocess
import sys

SCRIPT = """
import gc, weakref
from hutong.relay.base.first_collection import FIRST_COLLECTION_OBJECTS, defer_first_collection

class Circle:
    pass

usual, counted = gc.get_threshold(), []
gc.callbacks.append(lambda phase, info: counted.append(phase))
defer_first_collection()
before, after = Circle(), Circle()
before.own, after.own = before, after
gone, later = weakref.ref(before), weakref.ref(after)
del before
kept = [[] for _ in range(FIRST_COLLECTION_OBJECTS // 2)]
assert not counted and gone() is not None and gc.get_threshold() != usual
kept += [[] for _ in range(FIRST_COLLECTION_OBJECTS)]
assert "stop" in counted and gone() is None, "garbage of the start is found"
assert gc.get_threshold() == usual and gc.get_freeze_count() > FIRST_COLLECTION_OBJECTS // 2
assert len(gc.callbacks) == 1
made = Circle()
made.own, found = made, weakref.ref(made)
del made
kept += [[] for _ in range(2 * usual[0])]
assert found() is None, "from then on as usual"
"""


def test_the_first_collection_waits_and_the_others_come_as_usual():
    done = subprocess.run([sys.executable, "-c", SCRIPT], capture_output=True, text=True)
    assert (done.returncode, done.stderr) == (0, "")
