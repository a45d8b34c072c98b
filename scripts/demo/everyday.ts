import { type Agent, billing, booking, research, triage } from "./agents.ts";
import type { Conversation, Customer } from "./conversation.ts";
import { AFTERNOON_MINUTES, type Desk } from "./desk.ts";
import { Random } from "./random.ts";

const CONVERSATIONS = 24;

const NAMES = [
  "Anna Keller",
  "Luca Moretti",
  "Sofia Rossi",
  "Omar Khalil",
  "Chloé Martin",
  "Peter Novák",
  "Ingrid Dahl",
  "Mateus Costa",
  "Fatima Zahra",
  "Daniel Cohen",
  "Yuki Tanaka",
  "Amara Okafor",
  "Ben Walsh",
  "Katya Ivanova",
  "Rosa Jiménez",
  "Nils Bakker",
];
const CITIES = [
  "Lisbon",
  "Oslo",
  "Naples",
  "Vienna",
  "Athens",
  "Dublin",
  "Prague",
  "Seville",
  "Bergen",
  "Kraków",
];
const CHANNELS = ["web", "whatsapp", "email", "web", "telegram"];

/** What may be told of one conversation: drawn once, so that question, tool and answer agree. */
interface Draw {
  city: string;
  price: string;
  reference: string;
  day: string;
  takes: number;
}

export interface Topic {
  name: string;
  agent: Agent;
  question: (draw: Draw) => string;
  tool: (draw: Draw) => [name: string, args: object, result: object];
  answer: (draw: Draw) => string;
  followUp: [question: string, answer: string];
}

export const TOPICS: Topic[] = [
  {
    name: "flight",
    agent: booking,
    question: ({ city, day }) => `Is there a morning flight to ${city} on ${day}?`,
    tool: ({ city, day, price }) => [
      "search_flights",
      { to: city, date: day, before: "12:00" },
      {
        flights: [
          { departs: "07:40", price },
          { departs: "10:15", price },
        ],
      },
    ],
    answer: ({ city, price }) => `Two: 07:40 and 10:15, each ${price} EUR to ${city}.`,
    followUp: ["The later one. I call again when my boss agrees.", "Fine. The price holds for 24 hours."],
  },
  {
    name: "seat",
    agent: booking,
    question: ({ reference }) => `Can I have a window seat on booking ${reference}?`,
    tool: ({ reference }) => ["change_seat", { reference, wish: "window" }, { seat: "17F", fee: "0.00" }],
    answer: () => "Yes, you have 17F now, free of charge.",
    followUp: ["Left or right?", "Right. In the evening you will see the sun set."],
  },
  {
    name: "invoice",
    agent: billing,
    question: ({ reference }) => `I need the invoice of ${reference} with our VAT number on it.`,
    tool: ({ reference, price }) => [
      "make_invoice",
      { reference, vat: true },
      { invoice: `IN-${reference}`, total: price },
    ],
    answer: ({ reference, price }) =>
      `IN-${reference} over ${price} EUR is in your mailbox, with your VAT number.`,
    followUp: ["Got it, thanks.", "You are welcome."],
  },
  {
    name: "refund-state",
    agent: billing,
    question: ({ reference }) => `Where is my refund for ${reference}? It has been a week.`,
    tool: ({ reference, price }) => [
      "refund_status",
      { reference },
      { state: "sent", amount: price, bank_days_left: 2 },
    ],
    answer: ({ price }) => `${price} EUR left us on Wednesday. Banks take up to two more days.`,
    followUp: ["And if it is not there on Friday?", "Then write again, and we trace the transfer."],
  },
  {
    name: "weather",
    agent: research,
    question: ({ city, day }) => `What should I pack for ${city} around ${day}?`,
    tool: ({ city }) => ["climate", { city, month: "December" }, { high: 11, low: 4, days_of_rain: 9 }],
    answer: ({ city }) =>
      `${city} has 4 to 11 degrees then, with rain on nine days: a warm coat and good shoes.`,
    followUp: ["An umbrella too?", "With that wind, rather a hood."],
  },
  {
    name: "pet",
    agent: research,
    question: ({ city }) => `Can my cat fly with me to ${city}? She weighs 5 kilos.`,
    tool: ({ city }) => [
      "search_rules",
      { topic: "pets in the cabin", city },
      { cabin_up_to_kg: 8, papers: ["passport", "rabies"] },
    ],
    answer: () =>
      "Yes, in the cabin, up to 8 kg with the bag. She needs a pet passport and a rabies vaccination.",
    followUp: ["She is vaccinated. What does it cost?", "55 EUR each way."],
  },
  {
    name: "late-bag",
    agent: research,
    question: ({ city, reference }) =>
      `My bag did not come to ${city} with me, booking ${reference}. Where is it?`,
    tool: ({ reference }) => [
      "find_bag",
      { reference },
      { seen_at: "MUC", at: "13:42", next_flight: "AU 330" },
    ],
    answer: () => "It stayed in Munich and comes with AU 330 tonight.",
    followUp: ["Can they bring it to my hotel?", "Yes, by noon tomorrow. They call before they come."],
  },
  {
    name: "voucher",
    agent: billing,
    question: ({ price }) => `I still have a voucher over ${price} EUR. Until when may I use it?`,
    tool: ({ price }) => ["get_voucher", { amount: price }, { valid_until: "2027-06-30", left: price }],
    answer: ({ price }) => `Until 30 June 2027, and all of the ${price} EUR are left.`,
    followUp: ["May my sister use it?", "Yes, it goes by its code and not by the name."],
  },
];

const FAILURES = [
  { type: "ConnectionReset", message: "connection to inventory.aurora.example was reset after 1204 bytes" },
  { type: "DeadlineExceeded", message: "no answer from inventory.aurora.example within 3 s" },
  { type: "ServiceUnavailable", message: "503 from inventory.aurora.example: overloaded, try again in 1 s" },
];

/** What most of an afternoon is made of: short questions with short answers. Some fail once, some are thanked for. */
export function everydayConversations(desk: Desk): Conversation[] {
  const random = new Random(20261122);
  return Array.from({ length: CONVERSATIONS }, (_, index) => {
    const topic = TOPICS[index % TOPICS.length] as Topic;
    const earliest = AFTERNOON_MINUTES - 8;
    const minutes = earliest - ((earliest - 8) / CONVERSATIONS) * index - random.next() * 4;
    return everyday(desk.opens(minutes, topic.name, { customer: someone(random) }), topic, random);
  });
}

/** One short conversation on a topic. */
export function everyday(chat: Conversation, topic: Topic, random: Random): Conversation {
  const draw = drawn(random);
  const { agent } = topic;
  const [tool, args, result] = topic.tool(draw);
  chat.customerSays(topic.question(draw), random.between(5, 30));
  chat
    .answers(triage, "One moment please, I pass you on.")
    .handsOver(triage, agent, `Question about: ${topic.name}`);
  if (random.next() < 0.17) {
    chat.uses(agent, tool, args, { takes: draw.takes * 3, error: random.oneOf(FAILURES) });
    chat.logs("warn", `${tool} failed, trying again`, "tools").wait(1);
  }
  chat.uses(agent, tool, args, { takes: draw.takes, result }).answers(agent, topic.answer(draw));
  if (random.next() < 0.6)
    chat.customerSays(topic.followUp[0], random.between(10, 90)).answers(agent, topic.followUp[1]);
  if (random.next() < 0.4) chat.isScored("csat", random.between(3, 5), "human");
  return chat;
}

function drawn(random: Random): Draw {
  return {
    city: random.oneOf(CITIES),
    price: `${random.between(49, 420)}.00`,
    reference: `AU-${random.between(10_000, 99_999)}`,
    day: `${random.between(10, 29)} December`,
    takes: random.between(180, 1900),
  };
}

function someone(random: Random): Customer {
  return {
    id: `cust-${random.between(1000, 9999)}`,
    name: random.oneOf(NAMES),
    channel: random.oneOf(CHANNELS),
  };
}
