"""A campus folder of a few lines, and every mistake in it."""

from pathlib import Path

from campus.folder import check_folder
from ingest.decoding.registry import decoder_names
from rules.engine.settings import check

EXAMPLE = Path(__file__).parents[1] / "examples" / "school"
SITE = "id: s\nname: 学校\nbuildings: [{id: t1, name: 教学楼}]\nchannels: {c: {kind: console}}\n"


def folder(tmp_path, **files):
    for name, text in {"site.yaml": SITE, **files}.items():
        content = text if isinstance(text, bytes) else text.encode()
        (tmp_path / name).write_bytes(content)
    return tmp_path


def problems(path):
    return check_folder(path, decoders=decoder_names(), check_rules=check)
