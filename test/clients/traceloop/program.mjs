import * as traceloop from "@traceloop/node-server-sdk";
import OpenAI from "openai";

traceloop.initialize({ appName: "weather", instrumentModules: { openAI: OpenAI } });

const openai = new OpenAI();
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];

const getWeather = (args) => traceloop.withTool({ name: "get_weather" }, async () => ({ ...args, degrees: 21 }), args);

async function agent(question) {
  const messages = [{ role: "user", content: question }];
  const { choices } = await openai.chat.completions.create({ model: "gpt-5", messages, tools });
  const [call] = choices[0].message.tool_calls;
  const weather = await getWeather(JSON.parse(call.function.arguments));
  messages.push(choices[0].message, { role: "tool", tool_call_id: call.id, content: JSON.stringify(weather) });
  const answer = await openai.chat.completions.create({ model: "gpt-5", messages, tools });
  return answer.choices[0].message.content;
}

const said = await traceloop.withAssociationProperties({ session_id: "session-1", user_id: "user-1" }, () =>
  traceloop.withAgent({ name: "weather-agent" }, agent, "How warm is it in Paris?"),
);
console.log(said);
await traceloop.forceFlush();
