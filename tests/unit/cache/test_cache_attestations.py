"""Facts that outlive the process: the same fact again or none, whatever became of its file."""

from __future__ import annotations

import os
import shutil
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from flightframe_server.cache.attestations import (
    BLOCK,
    KEPT_VERSIONS,
    MAX_VERDICT,
    MISSING,
    SWEEP_EVERY,
    AttestationStore,
)

EDGE = "store -> region via stores"
V1 = (("sales", "v1"), ("stores", "v1"))
V2 = (("sales", "v2"), ("stores", "v1"))
ROW = "S1 has East and West"
REGIONS = pa.table({"source": ["S1", "S2", "S3"], "target": ["East", "West", None]})


class Ticks:
    """Nanoseconds, one second further at each look."""

    def __init__(self) -> None:
        self.now = time.time_ns()

    def __call__(self) -> int:
        self.now += 10**9
        return self.now


@pytest.fixture
def open_facts(tmp_path: Path) -> Callable[..., AttestationStore]:
    ticks = Ticks()

    def build(**options: Any) -> AttestationStore:
        settings = {"collection": "c0ffee", "backend": "duckdb", "clock": ticks, **options}
        return AttestationStore(settings.pop("root", tmp_path / "cache"), **settings)

    return build


def files(tmp_path: Path, ending: str = "") -> list[Path]:
    return sorted((tmp_path / "cache" / "attestations").glob(f"*{ending}"))


def test_a_fact_is_found_again_for_its_own_versions_alone(open_facts):
    facts = open_facts()
    assert facts.get(EDGE, V1) is MISSING
    facts.put(EDGE, V1, None)
    facts.put(EDGE, V2, ROW)
    facts.put("other", V1, "")
    for again in (facts, open_facts()):
        assert again.get(EDGE, V1) is None
        assert again.get(EDGE, V2) == ROW
        assert again.get("other", V1) == ""
        assert again.get("other", V2) is MISSING
        assert again.get(EDGE, ()) is MISSING
        assert again.get(EDGE, V1[:1]) is MISSING
        assert again.get_map(EDGE, V1) is None
    facts.put(EDGE, V1, ROW)
    assert open_facts().get(EDGE, tuple(reversed(V1))) == ROW


@pytest.mark.parametrize("other", [{"collection": "decaf"}, {"backend": "sqlite"}])
def test_a_fact_belongs_to_one_collection_over_one_back_end(open_facts, other):
    open_facts().put(EDGE, V1, None)
    open_facts().put_map(EDGE, V1, REGIONS)
    assert open_facts(**other).get(EDGE, V1) is MISSING
    assert open_facts(**other).get_map(EDGE, V1) is None


def test_a_map_comes_back_as_it_was(open_facts):
    facts = open_facts()
    facts.put_map(EDGE, V1, REGIONS)
    facts.put_map("empty", V1, REGIONS.slice(0, 0))
    for again in (facts, open_facts()):
        back = again.get_map(EDGE, V1)
        assert back.equals(REGIONS, check_metadata=True)
        assert back.schema.equals(REGIONS.schema)
        assert again.get_map("empty", V1).schema.equals(REGIONS.schema)
        assert again.get_map(EDGE, V2) is None
        assert again.get(EDGE, V1) is MISSING


@pytest.mark.parametrize("kind", ["fact", "map"])
def test_every_changed_byte_loses_the_fact_and_invents_none(open_facts, tmp_path, kind):
    facts = open_facts()

    def fill() -> None:
        facts.put(EDGE, V1, ROW) if kind == "fact" else facts.put_map(EDGE, V1, REGIONS)

    def found() -> object:
        return facts.get(EDGE, V1) if kind == "fact" else facts.get_map(EDGE, V1)

    nothing = MISSING if kind == "fact" else None
    fill()
    (path,) = files(tmp_path)
    sound = path.read_bytes()
    altered = [
        sound[:place] + bytes([sound[place] ^ 1]) + sound[place + 1 :]
        for place in range(0, len(sound), 3)
    ]
    for content in (*altered, b"", sound[:-1], sound + b"\0", sound[: len(sound) // 2], b"\n\n"):
        path.write_bytes(content)
        assert found() is nothing
        assert not path.exists()
    fill()
    assert found() is not nothing


def test_a_file_under_another_facts_name_is_dropped(open_facts, tmp_path):
    facts = open_facts()
    facts.put(EDGE, V1, None)
    (holds,) = files(tmp_path)
    facts.put(EDGE, V2, ROW)
    (breaks,) = set(files(tmp_path)) - {holds}
    shutil.copyfile(holds, breaks)
    assert facts.get(EDGE, V2) is MISSING
    other = open_facts(collection="decaf")
    other.put(EDGE, V1, ROW)
    (strange,) = set(files(tmp_path)) - {holds, breaks}
    shutil.copyfile(strange, holds)
    assert facts.get(EDGE, V1) is MISSING


@pytest.mark.parametrize("thing", ["pipe", "link", "folder"])
def test_what_is_no_file_is_never_waited_for_nor_followed(open_facts, tmp_path, thing):
    facts = open_facts()
    facts.put(EDGE, V1, None)
    (path,) = files(tmp_path)
    aside = path.rename(tmp_path / "aside")
    if thing == "pipe":
        os.mkfifo(path)
    elif thing == "link":
        path.symlink_to(aside)
    else:
        path.mkdir()
    assert facts.get(EDGE, V1) is MISSING
    facts.put(EDGE, V1, ROW)
    assert facts.get(EDGE, V1) == (MISSING if thing == "folder" else ROW)
    assert aside.exists()


def test_the_last_used_few_versions_of_a_key_are_kept(open_facts, tmp_path):
    facts = open_facts()
    versions = [(("sales", f"v{number}"),) for number in range(KEPT_VERSIONS + 3)]
    for version in versions:
        facts.put(EDGE, version, None)
    facts.put("other", versions[0], None)
    assert facts.get(EDGE, versions[1]) is None
    facts.sweep()
    kept = [version for version in versions if facts.get(EDGE, version) is None]
    assert kept == [versions[1], *versions[-KEPT_VERSIONS + 1 :]]
    assert facts.get("other", versions[0]) is None
    assert len(files(tmp_path)) == KEPT_VERSIONS + 1


def test_all_files_stay_within_the_budget(open_facts, tmp_path):
    facts = open_facts(max_bytes=20 * BLOCK)
    for number in range(SWEEP_EVERY * 3):
        facts.put(f"promise {number}", V1, None)
    assert len(files(tmp_path)) == 20
    assert facts.get(f"promise {SWEEP_EVERY * 3 - 1}", V1) is None
    assert facts.get("promise 0", V1) is MISSING
    wide = pa.table({"source": [os.urandom(20).hex() for _ in range(5000)]})
    facts.put_map(EDGE, V1, wide)
    assert facts.get_map(EDGE, V1) is None
    facts.put_map(EDGE, V1, wide.slice(0, 1000))
    assert facts.get_map(EDGE, V1).num_rows == 1000
    assert sum(max(path.stat().st_size, BLOCK) for path in files(tmp_path)) <= 20 * BLOCK


def test_long_keys_and_verdicts_are_bounded(open_facts, tmp_path):
    facts = open_facts()
    facts.put("k" * 10**6, V1, None)
    assert files(tmp_path) == []
    facts.put(EDGE, V1, "x" * 10**6)
    assert facts.get(EDGE, V1) == "x" * MAX_VERDICT


def test_a_name_is_given_to_whole_content_alone(open_facts, monkeypatch):
    renamed: list[tuple[str, bytes]] = []
    really_replace = Path.replace

    def replace(self: Path, target: Path) -> Path:
        renamed.append((f"{self.suffix} {target.suffix}", self.read_bytes()))
        return really_replace(self, target)

    monkeypatch.setattr(Path, "replace", replace)
    facts = open_facts()
    facts.put(EDGE, V1, None)
    ((suffixes, content),) = renamed
    assert suffixes == ".tmp .fact"
    assert content == next(iter(facts._folder.iterdir())).read_bytes()


@pytest.mark.parametrize("share", [0.0, 0.3, 0.999])
def test_what_a_power_cut_left_of_a_fact_is_found_again(open_facts, tmp_path, share):
    facts = open_facts()
    facts.put(EDGE, V1, "a row that breaks it")
    (file,) = files(tmp_path)
    content = file.read_bytes()
    kept = int(len(content) * share)
    file.write_bytes(content[:kept] + bytes(len(content) - kept))
    assert open_facts().get(EDGE, V1) is MISSING
    assert files(tmp_path) == []


def test_a_refusing_disk_keeps_nothing_and_raises_nothing(open_facts, tmp_path, monkeypatch):
    facts = open_facts()

    def refuse(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", refuse)
    facts.put(EDGE, V1, None)
    facts.put_map(EDGE, V1, REGIONS)
    assert files(tmp_path) == []
    assert facts.get(EDGE, V1) is MISSING


def test_a_folder_that_cannot_be_made_keeps_nothing_and_raises_nothing(open_facts, tmp_path):
    (tmp_path / "cache").mkdir()
    (tmp_path / "cache" / "attestations").write_text("in the way")
    facts = open_facts()
    facts.put(EDGE, V1, None)
    facts.put_map(EDGE, V1, REGIONS)
    assert facts.get(EDGE, V1) is MISSING
    assert facts.get_map(EDGE, V1) is None


def test_unfinished_files_go_when_they_are_old_and_strangers_files_stay(open_facts, tmp_path):
    folder = tmp_path / "cache" / "attestations"
    folder.mkdir(parents=True)
    old, young, strange = (folder / name for name in ("0" * 32 + ".tmp", "1" * 32 + ".tmp", "x"))
    for path in (old, young, strange):
        path.write_bytes(b"")
    os.utime(old, (time.time() - 7200,) * 2)
    open_facts()
    assert files(tmp_path) == [young, strange]


def test_two_stores_share_a_folder(open_facts):
    one, other = open_facts(), open_facts()
    one.put(EDGE, V1, None)
    assert other.get(EDGE, V1) is None
    other.put(EDGE, V1, ROW)
    assert one.get(EDGE, V1) == ROW
