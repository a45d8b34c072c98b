/** The desk: who works there, with which model, and what each is told to do. */
export interface Agent {
  name: string;
  model: string;
  provider: string;
  instructions: string;
}

const HOUSE =
  "You work at the support desk of Aurora Travel. Be brief and friendly, answer in the customer's language, and never promise " +
  "what a tool has not confirmed. Amounts are in the currency of the booking. ";

export const triage: Agent = {
  name: "triage",
  model: "gpt-4o-mini",
  provider: "openai",
  instructions: `${HOUSE}Find out what the customer needs and hand over to booking, billing or research. Answer easy questions yourself.`,
};

export const booking: Agent = {
  name: "booking",
  model: "gpt-4.1",
  provider: "openai",
  instructions: `${HOUSE}Find, book and change trips. Repeat dates and names before you book. Ask when there are two cities of one name.`,
};

export const billing: Agent = {
  name: "billing",
  model: "claude-sonnet-4-5",
  provider: "anthropic",
  instructions: `${HOUSE}Explain invoices and make refunds. Refunds above 500 need a person's approval.`,
};

export const research: Agent = {
  name: "research",
  model: "o4-mini",
  provider: "openai",
  instructions: `${HOUSE}Answer what needs looking up: visas, rules, weather, connections. Name your sources.`,
};

/** Our own small model, which nobody has a price for. */
export const tunedTriage: Agent = { ...triage, model: "desk-triage-7b", provider: "self-hosted" };
