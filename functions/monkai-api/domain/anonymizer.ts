import type { StoredItem } from "../store/traces.ts";
import { type CompiledRule, type CustomRule, compileRule } from "./custom-rule.ts";
import { isObject, type JsonObject } from "./json.ts";
import { PERSONAL_DATA, type PersonalDataClass, redactText } from "./personal-data.ts";
import { findUnstorable } from "./storable.ts";

/** A tenant's rules. Version 0: there are none. */
export interface AnonymizationRules {
  version: number;
  rules: { toggles: Record<string, boolean>; custom: CustomRule[] };
}

export const NO_RULES: AnonymizationRules = { version: 0, rules: { toggles: {}, custom: [] } };

/** What a toggle switches on. The last three are the names that published clients have for some classes. */
export const TOGGLES: Record<string, PersonalDataClass[]> = {
  cpf: ["cpf"],
  cnpj: ["cnpj"],
  email: ["email"],
  phone: ["phone"],
  credit_card: ["credit_card"],
  ipv4: ["ipv4"],
  ipv6: ["ipv6"],
  rg: ["rg"],
  brazilian_phone: ["phone"],
  card: ["credit_card"],
  ip: ["ipv4", "ipv6"],
};

/** What people and tools said. All else of an item's content (users, names, ids) is kept as it was sent. */
const SAID = new Set([
  "msg",
  "input",
  "output",
  "arguments",
  "result",
  "reason",
  "message",
  "custom_object",
  "metadata",
  "attachments",
]);

/** Members that say what a thing is. While they are plain words, they are part of the form and not of the content. */
const FORM = new Set(["role", "type", "tool_name", "internal_tool_type"]);
const PLAIN_WORD = /^[\p{L}_][\p{L}\p{M}_]*$/u;

/** How many characters a request's texts may grow by, all in all. */
const LARGEST_GROWTH = 8 * 1024 * 1024;

/** Takes personal data out of what is to be stored, by the rules of one tenant. */
export class Anonymizer {
  readonly version: number;
  readonly #classes: (typeof PERSONAL_DATA)[PersonalDataClass][];
  readonly #custom: CompiledRule[];
  #growth = 0;

  /** Throws when a custom rule cannot be compiled. */
  constructor({ version, rules }: AnonymizationRules) {
    this.version = version;
    const wanted = Object.entries(rules.toggles).flatMap(([toggle, on]) =>
      on ? (TOGGLES[toggle] ?? []) : [],
    );
    const names = Object.keys(PERSONAL_DATA) as PersonalDataClass[];
    this.#classes = names.filter((name) => wanted.includes(name)).map((name) => PERSONAL_DATA[name]);
    this.#custom = rules.custom.map(compileRule);
  }

  /** The items with what was said redacted, but for those that a client has redacted by these very rules. */
  anonymize(items: Partial<StoredItem>[]): Partial<StoredItem>[] {
    if (this.version === 0) return items;
    this.#growth = 0;
    return items.map((item) => {
      const { content } = item;
      if (!content || content.anonymization_version === this.version) return item;
      return { ...item, content: { ...this.#content(content), anonymization_version: this.version } };
    });
  }

  #content(content: JsonObject): JsonObject {
    const redacted = Object.entries(content).map(([name, said]) => {
      if (name === "transfers")
        return [name, (said as JsonObject[] | undefined)?.map((transfer) => this.#content(transfer))];
      return [name, SAID.has(name) ? this.#value(said) : said];
    });
    return Object.fromEntries(redacted);
  }

  #value(value: unknown): unknown {
    if (typeof value === "string") return this.#text(value);
    if (typeof value === "number") return this.#number(value);
    if (Array.isArray(value)) return value.map((member) => this.#value(member));
    return isObject(value) ? this.#object(value) : value;
  }

  #object(object: JsonObject): JsonObject {
    const redacted = new Map<string, unknown>();
    for (const [key, value] of Object.entries(object)) {
      const isForm = FORM.has(key) && typeof value === "string" && PLAIN_WORD.test(value);
      let name = PLAIN_WORD.test(key) ? key : this.#plainText(key);
      while (redacted.has(name)) name += "'";
      redacted.set(name, isForm ? value : this.#value(value));
    }
    return Object.fromEntries(redacted);
  }

  /** A text that is JSON, as the arguments of a tool call are, is redacted as what it stands for. */
  #text(text: string): string {
    const parsed = parsedJson(text);
    if (parsed === undefined) return this.#plainText(text);
    const redacted = JSON.stringify(this.#value(parsed));
    return this.#plainText(redacted === JSON.stringify(parsed) ? text : redacted);
  }

  #plainText(text: string): string {
    let redacted = redactText(text, this.#classes);
    for (const rule of this.#custom) {
      const before = redacted.length;
      redacted = rule.replace(redacted);
      this.#growth += Math.max(redacted.length - before, 0);
      if (this.#growth > LARGEST_GROWTH) throw new Error("The replacements are too long for this much text.");
    }
    return redacted;
  }

  #number(number: number): unknown {
    const text = String(number);
    const classes = this.#classes.filter((dataClass) => "inNumbers" in dataClass);
    const redacted = this.#custom.reduce((before, rule) => rule.replace(before), redactText(text, classes));
    return redacted === text ? number : redacted;
  }
}

/** The object or list that a text is the JSON of. */
function parsedJson(text: string): object | undefined {
  if (!/^\s*[[{]/.test(text)) return undefined;
  try {
    const parsed = JSON.parse(text);
    return findUnstorable(parsed) ? undefined : parsed;
  } catch {
    return undefined;
  }
}
