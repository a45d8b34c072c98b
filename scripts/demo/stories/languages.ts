import { billing, booking, research, triage } from "../agents.ts";
import type { Story } from "../desk.ts";

/** Portuguese of Brazil. */
export const milesInPortuguese: Story = (desk) => {
  const customer = { id: "5581998761234", name: "João Silva", channel: "whatsapp" };
  return desk
    .opens(169, "milhas", { customer })
    .customerSays("Oi! Minhas milhas da viagem de São Paulo a Recife não caíram até hoje. Dá pra ver isso?")
    .answers(triage, "Oi, João! Dá sim, vou chamar o pessoal do financeiro.")
    .handsOver(triage, billing, "Milhas não creditadas")
    .uses(
      billing,
      "get_miles",
      { customer: "5581998761234" },
      {
        result: { saldo: 12_480, pendentes: 1_940, previsão: "2026-11-25" },
      },
    )
    .answers(
      billing,
      "Achei: 1.940 milhas estão pendentes e caem até o dia 25 de novembro. Não precisa fazer nada.",
    )
    .customerSays("Que maravilha, valeu demais! 🙌", 25)
    .answers(billing, "Imagina! Boa viagem e até a próxima.")
    .isScored("csat", 5, "human", "Atendimento nota dez, até a avó aprovaria");
};

export const umrahInArabic: Story = (desk) => {
  const customer = { id: "cust-9120", name: "ليلى حداد", channel: "telegram" };
  return desk
    .opens(152, "arabic", { customer })
    .customerSays("مرحبا، أريد رحلة من باريس إلى جدة في شهر رمضان لشخصين مع فندق قريب من الحرم.")
    .answers(triage, "أهلا ليلى! سأحولك إلى زميلي في قسم الحجز.")
    .handsOver(triage, booking, "رحلة وفندق لشخصين")
    .uses(
      booking,
      "search_packages",
      { from: "CDG", to: "JED", month: "2027-02", adults: 2, قرب: "الحرم" },
      {
        takes: 1640,
        result: { packages: [{ hotel: "فندق النور", nights: 7, price: "1890.00", currency: "EUR" }] },
      },
    )
    .answers(
      booking,
      "وجدت باقة لسبع ليال في فندق النور (Hotel Al-Noor) على بعد 300 متر من الحرم بسعر 1,890 يورو. هل أحجزها؟",
    )
    .customerSays("نعم من فضلك، ونافذة تطل على الشارع.", 55)
    .uses(
      booking,
      "book_package",
      { package: "فندق النور", adults: 2 },
      {
        takes: 2010,
        result: { reference: "PK-30415", state: "confirmed" },
      },
    )
    .answers(booking, "تم الحجز، الرقم PK-30415. رحلة مباركة!")
    .isScored("helpful", true, "human");
};

/** Chinese; the provider refuses a call for its own limit, and takes it a moment later. */
export const connectionInChinese: Story = (desk) => {
  const customer = { id: "cust-9388", name: "陈伟", channel: "web" };
  return desk
    .opens(104, "chinese", { customer })
    .customerSays("你好，我在法兰克福转机只有55分钟，来得及吗？行李需要重新托运吗？")
    .answers(triage, "您好！我请同事帮您查一下。")
    .handsOver(triage, research, "法兰克福转机时间")
    .fails(
      research,
      { type: "RateLimitError", message: "429 from api.openai.com: requests per minute, try again in 1.2 s" },
      180,
    )
    .logs("warn", "The provider refused a call for its rate, waiting for 1.2 s", "llm-client")
    .wait(1.2)
    .uses(
      research,
      "minimum_connection",
      { airport: "FRA", from: "T1-B", to: "T1-Z" },
      {
        result: { minutes: 45, bags: "through" },
      },
    )
    .answers(research, "来得及：法兰克福1号航站楼内最短转机时间是45分钟，行李直挂到上海，不需要重新托运。", {
      reasoning: 320,
    })
    .customerSays("太好了，谢谢！", 20)
    .answers(research, "不客气，祝您旅途愉快！");
};

export const emoji: Story = (desk) => {
  const customer = { id: "cust-1517", name: "Zoé 🦄", channel: "sms" };
  return desk
    .opens(71, "emoji", { customer })
    .customerSays("🏖️☀️✈️❓ 2👩‍👩‍👧‍👦 💶⬇️")
    .answers(triage, "🌊 A beach holiday for four that costs little? Let me see… 🔎")
    .handsOver(triage, booking, "🏖️ for 👩‍👩‍👧‍👦, cheap")
    .uses(
      booking,
      "search_packages",
      { theme: "🏖️", adults: 2, children: 2, order: "price" },
      {
        takes: 990,
        result: { packages: [{ place: "Faro 🇵🇹", nights: 7, price: "1240.00", currency: "EUR" }] },
      },
    )
    .answers(
      booking,
      "🇵🇹 Faro, 7 nights, 2 adults and 2 children: 1,240 EUR, breakfast included 🥐. Book it?",
    )
    .customerSays("💯💯💯 👍🏽", 10)
    .answers(booking, "🎉 Held for you until tomorrow!")
    .isScored("csat", "🤩", "human");
};
