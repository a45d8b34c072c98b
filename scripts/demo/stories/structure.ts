import { billing, booking, research, triage } from "../agents.ts";
import { RESEARCH, type Story } from "../desk.ts";

/** A client that knows its own tree: a plan, with two traces of other agents below it. */
export const claimedTree: Story = (desk) => {
  const trip = desk.opens(46, "conference-in-porto", {
    customer: { id: "cust-2786", name: "Lucía Fernández", channel: "email" },
    namespace: RESEARCH,
  });
  const plan = `${trip.id}-plan`;
  return trip
    .inTrace(plan)
    .customerSays("Twelve people to a conference in Porto, 9 to 11 March. Budget 9,000 EUR. Make me a plan.")
    .answers(research, "I look for flights and for hotels, and put them together.", { reasoning: 512 })
    .inTrace(`${trip.id}-flights`, plan)
    .uses(
      booking,
      "search_flights",
      { from: "MAD", to: "OPO", date: "2027-03-09", adults: 12 },
      {
        takes: 2210,
        result: { flights: [{ number: "AU 207", price: "138.00", seats: 14 }] },
      },
    )
    .answers(booking, "AU 207 has 14 seats at 138 EUR: 1,656 EUR each way.")
    .inTrace(`${trip.id}-hotels`, plan)
    .uses(
      booking,
      "search_hotels",
      { city: "Porto", from: "2027-03-09", to: "2027-03-11", rooms: 12 },
      {
        takes: 5020,
        error: { type: "UpstreamError", message: "502 from hotels.aurora.example: bad gateway" },
      },
    )
    .uses(
      booking,
      "search_hotels",
      { city: "Porto", from: "2027-03-09", to: "2027-03-11", rooms: 12 },
      {
        takes: 1930,
        result: { hotels: [{ name: "Casa do Douro", night: "118.00", rooms: 15 }] },
      },
    )
    .answers(booking, "Casa do Douro has 12 rooms at 118 EUR: 2,832 EUR for two nights.")
    .traceIsScored("retried", 1, "code")
    .inTrace(plan)
    .answers(
      research,
      "Flights 3,312 EUR, hotel 2,832 EUR, transfers about 400 EUR: 6,544 EUR of your 9,000.",
      { reasoning: 704 },
    )
    .traceIsScored("complete", 0.9, "llm", "Says nothing of dinner");
};

/** A client that tells no times: all is as of its arrival, in the order in which it was sent. */
export const untimed: Story = (desk) =>
  desk
    .opens(2, "times-not-told", {
      customer: { id: "cust-3050", name: "Sam Patel", channel: "voice" },
      isTimed: false,
    })
    .customerSays("(phone) What time does check-in close for AU 318?")
    .uses(
      triage,
      "flight_status",
      { flight: "AU 318" },
      { result: { status: "on time", check_in_closes: "17:35" } },
    )
    .answers(triage, "At 17:35, and the flight is on time.")
    .logs("info", "Call ended after 48 s", "telephony");

/** A customer whose particulars are taken away at the end: see `purgedTraceOf`. */
export const forgetMe: Story = (desk) => {
  const chat = desk.opens(24, "please-forget-me", {
    customer: { id: "cust-4499", name: "Noor Jansen", channel: "web" },
  });
  return chat
    .inTrace(purgedTraceOf(chat.id))
    .customerSays("My passport number is NX84B1C72, born 4 April 1988. Is that enough to check in?")
    .answers(triage, "Yes. But please do not send me your passport here again.")
    .uses(
      triage,
      "check_in",
      { passport: "NX84B1C72", born: "1988-04-04" },
      { takes: 1410, result: { seat: "14C" } },
    )
    .answers(triage, "You are checked in, seat 14C.")
    .customerSays("Thanks. Then delete what I wrote, please.", 50)
    .answers(triage, "All that was said here is taken away at the end of our shift.");
};

export function purgedTraceOf(sessionId: string): string {
  return `${sessionId}-trace`;
}

/** All four agents, there and back. */
export const throughTheHouse: Story = (desk) => {
  const customer = { id: "cust-5633", name: "Marta Kowalska", channel: "web" };
  return desk
    .opens(19, "through-the-house", { customer })
    .logs("debug", "Conversation opened from the page of booking AU-90217", "web-widget")
    .customerSays(
      "My flight AU 644 was cancelled. I want another one tonight, my money for the hotel, and my rights.",
    )
    .answers(triage, "I am sorry! We do one after the other: the flight first.")
    .handsOver(triage, booking, "Cancelled AU 644, needs a flight tonight")
    .uses(booking, "flight_status", { flight: "AU 644" }, { result: { status: "cancelled", reason: "crew" } })
    .uses(
      booking,
      "rebook",
      { reference: "AU-90217", to: "AU 648" },
      {
        takes: 2930,
        error: { type: "SeatUnavailable", message: "409: AU 648 has no seat left in class Y" },
      },
    )
    .uses(
      booking,
      "rebook",
      { reference: "AU-90217", to: "AU 652" },
      {
        takes: 2210,
        result: { reference: "AU-90217", flight: "AU 652", departs: "22:10", seat: "9A" },
      },
    )
    .answers(booking, "You are on AU 652 at 22:10, seat 9A. Now to your rights.")
    .handsOver(booking, research, "What is owed for a cancellation by lack of crew")
    .uses(
      research,
      "search_rules",
      { regulation: "EC 261/2004", cause: "crew", km: 1180 },
      {
        takes: 1520,
        result: { compensation: "250.00", currency: "EUR", meals: true, hotel: "if overnight" },
      },
    )
    .answers(research, "Lack of crew is the airline's own risk: 250 EUR, and meals while you wait.", {
      reasoning: 860,
    })
    .handsOver(research, billing, "250 EUR by EC 261, and an unused hotel")
    .uses(
      billing,
      "refund",
      { reference: "HT-48120", amount: "131.00", currency: "EUR" },
      {
        takes: 1240,
        result: { refund: "rf-9021", state: "made" },
      },
    )
    .answers(billing, "The hotel's 131.00 EUR are refunded. The claim for 250 EUR is with the airline.")
    .handsOver(billing, triage, "All done")
    .answers(triage, "A new flight, your money and your claim: anything else?")
    .isScored("csat", 5, "human", "Everything in one go")
    .isScored("handoffs", 4, "code");
};
