"""A list of 500 courses with their pictures: asked from a real Kolibri and decoded by a product, and asked
from the provider service, which has the pictures hosted. The product is this program: plain Python.

    python3 bench/provider/pictures.py --original .../bin/kolibri --kolibri bin/kolibri
"""

import argparse
import base64
import http.cookiejar
import json
import os
import secrets
import shutil
import signal
import socket
import sqlite3
import statistics
import struct
import subprocess
import tempfile
import time
import urllib.request
import uuid
import zlib

CHANNELS = 500
SIDE = 128  # pixels; noise, so about 48 kB each, as channels' pictures are
ROUNDS = 15
PASSWORD = "password of the benchmark"
TOKEN = "token of the benchmark"


def picture():
    """A PNG of noise, as a data URL."""

    def chunk(kind, data):
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    rows = b"".join(b"\0" + os.urandom(SIDE * 3) for _ in range(SIDE))
    png = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", struct.pack(">IIBBBBB", SIDE, SIDE, 8, 2, 0, 0, 0))
    png += chunk(b"IDAT", zlib.compress(rows)) + chunk(b"IEND", b"")
    return "data:image/png;base64," + base64.b64encode(png).decode()


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


def add_row(db, table, changes):
    """Adds a row to a table by giving every column that may not be empty a value of its type."""
    columns, values = [], []
    for _, name, kind, needed, default, key in db.execute(f"PRAGMA table_info({table})"):
        if name in changes:
            columns.append(name)
            values.append(changes[name])
        elif needed and default is None:
            columns.append(name)
            values.append(0 if kind.startswith(("int", "bool", "smallint", "bigint")) else "")
    names = ", ".join(f'"{c}"' for c in columns)
    db.execute(f"INSERT INTO {table} ({names}) VALUES ({', '.join('?' * len(columns))})", values)


def fill(home):
    with sqlite3.connect(os.path.join(home, "db.sqlite3")) as db:
        for i in range(CHANNELS):
            channel, root = uuid.uuid4().hex, uuid.uuid4().hex
            add_row(db, "content_contentnode", {
                "id": root, "title": f"Course {i}", "kind": "topic", "channel_id": channel, "content_id": uuid.uuid4().hex,
                "available": 1, "lft": 1, "rght": 2, "tree_id": 1000 + i, "level": 0, "options": "{}"})
            add_row(db, "content_channelmetadata", {
                "id": channel, "name": f"Course {i}", "root_id": root, "thumbnail": picture(), "order": i, "version": 1,
                "min_schema_version": "5", "last_updated": "2026-01-01 00:00:00", "total_resource_count": 1, "published_size": 1})


def wait_for(url, process):
    for _ in range(1800):
        try:
            return urllib.request.urlopen(url, timeout=2).read()
        except OSError:
            if process.poll() is not None:
                raise SystemExit(f"{url}: the server ended")
            time.sleep(0.1)
    raise SystemExit(f"{url} does not answer")


class Product:
    """A caller with cookies, as a product has without the service."""

    def __init__(self):
        self.jar = http.cookiejar.CookieJar()
        self.opener = urllib.request.build_opener(urllib.request.HTTPCookieProcessor(self.jar))

    def ask(self, url, body=None, headers=None, method=None):
        headers = dict(headers or {}, **{"Content-Type": "application/json"})
        for cookie in self.jar:
            if cookie.name == "kolibri_csrftoken":
                headers["X-CSRFToken"] = cookie.value
        data = None if body is None else json.dumps(body).encode()
        with self.opener.open(urllib.request.Request(url, data, headers, method=method), timeout=120) as answer:
            return json.loads(answer.read() or "null")


def decoded(courses):
    """The pictures as a product would keep them."""
    pictures = [base64.b64decode(c["thumbnail"].partition(",")[2]) for c in courses]
    assert len(pictures) == CHANNELS and all(p.startswith(b"\x89PNG") for p in pictures)


def median(work):
    times = []
    for _ in range(ROUNDS):
        begin = time.perf_counter()
        work()
        times.append((time.perf_counter() - begin) * 1000)
    return statistics.median(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--original", required=True)
    parser.add_argument("--kolibri", required=True)
    options = parser.parse_args()
    base = tempfile.mkdtemp(prefix="provider-pictures-")
    running = []
    try:
        home, port = os.path.join(base, "kolibri"), free_port()
        env = dict(os.environ, KOLIBRI_HOME=home, KOLIBRI_RUN_MODE="dev", KOLIBRI_DISABLE_PING="True", KOLIBRI_ZEROCONF_ENABLED="False",
                   KOLIBRI_ZIP_CONTENT_PORT=str(free_port()), KOLIBRI_LISTEN_ADDRESS="127.0.0.1")
        quiet = {"stdout": subprocess.DEVNULL, "stderr": subprocess.DEVNULL}
        subprocess.run([options.original, "manage", "provisiondevice", "--facility", "School", "--preset", "nonformal", "--superusername", "admin",
                        "--superuserpassword", PASSWORD, "--language_id", "en", "--no-input"], env=env, check=True, timeout=600, **quiet)
        fill(home)
        kolibri = f"http://127.0.0.1:{port}"
        running.append(subprocess.Popen([options.original, "start", "--foreground", "--port", str(port)], env=env, **quiet))
        wait_for(f"{kolibri}/status/", running[0])
        listen = f"127.0.0.1:{free_port()}"
        key = base64.b64encode(os.urandom(32)).decode()
        running.append(subprocess.Popen(
            [os.path.abspath(options.kolibri), "provider", "--listen", listen, "--allow-host", "127.0.0.1", "--fresh", "1h", "--rate", "0"],
            env=dict(os.environ, KOLIBRI_HOME=os.path.join(base, "provider"), KOLIBRI_PROVIDER_TOKEN=TOKEN, KOLIBRI_PROVIDER_KEY=key), **quiet))
        service = f"http://{listen}"
        wait_for(f"{service}/healthz", running[1])

        product = Product()
        product.ask(f"{kolibri}/api/auth/session/current/", {"active": False}, method="PUT")
        product.ask(f"{kolibri}/api/auth/session/", {"username": "admin", "password": PASSWORD})
        shown = {"Authorization": TOKEN}
        secret = {"id": secrets.randbelow(1000), "type": "kolibri", "base_url": kolibri, "username": "admin", "password": PASSWORD}
        product.ask(f"{service}/api/providers", secret, shown)

        def by_itself():
            decoded(product.ask(f"{kolibri}/device/api/device_channel/"))

        def by_service():
            items = product.ask(f"{service}/api/courses?id={secret['id']}", headers=shown)["items"]
            assert sum(1 for c in items if c["icon_url"].startswith("http") or c["icon_url"].startswith("/")) == CHANNELS, items[:1]

        by_itself()
        begin = time.perf_counter()
        by_service()
        first = (time.perf_counter() - begin) * 1000
        alone, served = median(by_itself), median(by_service)
        print(f"| {CHANNELS} courses with pictures of {len(picture()) // 1000} kB, asked from Kolibri and decoded in Python | {alone:.0f} ms |")
        print(f"| the same from the service, pictures hosted | {served:.1f} ms, {alone / served:.0f} times faster |")
        print(f"| the first time from the service, which asks Kolibri and makes the pictures | {first:.0f} ms |")
    finally:
        for process in running:
            process.send_signal(signal.SIGTERM)
        for process in running:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        shutil.rmtree(base, ignore_errors=True)


if __name__ == "__main__":
    main()
