"""A real S3 server (versitygw) over a folder, with a bucket that keeps what it was given."""

import json
import os
import re
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Self

import requests
import trustme

from homeiot_batch.config import ROOT
from tests.integration.servers import Server, built_server
from tests.second_copy.signed import Key, ask

ROOT_KEY = Key("keeper-of-the-server", "root-secret-51f0a2")
MIRROR_KEY = Key("mirrorkey-77d1", "mirror-secret-9b04ce")
BUCKET = "house"
PAGE = ROOT / "docs/how-to/second-copy.md"
KEPT_FOR_A_DAY = (
    "<ObjectLockConfiguration><ObjectLockEnabled>Enabled</ObjectLockEnabled><Rule>"
    "<DefaultRetention><Mode>COMPLIANCE</Mode><Days>1</Days></DefaultRetention></Rule>"
    "</ObjectLockConfiguration>"
)


class S3Server(Server):
    """The server, with versions, object lock, and a key of the page's policy."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder, "")
        self.certificate: Sequence[str] = []
        for name in ("objects", "versions", "users"):
            (folder / name).mkdir()

    def __enter__(self) -> Self:
        self.start()
        try:
            self._make_bucket()
        except BaseException:
            self.stop()
            raise
        return self

    @property
    def objects(self) -> Path:
        """The bucket's folder on the server's disk."""
        return self.folder / "objects" / BUCKET

    def command(self) -> Sequence[str]:
        users = ["--iam-dir", str(self.folder / "users")]
        folders = ["--versioning-dir", str(self.folder / "versions"), str(self.folder / "objects")]
        port = ["--quiet", "--port", f"127.0.0.1:{self.port}", *self.certificate]
        # a secret on a command line would be a fault of the test
        key = f"ROOT_ACCESS_KEY={ROOT_KEY.access} ROOT_SECRET_KEY={ROOT_KEY.secret}"
        return ["env", *key.split(), built_server("versitygw"), *port, *users, "posix", *folders]

    def speak_tls(self) -> Path:
        """From now on https alone, by a certificate authority of its own: its file."""
        authority = trustme.CA()
        own = authority.issue_cert("127.0.0.1")
        authority.cert_pem.write_to_path(str(self.folder / "authority.pem"))
        own.private_key_and_cert_chain_pem.write_to_path(str(self.folder / "own.pem"))
        file = str(self.folder / "own.pem")
        self.stop()
        self.certificate = ["--cert", file, "--key", file]
        self.url = self.url.replace("http:", "https:")
        self.start()
        return self.folder / "authority.pem"

    def _answers(self) -> bool:
        try:
            requests.get(self.url, timeout=2, verify=False)
        except requests.RequestException:
            return False
        return True

    def _make_bucket(self) -> None:
        bucket = f"{self.url}/{BUCKET}"
        lock = {"x-amz-bucket-object-lock-enabled": "true"}
        self._put(bucket, "", lock)
        self._put(f"{bucket}?object-lock=", KEPT_FOR_A_DAY)
        self._admin("create-user", "-a", MIRROR_KEY.access, "-s", MIRROR_KEY.secret, "-r", "user")
        self._put(f"{bucket}?policy=", policy_of_the_page())

    def _put(self, url: str, content: str, headers: Mapping[str, str] | None = None) -> None:
        answer = ask(ROOT_KEY, "PUT", url, content.encode(), headers)
        assert answer.ok, answer.text

    def _admin(self, *arguments: str) -> None:
        login = ["-a", ROOT_KEY.access, "-s", ROOT_KEY.secret, "-er", self.url]
        command = [built_server("versitygw"), "admin", *login, *arguments]
        subprocess.run(command, check=True, capture_output=True)


def policy_of_the_page() -> str:
    """The policy that the how-to shows, for this server's bucket and key."""
    [shown] = re.findall(r"```json\n(.*?)```", PAGE.read_text(), re.DOTALL)
    policy = json.loads(shown)
    for statement in policy["Statement"]:
        statement["Principal"] = {"AWS": [MIRROR_KEY.access]}
    return json.dumps(policy)


def is_built() -> bool:
    """Whether `make servers` has built the server."""
    try:
        return os.access(built_server("versitygw"), os.X_OK)
    except AssertionError:
        return False
