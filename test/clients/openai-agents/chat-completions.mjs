import {
  Agent,
  BatchTraceProcessor,
  getGlobalTraceProvider,
  OpenAITracingExporter,
  Runner,
  setOpenAIAPI,
  setTraceProcessors,
  tool,
} from "@openai/agents";
import { z } from "zod";

const exporter = new OpenAITracingExporter({
  endpoint: `${process.env.MONKAI_URL}/traces/ingest`,
  apiKey: process.env.MONKAI_TRACER_TOKEN,
});
// Small batches: this run is told in many requests, and its trace in the first of them.
const batches = { maxBatchSize: 1, scheduleDelay: 20, exportTriggerRatio: 0.01 };
setTraceProcessors([new BatchTraceProcessor(exporter, batches)]);
setOpenAIAPI("chat_completions");

const get_weather = tool({
  name: "get_weather",
  description: "The weather in a city",
  parameters: z.object({ city: z.string() }),
  execute: async ({ city }) => ({ city, degrees: 21 }),
});
const forecaster = new Agent({ name: "Forecaster", model: "gpt-5", tools: [get_weather] });
const ask_forecaster = forecaster.asTool({
  toolName: "ask_forecaster",
  toolDescription: "Ask who knows the weather",
  parameters: z.object({ city: z.string() }),
});
const concierge = new Agent({ name: "Concierge", model: "gpt-5", tools: [ask_forecaster] });

const traceMetadata = { user_id: "user-1" };
const runner = new Runner({ workflowName: "hotel", groupId: "session-1", traceMetadata });
const { finalOutput } = await runner.run(concierge, "How warm is it in Paris?");
console.log(finalOutput);

const broken = new Agent({ name: "Broken", model: "gpt-broken" });
await runner.run(broken, "Are you there?").catch(({ message }) => console.log(message));
await getGlobalTraceProvider().forceFlush();
