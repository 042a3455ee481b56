import os
import site

import pytest

from hutong.relay.base.child_processes import HUTONG, child_environment
from hutong.relay.base.import_path import OWN_ROOT, safe_environment, without_working_folder


@pytest.fixture
def here(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    return str(tmp_path)


def test_what_depends_on_the_working_folder_is_left_out(here, tmp_path_factory):
    elsewhere = str(tmp_path_factory.mktemp("elsewhere"))
    link = f"{elsewhere}/link"
    os.symlink(here, link)
    assert without_working_folder(["", ".", "modules", here, link, f"{here}/", elsewhere]) == [elsewhere]


def test_the_folders_of_python_and_hutong_stay_for_those_who_stand_in_them(monkeypatch):
    library = os.path.dirname(os.__file__)
    for folder in (OWN_ROOT, library, *site.getsitepackages()):
        monkeypatch.chdir(folder)
        assert without_working_folder([folder]) == [folder]


def test_a_working_folder_that_was_removed_breaks_nothing(here, tmp_path):
    tmp_path.rmdir()
    assert without_working_folder(["", ".", "/usr/lib/somewhere"]) == ["/usr/lib/somewhere"]


def test_children_get_a_safe_path_and_keep_the_rest(here, monkeypatch):
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(["", "/opt/one", here]))
    monkeypatch.setenv("KEPT", "yes")
    found = child_environment()
    assert (found["PYTHONSAFEPATH"], found["PYTHONPATH"], found["KEPT"]) == ("1", "/opt/one", "yes")
    assert os.environ["PYTHONPATH"] != found["PYTHONPATH"]
    assert HUTONG[1] == "-P"


def test_a_path_of_which_nothing_is_left_is_removed(here):
    environment = {"PYTHONPATH": f":{here}"}
    safe_environment(environment)
    assert environment == {"PYTHONSAFEPATH": "1"}
