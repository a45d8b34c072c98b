"""Traces, uploads, reads back and compares, against the server of MONKAI_URL with the token MONKAI_TRACER_TOKEN."""

from __future__ import annotations

import json
import random
import re
import sys
import uuid
from datetime import datetime, timedelta, timezone
from typing import Any, Callable

from trace_client import Json, TraceClient, TraceError

RECORDS = 250
LOGS = 120
REPEATED = 100
BATCH = 130
# Sizes that divide nothing here: pages end in the middle of entries of one moment.
RECORDS_A_PAGE = 64
LOGS_A_PAGE = 49

CHANNELS = ["whatsapp", "web", "telegram", "slack", "email", "teams", "sms", "voice", "other"]
LEVELS = ["debug", "info", "warn", "error"]
INTERNAL_TOOLS = ["web_search_call", "file_search_call", "code_interpreter_call"]

TEXTS = [
    "plain",
    "=SUM(A1:A9)",
    "+55 21 99999-8888",
    "-1",
    "@everyone",
    "'single', \"double\" and \"\"doubled\"\" quotes; commas, too",
    "three\nlines\r\nof text\rand a\ttab",
    "\n\"starts with a line break\"\r\n",
    "São João, 日本語, العربية, e\u0301, 👩‍👩‍👧",
    "line separators \u2028 \u2029 \u0085 and a BOM \ufeff",
    "  spaces around  ",
    "back\\slash, \\n and \\u0041",
    '{"looks": "like JSON"}',
    "null",
    "00123",
]
LONG = "long, as conversations are \n" * 8_000

NUMBERS = {
    *("input_tokens", "output_tokens", "process_tokens", "memory_tokens", "total_tokens"),
    *("cached_input_tokens", "reasoning_tokens"),
}
NESTED = {"msg", "transfers", "attachments", "custom_object", "error"}
ENDS = {"inserted_at", "timestamp"}
MOMENTS = ENDS | {"started_at"}

# What some spreadsheet would run as a formula, or read as another cell's.
FORMULA = re.compile(r"\s*[=+\-@]|[\t\r\n]")


class Failed(Exception):
    """What was found is not what was expected."""


def check(holds: bool, message: str) -> None:
    if not holds:
        raise Failed(message)


def moment(text: str) -> datetime:
    """An RFC 3339 timestamp. Python reads a `Z`, and any number of decimals, only from 3.11 on."""
    match = re.fullmatch(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.(\d{1,6})\d*)?(Z|[+-]\d\d:\d\d)?", text)
    if match is None:
        raise Failed(f"{text!r} is not a timestamp")
    day, time, decimals, zone = match.groups()
    zone = "+00:00" if zone in (None, "Z") else zone
    return datetime.fromisoformat(f"{day}T{time}.{(decimals or '').ljust(6, '0')}{zone}")


def timestamp(number: int) -> str:
    """Five entries to each moment, written in each of the ways that are read."""
    first = datetime(2025, 10, 29, 15, 30, 3, 848_108, timezone.utc)
    at = first + timedelta(milliseconds=7_001 * (number // 5))
    elsewhere = timezone(timedelta(hours=-3))
    return [
        at.isoformat(),
        at.isoformat().replace("+00:00", "Z"),
        at.isoformat().replace("+00:00", ""),
        at.isoformat(" ").replace("+00:00", ""),
        at.astimezone(elsewhere).isoformat(),
    ][number % 5]


def message(number: int, text: str) -> Any:
    """A message in each of the forms that a record may have."""
    deep: list[Any] = [{"list": [1, 2.5, True, None, "", {"empty": {}, "none": []}]}]
    nested = {"text": text, "number": number, "deep": deep}
    function = {"name": "look_up", "arguments": '{"what": "ação"}'}
    call = {"id": f"call_{number}", "type": "function", "function": function}
    conversation = [
        {"role": "system", "content": text},
        {"role": "user", "content": [{"type": "text", "text": text}, nested], "sender": "Ana"},
        {"role": "assistant", "content": None, "sender": "bot", "tool_calls": [call], "refusal": None},
        {"role": "tool", "content": nested, "tool_call_id": call["id"], "tool_name": "look_up"},
        {
            "role": "assistant",
            "content": f"{number}: {text}",
            "is_internal_tool": True,
            "internal_tool_type": INTERNAL_TOOLS[number % len(INTERNAL_TOOLS)],
        },
    ]
    free_form = {"free": "form", **nested}
    forms = [conversation, conversation[1], conversation[3], conversation[4], free_form]
    # Each text in each form.
    return forms[number // len(TEXTS) % len(forms)]


def record(namespace: str, number: int) -> Json:
    """A record with every field of a ConversationRecord."""
    text = TEXTS[number % len(TEXTS)]
    return {
        "namespace": namespace,
        "agent": f"agent {number % 3}",
        "session_id": f"{namespace}-{number % 7}",
        "msg": message(number, LONG if number == 100 else text),
        "input_tokens": number,
        "output_tokens": 0,
        "process_tokens": 3,
        "memory_tokens": 2**31 - 1,
        "total_tokens": number + 3,
        "cached_input_tokens": number,
        "reasoning_tokens": 0,
        "transfers": [
            {"from": "triage", "to": "sales", "reason": text, "timestamp": timestamp(number)},
            {"from": "sales", "to": "support"},
        ],
        "inserted_at": timestamp(number),
        "user_id": f"{text}|{number}",
        "user_whatsapp": f"+5521{number:08}",
        "wam_id": f"wamid.{number}",
        "replied_whatsapp": f"wamid.{number - 1}",
        "attachments": [{"name": text, "size": number}, "https://example.com/?a=b&c=é", 7, None, [[text]]],
        "source": text,
        "model": text,
        "external_user_id": f"{text}|{number}",
        "external_user_name": f"{text}|João",
        "external_user_channel": CHANNELS[number % len(CHANNELS)],
        "status": "error",
        "error": {"type": f"Failed {number}", "message": text},
        "started_at": timestamp(number),
    }


def log(namespace: str, number: int) -> Json:
    """A log entry with every field of a LogEntry."""
    text = TEXTS[number % len(TEXTS)]
    deep = {"list": [text, None, {"half": 0.5}]}
    return {
        "namespace": namespace,
        "level": LEVELS[number % len(LEVELS)],
        "message": f"{text}|{number}",
        "timestamp": timestamp(number),
        "resource_id": f"resource {number}",
        "custom_object": {"text": text, "number": number, "deep": deep},
        "status": "ok",
        "started_at": timestamp(number),
    }


def from_cell(field: str, cell: str) -> Any:
    """The value of a CSV cell. An apostrophe keeps spreadsheets from reading a text as a formula."""
    if cell[:1] == "'" and FORMULA.match(cell[1:]):
        cell = cell[1:]
    if field in NUMBERS:
        return int(cell)
    return json.loads(cell) if field in NESTED else cell


def comparable(field: str, value: Any) -> Any:
    """Timestamps by their moment; the rest by its JSON, where `true` is not 1."""
    return moment(value) if field in MOMENTS else json.dumps(value, sort_keys=True, ensure_ascii=False)


def check_equal(way: str, key: str, sent: list[Json], got: list[Json]) -> None:
    """Checks that all came back once, unchanged, the newest first. Other fields may come as well."""
    by_key = {entry[key]: entry for entry in sent}
    keys = [entry[key] for entry in got]
    check(len(keys) == len(set(keys)), f"{way}: something came back twice")
    check(set(keys) == set(by_key), f"{way}: {len(keys)} came back, {len(by_key)} were expected")
    for entry in got:
        for field, value in by_key[entry[key]].items():
            where = f"{way}: {field} of {entry[key]}"
            check(field in entry, f"{where} is missing")
            same = comparable(field, entry[field]) == comparable(field, value)
            check(same, f"{where} is {short(entry[field])} instead of {short(value)}")
    at = next(field for field in ENDS if field in sent[0])
    moments = [moment(entry[at]) for entry in got]
    check(moments == sorted(moments, reverse=True), f"{way}: the newest should come first")


def short(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 300 else f"{text[:300]}..."


def check_csv(way: str, key: str, sent: list[Json], rows: list[Json]) -> None:
    fields = list(sent[0])
    for row in rows:
        # DictReader's sign for a row that is longer, or shorter, than the first.
        check(None not in row and None not in row.values(), f"{way}: rows differ in length")
        for field in fields:
            check(field in row, f"{way}: there is no column {field}")
            check(not FORMULA.match(row[field]), f"{way}: a spreadsheet runs {short(row[field])}")
    check_equal(way, key, sent, [{field: from_cell(field, row[field]) for field in fields} for row in rows])


def check_read_back(
    what: str, key: str, sent: list[Json], queried: list[Json], exported: list[Json], rows: list[Json]
) -> list[str]:
    """Checks the three ways to read. Returns the order in which all of them gave what was sent."""
    check_equal(f"{what} by query", key, sent, queried)
    check_equal(f"{what} as JSON", key, sent, exported)
    check_csv(f"{what} as CSV", key, sent, rows)
    order = [entry[key] for entry in queried]
    check(order == [entry[key] for entry in exported], f"{what}: a query and the JSON differ in their order")
    check(order == [row[key] for row in rows], f"{what}: a query and the CSV differ in their order")
    return order


def check_tree(client: TraceClient, namespace: str) -> None:
    """Traces steps of each kind, at once and in a batch, and reads the tree that they make."""
    session = client.session(namespace, user_id="user", force_new=True)
    asked = [{"role": "user", "content": "How warm is it in Paris?"}]
    client.llm(session, "gpt-4", asked, "One moment.", agent="concierge", tokens=(8, 2), timestamp=timestamp(0))
    client.handoff(session, "concierge", "forecaster", reason="the weather", timestamp=timestamp(5))
    client.tool(session, "get_weather", {"city": "Paris"}, {"degrees": 21}, timestamp=timestamp(10))
    client.log(session, "The cache is cold.", level="warn", timestamp=timestamp(15))
    answer = {"content": "It is 21 degrees in Paris."}
    steps = [{"type": "llm", "session_id": session, "output": answer, "timestamp": timestamp(20)}] * BATCH
    results = client.batch([*steps, {"type": "llm"}])
    check([result["status"] for result in results] == ["ok"] * BATCH + ["error"], f"a batch gave {results}")

    [root] = client.trees(session)
    [child] = root["children"]
    check(kinds(root) == ["concierge", "llm_call", "handoff"], f"the root is {short(root)}")
    told = ["forecaster", "tool_call", "log", *["llm_call"] * BATCH]
    check(kinds(child) == told, f"below it is {short(child)}")
    first = root["steps"][0]
    tokens = (first["input_tokens"], first["output_tokens"])
    check(tokens == (8, 2), f"the first call has {tokens} tokens")


def kinds(node: Json) -> list[str]:
    return [node["agent"], *(step["type"] for step in node["steps"])]


def refused(request: Callable[[], Any], status: int, code: str) -> TraceError:
    """The error of a request that must fail."""
    try:
        request()
    except TraceError as error:
        check((error.status, error.code) == (status, code), f"expected {status} {code}, got {error}")
        check(bool(error.request_id), f"{code} came without a request id")
        return error
    raise Failed(f"expected {status} {code}, but the request passed")


def run(client: TraceClient) -> str:
    namespace = f"python-{uuid.uuid4().hex}"
    records = [record(namespace, number) for number in range(RECORDS)]
    logs = [log(namespace, number) for number in range(LOGS)]

    # Not in the order of their time: the server sorts them.
    shuffled = random.Random(1)
    stored = client.upload_records(shuffled.sample(records, RECORDS))
    check(stored == {"inserted_count": RECORDS, "dropped_count": 0}, f"uploading records gave {stored}")
    stored = client.upload_logs(shuffled.sample(logs, LOGS))
    check(stored == {"inserted_count": LOGS, "dropped_count": 0}, f"uploading logs gave {stored}")
    again = client.upload_records(records[:REPEATED])
    check(again == {"inserted_count": 0, "dropped_count": REPEATED}, f"uploading records again gave {again}")

    order = check_read_back(
        "records",
        "wam_id",
        records,
        list(client.query_records(namespace, limit=RECORDS_A_PAGE)),
        client.export_records(namespace),
        client.export_records(namespace, "csv"),
    )
    check_read_back(
        "logs",
        "resource_id",
        logs,
        list(client.query_logs(namespace, limit=LOGS_A_PAGE)),
        client.export_logs(namespace),
        client.export_logs(namespace, "csv"),
    )

    of_agent = [entry for entry in records if entry["agent"] == "agent 1"]
    found = list(client.query_records(namespace, agent="agent 1"))
    check_equal("records of an agent", "wam_id", of_agent, found)
    errors = [entry for entry in logs if entry["level"] == "error"]
    check_csv("errors as CSV", "resource_id", errors, client.export_logs(namespace, "csv", level="error"))
    rest = list(client.query_records(namespace, limit=RECORDS_A_PAGE, offset=200))
    check([entry["wam_id"] for entry in rest] == order[200:], "offset 200 gave other records")

    incomplete = {"namespace": namespace, "msg": {"role": "user", "content": "Hello!"}}
    error = refused(lambda: client.upload_records([incomplete]), 400, "missing_field")
    check("agent" in error.message, f"the message does not name the field: {error.message}")
    stranger = TraceClient(token="tk_" + "0" * 48)
    refused(lambda: list(stranger.query_records(namespace)), 401, "invalid_token")

    check_tree(client, namespace)
    return f"uploaded {RECORDS} records and {LOGS} log entries, read back equal by query, JSON and CSV"


def main() -> int:
    try:
        print(run(TraceClient()))
        return 0
    except (Failed, TraceError) as failure:
        print(f"failed: {failure}", file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
