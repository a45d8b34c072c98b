import {
  Agent,
  BatchTraceProcessor,
  getGlobalTraceProvider,
  OpenAITracingExporter,
  Runner,
  setTraceProcessors,
  tool,
} from "@openai/agents";
import { z } from "zod";

const exporter = new OpenAITracingExporter({
  endpoint: `${process.env.MONKAI_URL}/traces/ingest`,
  apiKey: process.env.MONKAI_TRACER_TOKEN,
});
setTraceProcessors([new BatchTraceProcessor(exporter)]);

const get_weather = tool({
  name: "get_weather",
  description: "The weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, degrees: 21 }),
});
const get_tides = tool({
  name: "get_tides",
  description: "The tides at a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => {
    throw new Error(`There is no sea in ${city}.`);
  },
});
const forecaster = new Agent({ name: "Forecaster", model: "gpt-5", tools: [get_weather, get_tides] });
const triage = new Agent({ name: "Triage", model: "gpt-5", handoffs: [forecaster] });

const runner = new Runner({ workflowName: "weather", groupId: "session-1" });
const { finalOutput } = await runner.run(triage, "How warm is it in Paris?");
console.log(finalOutput);
await getGlobalTraceProvider().forceFlush();
