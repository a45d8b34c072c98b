import { trace } from "@opentelemetry/api";
import { logs, SeverityNumber } from "@opentelemetry/api-logs";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK();
sdk.start();

const tracer = trace.getTracer("weather");
const logger = logs.getLogger("weather");

await tracer.startActiveSpan("Solo", async (span) => {
  span.setAttributes({ "gen_ai.operation.name": "invoke_agent", "gen_ai.agent.name": "Solo" });
  const attributes = { "gen_ai.operation.name": "chat", "gen_ai.request.model": "gpt-5" };
  const call = tracer.startSpan("chat gpt-5", { attributes });
  call.setAttributes({ "gen_ai.usage.input_tokens": 101, "gen_ai.usage.output_tokens": 21 });
  call.end();
  logger.emit({ severityNumber: SeverityNumber.INFO, body: { answered: true } });
  span.end();
});
await sdk.shutdown();
