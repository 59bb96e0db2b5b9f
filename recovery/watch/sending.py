"""A message to people, by mail and by whatever `apprise` reaches, Teams, Slack or SMS; and the ping of a URL."""

import logging
import os
import smtplib
import ssl
import urllib.request
from collections.abc import Callable
from concurrent.futures import Future
from datetime import datetime
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from http.client import HTTPException

from recovery.settings.watch import MailSettings, WatchSettings
from recovery.watch.bounded import begin, within
from recovery.watch.messages import Message

log = logging.getLogger(__name__)

ANSWERS = 6
"""A mail server answers so often before a mail has left, each time within the config's time-out."""


class SendingError(RuntimeError):
    """A message did not leave. The text says by which way, and why."""


def send(message: Message, settings: WatchSettings, at: datetime) -> list[str]:
    """Send by every way of the config; returns what went wrong, in words. Empty: all ways took it."""
    sendings: list[Callable[[], None]] = []
    if (mail := settings.mail) is not None:
        sendings.append(lambda: send_mail(message, mail, at, settings.timeout))
    if (variable := settings.apprise_env) is not None:
        sendings.append(lambda: _send_by_apprise(message, variable))
    problems = []
    for sending in sendings:
        try:
            within(ANSWERS * settings.timeout, sending)
        except SendingError as error:
            problems.append(str(error))
        except TimeoutError:
            problems.append(f"a message did not leave in {ANSWERS * settings.timeout:g} s")
    for problem in problems:
        log.warning("%s", problem)
    return problems


def ways(settings: WatchSettings) -> int:
    """By how many ways a message is sent."""
    return (settings.mail is not None) + (settings.apprise_env is not None)


def send_mail(message: Message, settings: MailSettings, at: datetime, timeout: float) -> None:
    """Send one mail to all recipients.

    Raises `SendingError` if the server cannot be reached, is not who it says, refuses the login or a recipient.
    """
    mail = EmailMessage()
    mail["Subject"], mail["From"], mail["To"] = message.subject, settings.sender, ", ".join(settings.recipients)
    mail["Date"], mail["Message-ID"] = format_datetime(at), make_msgid(domain=settings.sender.partition("@")[2])
    mail.set_content(message.text)
    where = f"mail by {settings.server}:{settings.port}"
    try:
        with _connection(settings, timeout) as server:
            if settings.user:
                server.login(settings.user, _secret(settings.password_env, where))
            if refused := server.send_message(mail):
                raise SendingError(f"{where}: {len(refused)} of {len(settings.recipients)} recipients were refused")
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise SendingError(f"{where} did not leave: {type(error).__name__}: {error}") from error


def _connection(settings: MailSettings, timeout: float) -> smtplib.SMTP:
    context = ssl.create_default_context()
    if settings.security == "tls":
        return smtplib.SMTP_SSL(settings.server, settings.port, timeout=timeout, context=context)
    server = smtplib.SMTP(settings.server, settings.port, timeout=timeout)
    if settings.security == "starttls":
        server.starttls(context=context)
    return server


def _secret(variable: str | None, where: str) -> str:
    if variable is None:
        return ""
    if variable not in os.environ:
        raise SendingError(f"{where}: the environment variable {variable} is not set")
    return os.environ[variable]


def _send_by_apprise(message: Message, variable: str) -> None:
    try:
        from apprise import Apprise  # takes a while, and most sites send mail only
    except ImportError as error:
        raise SendingError("apprise is not installed: pip install apprise") from error

    ways = Apprise()
    addresses = _secret(variable, "apprise").split()
    if not addresses or not all(ways.add(address) for address in addresses):
        raise SendingError(f"apprise: an address in {variable} is none that it knows")
    if not ways.notify(title=message.subject, body=message.text):
        raise SendingError(f"apprise: not every address in {variable} took the message")


def ping(url: str, what: str, said: str, timeout: float) -> bool:
    """POST `said`, counts only, to `url/what` (`start`, or an exit status); whether it was taken.

    A URL that does not answer in `timeout` seconds is logged and is no failure of the job.
    """
    return taken(ping_beside(url, what, said, timeout), what, timeout)


def ping_beside(url: str, what: str, said: str, timeout: float) -> Future[None]:
    """As `ping`, without waiting: a run does not begin later because somebody watches it."""
    request = urllib.request.Request(f"{url}/{what}", data=said.encode(), method="POST")  # noqa: S310  http(s), by config
    return begin(lambda: urllib.request.urlopen(request, timeout=timeout).close())  # noqa: S310


def taken(sent: Future[None], what: str, timeout: float) -> bool:
    """Wait for the answer to a ping, `timeout` seconds at most."""
    try:
        sent.result(timeout)
    except (HTTPException, OSError, ValueError) as error:
        reason = getattr(error, "reason", None) or error or f"no answer in {timeout:g} s"
        log.warning("the ping that a run %s was not taken: %s", "began" if what == "start" else "ended", reason)
        return False
    return True
