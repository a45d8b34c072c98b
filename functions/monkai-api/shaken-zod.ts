// What wrangler.toml puts in the place of "zod" in a Worker. @hono/zod-openapi takes the whole of zod as a value to give
// its types a method, which keeps a bundler from leaving out what nobody uses: 65 KiB gzipped, most of it messages in
// forty languages. Here that value is the one type that it needs.
import { ZodType } from "../../node_modules/zod/v4/classic/external.js";

export * from "../../node_modules/zod/v4/classic/external.js";
export const z = { ZodType };
