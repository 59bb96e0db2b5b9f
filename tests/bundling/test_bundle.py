"""The rescue bundle: kept, proven, opened, and worked with in a browser that has no network and no server."""

from __future__ import annotations

import csv
import errno
import hashlib
import io
import json
import re
import resource
import signal
import subprocess
import tarfile
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pyrage
import pytest
from openpyxl import load_workbook
from playwright.sync_api import Browser, Page

from backup_jobs.__main__ import main as job
from recovery.__main__ import main
from recovery.bundling.build import build
from recovery.bundling.department import read_department
from recovery.bundling.making import HOW_TO_OPEN, BundleError, Made, file_name, keep_in, make_bundle
from recovery.bundling.pages import listed
from recovery.cache.doors import cache_to_show
from recovery.packing.encryption import key_file_of
from recovery.settings.config import Config, load_config
from recovery.words.printable import is_like_formula
from tests.app import axe, hostile
from tests.app.browser import browsing, new_page
from tests.app.clinic import LOCAL, NOW
from tests.app.conftest import set_clock
from tests.bundling import clinic
from tests.charting.pages import texts

PASSPHRASE = "four words for bundles"
KEY = pyrage.x25519.Identity.generate()
SECTION = f"""
[rv.database]
connection = "Driver=x;Server=aria;UID=rbrdt;PWD=hunter2;Database=VARIAN"
[bundle]
paths = ["stick", "gone"]
recipients = ["{KEY.to_public()}"]
passphrase_env = "PASS"
keep = 2
"""


@pytest.fixture(scope="module")
def config(tmp_path_factory: pytest.TempPathFactory) -> Config:
    folder = tmp_path_factory.mktemp("clinic")
    (folder / "stick").mkdir()
    return clinic.make(folder, SECTION)


@pytest.fixture(scope="module")
def made(config: Config) -> Made:
    """One night's bundle, of an RT-PACS that does not answer; one of its two places is not there."""
    return make_bundle(config.without_rv(), NOW, PASSPHRASE, config.bundle_paths)


@pytest.fixture(scope="module")
def bundle(config: Config, made: Made) -> Path:
    return config.file.parent / "stick" / made.name


@pytest.fixture(scope="module")
def site(bundle: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle opened with a recipient's key, as `age -d` and `tar -xf` do."""
    folder = tmp_path_factory.mktemp("opened")
    with tarfile.open(fileobj=io.BytesIO(pyrage.decrypt(bundle.read_bytes(), [KEY])), mode="r:gz") as tar:
        tar.extractall(folder, filter="data")
    return folder


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with browsing() as opened:
        yield opened


@pytest.fixture
def page(browser: Browser, site: Path) -> Iterator[Page]:
    """The list, opened from the folder; whatever asks for more than files is an error."""
    opened, requests = new_page(browser)
    opened.goto((site / "index.html").as_uri())
    yield opened
    assert [url for url in requests.all if not url.startswith(("file:", "data:"))] == []
    opened.context.close()


def test_it_lies_proven_where_the_place_is_there_and_says_which_is_not(
    config: Config, made: Made, bundle: Path
) -> None:
    assert made.name == "rbrdt_bundle_2026-11-24_143800_incomplete.tar.gz.age" and made.patients == 4
    assert made.proven == [bundle.parent] and "gone" in made.failed[0] and len(made.failed) == 1
    assert {path.name for path in bundle.parent.iterdir()} == {bundle.name, key_file_of(bundle).name, HOW_TO_OPEN}
    assert made.size < 4 * 250_000, "a quarter of a megabyte for each patient"
    assert [path for path in config.cache_path.iterdir() if path.name.startswith("bundling-")] == []
    assert b"ABELSEN" not in bundle.read_bytes()


def test_everything_in_it_is_in_its_checksums_and_no_secret_is_in_it(site: Path) -> None:
    done = subprocess.run(["sha256sum", "--strict", "-c", "SHA256SUMS"], cwd=site, capture_output=True, check=False)
    files = {path.relative_to(site).as_posix(): path.read_bytes() for path in site.rglob("*") if path.is_file()}
    listed = dict(reversed(line.split("  ", 1)) for line in files["SHA256SUMS"].decode().splitlines())  # type: ignore[arg-type]
    assert done.returncode == 0 and listed.keys() == files.keys() - {"SHA256SUMS"}
    assert all(hashlib.sha256(files[path]).hexdigest() == sha256 for path, sha256 in listed.items())
    assert not any(secret in content for content in files.values() for secret in (PASSPHRASE.encode(), b"hunter2"))
    assert b"UID=rbrdt;PWD=(not copied);Database" in files["config.toml"]
    assert {f"tables/on_treatment.{form}" for form in ("csv", "xlsx", "parquet")} <= files.keys()
    assert "GRÜNSPAN, Jürgen" in texts(files["charts/GRÜNSPAN_Jürgen_200001.pdf"])[0]
    assert "Who is on treatment" in texts(files["binder.pdf"])[0]
    assert not any(".." in path or "<" in path for path in files)


def test_a_dead_rt_pacs_costs_drawings_alone_and_every_page_says_so(site: Path, made: Made) -> None:
    (lack,) = made.lacks
    assert lack == "▲ 4 plans have no beam's-eye views here. The RT-PACS did not answer."
    for path in site.rglob("*.html"):
        assert (
            "The RT-PACS did not answer." in path.read_text()
            and "Proven up to Tue 24 Nov 2026 14:32" in path.read_text()
        )


def test_the_list_answers_who_comes_which_fraction_is_next_and_what_to_look_at(page: Page) -> None:
    row = page.locator("tr", has_text="BERG, Bo")
    assert "finish 5 of 20 first (4 given)" in row.inner_text() and "■ INTERRUPTED" in row.inner_text()
    assert page.locator("#count").inner_text() == "4 shown"
    assert "ago" in page.locator("#age").inner_text() or "has not come yet" in page.locator("#age").inner_text()
    page.get_by_role("link", name="Whom to call").click()
    assert "+41 79 555 01 23" in page.locator("tr", has_text="GRÜNSPAN").inner_text()


@pytest.mark.parametrize("typed", ["GRUENSPAN", "grunspan", "grünspan jürgen", "Juergen, 2000", "200001"])
def test_search_finds_an_umlaut_as_people_type_it_and_hides_the_others(page: Page, typed: str) -> None:
    page.get_by_label("Name or ID").fill(typed)
    assert page.locator("tr[data-plain]:visible").all_inner_texts()[0].split("\t")[1] == "GRÜNSPAN, Jürgen"
    assert page.locator("#count").inner_text() == "1 shown, 3 hidden by search or filter"


def test_what_is_hidden_is_what_the_filters_say_also_after_reload_back_and_on_paper(page: Page) -> None:
    page.get_by_label("Machine").select_option("TB1")
    page.get_by_label("Status").select_option("")
    page.get_by_label("Name or ID").fill("berg")
    assert page.locator("#count").inner_text() == "1 shown, 3 hidden by search or filter"
    page.emulate_media(media="print")
    assert page.locator("#count").is_visible() and not page.get_by_label("Machine").is_visible()
    page.emulate_media(media="screen")
    values = "() => ['search', 'machine', 'status'].map(id => document.getElementById(id).value)"
    page.locator("tr[data-plain]:visible a").first.click()
    page.go_back()
    for _ in range(2):
        said = page.evaluate(values)
        shown = page.locator("tr[data-plain]:visible").count()
        assert shown == (1 if said[0] else 4) and (said[0] == "") == (said[1] == "") == (said[2] != ""), said
        page.reload()


def test_every_machine_can_be_chosen_whatever_spaces_are_in_its_name(config: Config) -> None:
    told = read_department(config.without_rv(), cache_to_show(config, NOW), NOW, "this copy")
    table = told.table.assign(treatment_machine_name="TB  1")
    said = listed(replace(told, table=table, machines=("TB  1",)), {})
    assert '<option value="TB  1">' in said and 'data-machine="TB  1"' in said


def test_a_page_that_stays_open_grows_old_and_is_late_from_two_hours_on(browser: Browser, site: Path) -> None:
    opened, _ = new_page(browser)
    opened.clock.install(time=NOW)
    opened.goto((site / "index.html").as_uri())
    assert opened.locator("#age").inner_text() == "By this computer's clock that is 6 min ago."
    opened.clock.fast_forward("02:00:00")
    assert opened.locator("#age.late").inner_text() == "By this computer's clock that is 2 h 6 min ago."
    opened.context.close()


def test_a_disk_that_takes_no_more_names_no_patient(
    config: Config, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write = Path.write_bytes

    def full(path: Path, content: bytes) -> int:
        if path.parent.name == "charts":
            raise OSError(errno.ENOSPC, "No space left on device", str(path))
        return write(path, content)

    monkeypatch.setattr(Path, "write_bytes", full)
    with pytest.raises(BundleError, match="No space left on device") as raised:
        make_bundle(config.without_rv(), NOW, PASSPHRASE, [tmp_path])
    assert not [name for name in ("ABELSEN", "BERG", "200001", "SCRIPT") if name in str(raised.value)]
    assert list(config.cache_path.glob("bundling-*")) == list(tmp_path.iterdir()) == []


def test_a_machines_day_leads_to_the_patient_and_his_chart(page: Page, site: Path) -> None:
    page.get_by_role("link", name="TB1", exact=True).click()
    assert page.locator("h3").all_inner_texts() == ["TB1, Tue 24 Nov 2026", "TB1, Wed 25 Nov 2026"]
    booked = page.locator("section.day").nth(1).locator("table table tr", has_text="GRÜNSPAN")
    assert booked.locator("td.time").inner_text() == "08:15" and "Pacemaker" in booked.inner_text()
    booked.get_by_role("link").click()
    assert page.locator("h1").inner_text() == "GRÜNSPAN, Jürgen"
    assert page.locator(".next").inner_text() == "Next fraction: 8 next of 15 (7 given)"
    assert page.get_by_alt_text("Photo of the patient").evaluate("image => image.naturalWidth") > 0
    href = page.get_by_role("link", name="Paper chart").evaluate("link => decodeURIComponent(link.href)")
    assert Path(href.removeprefix("file://")).resolve() == (site / "charts/GRÜNSPAN_Jürgen_200001.pdf").resolve()


def test_axe_finds_nothing_and_no_name_becomes_markup(page: Page, site: Path) -> None:
    names = ["index", "machine_TB1", "not_started", "calls", "runbook"]
    hostile_page = next(path for path in (site / "patients").iterdir() if "SCRIPT" in path.name)
    for path in [
        *(site / f"{name}.html" for name in names),
        hostile_page,
        site / "patients/GRÜNSPAN_Jürgen_200001.html",
    ]:
        page.goto(path.as_uri())
        assert axe.found(page) == [], path
        assert page.locator("main script").count() == 0
    page.goto(hostile_page.as_uri())
    assert page.locator("h1").inner_text().startswith("<SCRIPT>ALERT(1)</SCRIPT>")


@pytest.mark.parametrize("poison", ["markup", "controls"])
def test_what_people_typed_elsewhere_stays_text_on_pages_paper_and_in_tables(tmp_path: Path, poison: str) -> None:
    config = load_config(hostile.make(tmp_path, poison)).without_rv()
    cache, folder = cache_to_show(config, NOW), tmp_path / "bundle"
    folder.mkdir()
    build(folder, read_department(config, cache, NOW, "this copy"), cache)
    for path in folder.rglob("*.html"):
        ours = r"<script>.*?</script>|(?:data-\w+|option value)=\"[^\"]*\""
        body = re.sub(ours, "", path.read_text(), flags=re.DOTALL)
        assert (hostile.active_html(body), hostile.steering(body)) == ("", ""), path
    for made in (folder / "binder.pdf", *(folder / "charts").iterdir()):
        assert [told for _, text in hostile.texts_of_pdf(made.read_bytes()) if (told := hostile.steering(text))] == []
    for path in (folder / "tables").glob("*.csv"):
        cells = (one for row in csv.reader(path.open(newline="")) for one in row)
        assert [one for one in cells if is_like_formula(one) and not re.fullmatch(r"-?[\d.]+(e-?\d+)?", one)] == [], (
            path
        )
    for path in (folder / "tables").glob("*.xlsx"):
        assert all(cell.data_type != "f" for row in load_workbook(path).worksheets[0].iter_rows() for cell in row)


def test_only_who_has_key_or_passphrase_opens_it_and_half_of_one_is_told(
    config: Config, bundle: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    other, own = tmp_path / "other.txt", tmp_path / "own.txt"
    other.write_text(str(pyrage.x25519.Identity.generate()))
    own.write_text(str(KEY))

    def verified(file: Path, *options: str) -> int:
        return main(["bundle", "--config", str(config.file), "--verify", str(file), *options])

    monkeypatch.setenv("PASS", "another passphrase")
    assert (verified(bundle), verified(bundle, "--identity", str(other))) == (2, 2)
    assert "does not open it" in capsys.readouterr().err
    monkeypatch.setenv("PASS", PASSPHRASE)
    assert (verified(bundle), verified(bundle, "--identity", str(own))) == (0, 0)
    half = tmp_path / "half.tar.gz.age"
    half.write_bytes(bundle.read_bytes()[: bundle.stat().st_size // 2])
    assert verified(half, "--identity", str(own)) == 1
    assert "it ends too early" in capsys.readouterr().err


def test_an_old_one_goes_only_when_the_new_one_is_proven(tmp_path: Path) -> None:
    stick, new = tmp_path / "stick", tmp_path / file_name(LOCAL, is_whole=True)
    stick.mkdir()
    new.write_bytes(b"n" * 50_000)
    old = [stick / file_name(LOCAL - timedelta(days=days), is_whole=True) for days in (1, 2, 3)]
    half = ".rbrdt_bundle_2026-11-20_020000.tar.gz.age.7-7"
    for file in (*old, *map(key_file_of, old), stick / "thesis.doc", stick / half):
        file.write_bytes(b"o")
    before = {path.name for path in stick.iterdir()}
    limits, ignored = resource.getrlimit(resource.RLIMIT_FSIZE), signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    try:
        resource.setrlimit(resource.RLIMIT_FSIZE, (20_000, limits[1]))  # a stick that is full
        assert "has room" in keep_in(stick, new, 2)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
        signal.signal(signal.SIGXFSZ, ignored)
    assert before - {path.name for path in stick.iterdir()} == {half}
    assert keep_in(stick, new, 2) == ""
    kept = {path.name for path in stick.iterdir()}
    assert kept == {new.name, old[0].name, key_file_of(old[0]).name, HOW_TO_OPEN, "thesis.doc"}


def test_nights_in_which_something_lacks_push_no_whole_bundle_out(tmp_path: Path) -> None:
    whole, *lacking = (tmp_path / file_name(LOCAL + timedelta(days=n), is_whole=n == 0) for n in range(4))
    (tmp_path / "stick").mkdir()
    for file in (whole, *lacking):
        file.write_bytes(b"n")
        assert keep_in(tmp_path / "stick", file, 2) == ""
    kept = {path.name for path in (tmp_path / "stick").iterdir()}
    assert kept == {whole.name, lacking[1].name, lacking[2].name, HOW_TO_OPEN}


def test_nothing_is_made_that_nobody_could_open_or_that_lies_nowhere(
    config: Config, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nobody = replace(config, bundle=replace(config.bundle, recipients=[]))
    with pytest.raises(BundleError, match="nobody could open it"):
        make_bundle(nobody, NOW, None, config.bundle_paths)
    with pytest.raises(BundleError, match="Name folders"):
        make_bundle(config, NOW, PASSPHRASE, [])
    monkeypatch.setenv("PASS", "short")
    assert main(["bundle", "--config", str(config.file)]) == 2
    assert "too short" in capsys.readouterr().err


def test_the_nightly_job_keeps_it_and_names_the_place_that_is_not_there(
    config: Config, bundle: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    set_clock(config.file.parent / "clock", NOW + timedelta(days=1))
    monkeypatch.setenv("RBRDT_CLOCK", str(config.file.parent / "clock"))
    monkeypatch.setenv("PASS", PASSPHRASE)
    assert job(["keep_bundle", "--config", str(config.file), "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["outcome"] == "PARTIAL" and told["counts"] == {"found": 4, "already_held": 0, "moved": 1, "unproven": 1}
    assert "gone" in told["message"] and "ABELSEN" not in told["message"]
    assert (bundle.parent / file_name(LOCAL + timedelta(days=1), is_whole=False)).is_file() and bundle.is_file()
