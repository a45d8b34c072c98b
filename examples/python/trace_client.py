"""A small client of the MonkAI Trace API. Python 3.9 or newer, nothing to install."""

from __future__ import annotations

import csv
import io
import json
import os
import time
import urllib.error
import urllib.parse
import urllib.request
import uuid
from http.client import HTTPException, HTTPResponse
from typing import Any, Callable, Iterator, Optional

Json = dict[str, Any]

CHUNK = PAGE = 100
PAUSES = (0.5, 2.0)  # Where the server does not say how long: limits are counted by the minute.
TIMEOUT = 15.0  # Three of them end before the server forgets the records that it has just stored: 60 seconds.
csv.field_size_limit(2**31 - 1)  # A cell may hold a whole conversation; Python's own limit is 128 KiB.
HINTS = {
    0: "Is the API there? `npm run dev` starts it on this machine, and MONKAI_URL says where it is.",
    401: "`npm run --silent token -- create --tenant demo` makes a token to put into MONKAI_TRACER_TOKEN.",
}


class TraceError(Exception):
    """A request that failed. Branch on `code`; `message` is for people, and `context` has what else was answered.

    `retry_after` is in seconds, on 429 and 503. Where no answer came, or not all of it, `status` is 0.
    """

    def __init__(self, status: int, code: str, message: str, request_id: str, context: Json) -> None:
        hint = f"\n{HINTS[status]}" if status in HINTS else ""
        super().__init__(f"{status} {code}: {message} (request {request_id}){hint}")
        self.status, self.code, self.message, self.request_id = status, code, message, request_id
        self.retry_after: Optional[float] = context.pop("retry_after", None)
        self.context = context


class TraceClient:
    """`base_url` ends in the version. It and the token are MONKAI_URL and MONKAI_TRACER_TOKEN, unless you say them."""

    def __init__(self, base_url: str = "", token: str = "", timeout: float = TIMEOUT) -> None:
        self._base_url = (base_url or os.environ.get("MONKAI_URL") or "http://127.0.0.1:8787/v1").rstrip("/")
        self._token, self._timeout = token or os.environ.get("MONKAI_TRACER_TOKEN", ""), timeout

    def session(self, namespace: str, user_id: str, **more: Any) -> str:
        """The id of the user's session that is going on, or of a new one. `force_new=True`: of a new one."""
        answer = self.call("POST", "/sessions/get-or-create", {"namespace": namespace, "user_id": user_id, **more})
        return answer["session_id"]

    # What happened, step by step. `more`: `agent`, `latency_ms`, `status`, `error`, `metadata`, ... as in /v1/docs.
    def llm(
        self, session: str, model: str, messages: list[Json], answer: Any,
        tokens: Optional[tuple[int, int]] = None, **more: Any,
    ) -> Json:
        """`tokens`: those of the messages, and those of the answer."""
        usage = {"usage": dict(zip(("prompt_tokens", "completion_tokens"), tokens))} if tokens else {}
        output = {"content": answer, **usage}
        return self._step("llm", session, model=model, input={"messages": messages}, output=output, **more)

    def tool(self, session: str, name: str, arguments: Json, result: Any = None, **more: Any) -> Json:
        return self._step("tool", session, tool_name=name, arguments=arguments, result=result, **more)

    def handoff(self, session: str, from_agent: str, to_agent: str, **more: Any) -> Json:
        return self._step("handoff", session, from_agent=from_agent, to_agent=to_agent, **more)

    def log(self, session: str, message: str, level: str = "info", **more: Any) -> Json:
        return self._step("log", session, message=message, level=level, **more)

    def batch(self, steps: list[Json]) -> list[Json]:
        """Many steps, 100 a request, each with its `type`. Gives what became of each, in their order."""
        chunks = (steps[start : start + CHUNK] for start in range(0, len(steps), CHUNK))
        answers = [self.call("POST", "/traces/batch", {"traces": chunk}) for chunk in chunks]
        return [result for answer in answers for result in answer["results"]]

    def trees(self, session: str) -> list[Json]:
        """The session's agents, each with its `steps` and, as `children`, those below it."""
        path = f"/sessions/{urllib.parse.quote(session, safe='')}/steps?limit=5000"
        pages = [self.call("GET", path)]
        while pages[-1].get("next_cursor"):
            pages.append(self.call("GET", f"{path}&cursor={urllib.parse.quote(pages[-1]['next_cursor'])}"))
        nodes = {trace["id"]: {**trace, "steps": [], "children": []} for trace in pages[0]["traces"]}
        for step in (step for page in pages for step in page["steps"]):
            nodes[step["trace_id"]]["steps"].append(step)
        for node in nodes.values():
            if node["parent_trace_id"] in nodes:
                nodes[node["parent_trace_id"]]["children"].append(node)
        return [node for node in nodes.values() if node["parent_trace_id"] not in nodes]

    def print_tree(self, session: str) -> None:
        for root in self.trees(session):
            _print_node(root, "")

    def upload_records(self, records: list[Json]) -> Json:
        """100 a request. Gives the sums of `inserted_count` and `dropped_count`: repetitions of the last minute."""
        return self._upload("/records/upload", "records", records)

    def upload_logs(self, logs: list[Json]) -> Json:
        """As `upload_records`, but all are kept: a chunk whose answer was lost is stored once more."""
        return self._upload("/logs/upload", "logs", logs)

    def query_records(self, namespace: str, **filters: Any) -> Iterator[Json]:
        """All that match `agent`, `session_id`, `start_date`, ..., page by page; `limit` is the size of a page."""
        return self._walk("/record_query", "records", filters, lambda query: {"namespace": namespace, "query": query})

    def query_logs(self, namespace: str, **filters: Any) -> Iterator[Json]:
        """As `query_records`, but by `level` and `resource_id`, too."""
        return self._walk("/logs/query", "logs", filters, lambda query: {"namespace": namespace, **query})

    def export_records(self, namespace: str, format: str = "json", **filters: Any) -> list[Json]:
        """All that match, in one answer: as they are (`json`), or as rows of text cells (`csv`)."""
        return self._export("/records/export", "records", {"namespace": namespace, "format": format, **filters})

    def export_logs(self, namespace: str, format: str = "json", **filters: Any) -> list[Json]:
        return self._export("/logs/export", "logs", {"namespace": namespace, "format": format, **filters})

    def call(self, method: str, path: str, body: Any = None, read: Callable[[HTTPResponse], Any] = json.load) -> Any:
        """Any endpoint. Up to three times, while the server fails, wants a pause, or the connection drops."""
        # The same at each try: a trace that was stored already is answered, and not stored again.
        request_id = str(uuid.uuid4())
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": "application/json"}
        headers.update({"X-Request-ID": request_id, "Idempotency-Key": request_id})
        data = None if body is None else json.dumps(body, allow_nan=False).encode()
        request = urllib.request.Request(self._base_url + path, data, headers, method=method)
        for pause in (*PAUSES, None):
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as response:
                    return read(response)
            except urllib.error.HTTPError as answer:
                error = _error_of(answer, request_id)
                if pause is None or (error.status < 500 and error.status != 429):
                    raise error from None
                pause = min(error.retry_after or pause, 60.0)
            # An export that breaks off after its status was sent ends as no JSON and no CSV ends.
            except (OSError, HTTPException, ValueError, csv.Error) as cause:
                if pause is None:
                    reason = str(getattr(cause, "reason", cause)) or type(cause).__name__
                    raise TraceError(0, "no_answer", f"{self._base_url}: {reason}", request_id, {}) from cause
            time.sleep(pause)

    def _step(self, kind: str, session: str, **fields: Any) -> Json:
        return self.call("POST", f"/traces/{kind}", {"session_id": session, **fields})

    def _upload(self, path: str, name: str, items: list[Json]) -> Json:
        sums = {"inserted_count": 0, "dropped_count": 0}
        for start in range(0, len(items), CHUNK):
            answer = self.call("POST", path, {name: items[start : start + CHUNK]})
            sums = {count: total + answer.get(count, 0) for count, total in sums.items()}
        return sums

    def _walk(self, path: str, name: str, filters: Json, body: Callable[[Json], Json]) -> Iterator[Json]:
        query = {"limit": PAGE, **filters}
        while True:
            answer = self.call("POST", path, body(query))
            yield from answer[name]
            # The cursor is an addition of this server: what arrives meanwhile shifts no page. Else pages are counted.
            if answer.get("next_cursor"):
                query = {**query, "cursor": answer["next_cursor"]}
                query.pop("offset", None)
            elif "cursor" in query or len(answer[name]) < query["limit"]:
                return
            else:
                query = {**query, "offset": query.get("offset", 0) + len(answer[name])}

    def _export(self, path: str, name: str, body: Json) -> list[Json]:
        return self.call("POST", path, body, _rows) if body["format"] == "csv" else self.call("POST", path, body)[name]


def _print_node(node: Json, indent: str) -> None:
    print(indent + node["agent"])
    for step in node["steps"]:
        said = "" if step["type"] == "handoff" else step["error"] or step["preview"]
        what = f"{step['type']} {step['name'] or ''}".strip()
        print(f"{indent}  {what}: {said}" if said else f"{indent}  {what}")
    for child in node["children"]:
        _print_node(child, indent + "    ")


def _rows(response: HTTPResponse) -> list[Json]:
    """The rows of a CSV, parsed while it arrives. `newline` leaves line breaks in cells as they are."""
    return list(csv.DictReader(io.TextIOWrapper(response, "utf-8", newline=""), strict=True))


def _error_of(answer: urllib.error.HTTPError, request_id: str) -> TraceError:
    """The error of an answer, also of one by something in between that does not know the envelope."""
    try:
        context = dict(json.load(answer))
    except (TypeError, ValueError, OSError, HTTPException):
        context = {}
    told = context.pop("error", None)
    told = dict(told) if isinstance(told, dict) else {"message": told or answer.reason}
    code = told.pop("code", "internal_error" if answer.code >= 500 else "bad_request")
    message, request_id = told.pop("message", answer.reason), told.pop("request_id", request_id)
    seconds = answer.headers.get("Retry-After", "")
    told["retry_after"] = float(seconds) if seconds.isdigit() else None
    return TraceError(answer.code, code, message, request_id, {**context, **told})
