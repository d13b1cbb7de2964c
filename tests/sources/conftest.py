"""Small real servers and files that the tests of sources read from."""

import gzip
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

import pytest

from modelwarrant.windows import Feature, FeatureSchema

Answer = Callable[[BaseHTTPRequestHandler], None]


@pytest.fixture
def schema() -> FeatureSchema:
    """A small schema with one feature of each kind, a target and a time column."""
    return FeatureSchema(
        features=(
            Feature(name="price", kind="number", missing=True),
            Feature(name="plan", kind="category", missing=True),
            Feature(name="is_new", kind="boolean", missing=True),
        ),
        task="classification",
        target="label",
        classes=("no", "yes"),
        time="at",
    )


@pytest.fixture
def rows_schema() -> FeatureSchema:
    """A schema without time: one number."""
    return FeatureSchema(features=(Feature(name="x", kind="number"),))


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str], Path]:
    """Write a text file, gzipped where its name says so."""

    def write_file(name: str, text: str) -> Path:
        path = tmp_path / name
        data = text.encode()
        path.write_bytes(gzip.compress(data) if name.endswith(".gz") else data)
        return path

    return write_file


@pytest.fixture
def serve() -> Iterator[Callable[[dict[str, bytes | Answer]], str]]:
    """Start an HTTP server of some paths and return its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(paths: dict[str, bytes | Answer]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                answer = paths.get(urlsplit(self.path).path)
                if callable(answer):
                    answer(self)
                elif answer is None:
                    self.send_error(404)
                else:
                    self.send_response(200)
                    self.send_header("Content-Length", str(len(answer)))
                    self.end_headers()
                    self.wfile.write(answer)

            def log_message(self, format: str, *args: object) -> None:
                return None

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


@pytest.fixture
def bucket() -> Iterator[Callable[[dict[str, bytes]], str]]:
    """Start a store that answers S3's GET and LIST for one bucket ``data``; return its address."""
    servers: list[ThreadingHTTPServer] = []

    def start(objects: dict[str, bytes]) -> str:
        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                parts = urlsplit(self.path)
                query = parse_qs(parts.query)
                _, name, *key = unquote(parts.path).split("/", 2)
                if name != "data":
                    self._answer(404, _error("NoSuchBucket"))
                elif "list-type" in query:
                    self._answer(200, _listing(objects, query.get("prefix", [""])[0]))
                elif key and key[0] in objects:
                    self._answer(200, objects[key[0]])
                else:
                    self._answer(404, _error("NoSuchKey"))

            def _answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Type", "application/xml")
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, format: str, *args: object) -> None:
                return None

        server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        servers.append(server)
        threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
        return f"http://127.0.0.1:{server.server_port}"

    yield start
    for server in servers:
        server.shutdown()
        server.server_close()


def _error(code: str) -> bytes:
    return f"<Error><Code>{code}</Code><Message>{code}</Message></Error>".encode()


def _listing(objects: dict[str, bytes], prefix: str) -> bytes:
    entries = "".join(
        f"<Contents><Key>{key}</Key><Size>{len(data)}</Size>"
        "<LastModified>2026-01-01T00:00:00.000Z</LastModified></Contents>"
        for key, data in sorted(objects.items())
        if key.startswith(prefix)
    )
    return (
        '<ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
        f"<Name>data</Name><IsTruncated>false</IsTruncated>{entries}</ListBucketResult>"
    ).encode()
