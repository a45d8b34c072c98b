// Which patterns get which prices: worked out of all names and prices that the package has.
import { type Entry, entryFor, isMatch, namesOf, patternsOf } from "./patterns.ts";
import { type Price, type Provider, pricesAt, pricesOf, readProviders } from "./source.ts";

/** Those who sell models of their own: a name without a provider means theirs. */
const MAKERS = ["openai", "anthropic", "google", "mistral", "x-ai", "cohere", "moonshotai"];

/** Those whose names for the models of others are taken too, where nobody else sells by that name for another price. */
const HOSTS = ["aws", "groq"];

/** Those whose names our patterns must not price as another's. Mere resellers are left out: their names are the makers'. */
const OTHERS = [
  "avian",
  "azure",
  "baseten",
  "cerebras",
  "cloudflare",
  "deepseek",
  "doubleword",
  "fireworks",
  "huggingface_cerebras",
  "huggingface_fireworks-ai",
  "huggingface_groq",
  "huggingface_hyperbolic",
  "huggingface_nebius",
  "huggingface_novita",
  "huggingface_nscale",
  "huggingface_ovhcloud",
  "huggingface_sambanova",
  "huggingface_together",
  "novita",
  "ovhcloud",
  "perplexity",
  "together",
  "voyageai",
];

/** What is not paid for by tokens of text alone, or not by one price for all of the maker's customers. */
const OTHERWISE_PAID =
  /audio|realtime|transcribe|tts|image|whisper|-live|moderation|computer-use|:free|:extended|:thinking|gpt-oss|gemma|instruct|mixtral/;

/** Models that are called no more, and spellings that are no maker's. */
const BYGONE = [
  // OpenAI, and how Azure writes its names
  /^(text-)?(ada|babbage|curie|davinci)|^text-embedding-ada$/,
  /^gpt-3\.5.*(0301|0613|16k)|^gpt-4-(0314|0125|1106|32k|vision|turbo-0125|turbo-preview)/,
  /gpt-4\.5|^o1-(mini|preview)|^gpt-35|^gpt-5-\d(?!\d)/,
  // Anthropic: before Claude 3, Claude 3 but for Haiku, and `claude-4-sonnet` for `claude-sonnet-4`
  /^claude-(1|2|v|instant|3-sonnet|3-opus|4|5)|claude-v/,
  // Google
  /gemini-(1|2\.5-flash-preview|flash|pro)|-exp|-thinking|gemma-?(7b|2)/,
  // Mistral, xAI, Cohere, Moonshot
  /mistral-(tiny|7b)|open-mistral-7b|mistral-.*-(2312|2407)|mixtral-8x7b-32768/,
  /grok-2|grok-3.*-beta|^command$|command-light|aya-|moonshot-v1|kimi-k2(-0|-thinking|$)/,
  // Llama at Groq and Bedrock
  /llama-?2|llama-?3\.2|llama3|llama-guard|405b|specdec|llama-3\.1-70b|deepseek-r1-distill/,
];

const providers = await readProviders([...MAKERS, ...HOSTS, ...OTHERS]);
const [makers, hosts] = [MAKERS, HOSTS].map((ids) => providers.filter(({ id }) => ids.includes(id))) as [
  Provider[],
  Provider[],
];

/** What has to come out for a name. */
interface Expected {
  name: string;
  /** None: the name must have no price. */
  prices: Price[] | undefined;
}

const ofMakers = makers.flatMap(expectedOfMaker);
const expected = [...ofMakers, ...providers.flatMap(expectedOfSeller)];

/** The patterns with their prices. */
export const entries = withoutNeedless(withoutWrong([...makers.flatMap(ofMaker), ...hosts.flatMap(ofHost)]));

/** How many names they were tried on, and which of these get the price of another model: there must be none. */
export const tried = expected.length;
export const wrong = expected.filter((one) => wrongEntry(entries, one)).map(({ name }) => name);

/** What has a price in the package, and no pattern gives it one. */
export const unpriced = ofMakers
  .filter(({ name, prices }) => prices && !entryFor(entries, name))
  .map(({ name }) => name);

/** A maker's models by their names, also with its own in front, and tuned ones. */
function expectedOfMaker(maker: Provider): Expected[] {
  return namesOf(maker)
    .filter((name) => isOwn(maker, name))
    .flatMap((name) => [
      { name, prices: pricesUnlessLeftOut(maker, name) },
      { name: `${maker.id}/${name}`, prices: pricesUnlessLeftOut(maker, name) },
      ...tunedAt(maker, name).map((tuned) => ({ name: tuned, prices: pricesUnlessLeftOut(maker, tuned) })),
    ]);
}

/** OpenAI puts `ft:` before the names of models that were tuned, which cost more. */
function tunedAt({ id }: Provider, name: string): string[] {
  return id === "openai" ? [`ft:${name}:acme::1`] : [];
}

/** The names that are no maker's. */
function expectedOfSeller(seller: Provider): Expected[] {
  return namesOf(seller)
    .filter((name) => !makers.some((maker) => isOwn(maker, name) && pricesAt(maker, name)))
    .map((name) => ({ name, prices: pricesAt(seller, name) }));
}

function pricesUnlessLeftOut(maker: Provider, name: string): Price[] | undefined {
  return isLeftOut(name) ? undefined : pricesAt(maker, name);
}

function isLeftOut(name: string): boolean {
  return OTHERWISE_PAID.test(name) || isBygone(name);
}

function isBygone(name: string): boolean {
  return BYGONE.some((bygone) => bygone.test(name));
}

/** A maker's models, also behind anything, as in `openai/gpt-4o` or `models/gemini-2.5-pro`. */
function ofMaker(maker: Provider): Entry[] {
  return entriesOf(maker, (pattern) => {
    if (isLeftOut(pattern) || !isOwn(maker, pattern)) return [];
    if (pattern.startsWith("*") || isTelling(pattern)) return [pattern.replace(/^\**/, "*")];
    return [pattern, `*/${pattern}`];
  });
}

/** Bedrock's names begin with the maker, and a region before it; Groq's may stand behind its own. */
function ofHost(host: Provider): Entry[] {
  return entriesOf(host, (pattern) => {
    if (isBygone(pattern)) return [];
    if (host.id === "groq") return [pattern, `*groq/${pattern}`];
    return /^\**[a-z-]+\.[a-z]/.test(pattern) ? [pattern.replace(/^\**/, "*")] : [];
  });
}

function entriesOf(provider: Provider, patternsFor: (pattern: string) => string[]): Entry[] {
  return provider.models.flatMap((model) => {
    const prices = pricesOf(model);
    if (!prices) return [];
    return patternsOf(model.match)
      .flatMap(patternsFor)
      .map((pattern) => ({ model: pattern.toLowerCase(), prices }));
  });
}

/** Google sells Anthropic's models too. */
function isOwn({ id }: Provider, name: string): boolean {
  return id === "anthropic" || !name.includes("claude");
}

/** Whether other names hardly end like that: `gpt-4o` is, `o1` is not. */
function isTelling(pattern: string): boolean {
  return pattern.length > 4 && /-.*\d/.test(pattern);
}

/** Where a pattern gives a name a wrong price, it is held to the name's beginning, or left out. */
function withoutWrong(entries: Entry[]): Entry[] {
  const once = [...new Map(entries.toReversed().map((entry) => [entry.model, entry])).values()];
  const wrong = new Set(expected.map((one) => wrongEntry(once, one)));
  wrong.delete(undefined);
  if (wrong.size === 0) return once;
  return withoutWrong(once.flatMap((entry) => (wrong.has(entry) ? anchored(entry) : [entry])));
}

function wrongEntry(entries: Entry[], { name, prices }: Expected): Entry | undefined {
  const entry = entryFor(entries, name);
  return entry && JSON.stringify(entry.prices) !== JSON.stringify(prices) ? entry : undefined;
}

function anchored({ model, prices }: Entry): Entry[] {
  if (!/^\*\w[^/]*$/.test(model)) return [];
  const name = model.slice(1);
  return [name, `*/${name}`].map((pattern) => ({ model: pattern, prices }));
}

/** Leaves out what a more general pattern says as well. */
function withoutNeedless(entries: Entry[]): Entry[] {
  return entries.reduce((kept, entry) => {
    const without = kept.filter((one) => one !== entry);
    const names = [entry.model.replaceAll("*", ""), ...expected.map(({ name }) => name)];
    const needed = names.some((name) => {
      if (!isMatch(entry, name) || entryFor(kept, name) !== entry) return false;
      return JSON.stringify(entryFor(without, name)?.prices) !== JSON.stringify(entry.prices);
    });
    return needed ? kept : without;
  }, entries);
}
