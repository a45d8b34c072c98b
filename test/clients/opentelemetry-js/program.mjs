import { logs, SeverityNumber, SpanStatusCode, trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK();
sdk.start();

const tracer = trace.getTracer("weather");
const logger = logs.getLogger("weather");

/** A span as OpenTelemetry's GenAI conventions have it, around some work. */
function span(operation, name, attributes, work) {
  const all = { "gen_ai.operation.name": operation, ...attributes };
  return tracer.startActiveSpan(`${operation} ${name}`, { attributes: all }, async (span) => {
    try {
      await work(span);
    } catch (error) {
      span.recordException(error);
      span.setStatus({ code: SpanStatusCode.ERROR, message: error.message });
    }
    span.end();
  });
}

function agent(name, attributes, work) {
  return span("invoke_agent", name, { "gen_ai.agent.name": name, ...attributes }, work);
}

function chat(question, answer, tokens) {
  const message = (role, content) => JSON.stringify([{ role, parts: [{ type: "text", content }] }]);
  const attributes = {
    "gen_ai.provider.name": "openai",
    "gen_ai.request.model": "gpt-5",
    "gen_ai.input.messages": message("user", question),
  };
  return span("chat", "gpt-5", attributes, (call) => {
    call.setAttribute("gen_ai.output.messages", message("assistant", answer));
    call.setAttribute("gen_ai.usage.input_tokens", tokens.input);
    call.setAttribute("gen_ai.usage.output_tokens", tokens.output);
  });
}

function tool(name, args, run) {
  const attributes = {
    "gen_ai.tool.name": name,
    "gen_ai.tool.call.id": `call-${args.city}`,
    "gen_ai.tool.call.arguments": JSON.stringify(args),
  };
  return span("execute_tool", name, attributes, (call) => {
    call.setAttribute("gen_ai.tool.call.result", JSON.stringify(run(args)));
  });
}

function weatherIn({ city }) {
  if (city !== "Paris") throw new TypeError(`There is no ${city}.`);
  return { degrees: 21 };
}

await agent("Planner", { "session.id": "session-1", "user.id": "user-1" }, async (planner) => {
  console.log(planner.spanContext().traceId);
  await chat("How warm is it?", "Where?", { input: 101, output: 21 });
  await agent("Researcher", {}, async () => {
    await tool("get_weather", { city: "Paris" }, weatherIn);
    await tool("get_weather", { city: "Atlantis" }, weatherIn);
    await chat("And in Paris?", "It is 21 degrees in Paris.", { input: 102, output: 22 });
  });
  logger.emit({ severityNumber: SeverityNumber.WARN, severityText: "WARN", body: "There is no Atlantis." });
});
await sdk.shutdown();
