import { LangfuseSpanProcessor } from "@langfuse/otel";
import { propagateAttributes, startActiveObservation } from "@langfuse/tracing";
import { NodeSDK } from "@opentelemetry/sdk-node";

const sdk = new NodeSDK({ spanProcessors: [new LangfuseSpanProcessor()] });
sdk.start();

async function answer(question) {
  await startActiveObservation(
    "ask-model",
    async (generation) => {
      generation.update({
        model: "gpt-5",
        input: [{ role: "user", content: question }],
        output: { role: "assistant", content: "It is 21 degrees in Paris." },
        usageDetails: { input: 101, output: 21 },
      });
    },
    { asType: "generation" },
  );
}

await propagateAttributes({ sessionId: "session-1", userId: "user-1" }, () =>
  startActiveObservation(
    "support-agent",
    async (agent) => {
      agent.update({ input: "How warm is it in Paris?" });
      await startActiveObservation(
        "weather-agent",
        async (weather) => {
          const tool = weather.startObservation("get_weather", { input: { city: "Paris" } }, { asType: "tool" });
          tool.update({ output: { degrees: 21 } }).end();
          const broken = weather.startObservation("get_tides", { input: {} }, { asType: "tool" });
          broken.update({ level: "ERROR", statusMessage: "There is no sea." }).end();
        },
        { asType: "agent" },
      );
      await answer("How warm is it in Paris?");
    },
    { asType: "agent" },
  ),
);
await sdk.shutdown();
