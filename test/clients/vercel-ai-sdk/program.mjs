import { openai } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { generateText, registerTelemetry, stepCountIs, tool } from "ai";
import { z } from "zod";

const sdk = new NodeSDK();
sdk.start();
registerTelemetry(new OpenTelemetry());

const get_weather = tool({
  description: "The weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, degrees: 21 }),
});

const tracer = trace.getTracer("weather");
await tracer.startActiveSpan("request", async (span) => {
  span.setAttributes({ "session.id": "session-1", "user.id": "user-1" });
  const { text } = await generateText({
    model: openai("gpt-5"),
    tools: { get_weather },
    stopWhen: stepCountIs(5),
    prompt: "How warm is it in Paris?",
    telemetry: { functionId: "weather-agent" },
  });
  console.log(text);

  await generateText({
    model: openai("gpt-broken"),
    prompt: "Are you there?",
    telemetry: { functionId: "broken-agent" },
  }).catch((error) => console.log(error.message));
  span.end();
});
await sdk.shutdown();
