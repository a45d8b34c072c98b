import OpenAI from "openai";

const openai = new OpenAI();
const messages = [{ role: "user", content: "How warm is it in Paris?" }];
const parameters = { type: "object", properties: { city: { type: "string" } } };
const tools = [{ type: "function", function: { name: "get_weather", parameters } }];

const { choices } = await openai.chat.completions.create({ model: "gpt-5", messages, tools });
const [call] = choices[0].message.tool_calls;
messages.push(choices[0].message, { role: "tool", tool_call_id: call.id, content: '{"degrees":21}' });
const answer = await openai.chat.completions.create({ model: "gpt-5", messages, tools });
console.log(answer.choices[0].message.content);

await openai.chat.completions.create({ model: "gpt-broken", messages }).catch(({ message }) => {
  console.log(message);
});
