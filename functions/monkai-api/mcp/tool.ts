import * as z from "zod";
import { ApiError } from "../errors.ts";
import { validationError } from "../middleware/validation.ts";
import { requestBody } from "../schemas/common.ts";
import type { StoreRequest } from "../store/store-request.ts";

/** Where a tool reads from: the database as the caller's token sees it, and the clock. */
export interface Sources {
  store: StoreRequest;
  now: Date;
}

export interface Tool {
  name: string;
  /** As `tools/list` describes it. */
  describe(): object;
  /** The answer, as text. Throws ApiError for what the model asked wrongly, and for what the database refuses. */
  call(sent: unknown, sources: Sources): Promise<string>;
}

interface Definition<Input extends z.ZodObject> {
  name: string;
  title: string;
  description: string;
  /** Built when it is needed: a Worker that starts pays for no schema of a request that may never come. */
  input: () => Input;
  /** One call of the store, and its answer in words. */
  answer: (input: z.infer<Input>, sources: Sources) => Promise<string>;
}

/** A tool that reads: what all of them have in common, said once. */
export function tool<Input extends z.ZodObject>(definition: Definition<Input>): Tool {
  const { name, title, description, input, answer } = definition;
  return {
    name,
    describe: () => ({
      name,
      title,
      description,
      inputSchema: schemaOf(input()),
      annotations: { readOnlyHint: true, openWorldHint: false },
    }),
    async call(sent = {}, sources) {
      const read = requestBody(input()).safeParse(sent);
      if (read.success) return answer(read.data as z.infer<Input>, sources);
      const { code, message } = validationError(read.error.issues, sent);
      throw new ApiError(code, message);
    },
  };
}

/** As JSON Schema, without what a model learns nothing from: the dialect, how long a name may be, how large a number. */
function schemaOf(input: z.ZodObject): object {
  const { $schema: _, ...schema } = z.toJSONSchema(input, {
    io: "input",
    override: ({ jsonSchema }) => {
      delete jsonSchema.minLength;
      delete jsonSchema.maxLength;
      if (jsonSchema.maximum === Number.MAX_SAFE_INTEGER) delete jsonSchema.maximum;
    },
  });
  return schema;
}
