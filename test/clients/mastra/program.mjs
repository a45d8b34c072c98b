import { Mastra } from "@mastra/core";
import { Agent } from "@mastra/core/agent";
import { createTool } from "@mastra/core/tools";
import { Observability } from "@mastra/observability";
import { OtelExporter } from "@mastra/otel-exporter";
import { z } from "zod";

const inputSchema = z.object({ city: z.string() });

const getWeather = createTool({
  id: "get_weather",
  description: "The weather in a city",
  inputSchema,
  execute: async ({ city }) => ({ city, degrees: 21 }),
});

const getTides = createTool({
  id: "get_tides",
  description: "The tides at a city",
  inputSchema,
  execute: async ({ city }) => {
    throw new Error(`There is no sea in ${city}.`);
  },
});

const forecaster = new Agent({
  id: "forecaster",
  name: "forecaster",
  description: "Knows the weather",
  instructions: "Look at the weather.",
  model: "openai/gpt-5",
  tools: { get_weather: getWeather, get_tides: getTides },
});

const concierge = new Agent({
  id: "concierge",
  name: "concierge",
  instructions: "Help the guests.",
  model: "openai/gpt-5",
  agents: { forecaster },
});

const broken = new Agent({
  id: "broken",
  name: "broken",
  instructions: "Answer.",
  model: "openai/gpt-broken",
  maxRetries: 0,
});

const agents = { concierge, broken };
const endpoint = `${process.env.MONKAI_URL}/traces`;
const headers = { Authorization: `Bearer ${process.env.MONKAI_TRACER_TOKEN}` };
const exporter = new OtelExporter({
  provider: { custom: { endpoint, headers, protocol: "http/protobuf" } },
  signals: { logs: false },
});
const configs = { otel: { serviceName: "weather", exporters: [exporter] } };
const mastra = new Mastra({ agents, observability: new Observability({ configs }) });

const tracingOptions = { metadata: { sessionId: "session-1", userId: "user-1" } };
const { text } = await mastra
  .getAgent("concierge")
  .generate("How warm is it in Paris?", { tracingOptions });
console.log(text);

await mastra
  .getAgent("broken")
  .generate("Are you there?", { tracingOptions })
  .catch((error) => console.log(error.message));
await mastra.shutdown();
