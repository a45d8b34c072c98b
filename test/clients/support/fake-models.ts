import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { type Answer, type Asked, FakeModel } from "./fake-answers.ts";
import { chatCompletion, chatCompletionChunks } from "./fake-chat-completions.ts";
import { response, responseEvents } from "./fake-responses.ts";
import { listen, type Server } from "./server.ts";

/** Model calls to this one fail. */
const BROKEN = "gpt-broken";

/**
 * A model's endpoint as OpenAI has it (Chat Completions and Responses, streamed or not), without a model. It asks for each
 * tool once and then answers. The n-th answer has cost 100 + n and 20 + n tokens.
 */
export function startFakeModels(): Promise<Server> {
  const model = new FakeModel();
  const server = createServer(async (request, answer) => {
    const asked = await bodyOf(request);
    if (asked.model === BROKEN) return refuse(answer);
    const given = model.answerTo(asked);
    if (request.url?.endsWith("/chat/completions")) return sendChat(asked, given, answer);
    if (request.url?.endsWith("/responses")) return sendResponse(asked, given, answer);
    answer.writeHead(404).end();
  });
  return listen(server);
}

async function bodyOf(request: IncomingMessage): Promise<Asked> {
  const chunks = await request.toArray();
  return JSON.parse(Buffer.concat(chunks).toString() || "{}");
}

function refuse(answer: ServerResponse): void {
  const error = { message: "There is no such model.", type: "invalid_request_error", code: "model_not_found" };
  answer.writeHead(400, { "Content-Type": "application/json" }).end(JSON.stringify({ error }));
}

function sendChat(asked: Asked, given: Answer, answer: ServerResponse): void {
  if (!asked.stream) return sendJson(answer, chatCompletion(given));
  const lines = chatCompletionChunks(given).map((chunk) => `data: ${JSON.stringify(chunk)}\n\n`);
  sendEvents(answer, [...lines, "data: [DONE]\n\n"]);
}

function sendResponse(asked: Asked, given: Answer, answer: ServerResponse): void {
  if (!asked.stream) return sendJson(answer, response(given));
  sendEvents(
    answer,
    responseEvents(given).map((event) => `event: ${event.type}\ndata: ${JSON.stringify(event)}\n\n`),
  );
}

function sendJson(answer: ServerResponse, body: object): void {
  answer.writeHead(200, { "Content-Type": "application/json" }).end(JSON.stringify(body));
}

function sendEvents(answer: ServerResponse, events: string[]): void {
  answer.writeHead(200, { "Content-Type": "text/event-stream" }).end(events.join(""));
}
