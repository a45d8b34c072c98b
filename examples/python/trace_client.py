"""A small client of the MonkAI Trace API. Python 3.9 or newer, nothing to install."""

from __future__ import annotations

import csv
import io
import json
import time
import urllib.error
import urllib.request
import uuid
from http.client import HTTPException, HTTPResponse
from typing import Any, Callable, Iterator, Optional

Json = dict[str, Any]

CHUNK = 100
PAGE = 100
PAUSES = (0.5, 2.0)
# Of one wait. Three of them end before the server forgets the records that it has just stored: 60 seconds.
TIMEOUT = 15.0

# A cell may hold a whole conversation; Python's own limit is 128 KiB, and the same for all readers.
csv.field_size_limit(2**31 - 1)


class TraceError(Exception):
    """A request that failed. Branch on `code`; `message` is for people.

    `context` has what else the answer says, such as `unregistered_namespaces` or `issues`. `retry_after` is
    in seconds, on 429. Where no answer came, or not all of it, `status` is 0 and `code` is `no_answer`.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        request_id: str,
        context: Optional[Json] = None,
        retry_after: Optional[int] = None,
    ) -> None:
        super().__init__(f"{status} {code}: {message} (request {request_id})")
        self.status = status
        self.code = code
        self.message = message
        self.request_id = request_id
        self.context = context or {}
        self.retry_after = retry_after


class TraceClient:
    """`base_url` ends in the version: `http://127.0.0.1:8787/v1`."""

    def __init__(self, base_url: str, token: str, timeout: float = TIMEOUT) -> None:
        self._base_url = base_url.rstrip("/")
        self._token = token
        self._timeout = timeout

    def upload_records(self, records: list[Json]) -> Json:
        """Uploads in chunks of 100. Gives the sums of `inserted_count` and `dropped_count` (repetitions).

        To upload again what may have been stored is safe for a minute: repetitions are dropped.
        """
        return self._upload("/records/upload", "records", records)

    def upload_logs(self, logs: list[Json]) -> Json:
        """Uploads in chunks of 100. Gives the sums of `inserted_count` and `dropped_count`.

        Log entries that repeat others are all kept: a chunk whose answer was lost is stored once more.
        """
        return self._upload("/logs/upload", "logs", logs)

    def query_records(self, namespace: str, **filters: Any) -> Iterator[Json]:
        """All records that match, fetched page by page.

        Filters: `agent`, `session_id`, `start_date`, `end_date`; `limit` is the size of a page (1 to 1000),
        `offset` where to begin.
        """
        return self._walk(
            "/record_query", "records", filters, lambda query: {"namespace": namespace, "query": query}
        )

    def query_logs(self, namespace: str, **filters: Any) -> Iterator[Json]:
        """All log entries that match; as `query_records`, but by `level` and `resource_id`."""
        return self._walk("/logs/query", "logs", filters, lambda query: {"namespace": namespace, **query})

    def export_records(self, namespace: str, format: str = "json", **filters: Any) -> list[Json]:
        """All records that match, in one answer: as they are (`json`), or as rows of text cells (`csv`).

        Filters: `agent`, `session_id`, `start_date`, `end_date`.
        """
        return self._export("/records/export", "records", namespace, format, filters)

    def export_logs(self, namespace: str, format: str = "json", **filters: Any) -> list[Json]:
        """All log entries that match; as `export_records`, but by `level` and `resource_id`."""
        return self._export("/logs/export", "logs", namespace, format, filters)

    def get_anonymization_rules(self) -> Json:
        """`{version, rules: {toggles, custom: [{name, pattern, replacement}]}}`."""
        return self._call("GET", "/anonymization-rules")

    def put_anonymization_rules(self, rules: Json, expected_version: Optional[int] = None) -> Json:
        """Replaces the rules. With the version that you read, it is 409 if they have changed since."""
        body = _given({"rules": rules, "expected_version": expected_version})
        return self._call("PUT", "/anonymization-rules", body)

    def _upload(self, path: str, name: str, items: list[Json]) -> Json:
        sums = {"inserted_count": 0, "dropped_count": 0}
        for start in range(0, len(items), CHUNK):
            answer = self._call("POST", path, {name: items[start : start + CHUNK]})
            for count in sums:
                sums[count] += answer.get(count, 0)
        return sums

    def _walk(self, path: str, name: str, filters: Json, body: Callable[[Json], Json]) -> Iterator[Json]:
        query = {"limit": PAGE, **_given(filters)}
        while True:
            answer = self._call("POST", path, body(query))
            page = answer[name]
            yield from page
            # The cursor is an addition of this server: what arrives meanwhile shifts no page.
            # Where there is none, pages are counted by `offset`.
            if answer.get("next_cursor"):
                query = {**query, "cursor": answer["next_cursor"]}
                query.pop("offset", None)
            elif "cursor" in query or len(page) < query["limit"]:
                return
            else:
                query = {**query, "offset": query.get("offset", 0) + len(page)}

    def _export(self, path: str, name: str, namespace: str, format: str, filters: Json) -> list[Json]:
        body = {"namespace": namespace, "format": format, **_given(filters)}
        if format == "csv":
            return self._call("POST", path, body, _rows)
        return self._call("POST", path, body)[name]

    def _call(
        self,
        method: str,
        path: str,
        body: Optional[Json] = None,
        read: Callable[[HTTPResponse], Any] = json.load,
    ) -> Any:
        """Sends a request: up to three times, while the server fails or the connection drops."""
        request_id = str(uuid.uuid4())
        headers = {"Authorization": f"Bearer {self._token}", "X-Request-ID": request_id}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = json.dumps(body, allow_nan=False).encode()
        request = urllib.request.Request(self._base_url + path, data, headers, method=method)
        for pause in (*PAUSES, None):
            try:
                with urllib.request.urlopen(request, timeout=self._timeout) as response:
                    return read(response)
            except urllib.error.HTTPError as answer:
                error = _error_of(answer, request_id)
                if error.status < 500 or pause is None:
                    raise error from None
            # An export that breaks off after its status was sent ends as no JSON and no CSV ends.
            except (OSError, HTTPException, ValueError, csv.Error) as cause:
                if pause is None:
                    reason = str(getattr(cause, "reason", cause)) or type(cause).__name__
                    raise TraceError(0, "no_answer", reason, request_id) from cause
            time.sleep(pause)


def _given(fields: Json) -> Json:
    return {name: value for name, value in fields.items() if value is not None}


def _rows(response: HTTPResponse) -> list[Json]:
    """The rows of a CSV, parsed while it arrives. `newline` leaves line breaks in cells as they are."""
    return list(csv.DictReader(io.TextIOWrapper(response, "utf-8", newline=""), strict=True))


def _error_of(answer: urllib.error.HTTPError, request_id: str) -> TraceError:
    """The error of an answer, also of one by something in between that does not know the envelope."""
    with answer:
        try:
            body = json.load(answer)
        except (ValueError, OSError, HTTPException):
            body = None
    context = dict(body) if isinstance(body, dict) else {}
    envelope = context.pop("error", None)
    envelope = dict(envelope) if isinstance(envelope, dict) else {"message": envelope or answer.reason}
    retry_after = answer.headers.get("Retry-After", "")
    return TraceError(
        answer.code,
        envelope.pop("code", "internal_error" if answer.code >= 500 else "bad_request"),
        envelope.pop("message", answer.reason),
        envelope.pop("request_id", request_id),
        {**context, **envelope},
        int(retry_after) if retry_after.isdigit() else None,
    )
