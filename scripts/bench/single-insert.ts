import {
  directInsert,
  newSenders,
  rowOf,
  type Sender,
  sendersOfOneSession,
  sendStep,
  sendStepWithKey,
} from "./agents.ts";
import { alternate, type Comparison, type Figure } from "./figures.ts";
import { perSecond } from "./load.ts";
import type { Settings } from "./settings.ts";
import { newTenant, type Stack, startOther, startStack, type Tenant } from "./stack.ts";

const IN_FLIGHT = 16;
const TOKENS = 8;

interface Bench {
  stack: Stack;
  tenant: Tenant;
  settings: Settings;
}

/** Section 1: `traces/llm` against what one would do without it, on the same stack. */
export async function singleInsert(settings: Settings): Promise<Figure[]> {
  const stack = await startStack();
  try {
    const tenant = await newTenant(stack, "bench", TOKENS);
    const bench = { stack, tenant, settings };
    return [
      await againstPlainWorker(bench),
      await againstDirectInsert(bench),
      await againstStraightforwardWorker(bench),
      await withoutContention(bench),
    ];
  } finally {
    await stack.stop();
  }
}

async function againstPlainWorker({ stack, tenant, settings }: Bench): Promise<Figure> {
  const worker = await startOther(stack, "plain-insert.ts");
  try {
    return {
      ...named("traces/llm : a Worker that only inserts the row"),
      ...(await compared(
        settings,
        sending(newSenders(tenant, IN_FLIGHT), (sender) => sendStep(stack.url, sender)),
        sending(newSenders(tenant, IN_FLIGHT), (sender) => sendStep(worker.url, sender)),
      )),
      goal: { atLeast: 0.7 },
      note: `${IN_FLIGHT} in flight, ${TOKENS} tokens, a session for each of those in flight; so are the lines below`,
    };
  } finally {
    await worker.stop();
  }
}

async function againstDirectInsert({ stack, tenant, settings }: Bench): Promise<Figure> {
  const insert = directInsert(stack);
  return {
    ...named("traces/llm : supabase-js insert"),
    ...(await compared(
      settings,
      sending(newSenders(tenant, IN_FLIGHT), (sender) => sendStep(stack.url, sender)),
      sending(newSenders(tenant, IN_FLIGHT), (sender) => insert(rowOf(tenant, sender))),
    )),
    goal: { atLeast: 0.5 },
    note: "from the client's own process, without any Worker",
  };
}

async function againstStraightforwardWorker({ stack, tenant, settings }: Bench): Promise<Figure> {
  const worker = await startOther(stack, "straightforward.ts");
  try {
    return {
      ...named("traces/llm : a straightforward edge function"),
      ...(await compared(
        settings,
        sending(newSenders(tenant, IN_FLIGHT), (sender) => sendStepWithKey(stack.url, sender)),
        sending(newSenders(tenant, IN_FLIGHT), (sender) => sendStepWithKey(worker.url, sender)),
      )),
      goal: { atLeast: 3 },
      note: "both with an Idempotency-Key; that one asks six times: token, limit, key, session, insert, remember",
    };
  } finally {
    await worker.stop();
  }
}

async function withoutContention({ stack, tenant, settings }: Bench): Promise<Figure> {
  const oneToken = { ...tenant, tokens: tenant.tokens.slice(0, 1) };
  const send = (sender: Sender) => sendStep(stack.url, sender);
  return {
    ...named("one token and one session : eight tokens, many sessions"),
    ...(await compared(
      settings,
      sending(sendersOfOneSession(oneToken, IN_FLIGHT), send),
      sending(newSenders(tenant, IN_FLIGHT), send),
    )),
    goal: { atLeast: 0.95 },
  };
}

function named(name: string) {
  return { section: 1, name, unit: "requests/s" };
}

/** What each of those in flight does over and over. */
function sending(senders: Sender[], send: (sender: Sender) => Promise<void>) {
  return (place: number) => send(senders[place % senders.length] as Sender);
}

async function compared(
  { rounds, seconds }: Settings,
  measure: (place: number) => Promise<void>,
  compare: (place: number) => Promise<void>,
): Promise<Comparison> {
  await perSecond(IN_FLIGHT, 1, measure);
  await perSecond(IN_FLIGHT, 1, compare);
  return alternate(
    rounds,
    () => perSecond(IN_FLIGHT, seconds, measure),
    () => perSecond(IN_FLIGHT, seconds, compare),
  );
}
