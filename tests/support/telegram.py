"""Telegram's Bot API on loopback, as far as its documentation describes it.

It refuses what the real one refuses: a wrong token, a second poller, texts that are too long or whose entities do not
parse, buttons of more than 64 bytes, edits that change nothing. `limit` makes it answer 429, `lose` drops answers.
"""

from __future__ import annotations

import asyncio
import json
import re
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self
from urllib.parse import parse_qsl

from tests.support.telegram_markup import BadMarkup, parsed

TOKEN = "110201543:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsawq"
LONGEST = 4096  # UTF-16 units of a message, after its entities were parsed
WAIT = 60.0  # seconds that a test waits for a fact

Json = dict[str, Any]

BOT: Json = {"id": 110201543, "is_bot": True, "first_name": "Locus", "username": "locus_test_bot"}


class Refused(Exception):
    """An answer that is not ok."""

    def __init__(self, code: int, description: str, **parameters: int) -> None:
        super().__init__(description)
        self.code, self.description, self.parameters = code, description, parameters


@dataclass
class Call:
    """One request of the bot."""

    method: str
    given: Json
    at: float


@dataclass
class Message:
    """A message of the bot as the phone shows it now."""

    id: int
    chat: int
    text: str  # without markup
    html: str
    buttons: dict[str, str]  # label to callback data
    urls: dict[str, str]  # label to address
    asks: bool  # for a reply
    edits: int = 0


@dataclass
class BotApi:
    """The server. `users` are the people whose private chats the bot may write to."""

    users: set[int] = field(default_factory=lambda: {7})
    calls: list[Call] = field(default_factory=list)
    updates: list[Json] = field(default_factory=list)
    messages: dict[int, Message] = field(default_factory=dict)
    order: list[int] = field(default_factory=list)
    queries: set[str] = field(default_factory=set)
    toasts: list[str] = field(default_factory=list)
    commands: list[Json] = field(default_factory=list)
    webhook: Json = field(default_factory=dict)
    limits: list[tuple[str, int]] = field(default_factory=list)  # method, retry_after: each used once
    losses: list[str] = field(default_factory=list)  # methods whose next answer never arrives
    held: set[str] = field(default_factory=set)  # methods that are done and not answered while they are in here
    revoked: bool = False

    def __post_init__(self) -> None:
        self.changed = threading.Condition()
        self._next_update = 1000
        self._next_message = 100
        self._poller = 0
        self._closing = False
        self._http = _Http(("127.0.0.1", 0), _Handler)
        self._http.api = self
        self._thread = threading.Thread(target=self._http.serve_forever, args=(0.05,), daemon=True)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._http.server_address[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with self.changed:
            self._closing = True
            self.changed.notify_all()
        self._http.shutdown()
        self._http.server_close()
        self._thread.join()

    # ---- what a test does

    def push(self, kind: str, body: Json, *, update_id: int | None = None) -> int:
        """Queue an update of any shape and return its number."""
        with self.changed:
            number = self._next_update if update_id is None else update_id
            self._next_update = max(self._next_update, number) + 1
            self.updates.append({"update_id": number, kind: body})
            self.changed.notify_all()
            return number

    def limit(self, method: str, retry_after: int) -> None:
        """Let the next call of `method` be one too many."""
        self.limits.append((method, retry_after))

    def lose(self, method: str) -> None:
        """Do what the next call of `method` asks, and let its answer get lost."""
        self.losses.append(method)

    def named(self, *methods: str) -> list[Call]:
        return [call for call in self.calls if call.method in methods]

    @property
    def shown(self) -> list[Message]:
        """The bot's messages, oldest first, as they are now."""
        return [self.messages[number] for number in self.order]

    async def until(self, fact: Callable[[], Any], *, limit: float = WAIT) -> Any:
        """Wait until `fact` is true and return it; the loop goes on meanwhile."""
        return await asyncio.to_thread(self._until, fact, limit)

    def _until(self, fact: Callable[[], Any], limit: float) -> Any:
        end = time.monotonic() + limit
        with self.changed:
            while not (found := fact()):
                left = end - time.monotonic()
                assert left > 0, f"not within {limit} s; shown: {[m.text for m in self.shown][-6:]}"
                self.changed.wait(min(left, 0.2))
            return found

    # ---- what the bot calls

    def call(self, method: str, given: Json) -> Any:
        with self.changed:
            self.calls.append(Call(method, given, time.monotonic()))
            if self.revoked:
                raise Refused(401, "Unauthorized")
            for place, (limited, seconds) in enumerate(self.limits):
                if limited == method:
                    del self.limits[place]
                    raise Refused(429, f"Too Many Requests: retry after {seconds}", retry_after=seconds)
            answer = getattr(self, "_" + re.sub("[A-Z]", lambda found: f"_{found[0].lower()}", method), None)
            if answer is None:
                raise Refused(404, "Not Found")
            try:
                return answer(given)
            finally:
                self.changed.notify_all()

    def _get_me(self, _: Json) -> Json:
        return BOT

    def _get_updates(self, given: Json) -> list[Json]:
        if self.webhook.get("url"):
            raise Refused(409, "Conflict: can't use getUpdates method while webhook is active; use deleteWebhook")
        self._poller += 1
        mine = self._poller
        offset, end = int(given.get("offset", 0)), time.monotonic() + min(float(given.get("timeout", 0)), 20.0)
        self.updates[:] = [one for one in self.updates if one["update_id"] >= offset]
        self.changed.notify_all()
        while True:
            if self._poller != mine:
                raise Refused(409, "Conflict: terminated by other getUpdates request; make sure that only one bot runs")
            found = sorted(self.updates, key=lambda one: one["update_id"])[: int(given.get("limit", 100))]
            left = end - time.monotonic()
            if found or left <= 0 or self._closing:
                return found
            self.changed.wait(min(left, 0.5))

    def _set_webhook(self, given: Json) -> bool:
        if not given["url"].startswith("https://"):
            raise Refused(400, "Bad Request: bad webhook: An HTTPS URL must be provided for webhook")
        self.webhook = dict(given)
        return True

    def _get_webhook_info(self, _: Json) -> Json:
        return {"url": self.webhook.get("url", ""), "has_custom_certificate": False, "pending_update_count": 0}

    def _delete_webhook(self, _: Json) -> bool:
        self.webhook = {}
        return True

    def _set_my_commands(self, given: Json) -> bool:
        self.commands = given["commands"]
        for command in self.commands:
            if not 1 <= len(command["command"]) <= 32 or not 1 <= len(command["description"]) <= 256:
                raise Refused(400, "Bad Request: BOT_COMMAND_INVALID")
        if len(self.commands) > 100:
            raise Refused(400, "Bad Request: BOT_COMMANDS_TOO_MUCH")
        return True

    def _send_message(self, given: Json) -> Json:
        chat = int(given["chat_id"])
        if chat not in self.users:
            raise Refused(400, "Bad Request: chat not found")
        message = self._message(self._next_message, chat, given)
        self._next_message += 1
        self.messages[message.id] = message
        self.order.append(message.id)
        return self._told(message)

    def _edit_message_text(self, given: Json) -> Json:
        before = self.messages.get(int(given["message_id"]))
        if before is None or before.chat != int(given["chat_id"]):
            raise Refused(400, "Bad Request: message to edit not found")
        after = self._message(before.id, before.chat, given)
        if (after.html, after.buttons, after.urls) == (before.html, before.buttons, before.urls):
            raise Refused(400, "Bad Request: message is not modified: specified new message content and reply markup")
        after.edits = before.edits + 1
        self.messages[after.id] = after
        return self._told(after)

    def _answer_callback_query(self, given: Json) -> bool:
        if given["callback_query_id"] not in self.queries:
            raise Refused(400, "Bad Request: query is too old and response timeout expired or query ID is invalid")
        self.queries.discard(given["callback_query_id"])
        if len(given.get("text", "")) > 200:
            raise Refused(400, "Bad Request: MESSAGE_TOO_LONG")
        self.toasts.append(given.get("text", ""))
        return True

    def _message(self, number: int, chat: int, given: Json) -> Message:
        html = str(given.get("text", ""))
        try:
            text = parsed(html) if given.get("parse_mode") == "HTML" else html
        except BadMarkup as e:
            raise Refused(400, f"Bad Request: can't parse entities: {e}") from e
        if not text.strip():
            raise Refused(400, "Bad Request: message text is empty")
        if len(text.encode("utf-16-le")) // 2 > LONGEST:
            raise Refused(400, "Bad Request: message is too long")
        markup = given.get("reply_markup") or {}
        buttons: dict[str, str] = {}
        urls: dict[str, str] = {}
        for row in markup.get("inline_keyboard", []):
            for button in row:
                if "url" in button:
                    urls[button["text"]] = button["url"]
                    continue
                if not 1 <= len(button["callback_data"].encode()) <= 64:
                    raise Refused(400, "Bad Request: BUTTON_DATA_INVALID")
                buttons[button["text"]] = button["callback_data"]
        return Message(number, chat, text, html, buttons, urls, bool(markup.get("force_reply")))

    def _told(self, message: Message) -> Json:
        chat = {"id": message.chat, "type": "private", "first_name": "Ada"}
        return {"message_id": message.id, "date": int(time.time()), "chat": chat, "text": message.text}


class _Http(ThreadingHTTPServer):
    daemon_threads = True
    api: BotApi

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A bot that is killed in the middle of a call is what some tests are about."""


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: _Http

    def do_GET(self) -> None:
        self.do_POST()

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        token, _, method = self.path.removeprefix("/bot").partition("/")
        api = self.server.api
        try:
            if token != TOKEN:
                raise Refused(401 if ":" in token else 404, "Unauthorized" if ":" in token else "Not Found")
            result = api.call(method, self._given(body))
        except Refused as e:
            answer: Mapping[str, Any] = {"ok": False, "error_code": e.code, "description": e.description}
            if e.parameters:
                answer = {**answer, "parameters": e.parameters}
            self._answer(e.code, answer)
            return
        while method in api.held:
            time.sleep(0.01)
        if method in api.losses:
            api.losses.remove(method)
            self.close_connection = True
            self.connection.close()
            return
        self._answer(200, {"ok": True, "result": result})

    def _given(self, body: bytes) -> Json:
        if "json" in self.headers.get("content-type", ""):
            return dict(json.loads(body or b"{}"))
        given: Json = dict(parse_qsl(body.decode(), keep_blank_values=True))
        for name in ("reply_markup", "commands", "allowed_updates", "link_preview_options"):
            if name in given:
                given[name] = json.loads(given[name])
        return given

    def _answer(self, status: int, answer: Mapping[str, Any]) -> None:
        data = json.dumps(answer).encode()
        self.send_response(status)
        self.send_header("content-type", "application/json")
        self.send_header("content-length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)

    def log_message(self, format: str, *args: Any) -> None:
        """Say nothing: the calls are kept."""
