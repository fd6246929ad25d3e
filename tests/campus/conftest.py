"""A folder with the least a campus needs, and whatever else a test writes into it."""

import pytest

SITE = "id: s\nname: 学校\nbuildings: [{id: t1, name: 教学楼}]\nchannels: {c: {kind: console}}\n"


@pytest.fixture
def write(tmp_path):
    """Writes files (text or bytes by name) into a campus folder and returns it."""

    def written(**files):
        for name, content in {"site.yaml": SITE, **files}.items():
            (tmp_path / name).write_bytes(content if isinstance(content, bytes) else content.encode())
        return tmp_path

    return written
