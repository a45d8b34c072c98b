import { openai } from "@ai-sdk/openai";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { stepCountIs, streamText, tool } from "ai";
import { z } from "zod";

const sdk = new NodeSDK();
sdk.start();

const get_weather = tool({
  description: "The weather in a city",
  inputSchema: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, degrees: 21 }),
});

const { textStream } = streamText({
  model: openai("gpt-5"),
  tools: { get_weather },
  stopWhen: stepCountIs(5),
  prompt: "How warm is it in Paris?",
  experimental_telemetry: {
    isEnabled: true,
    functionId: "weather-agent",
    metadata: { sessionId: "session-1", userId: "user-1" },
  },
});
for await (const text of textStream) console.log(text);
await sdk.shutdown();
