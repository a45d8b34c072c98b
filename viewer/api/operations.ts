import { get, getWith, post, type Query } from "./client.ts";
import type {
  AnonymizationRules,
  Facets,
  LogList,
  ModelPrices,
  SessionList,
  StepList,
  StepSearch,
  Token,
  TraceList,
  Usage,
  WholeSession,
} from "./types.ts";

const inPath = encodeURIComponent;

export const tryToken = (tried: string) => getWith<Token>(tried, "/token");

export const getToken = (signal: AbortSignal) => get<Token>("/token", {}, signal);

export const listNamespaces = (signal: AbortSignal) =>
  get<{ namespaces: { namespace: string }[] }>("/namespaces", {}, signal);

export const getFacets = (query: { namespace?: string }, signal: AbortSignal) =>
  get<Facets>("/facets", query, signal);

export const listSessions = (query: Query, signal: AbortSignal) =>
  get<SessionList>("/sessions", query, signal);

export const getSession = (id: string, signal: AbortSignal) =>
  get<WholeSession>(`/sessions/${inPath(id)}`, {}, signal);

export const listSessionSteps = (id: string, query: Query, signal: AbortSignal) =>
  get<StepList>(`/sessions/${inPath(id)}/steps`, query, signal);

export const getModelPrices = (signal: AbortSignal) => get<ModelPrices>("/model-prices", {}, signal);

export const getAnonymizationRules = (signal: AbortSignal) =>
  get<AnonymizationRules>("/anonymization-rules", {}, signal);

export const listTraces = (query: Query, signal: AbortSignal) => get<TraceList>("/traces", query, signal);

export const listTraceSteps = (id: string, query: Query, signal: AbortSignal) =>
  get<StepList>(`/traces/${inPath(id)}/steps`, query, signal);

export const searchSteps = (search: { namespace?: string; query: Query }, signal: AbortSignal) =>
  post<StepSearch>("/steps/query", search, signal);

export const queryLogs = (query: Query, signal: AbortSignal) => post<LogList>("/logs/query", query, signal);

export const getWholeSteps = <Whole>(ids: string[], signal: AbortSignal) =>
  get<{ steps: Whole[] }>("/steps", { ids: ids.join(",") }, signal);

export const getUsage = (query: Query, signal: AbortSignal) => get<Usage>("/usage", query, signal);
