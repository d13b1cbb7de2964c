"""Reading over http:// and s3://, against small servers in this process."""

import builtins
import gzip
import ssl
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from modelwarrant.errors import MissingExtraError, SourceError, TemporaryError
from modelwarrant.sources import S3Settings, SourceSettings, read_source_settings, read_window
from modelwarrant.windows import FeatureSchema, Window

Serve = Callable[[dict[str, Any]], str]

ROWS = b"x\n1\n2\n"


def read(source: str, schema: FeatureSchema, **settings: Any) -> Window:
    """Read every row."""
    given = SourceSettings(**{"timeout_s": 5.0, **settings})
    return read_window(source, schema, None, base=Path(), final=0.3, settings=given)[0]


@pytest.mark.parametrize("data", [ROWS, gzip.compress(ROWS, mtime=0)])
def test_an_address_is_read_whatever_its_name(
    serve: Serve, rows_schema: FeatureSchema, data: bytes
) -> None:
    """Formats are told from the bytes, not from a name or a header."""
    address = serve({"/export": data})

    assert [1.0, 2.0] == read(f"{address}/export", rows_schema).numbers("x").tolist()


def test_a_query_is_sent_but_not_recorded_with_the_file(
    serve: Serve, rows_schema: FeatureSchema
) -> None:
    """The file is recorded without its query, which may hold a signature."""
    address = serve({"/day.csv": ROWS})

    _, ref = read_window(f"{address}/day.csv?key=1", rows_schema, None, base=Path(), final=0.3)

    assert f"{address}/day.csv" == ref.files[0].uri


def test_an_absent_address_is_permanent(serve: Serve, rows_schema: FeatureSchema) -> None:
    """404 does not get better by waiting."""
    address = serve({})

    with pytest.raises(SourceError, match="the server answered 404"):
        read(f"{address}/none.csv", rows_schema)


@pytest.mark.parametrize("status", [429, 500, 503])
def test_a_servers_own_fault_is_temporary(
    serve: Serve, rows_schema: FeatureSchema, status: int
) -> None:
    """The same request may succeed later."""
    address = serve({"/day.csv": lambda handler: handler.send_error(status)})

    with pytest.raises(TemporaryError, match=f"the server answered {status}"):
        read(f"{address}/day.csv", rows_schema)


def test_a_cut_connection_is_temporary_not_short(serve: Serve, rows_schema: FeatureSchema) -> None:
    """Half a file never passes for a whole one."""

    def half(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", "1000")
        handler.end_headers()
        handler.wfile.write(ROWS)

    address = serve({"/day.csv": half})

    with pytest.raises(TemporaryError, match="cut after 6 of 1000 bytes"):
        read(f"{address}/day.csv", rows_schema)


def test_a_silent_port_is_temporary(rows_schema: FeatureSchema) -> None:
    """Nobody listens: the service may be started later."""
    with pytest.raises(TemporaryError, match="no answer"):
        read("http://127.0.0.1:1/day.csv", rows_schema)


def test_a_download_has_a_limit(serve: Serve, rows_schema: FeatureSchema) -> None:
    """A file larger than the limit is refused before it fills the disk."""
    address = serve({"/day.csv": ROWS * 100})

    with pytest.raises(SourceError, match="longer than 100 bytes"):
        read(f"{address}/day.csv", rows_schema, max_bytes=100)


def test_a_redirect_to_another_scheme_is_refused(serve: Serve, rows_schema: FeatureSchema) -> None:
    """A server cannot make us read a local file."""

    def away(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        handler.send_header("Location", "file:///etc/passwd")
        handler.end_headers()

    address = serve({"/day.csv": away})

    with pytest.raises(SourceError, match=r"file:///etc/passwd.* is not allowed"):
        read(f"{address}/day.csv", rows_schema)


@pytest.fixture
def serve_tls(tmp_path: Path) -> Iterator[tuple[str, Path]]:
    """Start an HTTPS server that redirects to HTTP; return its address and its certificate."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    now = datetime.now(UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(hours=1))
        .not_valid_after(now + timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path / "server.pem"
    path.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    secret = tmp_path / "server.key"
    secret.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
    )

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(302)
            self.send_header("Location", "http://localhost:1/day.csv")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:
            return None

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path, secret)
    server.socket = context.wrap_socket(server.socket, server_side=True)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    yield f"https://localhost:{server.server_port}", path
    server.shutdown()
    server.server_close()


def test_a_redirect_from_https_to_http_is_refused(
    serve_tls: tuple[str, Path], rows_schema: FeatureSchema, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Data asked for over a proven connection is not taken from an open one."""
    address, certificate = serve_tls
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))

    with pytest.raises(
        SourceError, match=r"redirects to http://localhost:1/day\.csv, which is refused"
    ):
        read(f"{address}/day.csv", rows_schema)


def test_an_unknown_certificate_is_refused(
    serve_tls: tuple[str, Path], rows_schema: FeatureSchema
) -> None:
    """A server that cannot prove its name is not read from, and waiting does not help."""
    with pytest.raises(SourceError, match="its certificate is not trusted"):
        read(f"{serve_tls[0]}/day.csv", rows_schema)


def test_credentials_do_not_belong_in_a_source(rows_schema: FeatureSchema) -> None:
    """A source is recorded with every model; a password in it is refused and not repeated."""
    with pytest.raises(SourceError, match="leave user and password out") as caught:
        read("https://anna:secret@host.example/day.csv", rows_schema)

    assert "secret" not in str(caught.value)


def test_an_object_is_read(bucket: Serve, rows_schema: FeatureSchema) -> None:
    """s3://bucket/key is read from the endpoint of the settings."""
    s3 = S3Settings(endpoint=bucket({"in/day.csv": ROWS}), access_key="a", secret_key="b" * 8)

    assert [1.0, 2.0] == read("s3://data/in/day.csv", rows_schema, s3=s3).numbers("x").tolist()


def test_a_glob_of_objects_is_read_sorted_by_key(bucket: Serve, rows_schema: FeatureSchema) -> None:
    """Keys that match are read in the order of their names; others are not."""
    s3 = S3Settings(
        endpoint=bucket({"in/d-2.csv": b"x\n3\n", "in/d-1.csv": ROWS, "in/other.csv": b"y\n0\n"})
    )

    assert [1.0, 2.0, 3.0] == read("s3://data/in/d-*.csv", rows_schema, s3=s3).numbers("x").tolist()


@pytest.mark.parametrize(
    ("source", "message"),
    [
        ("s3://data/none.csv", "NoSuchKey"),
        ("s3://other/day.csv", "NoSuchBucket"),
        ("s3://data/none-*.csv", "no object matches"),
        ("s3://data", "write s3://bucket/key"),
    ],
)
def test_an_absent_object_is_named(
    bucket: Serve, rows_schema: FeatureSchema, source: str, message: str
) -> None:
    """Each way of naming no object has its own message."""
    s3 = S3Settings(endpoint=bucket({"day.csv": ROWS}))

    with pytest.raises(SourceError, match=f"{source.replace('*', '.')}.*{message}"):
        read(source, rows_schema, s3=s3)


def test_a_store_that_is_down_is_temporary(rows_schema: FeatureSchema) -> None:
    """Nobody listens at the endpoint: the store may come back."""
    s3 = S3Settings(endpoint="http://127.0.0.1:1")

    with pytest.raises(TemporaryError, match=r"s3://data/day\.csv: no answer"):
        read("s3://data/day.csv", rows_schema, s3=s3)


def test_the_extra_is_named_where_it_is_not_installed(
    monkeypatch: pytest.MonkeyPatch, rows_schema: FeatureSchema
) -> None:
    """Without minio the message says what to install."""
    real = builtins.__import__

    def without(name: str, *arguments: Any, **named: Any) -> Any:
        if name == "minio":
            raise ImportError(name)
        return real(name, *arguments, **named)

    monkeypatch.setattr(builtins, "__import__", without)

    with pytest.raises(MissingExtraError, match=r"install 'modelwarrant\[s3\]'"):
        read("s3://data/day.csv", rows_schema)


def test_settings_come_from_the_usual_variables() -> None:
    """The endpoint is ours, the credentials are those of every S3 tool."""
    settings = read_source_settings(
        {
            "WARRANT_S3_ENDPOINT": "http://store:9000",
            "AWS_ACCESS_KEY_ID": "id",
            "AWS_SECRET_ACCESS_KEY": "secret",
            "AWS_DEFAULT_REGION": "eu-west-1",
        }
    )

    assert S3Settings("http://store:9000", "id", "secret", None, "eu-west-1") == settings.s3
    assert "secret" not in repr(settings)
