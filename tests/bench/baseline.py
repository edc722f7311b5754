"""The baseline server: checks the signature, makes one SQLite insert, answers."""

import hashlib
import hmac
import sqlite3
import sys

from aiohttp import web

SECRET = "baseline"


def serve(path: str) -> None:
    """Serve; each request has a commit of its own, with `synchronous=FULL` as in the product."""
    conn = sqlite3.connect(path, isolation_level=None)
    conn.execute("PRAGMA journal_mode=WAL")
    conn.execute("PRAGMA synchronous=FULL")
    conn.execute("CREATE TABLE request (id TEXT PRIMARY KEY, body BLOB NOT NULL)")

    def store(key: str, body: bytes) -> None:
        conn.execute("INSERT INTO request (id, body) VALUES (?, ?)", (key, body))

    async def webhook(request: web.Request) -> web.Response:
        body = await request.read()
        expected = "sha256=" + hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
        if not hmac.compare_digest(expected, request.headers.get("X-Hub-Signature-256", "")):
            return web.Response(status=401)
        store(request.headers["X-GitHub-Delivery"], body)
        return web.Response(status=202)

    async def click(request: web.Request) -> web.Response:
        body = await request.read()
        base = b"v0:" + request.headers["X-Slack-Request-Timestamp"].encode() + b":" + body
        expected = "v0=" + hmac.new(SECRET.encode(), base, hashlib.sha256).hexdigest()
        sent = request.headers.get("X-Slack-Signature", "")
        if not hmac.compare_digest(expected, sent):
            return web.Response(status=401)
        store(sent, body)
        return web.Response(status=200)

    async def ready(_: web.Request) -> web.Response:
        return web.Response(text="ok")

    app = web.Application()
    app.add_routes(
        [web.post("/github/webhooks", webhook), web.post("/slack/events", click), web.get("/readyz", ready)]
    )
    web.run_app(app, host="127.0.0.1", port=int(sys.argv[2]), print=None, access_log=None)


if __name__ == "__main__":
    serve(sys.argv[1])
