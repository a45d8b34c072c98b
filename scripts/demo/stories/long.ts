import { booking, research, triage } from "../agents.ts";
import type { Story } from "../desk.ts";

/** Somebody goes away for two hours in the middle. */
export const twoHourGap: Story = (desk) => {
  const customer = { id: "cust-6102", name: "Elena Popescu", channel: "whatsapp" };
  return desk
    .opens(205, "back-after-two-hours", { customer })
    .customerSays("I need a room in Vienna from 3 to 5 December, near the opera.")
    .answers(triage, "Booking finds you one.")
    .handsOver(triage, booking, "Room in Vienna")
    .uses(
      booking,
      "search_hotels",
      { city: "Vienna", from: "2026-12-03", to: "2026-12-05", near: "opera" },
      {
        takes: 1120,
        result: {
          hotels: [
            { name: "Hotel Albrecht", night: "142.00" },
            { name: "Pension Oper", night: "98.00" },
          ],
        },
      },
    )
    .answers(booking, "Hotel Albrecht (142 EUR a night) or Pension Oper (98 EUR). Which one shall I take?")
    .customerSays("Wait, I have to ask my husband.", 40)
    .answers(booking, "Of course. I keep both for you until tonight.")
    .wait(2 * 60 * 60)
    .customerSays("He says the Pension. Sorry, he was in a meeting!", 30)
    .uses(
      booking,
      "book_hotel",
      { hotel: "Pension Oper", from: "2026-12-03", to: "2026-12-05", guests: 2 },
      {
        takes: 1780,
        result: { reference: "HT-55018", total: "196.00", currency: "EUR" },
      },
    )
    .answers(
      booking,
      "Booked: Pension Oper, 3 to 5 December, 196.00 EUR, reference HT-55018. Enjoy the opera!",
    )
    .isScored("helpful", true, "human");
};

/** A long chat: the last call has 40 messages, of which two are new. */
export const fortyMessages: Story = (desk) => {
  const customer = { id: "cust-7400", name: "Grace Adeyemi", channel: "whatsapp" };
  const chat = desk.opens(83, "honeymoon", { customer });
  for (const [question, answer] of HONEYMOON) chat.customerSays(question, 25).answers(booking, answer);
  return chat.isScored("csat", 5, "human", "Patient until the last question");
};

/** Twenty exchanges: the last call has the instructions, 38 messages of before, and the last question. */
const HONEYMOON: [string, string][] = [
  ["We marry in May! Where should we go for ten days?", "Congratulations! Beach, mountains or a city?"],
  ["Beach, but not only.", "Then the Azores, Crete or Madeira: sea, and hills to walk in."],
  ["Which is the warmest in May?", "Crete, with 24 degrees. Madeira has 21, the Azores 18."],
  ["Crete then. From Dublin?", "Direct to Heraklion on Saturdays and Wednesdays, 4 hours 40."],
  ["We marry on Saturday the 8th.", "Then Wednesday 12 May, with three days to recover?"],
  ["Perfect. And back?", "Saturday 22 May, at 14:20."],
  ["What does that cost for two?", "578 EUR with hand luggage, 666 EUR with two bags."],
  ["With bags. My dress for dinner needs room.", "Noted: two bags, 666 EUR."],
  ["Where do we stay?", "Five nights at the old harbour of Chania and five at the south coast?"],
  ["Can we have a pool?", "Casa Delfino has none, but Ammos Beach does, with a view of the sea."],
  ["Then Ammos first, and Chania after.", "Good: Ammos 12 to 17 May, Casa Delfino 17 to 22 May."],
  ["He is vegetarian. Is that a problem?", "Not in Crete. Both hotels cook without meat; I tell them."],
  ["And I cannot have nuts.", "Noted for both hotels and the flight: a nut allergy."],
  ["Do we need a car?", "For Samaria and Elafonisi, yes: 31 EUR a day, automatic 38 EUR."],
  ["Automatic, he only pretends to drive manual.", "Automatic it is, from the 17th to the 22nd."],
  ["Is the Samaria gorge open by then?", "Since 1 May, if it does not rain. 16 km, all downhill."],
  ["He hears 'all downhill' and says yes.", "I add the boat back from Agia Roumeli: 13 EUR each."],
  ["Can they decorate the room?", "Ammos puts flowers and wine there, with compliments."],
  ["You are lovely. Total?", "2,914 EUR for flights, hotels, car and boat."],
  [
    "Please hold it until tomorrow, I show it to him tonight.",
    "Held until tomorrow, 18:00, as HM-10877. Sweet dreams of Crete!",
  ],
];

/** A question about forty pages of rules, which go along with every call. */
export const longContext: Story = (desk) => {
  const customer = { id: "cust-8815", name: "Henrik Sørensen", channel: "email" };
  return desk
    .opens(127, "fare-rules", { customer })
    .customerSays(
      `Our agency's contract is below. May we rename a passenger in group fare G7?\n\n${fareRules()}`,
    )
    .answers(
      research,
      "Yes: section 67 allows it in G7, once, up to 72 hours before departure, for 45 EUR.",
      {
        takes: 9_240,
        reasoning: 1_480,
      },
    )
    .lastStepIsScored("grounded", 0.99, "llm", "Quotes section 67")
    .customerSays("And the first letter of the family name?", 70)
    .answers(research, "Free of charge up to three letters, by section 68.", { takes: 3_310, reasoning: 420 })
    .customerSays("Thanks. Is there anything on infants?", 40)
    .answers(research, "Section 112: infants of a group pay 10 percent and have no seat.", {
      takes: 3_050,
      reasoning: 390,
    });
};

function fareRules(): string {
  const topics = [
    "changes before departure",
    "refunds",
    "names of passengers",
    "luggage",
    "groups",
    "infants",
    "no-shows",
  ];
  const sections = Array.from({ length: 180 }, (_, index) => {
    const topic = topics[index % topics.length];
    return (
      `§ ${index + 1} (${topic}). In fare G${index % 9}, ${topic} are possible up to ${24 * (1 + (index % 5))} hours before ` +
      `departure against a fee of ${15 + (index % 7) * 5} EUR for each passenger and direction. What is not used is lost, unless the ` +
      `carrier cancels the flight or moves it by more than ${60 + (index % 4) * 30} minutes. Annex ${1 + (index % 12)} has the forms.`
    );
  });
  return sections.join("\n");
}
