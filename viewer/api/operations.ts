import { get, getWith, post, type Query, remove } from "./client.ts";
import type {
  AnonymizationRules,
  Facets,
  LogList,
  ModelPrices,
  ScoreList,
  SessionList,
  StepList,
  StepSearch,
  Token,
  Trace,
  TraceList,
  Usage,
  WholeSession,
  WholeStep,
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

export const getUsage = (query: Query, signal: AbortSignal) => get<Usage>("/usage", query, signal);

export const getSteps = (query: Query, signal: AbortSignal) =>
  get<{ steps: WholeStep[] }>("/steps", query, signal);

export const getTrace = (id: string, signal: AbortSignal) => get<Trace>(`/traces/${inPath(id)}`, {}, signal);

export const purgeTraceContent = (id: string) => remove<Trace>(`/traces/${inPath(id)}/content`);

export const listScores = (query: Query, signal: AbortSignal) => get<ScoreList>("/scores", query, signal);
