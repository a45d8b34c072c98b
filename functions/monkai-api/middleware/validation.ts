import type { Hook } from "@hono/zod-openapi";
import type * as z from "zod";
import { ApiError, type ErrorCode, shortened } from "../errors.ts";
import { isAbsent } from "../schemas/common.ts";
import type { AppEnv } from "../services.ts";

type Issue = z.core.$ZodIssue;

/** What a failed validation answers with: the first problem decides the code, the message names up to three. */
export function validationError(issues: Issue[], input: unknown): { code: ErrorCode; message: string } {
  const [first] = issues as [Issue];
  return {
    code: isMissing(first, input) ? "missing_field" : "invalid_payload",
    message: issues
      .slice(0, 3)
      .map((issue) => describe(issue, input))
      .join("; "),
  };
}

/** For every route: refuses what its schemas refuse. */
export const refuseInvalid: Hook<unknown, AppEnv, string, unknown> = (result) => {
  if (result.success) return;
  const input = (result as { data?: unknown }).data;
  const { code, message } = validationError(result.error.issues as Issue[], input);
  throw new ApiError(code, message);
};

/** The same, and all problems as `issues` beside the envelope. */
export const refuseWithIssues: Hook<unknown, AppEnv, string, undefined> = (result) => {
  if (result.success) return;
  const found = result.error.issues as Issue[];
  const { code, message } = validationError(found, (result as { data?: unknown }).data);
  const issues = found.map(({ path, message }) => ({ path, message }));
  throw new ApiError(code, message, { context: { issues } });
};

function describe(issue: Issue, input: unknown): string {
  const path = shortened(pathText(issue.path));
  if (issue.code === "unrecognized_keys") return path ? `${path}: ${issue.message}` : issue.message;
  const name = path || "body";
  if (isMissing(issue, input)) return `${name} ${issue.code === "custom" ? issue.message : "is required"}`;
  return `${name}: ${issue.message}`;
}

function isMissing(issue: Issue, input: unknown): boolean {
  if (issue.path.length === 0) return false;
  const value = issue.path.reduce<unknown>(
    (holder, key) => (holder as Record<PropertyKey, unknown> | null | undefined)?.[key],
    input,
  );
  return isAbsent(issue.path.at(-1), value);
}

/** `traces[2].input.messages` */
function pathText(path: PropertyKey[]): string {
  return path
    .map((key, depth) => (typeof key === "number" ? `[${key}]` : `${depth > 0 ? "." : ""}${String(key)}`))
    .join("");
}
