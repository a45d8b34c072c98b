import { findSessions } from "./find-sessions.ts";
import { getUsage } from "./get-usage.ts";
import { listNames } from "./list-names.ts";
import { listNamespaces } from "./list-namespaces.ts";
import { readSteps } from "./read-steps.ts";
import { readTree } from "./read-tree.ts";
import { searchSteps } from "./search-steps.ts";
import type { Tool } from "./tool.ts";

/** All tools, in the order in which clients list them. Each is one file, and one call of the store. */
export const TOOLS: Tool[] = [
  getUsage,
  searchSteps,
  readSteps,
  findSessions,
  readTree,
  listNames,
  listNamespaces,
];
