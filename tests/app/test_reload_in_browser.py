"""F5 in a real browser: the same person goes on; a copied address, a replayed or a foreign cookie brings nobody in."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, expect

from demo.run.pictures import INSTALL_CHROMIUM, chromium
from tests.app import clinic, states
from tests.app.browser import marks, new_page, serving, sign_in
from tests.app.conftest import set_clock
from tests.app.walking import drawn, go_to, open_first_patient
from tests.app.wire import wire

pytestmark = pytest.mark.skipif(chromium() is None, reason=f"NOT TESTED IN A BROWSER: no Chromium. {INSTALL_CHROMIUM}")


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path, Path]:
    folder = tmp_path_factory.mktemp("reload")
    set_clock(folder / "clock.json", clinic.NOW)
    return states.make(folder / "clinic", "good"), folder / "clock.json", folder / "server.log"


def is_in(page: Page) -> bool:
    """Whether a page that was just opened shows patients' pages; False where it asks who is there."""
    inside, outside = page.get_by_role("button", name="Sign out"), page.get_by_label("Password", exact=True)
    expect(inside.or_(outside)).to_be_visible()
    drawn(page)
    return inside.is_visible()


def test_a_reload_goes_on_where_it_was_and_nobody_else_gets_in(
    files: tuple[Path, Path, Path], browser: Browser
) -> None:
    with serving(*files) as server:
        page, _ = new_page(browser)
        page.goto(server.url)
        sign_in(page)
        open_first_patient(page)
        address = page.url
        page.reload()
        assert is_in(page)
        expect(page.get_by_role("tab", name="Fields")).to_be_visible()
        expect(page.get_by_test_id("stMain")).to_contain_text("100231")

        [mark] = marks(page.context)
        assert mark["sameSite"] == "Strict" and len(str(mark["value"])) >= 43
        assert page.url == address and str(mark["value"]) not in address
        beside = page.context.new_page()
        beside.goto(address)
        assert is_in(beside), "a second tab of the same browser"
        beside.close()

        other, _ = new_page(browser)
        other.goto(address)
        assert not is_in(other), "the address alone, in another browser"
        other.context.close()

        go_to(page, "Patients")
        page.get_by_role("button", name="Sign out").click()
        expect(page.get_by_label("Password", exact=True)).to_be_visible()
        page.reload()
        assert not is_in(page), "the mark after sign-out"
        replayed, _ = new_page(browser)
        replayed.context.add_cookies([mark])  # type: ignore[list-item]
        replayed.goto(address)
        assert not is_in(replayed), "the mark replayed after sign-out"
        sign_in(page)
        page.reload()
        assert is_in(page), "who signs in again gets a new mark"
        assert marks(page.context) != [mark]
        replayed.reload()
        assert not is_in(replayed)
        replayed.context.close()
        page.context.close()


def test_another_kind_of_browser_and_another_process_ask_again(
    files: tuple[Path, Path, Path], browser: Browser
) -> None:
    with serving(*files) as server:
        page, _ = new_page(browser)
        page.goto(server.url)
        sign_in(page)
        [mark] = marks(page.context)
        foreign = browser.new_context(user_agent="Mozilla/5.0 (another)")
        foreign.add_cookies([mark])  # type: ignore[list-item]
        thief = foreign.new_page()
        thief.goto(server.url)
        assert not is_in(thief)
        page.reload()
        assert not is_in(page), "a mark that was seen elsewhere is worth nothing any more"
        sign_in(page)
        foreign.close()
        kept = marks(page.context)
    with serving(*files) as server:
        page.context.add_cookies([one | {"domain": "127.0.0.1"} for one in kept])  # type: ignore[list-item]
        page.goto(server.url)
        assert not is_in(page), "nothing of it lies on a disk"
        page.context.close()


def test_a_sessions_number_that_somebody_knows_takes_no_sitting_over(
    files: tuple[Path, Path, Path], browser: Browser
) -> None:
    with serving(*files) as server:
        page, _ = new_page(browser)
        numbers: list[str] = []
        page.on("websocket", lambda socket: socket.on("framereceived", lambda frame: numbers.append(_number(frame))))
        page.goto(server.url)
        sign_in(page)
        number = next(filter(None, numbers))
        agent = page.evaluate("navigator.userAgent")
        drawn(page)  # what a broken connection left unsent Streamlit hands to whoever names the session next
        page.goto("about:blank")  # the connection breaks; the session waits for it to come back
        with wire(server.url, headers={"User-Agent": agent}, session=number) as line:
            line.rerun()
            heard = line.listen(silence=3)
        assert b"ABELSEN" not in heard and b"100231" not in heard
        page.context.close()


def _number(frame: str | bytes) -> str:
    from streamlit.proto.ForwardMsg_pb2 import ForwardMsg

    return ForwardMsg.FromString(frame).new_session.initialize.session_id if isinstance(frame, bytes) else ""
