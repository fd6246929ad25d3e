"""The whole service stands behind the API's tests, as it does behind its pages."""

import pytest
from blockbuster import blockbuster_ctx
from service_fixtures import Running, bot, example_school, live_campus, running

from campus.folder import load_campus

__all__ = ["bot", "live_campus", "running", "school"]

ROOMS = ["alerts", "api", "campus", "dashboards", "ingest", "rules", "service", "simulators", "store"]


@pytest.fixture(autouse=True)
def _nothing_blocks_the_loop(request):
    """What blocks in the event loop, where every page and feed would wait for it, fails there: the answer is a 500."""
    if request.node.get_closest_marker("browser"):  # Playwright runs the test itself in an event loop
        yield
        return
    with blockbuster_ctx(scanned_modules=ROOMS):
        yield


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """The example school on a service that a module's tests share: for what changes nothing, or nothing that matters to them."""
    folder = example_school(tmp_path_factory.mktemp("school"))
    service = Running(load_campus(folder), tmp_path_factory.mktemp("data") / "data", folder=folder)
    yield service
    service.stop()
