import asyncio
import logging
import os

from monkai_trace import AsyncMonkAIClient, MonkAIClient
from monkai_trace.integrations.logging import MonkAILogHandler

URL = os.environ["MONKAI_URL"]
TOKEN = os.environ["MONKAI_TRACER_TOKEN"]

client = MonkAIClient(tracer_token=TOKEN, base_url=URL)
session = client.get_or_create_session(namespace="weather", user_id="user-1")

client.upload_record(
    namespace="weather",
    agent="concierge",
    messages=[
        {"role": "user", "content": "How warm is it in Paris? Write to me@example.com."},
        {"role": "assistant", "content": "One moment."},
    ],
    input_tokens=8,
    output_tokens=10,
    model="gpt-5",
    session_id=session["session_id"],
    transfers=[{"from": "concierge", "to": "forecaster", "reason": "the weather"}],
    external_user_id="user-1",
)


async def forecast() -> None:
    async with AsyncMonkAIClient(tracer_token=TOKEN, base_url=URL) as forecaster:
        await forecaster.upload_record(
            namespace="weather",
            agent="forecaster",
            messages={"role": "assistant", "content": "It is 21 degrees in Paris."},
            session_id=session["session_id"],
        )


asyncio.run(forecast())

handler = MonkAILogHandler(tracer_token=TOKEN, namespace="weather")
handler.client = client
logging.getLogger("weather").addHandler(handler)
logging.getLogger("weather").warning("Forecast given")
handler.flush()

records, logs = client.query_records("weather"), client.query_logs("weather")
print(records["count"], "records,", logs["count"], "log entries")
print(client.export_records("weather", format="csv", agent="forecaster"))
