import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Answer, type Asked, FakeModel } from "./fake-answers.ts";
import { chatCompletion, chatCompletionChunks } from "./fake-chat-completions.ts";
import { messageEvents } from "./fake-messages.ts";
import { response, responseEvents } from "./fake-responses.ts";
import { listen, type Server } from "./server.ts";

/** Model calls to this one fail. */
const BROKEN = "gpt-broken";

/**
 * A model's endpoint as OpenAI has it (Chat Completions and Responses, streamed or not) and Anthropic (Messages, streamed),
 * without a model. It asks for each tool once and then answers. The n-th answer has cost 100 + n and 20 + n tokens.
 */
export function startFakeModels(): Promise<Server> {
  const model = new FakeModel();
  const server = createServer(async (request, answer) => {
    const asked = await bodyOf(request);
    const [path = ""] = request.url?.split("?") ?? [];
    if (asked.model === BROKEN) refuse(answer);
    else if (path.endsWith("/chat/completions")) sendChat(asked, model.answerTo(asked), answer);
    else if (path.endsWith("/responses")) sendResponse(asked, model.answerTo(asked), answer);
    else if (path.endsWith("/messages")) sendEvents(answer, messageEvents(model.answerTo(asked)).map(line));
    else answer.writeHead(404).end();
  });
  return listen(server);
}

async function bodyOf(request: IncomingMessage): Promise<Asked> {
  const chunks = await request.toArray();
  return JSON.parse(Buffer.concat(chunks).toString() || "{}");
}

function refuse(answer: ServerResponse): void {
  const error = {
    message: "There is no such model.",
    type: "invalid_request_error",
    code: "model_not_found",
  };
  answer.writeHead(400, { "Content-Type": "application/json" }).end(JSON.stringify({ error }));
}

function sendChat({ stream }: Asked, given: Answer, answer: ServerResponse): void {
  const lines = () => chatCompletionChunks(given).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  if (stream) sendEvents(answer, [...lines(), "data: [DONE]\n\n"]);
  else sendJson(answer, chatCompletion(given));
}

function sendResponse({ stream }: Asked, given: Answer, answer: ServerResponse): void {
  if (stream) sendEvents(answer, responseEvents(given).map(line));
  else sendJson(answer, response(given));
}

const line = (event: { type: string }) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`;

function sendJson(answer: ServerResponse, body: object): void {
  answer.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function sendEvents(answer: ServerResponse, events: string[]): void {
  answer.writeHead(200, { "Content-Type": "text/event-stream" }).end(events.join(""));
}
