"""The certificates of DICOM TLS that this config names: what is wrong with their files, table by table."""

from __future__ import annotations

from typing import TYPE_CHECKING

from recovery.host.certificates import faults_of_files

if TYPE_CHECKING:
    from datetime import datetime

    from recovery.settings.config import Config
    from recovery.settings.nodes import NodeTls, OwnTls


def certificate_faults(config: Config, now: datetime) -> dict[str, list[str]]:
    """By table with TLS, such as `[rv.tls]`: all that is wrong with its files, or soon will be. `now` is aware."""
    at, found = config.file.parent, {}
    for name, tls in _tables(config).items():
        if tls is not None:
            certificate, key = (at / file if file else None for file in (tls.certificate, tls.key))
            found[f"[{name}]"] = faults_of_files(at / tls.ca, certificate, key, now)
    return found


def _tables(config: Config) -> dict[str, NodeTls | OwnTls | None]:
    query = config.pacs.query
    found: dict[str, NodeTls | OwnTls | None] = {
        "local.tls": config.local.tls,
        "rv.tls": config.rv.tls if config.rv is not None else None,
        "pacs.tls": config.pacs.tls,
        "pacs.query.tls": query.tls if query is not None else None,
    }
    found |= {f"tps.{n}.tls": one.tls for n, one in enumerate(config.tps, start=1)}
    for n, one in enumerate(config.restore_to, start=1):
        found[f"restore_to.{n}.tls"] = one.tls
        found[f"restore_to.{n}.query.tls"] = one.query.tls if one.query is not None else None
    return found
