"""Places: a folder, and S3 as moto serves it, with versions and locks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from recovery.host.keys import load_key, make_key, public_key_of
from recovery.settings.sites import SiteCopy
from recovery.settings.trust import Trust
from tests.sites.made import Site


@pytest.fixture(scope="session")
def s3_address() -> Iterator[str]:
    server = pytest.importorskip("moto.server", reason="NOT TESTED: S3 needs `pip install moto[s3,server]`")
    thread = server.ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    thread.start()
    host, port = thread.get_host_and_port()
    yield f"http://{host}:{port}"
    thread.stop()


@pytest.fixture
def key(tmp_path: Path) -> Path:
    make_key(tmp_path / "signing.key")
    return tmp_path / "signing.key"


@pytest.fixture
def site(tmp_path: Path, key: Path) -> Site:
    (tmp_path / "vault").mkdir()
    copy = SiteCopy("vault", str(tmp_path / "vault"))
    return Site(tmp_path / "cache", copy, key, Trust((public_key_of(load_key(key)),)))


@pytest.fixture
def s3_site(site: Site, s3_address: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Site:
    import boto3

    monkeypatch.setenv("TEST_USER", "user")
    monkeypatch.setenv("TEST_SECRET", "secret")
    name = tmp_path.name.lower().replace("_", "-")
    told = {"aws_access_key_id": "user", "aws_secret_access_key": "secret", "region_name": "us-east-1"}
    client = boto3.client("s3", endpoint_url=s3_address, **told)
    client.create_bucket(Bucket=name, ObjectLockEnabledForBucket=True)
    site.copy = SiteCopy(
        "cloud", f"s3://{name}/rbrdt", endpoint_url=s3_address, user_env="TEST_USER", secret_env="TEST_SECRET"
    )
    return site
