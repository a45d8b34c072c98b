// What the app is measured against: the least that a Hono app can do with the same request.
import { Hono } from "hono";

const app = new Hono();
app.post("/v1/traces/llm", async (c) => c.json(await c.req.json()));

export default app;
