"""axe-core finds nothing serious in any view, light or dark, wide or narrow."""

import pytest
from playwright.sync_api import expect

from tests.browser.test_explorer import NARROW, VIEWS, is_settled
from tests.nodes.provision import axe

pytestmark = pytest.mark.nodes

GRAVE = ("serious", "critical")
LOOKS = ({"color_scheme": "light"}, {"color_scheme": "dark"}, {"color_scheme": "light", "viewport": NARROW})


@pytest.fixture(scope="module")
def axe_script():
    return axe().read_text()


@pytest.mark.parametrize("look", LOOKS, ids=["light", "dark", "narrow"])
def test_no_view_has_a_grave_fault(world, open_page, axe_script, look):
    page = open_page(world.url, reduced_motion="reduce", **look)
    page.evaluate(axe_script)
    for view in VIEWS:
        page.goto(f"{world.url}/{view}")
        expect(page.locator("main h1")).to_be_visible()
        is_settled(page)
        page.evaluate("for (const details of document.querySelectorAll('main details')) details.open = true")
        found = page.evaluate("axe.run(document, { resultTypes: ['violations'] })")["violations"]
        assert [(view, *_said(one)) for one in found if one["impact"] in GRAVE] == []


def _said(violation) -> tuple[str, list[str]]:
    return violation["id"], [node["html"][:200] for node in violation["nodes"][:5]]
