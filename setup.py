"""What pyproject.toml cannot say: the example school, which stays in the repository's root, goes into the wheel inside ``service``.

A folder ``examples`` beside our packages would lie in everybody's site-packages.
"""

from setuptools import find_namespace_packages, setup

ROOMS = ("alerts", "api", "campus", "dashboards", "ingest", "rules", "service", "simulators", "store")
EXAMPLE = "service.examples.school"

setup(
    packages=[
        *find_namespace_packages(include=[pattern for room in ROOMS for pattern in (room, f"{room}.*")]),
        EXAMPLE,
    ],
    package_dir={EXAMPLE: "examples/school"},
)
