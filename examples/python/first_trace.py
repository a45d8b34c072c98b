"""Traces an agent that hands over to another one, and prints what the two did."""

from trace_client import TraceClient

client = TraceClient()  # MONKAI_URL and MONKAI_TRACER_TOKEN say where and by whom
session = client.session("travel", user_id="ana", force_new=True)
question = [{"role": "user", "content": "How warm is it in Paris?"}]
client.llm(session, "gpt-4", question, "I'll ask our forecaster.", agent="concierge", tokens=(8, 6))
client.handoff(session, "concierge", "forecaster", reason="the weather")
client.tool(session, "get_weather", {"city": "Paris"}, {"degrees": 21}, agent="forecaster")
client.llm(session, "gpt-4", question, "It is 21 degrees.", agent="forecaster", tokens=(12, 7))
client.print_tree(session)
