"""A second copy in a bucket of an S3 server, by the client that pyarrow brings along."""

import contextlib
import re
from collections.abc import Generator, Mapping

from pyarrow import fs

from homeiot_batch.config import Settings
from homeiot_batch.errors import CopyError, CopyUnavailable, SettingsError

URL = re.compile(r"s3://([A-Za-z0-9][A-Za-z0-9._-]+)((?:/[^/@?#]+)*)/?")
ATTEMPTS = 4
MOST_SAID = 160
CONNECT_S = 10.0
REQUEST_S = 60.0
DEFAULT_REGION = "us-east-1"
UNREACHABLE = "NETWORK_CONNECTION"  # as the client names it
WHAT_TO_DO = {
    "ACCESS_DENIED": "the key may not do that; give it s3:ListBucket, s3:GetObject, s3:PutObject",
    "INVALID_ACCESS_KEY_ID": "there is no such key; see to MIRROR_ACCESS_KEY",
    "SIGNATURE_DOES_NOT_MATCH": "the secret is not the key's; see to MIRROR_SECRET_KEY",
    "NO_SUCH_BUCKET": "there is no such bucket; make it, or see to MIRROR_URL and MIRROR_ENDPOINT",
    UNREACHABLE: "the server does not answer; see to MIRROR_ENDPOINT, MIRROR_CA_FILE and the "
    "network",
}
OTHERWISE = "see to MIRROR_URL, MIRROR_ENDPOINT, MIRROR_REGION, the keys and the server"


def open_s3(url: str, origin: str, settings: Settings) -> "S3Place":
    """The place that the URL names. SettingsError for one that cannot be used, or without keys."""
    found = URL.fullmatch(url)
    if found is None or {".", ".."}.intersection(url.split("/")):
        shown = f"={url!r}"
        if "@" in url:  # it may hold a secret
            shown = ""
        raise SettingsError(
            f"{origin}{shown} is no place in S3; write s3://BUCKET/PREFIX, and the keys as "
            "MIRROR_ACCESS_KEY and MIRROR_SECRET_KEY"
        )
    access, secret = settings.mirror_keys()
    if not access or not secret:
        raise SettingsError(
            f"{origin}={url!r} needs a key: set MIRROR_ACCESS_KEY and MIRROR_SECRET_KEY, or "
            "MIRROR_ACCESS_KEY_FILE and MIRROR_SECRET_KEY_FILE"
        )
    return S3Place(f"{found[1]}{found[2]}", _client(settings, access, secret))


def _client(settings: Settings, access: str, secret: str) -> fs.S3FileSystem:
    scheme, _, host = (settings.mirror_endpoint or "https://").partition("://")
    certificates = settings.mirror_ca_file
    if certificates and not certificates.is_file():
        raise SettingsError(f"MIRROR_CA_FILE={str(certificates)!r} is no file; name one in PEM")
    return fs.S3FileSystem(
        access_key=access,
        secret_key=secret,
        scheme=scheme,
        endpoint_override=host.rstrip("/") or None,
        region=settings.mirror_region or DEFAULT_REGION,
        connect_timeout=CONNECT_S,
        request_timeout=REQUEST_S,
        retry_strategy=fs.AwsStandardS3RetryStrategy(max_attempts=ATTEMPTS),
        allow_delayed_open=True,  # a small file is one request, which a kill cannot halve
        background_writes=False,
        tls_ca_file_path=str(certificates) if certificates else None,
    )


class S3Place:
    """Objects below a prefix of a bucket."""

    def __init__(self, prefix: str, client: fs.S3FileSystem) -> None:
        self.url = f"s3://{prefix}"
        self._prefix = prefix
        self._client = client

    @property
    def names(self) -> tuple[str, ...]:
        """The URL without a slash at its end."""
        return (self.url,)

    def sizes(self) -> Mapping[str, int]:
        """The size in bytes of each object, by name."""
        everything = fs.FileSelector(self._prefix, recursive=True, allow_not_found=True)
        with self._translated("listed"):
            found = self._client.get_file_info(everything)
        start = f"{self._prefix}/"
        files = [one for one in found if one.type == fs.FileType.File]
        return {one.path.removeprefix(start): one.size for one in files}

    def read(self, name: str) -> bytes:
        """The content of an object."""
        path = f"{self._prefix}/{name}"
        with self._translated("read"), self._client.open_input_stream(path) as stream:
            return stream.read()

    def write(self, name: str, content: bytes) -> None:
        """One object. It is there once the server has it whole."""
        path = f"{self._prefix}/{name}"
        with self._translated(f"written: {name}"), self._client.open_output_stream(path) as stream:
            stream.write(content)

    @contextlib.contextmanager
    def _translated(self, what: str) -> Generator[None]:
        try:
            yield
        except FileNotFoundError:
            raise CopyError(f"the copy in {self.url} cannot be {what} (it is not there)") from None
        except OSError as error:
            kind = CopyError
            if UNREACHABLE in str(error):
                kind = CopyUnavailable
            raise kind(f"the copy in {self.url} cannot be {what} ({_cause(str(error))})") from None


def _cause(text: str) -> str:
    """What the client says, in short: the kind of the error, and what to do."""
    kind = re.search(r"AWS Error (\w+)", text)
    detail = re.search(r"curlCode: \d+, ([^;]+)", text)
    if kind and detail:  # no connection: why, by the client's own words
        return f"{kind[1]}, {detail[1]}: {WHAT_TO_DO[UNREACHABLE]}"
    if kind and kind[1] in WHAT_TO_DO:
        return f"{kind[1]}: {WHAT_TO_DO[kind[1]]}"
    *_, said = " ".join(text.split()).partition("operation: ")
    return f"{said[:MOST_SAID] or text[:MOST_SAID]}; {OTHERWISE}"
