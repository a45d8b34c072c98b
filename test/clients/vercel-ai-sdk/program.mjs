import { openai } from "@ai-sdk/openai";
import { OpenTelemetry } from "@ai-sdk/otel";
import { trace } from "@opentelemetry/api";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { generateText, registerTelemetry, stepCountIs, tool } from "ai";
import { z } from "zod";

const sdk = new NodeSDK();
sdk.start();
registerTelemetry(new OpenTelemetry());

const inputSchema = z.object({ city: z.string() });

const get_weather = tool({ inputSchema, execute: async ({ city }) => ({ city, degrees: 21 }) });

const get_tides = tool({
  inputSchema,
  execute: async ({ city }) => {
    throw new Error(`There is no sea in ${city}.`);
  },
});

const ask_forecaster = tool({
  inputSchema,
  execute: async ({ city }) => {
    const { text } = await generateText({
      model: openai("gpt-5"),
      tools: { get_weather, get_tides },
      stopWhen: stepCountIs(5),
      prompt: `How is it in ${city}?`,
      telemetry: { functionId: "forecaster" },
    });
    return text;
  },
});

const tracer = trace.getTracer("weather");
await tracer.startActiveSpan("request", async (span) => {
  span.setAttributes({ "session.id": "session-1", "user.id": "user-1" });
  const { text } = await generateText({
    model: openai("gpt-5"),
    tools: { ask_forecaster },
    stopWhen: stepCountIs(5),
    prompt: "How warm is it in Paris?",
    telemetry: { functionId: "concierge" },
  });
  console.log(text);

  await generateText({
    model: openai("gpt-broken"),
    prompt: "Are you there?",
    telemetry: { functionId: "broken" },
  }).catch((error) => console.log(error.message));
  span.end();
});
await sdk.shutdown();
