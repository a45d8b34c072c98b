import { LangChainInstrumentation } from "@arizeai/openinference-instrumentation-langchain";
import * as CallbackManagerModule from "@langchain/core/callbacks/manager";
import { tool } from "@langchain/core/tools";
import { createReactAgent } from "@langchain/langgraph/prebuilt";
import { ChatOpenAI } from "@langchain/openai";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { z } from "zod";

const sdk = new NodeSDK();
sdk.start();
new LangChainInstrumentation().manuallyInstrument(CallbackManagerModule);

const getWeather = tool(async ({ city }) => JSON.stringify({ city, degrees: 21 }), {
  name: "get_weather",
  description: "The weather in a city",
  schema: z.object({ city: z.string() }),
});
const llm = new ChatOpenAI({ model: "gpt-5" });
const agent = createReactAgent({ llm, tools: [getWeather], name: "weather-agent" });

const question = { messages: [{ role: "user", content: "How warm is it in Paris?" }] };
const { messages } = await agent.invoke(question, { metadata: { session_id: "session-1" } });
console.log(messages.at(-1).content);

const broken = new ChatOpenAI({ model: "gpt-broken" });
await broken.invoke("Are you there?").catch(({ message }) => console.log(message));
await sdk.shutdown();
