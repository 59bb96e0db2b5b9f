"""A copy off site: written once, proven, signed; whoever alters, deletes or sets it back is seen, and the last good
state is read."""

from __future__ import annotations

import random
import re
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from recovery.host.keys import make_key
from recovery.settings.sites import SiteCopy
from recovery.settings.trust import EVERYBODY
from recovery.sites.manifests import CopyError
from recovery.sites.place import Place, PlaceError, place_of
from tests.patience import seconds
from tests.sites.made import NOW, Site, number_of

ROOT = Path(__file__).parents[2]
SITES = 20


class KilledError(BaseException):
    """This process was killed here."""


class Dying:
    """A place whose writer is killed at the nth object: before it, or after it lies there."""

    def __init__(self, place: Place, lives: int, *, after: bool) -> None:
        self._place, self._lives, self._after = place, lives, after

    def __getattr__(self, name: str) -> object:
        found = getattr(self._place, name)
        return self._dying(found) if name == "put" else found

    def _dying(self, put: Callable[..., str]) -> Callable[..., str]:
        def until_killed(key: str, data: bytes, *, once: bool = False) -> str:
            self._lives -= 1
            if self._lives == 0 and not self._after:
                raise KilledError
            version = put(key, data, once=once)
            if self._lives == 0:
                raise KilledError
            return version

        return until_killed


@pytest.mark.parametrize("seed", range(SITES))
def test_a_site_killed_between_object_manifest_and_pointer_shows_no_half_and_all_of_it_afterwards(
    seed: int, site: Site, tmp_path: Path
) -> None:
    chance = random.Random(seed)
    site.cycle(1)
    newest = 1
    for number in (2, 3):
        lives, after = chance.randint(1, 14), chance.random() < 0.5
        site.wrapped = lambda place, lives=lives, after=after: Dying(place, lives, after=after)  # type: ignore[misc,return-value]
        try:
            site.cycle(number)
            newest = number
        except KilledError:
            pass
        state = site.read()
        assert number_of(state, tmp_path / f"seen {number}") in {newest, number}
        assert state.doubts == ()
        newest = number_of(state, tmp_path / f"seen {number}")
    site.wrapped = lambda place: place
    assert site.cycle(4).problems == []
    state = site.read()
    assert number_of(state, tmp_path / "afterwards") == 4 and state.doubts == ()


def test_sites_in_processes_of_their_own_killed_while_they_copy_to_s3_show_no_half() -> None:
    for module in ("moto.server", "s3fs"):
        pytest.importorskip(
            module, reason="NOT TESTED: S3 needs requirements-network.txt and `pip install moto[s3,server]`"
        )
    command = [sys.executable, "-m", "benchmarks.twenty_sites", "--sites", "3", "--rounds", "1"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=seconds(120), check=False)
    assert done.returncode == 0 and re.match("3 sites, killed [1-3] times", done.stdout), done.stdout + done.stderr
    assert done.stdout.endswith("no half was read, nothing went back, and all rows are there\n")


def test_what_lies_there_already_is_not_written_again(site: Site, tmp_path: Path) -> None:
    first = site.cycle(1)
    second = site.send(NOW + timedelta(minutes=20))
    assert first.written > 6 and (second.written, second.held) == (0, first.written - 2), "months and their list rest"
    keys = {
        path.relative_to(tmp_path / "vault").as_posix() for path in (tmp_path / "vault").rglob("*") if path.is_file()
    }
    assert any(key.startswith("site=north/table=treatment_records/month=2026-10/") for key in keys)
    assert len([key for key in keys if key.startswith("site=north/manifests/0000000/")]) == 2
    assert not any(b"SECRET" in path.read_bytes() for path in (tmp_path / "vault").rglob("month=*/*")), "no names"


@pytest.mark.parametrize("where", ["site", "s3_site"])
def test_a_copy_says_what_the_cache_said_and_who_altered_it_is_seen(
    where: str, request: pytest.FixtureRequest, tmp_path: Path
) -> None:
    site: Site = request.getfixturevalue(where)
    site.cycle(1)
    site.cycle(2)
    state = site.read()
    assert number_of(state, tmp_path / "seen") == 2 and state.doubts == ()
    assert all(state.version for state in state.manifest.files.values()) is (where == "s3_site")
    listed = next(path for path in state.files if path == "tables/on_treatment.parquet")
    key = f"site=north/table=on_treatment/{state.manifest.files[listed].sha256}.parquet"
    site.place.put(key, b"ransom")
    altered = site.read()
    if where == "site":
        assert number_of(altered, tmp_path / "before") == 1
        assert altered.doubts[0].startswith("Manifest 2 is not used: tables/on_treatment.parquet: it was changed")
    else:
        assert number_of(altered, tmp_path / "same") == 2, "the version that was written is there for good"
    report = site.send(NOW + timedelta(days=1))
    assert any("tables/on_treatment.parquet" in said for said in report.problems), report.problems
    healed = site.read()
    assert number_of(healed, tmp_path / "healed") == 2 and healed.doubts == ()


def test_who_deletes_on_s3_is_seen_and_hides_nothing(s3_site: Site, tmp_path: Path) -> None:
    s3_site.cycle(1)
    s3_site.cycle(2)
    import boto3

    told = {"aws_access_key_id": "user", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    bucket = boto3.resource("s3", endpoint_url=s3_site.copy.endpoint_url, **told).Bucket(
        s3_site.copy.where.split("/")[2]
    )
    bucket.objects.all().delete()
    state = s3_site.read(s3_site.known)
    assert number_of(state, tmp_path / "seen") == 2
    assert state.doubts == ("Its pointer names none, and 2 is the newest that verifies.",)


def test_who_sets_a_copy_back_is_seen_by_whoever_saw_it_before(site: Site, tmp_path: Path) -> None:
    site.cycle(1)
    old = (tmp_path / "vault" / "site=north" / "current").read_bytes()
    site.cycle(2)
    seen = site.cycle(3).name
    (tmp_path / "vault" / "site=north" / "current").write_bytes(old)
    assert site.read().doubts == ("Its pointer names 1, and 3 is the newest that verifies.",)
    manifests = tmp_path / "vault" / "site=north" / "manifests" / "0000000"
    for path in sorted(manifests.iterdir())[1:]:
        path.unlink()
    state = site.read(seen)
    assert state.doubts == ("It was set back: this machine saw manifest 3, and 1 is the newest that verifies.",)
    assert state.manifest.number == 1
    assert any("set back" in said for said in site.cycle(4).problems), "its writer says so"
    assert site.read().manifest.number == 4, "no number is used twice"
    assert "some are gone" in site.read().doubts[0]


@pytest.mark.parametrize("signer", ["nobody", "a stranger"])
def test_a_forged_state_is_refused_in_words_and_the_last_signed_one_is_read(
    signer: str, site: Site, tmp_path: Path
) -> None:
    site.cycle(1)
    trust, key = site.trust, site.key
    make_key(tmp_path / "stranger.key")
    forger = Site(tmp_path / "forged", site.copy, None if signer == "nobody" else tmp_path / "stranger.key", known="x")
    forger.cycle(7)
    forger.cycle(8)
    state = replace(site, trust=trust, key=key).read()
    assert state.manifest.number == 1 and number_of(state, tmp_path / "seen") == 1
    said = "it is not signed" if signer == "nobody" else "no key of the config signed it"
    assert said in state.doubts[0]


def test_a_genuine_state_of_another_site_or_from_the_future_is_refused(site: Site) -> None:
    site.cycle(1)
    early = replace(site, trust=site.trust.until(NOW - timedelta(days=1)))
    with pytest.raises(CopyError, match="in the future"):
        early.read()
    (vault := Path(site.copy.where) / "site=north").rename(vault.with_name("site=south"))
    from recovery.sites.reading import read_site

    with pytest.raises(CopyError, match="it is of the site north"):
        read_site(site.place, "south", site.trust)


def test_what_is_encrypted_here_takes_the_place_of_nothing_there(site: Site, tmp_path: Path) -> None:
    site.cycle(1)
    for path in site.cache_path.rglob("*"):
        if path.is_file() and "locks" not in path.parts:
            path.write_bytes(b"\x00RANSOM" * 100)
    report = site.send(NOW + timedelta(hours=1))
    assert len(report.problems) >= 3 and all("keeps the last" in said for said in report.problems), report.problems
    assert number_of(site.read(), tmp_path / "seen") == 1


def test_a_folder_that_is_not_mounted_and_a_server_that_is_not_there_are_said(tmp_path: Path) -> None:
    with pytest.raises(PlaceError, match="is it mounted"):
        place_of(SiteCopy("vault", "gone"), tmp_path)
    cloud = SiteCopy("cloud", "s3://bucket/x", endpoint_url="http://127.0.0.1:1", user_env="A", secret_env="B")
    with pytest.raises(PlaceError):
        place_of(cloud, tmp_path).get("key")


@pytest.mark.parametrize("signs", [True, False])
def test_two_clinics_with_one_id_are_told_and_nothing_is_written(signs: bool, site: Site, tmp_path: Path) -> None:
    if not signs:
        site.key, site.trust = None, EVERYBODY
    site.cycle(1)
    before = {path: path.read_bytes() for path in Path(site.copy.where).rglob("*") if path.is_file()}
    make_key(tmp_path / "other.key")
    key = tmp_path / "other.key" if signs else None
    other = Site(tmp_path / "other", site.copy, key, name=site.name, clinic="another clinic")
    with pytest.raises(CopyError, match="another signs there" if signs else "no two clinics may have one"):
        other.cycle(5)
    assert {path: path.read_bytes() for path in Path(site.copy.where).rglob("*") if path.is_file()} == before


def test_manifests_that_somebody_laid_down_by_the_thousand_hide_no_genuine_one(site: Site, tmp_path: Path) -> None:
    site.cycle(1)
    folder = Path(site.copy.where) / "site=north/manifests"
    for thousand in ("9999998", "9999999"):
        (folder / thousand).mkdir()
        for number in range(60):
            (folder / thousand / f"{thousand}{number:03d}-{'0' * 64}.json").write_text("{}")
    state = site.read()
    assert number_of(state, tmp_path / "seen") == 1 and "is not used" in state.doubts[0]
    assert site.cycle(2).name.startswith("0000000002-")
