import { Client, StreamableHTTPClientTransport } from "@modelcontextprotocol/client";
import type { Api } from "./tenant.ts";

/** The longest body that an agent may be sent, in bytes. */
export const LONGEST = 8_000;

export interface Said {
  text: string;
  isError: boolean;
}

/** An agent's client of the protocol, as its makers publish it, which measures each answer. */
export class Agent {
  readonly client: Client;
  /** The size of each answer so far. */
  readonly sizes: number[] = [];
  readonly #transport: StreamableHTTPClientTransport;

  constructor(api: Api, token: string, mode: "legacy" | "auto" = "auto") {
    this.client = new Client({ name: "test", version: "1.0.0" }, { versionNegotiation: { mode } });
    this.#transport = new StreamableHTTPClientTransport(new URL("http://api.test/v1/mcp"), {
      fetch: async (url, init) => {
        const response = await api(new URL(url).pathname, init);
        this.sizes.push((await response.clone().arrayBuffer()).byteLength);
        return response;
      },
      requestInit: { headers: { Authorization: `Bearer ${token}` } },
    });
  }

  async connect(): Promise<this> {
    await this.client.connect(this.#transport);
    return this;
  }

  async call(name: string, args: Record<string, unknown> = {}): Promise<Said> {
    const { content, isError = false } = await this.client.callTool({ name, arguments: args });
    const [said] = content as { type: string; text: string }[];
    return { text: said?.text ?? "", isError };
  }
}

export function agentOf(api: Api, token: string, mode?: "legacy" | "auto"): Promise<Agent> {
  return new Agent(api, token, mode).connect();
}
