"""The whole service stands behind the API's tests, as it does behind its pages."""

import pytest
from service_fixtures import Running, bot, example_school, live_campus, running

from campus.folder import load_campus

__all__ = ["bot", "live_campus", "running", "school"]


@pytest.fixture(scope="module")
def school(tmp_path_factory):
    """The example school on a service that a module's tests share: for what changes nothing, or nothing that matters to them."""
    folder = example_school(tmp_path_factory.mktemp("school"))
    service = Running(load_campus(folder), tmp_path_factory.mktemp("data") / "data", folder=folder)
    yield service
    service.stop()
