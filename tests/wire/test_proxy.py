"""The sample configurations of proxies: read by the proxies themselves, and nginx's tried with the API behind it."""

import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.style.tree import ROOT

pytestmark = pytest.mark.slow

SAMPLES = ROOT / "docs" / "proxy"
FRAME = """
pid {folder}/pid;
error_log {folder}/error.log;
daemon off;
events {{}}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    include {folder}/sample.conf;
}}
"""


def program(name: str) -> str:
    found = shutil.which(name) or shutil.which(name, path="/usr/sbin:/usr/local/sbin")
    if found is None:
        pytest.skip(f"there is no {name} on this machine")
    return found


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port: int = taken.getsockname()[1]
    return port


def nginx_files(folder: Path, api: int) -> tuple[Path, int]:
    """Write the sample with ports and a certificate of this test's own; return the frame around it, and the port."""
    made = ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", "-subj", "/CN=bot.example"]
    files = ["-keyout", str(folder / "privkey.pem"), "-out", str(folder / "fullchain.pem")]
    subprocess.run([program("openssl"), *made, *files], check=True, capture_output=True, timeout=60)
    port = free_port()
    text = (SAMPLES / "nginx.conf").read_text(encoding="utf-8")
    changes = {
        "listen 443 ssl": f"listen 127.0.0.1:{port} ssl", "listen 80": f"listen 127.0.0.1:{free_port()}",
        "/etc/ssl/bot.example": str(folder), "192.0.2.0/24": "127.0.0.0/8", "127.0.0.1:8080": f"127.0.0.1:{api}",
    }  # fmt: skip
    for before, after in changes.items():
        assert before in text, f"the sample has no {before} any more"
        text = text.replace(before, after)
    (folder / "sample.conf").write_text(text, encoding="utf-8")
    frame = folder / "nginx.conf"
    frame.write_text(FRAME.format(folder=folder), encoding="utf-8")
    return frame, port


@pytest.fixture
def proxied(tmp_path: Path) -> Iterator[tuple[httpx.Client, str]]:
    """Run the API and nginx before it as the sample says; give a client that speaks TLS, and the token."""
    nginx, api = program("nginx"), free_port()
    frame, port = nginx_files(tmp_path, api)
    flags = ["--behind-proxy", "--trusted-proxy", "127.0.0.1", "--allow-host", "bot.example", "--port", str(api)]
    serve = [sys.executable, "-m", "crypto_bot.api.serve", "--state", str(tmp_path / "State"), *flags]
    proxy = [nginx, "-c", str(frame), "-p", str(tmp_path), "-e", str(tmp_path / "early.log")]
    with ExitStack() as running:
        for command in (serve, proxy):
            child = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
            running.callback(child.wait, 10)
            running.callback(child.terminate)
        base, headers = f"https://127.0.0.1:{port}", {"Host": "bot.example"}
        client = running.enter_context(httpx.Client(base_url=base, headers=headers, verify=False, timeout=10))
        for _ in range(200):
            try:
                if client.get("/health").status_code == 200:
                    break
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        yield client, (tmp_path / "State" / "api_token").read_text(encoding="utf-8").strip()


def test_nginx_takes_the_sample(tmp_path: Path) -> None:
    frame, _ = nginx_files(tmp_path, 8080)
    words = ["-t", "-c", str(frame), "-p", str(tmp_path), "-e", str(tmp_path / "early.log")]
    done = subprocess.run([program("nginx"), *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr + (tmp_path / "error.log").read_text()


def test_through_nginx_the_api_answers_and_believes_no_claimed_address(proxied: tuple[httpx.Client, str]) -> None:
    client, token = proxied
    bearer = {"Authorization": f"Bearer {token}"}
    answer = client.get("/api/status", headers=bearer | {"Origin": "https://bot.example"})
    assert answer.status_code == 200
    assert answer.headers["strict-transport-security"].startswith("max-age=31536000")
    assert not {"x-powered-by", "via"} & set(answer.headers) and not re.search(r"\d", answer.headers.get("server", ""))
    assert client.get("/api/status", headers=bearer | {"Origin": "http://bot.example"}).status_code == 403
    assert client.get("/api/status", headers=bearer | {"Host": "evil.example"}).status_code == 400
    assert client.post("/api/risk/halt", headers=bearer, content=b"x" * 70_000).status_code == 413
    guesses = [
        client.get("/api/orders", headers={"Authorization": f"Bearer {n}", "X-Forwarded-For": f"198.51.100.{n}"})
        for n in range(8)
    ]
    assert [answer.status_code for answer in guesses] == [401] * 5 + [429] * 3, "another claimed address helps nobody"


def test_caddy_takes_the_sample() -> None:
    caddy = program("caddy")
    words = ["validate", "--adapter", "caddyfile", "--config", str(SAMPLES / "Caddyfile")]
    done = subprocess.run([caddy, *words], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
