import { randomBytes } from "node:crypto";
import { once } from "node:events";
import type { AddressInfo } from "node:net";
import { serve } from "@hono/node-server";
import { App } from "@supabase/lite";
import { createPostgresConnection } from "@supabase/lite/postgres";
import { loopback } from "./ports.ts";

/** How to start the REST layer. */
export interface RestOptions {
  /** Logs in as `authenticator`. */
  databaseUrl: string;
  serviceKey: string;
  publishableKey?: string;
  /** What the JWTs of users are signed with. A random one when left out: nobody has any. */
  jwtSecret?: string;
  /** A free one when left out. */
  port?: number;
}

/** A running server. */
export interface Server {
  url: string;
  stop(): Promise<void>;
}

// @supabase/lite turns an argument into JSON before the driver does it a second time: leave its strings alone.
const jsonb = {
  to: 3802,
  from: [3802],
  serialize: (value: unknown) => (typeof value === "string" ? value : JSON.stringify(value)),
  parse: (text: string) => JSON.parse(text),
};

/** Starts what stands in for Supabase's REST layer. Only after the migrations: it reads the schema once. */
export async function startRest(options: RestOptions): Promise<Server> {
  process.env.DO_NOT_TRACK = "1";
  process.env.LITE_TELEMETRY = "0";
  const connection = createPostgresConnection({
    url: options.databaseUrl,
    postgresOptions: { max: 20, onnotice: () => {}, types: { jsonb } },
  });
  const app = new App({
    connection,
    auth: {
      enabled: false,
      publishable_key: options.publishableKey ?? "sb_publishable_unused",
      secret_key: options.serviceKey,
      // The one that it has by itself is known to everybody, who could sign that they are service_role.
      jwt_secret: options.jwtSecret ?? randomBytes(32).toString("hex"),
    },
    studio: { enabled: false },
    options: { server: { disableStudio: true, disableFallback: true } },
  });

  // The first request reads the schema and grants privileges, which several at once cannot: let it not be a client's.
  const headers = { apikey: options.serviceKey };
  const warmUp = await app.fetch(
    new Request("http://localhost/rest/v1/tenants?select=id&limit=0", { headers }),
  );
  if (!warmUp.ok) throw new Error(`the REST layer cannot read the schema (${warmUp.status})`);

  const server = serve({
    fetch: (request) => app.fetch(request),
    hostname: loopback,
    port: options.port ?? 0,
  });
  await once(server, "listening");
  const url = `http://${loopback}:${(server.address() as AddressInfo).port}`;

  return {
    url,
    async stop() {
      server.close();
      if ("closeAllConnections" in server) server.closeAllConnections();
      // Not connection.close(): that waits for whatever is still being asked.
      await connection.driver.end({ timeout: 1 });
    },
  };
}
