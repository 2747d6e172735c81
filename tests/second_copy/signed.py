"""Requests to an S3 server as a person with a key makes them, signed (AWS Signature Version 4)."""

import hashlib
import hmac
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

import requests

REGION = "us-east-1"


@dataclass(frozen=True)
class Key:
    """An access key and its secret."""

    access: str
    secret: str


def ask(
    key: Key,
    method: str,
    url: str,
    content: bytes = b"",
    headers: Mapping[str, str] | None = None,
) -> requests.Response:
    """The answer. The URL has at most one parameter, as `?name=`."""
    parts = urlsplit(url)
    now = f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
    payload = hashlib.sha256(content).hexdigest()
    signed = {
        "content-md5": b64encode(hashlib.md5(content).digest()).decode(),
        "host": parts.netloc,
        "x-amz-content-sha256": payload,
        "x-amz-date": now,
        **(headers or {}),
    }
    names = ";".join(sorted(signed))
    lines = "".join(f"{name}:{signed[name]}\n" for name in sorted(signed))
    canonical = "\n".join([method, parts.path, parts.query, lines, names, payload])
    scope = f"{now[:8]}/{REGION}/s3/aws4_request"
    hashed = hashlib.sha256(canonical.encode()).hexdigest()
    text = f"AWS4-HMAC-SHA256\n{now}\n{scope}\n{hashed}"
    signing = f"AWS4{key.secret}".encode()
    for part in (*scope.split("/"), text):
        signing = hmac.digest(signing, part.encode(), "sha256")
    credential = f"Credential={key.access}/{scope}, SignedHeaders={names}"
    proof = f"AWS4-HMAC-SHA256 {credential}, Signature={signing.hex()}"
    sent = {**signed, "authorization": proof}
    return requests.request(method, url, data=content, headers=sent, timeout=30)
