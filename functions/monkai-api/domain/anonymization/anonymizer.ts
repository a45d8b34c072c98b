import { isObject, type JsonObject } from "../json.ts";
import type { StepError } from "../step.ts";
import { type CompiledRule, type CustomRule, compileRule } from "./custom-rule.ts";
import { isJson, literalsReplaced } from "./json-text.ts";
import { PERSONAL_DATA, type PersonalDataClass, redactText } from "./personal-data.ts";

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

/** What people and tools said. All else of a step's content (users, names, ids) is kept as it was sent. */
const SAID = new Set([
  "msg",
  "messages_of_call",
  "system_instructions",
  "input",
  "output",
  "arguments",
  "result",
  "reason",
  "message",
  "custom_object",
  "metadata",
  "attachments",
  "comment", // of a score
  "text_value",
]);

/** Steps whose name is whatever a program made of it. Tools, and who takes over, are known by theirs, which are kept. */
const FREELY_NAMED = new Set(["llm", "agent", "span"]);

/** Words of the APIs of language models. As names of members, and as what `role` and `type` say, no rule changes them. */
const API_WORDS = new Set(
  (
    "role content sender from to reason timestamp tool_calls tool_call_id tool_name tool_use_id is_internal_tool internal_tool_type type text id name " +
    "function arguments input output messages message choices prompt usage model index finish_reason url image_url " +
    "user assistant system tool developer human ai tool_use tool_result thinking image file audio input_text output_text " +
    "parts tool_call tool_call_response side " +
    "web_search_call file_search_call code_interpreter_call function_call function_call_output reasoning"
  ).split(" "),
);
const FORM = new Set(["role", "type", "internal_tool_type", "side"]);

/** How many characters a request's texts may grow by, all in all. */
const LARGEST_GROWTH = 8 * 1024 * 1024;
/** Milliseconds for a request, where the clock runs while code does (it does not on Workers, which have a limit). */
const LONGEST = 10_000;

/** Takes personal data out of what is to be stored, by the rules of one tenant. */
export class Anonymizer {
  readonly version: number;
  readonly #classes: (typeof PERSONAL_DATA)[PersonalDataClass][];
  readonly #classesInNumbers: (typeof PERSONAL_DATA)[PersonalDataClass][];
  readonly #custom: CompiledRule[];

  /** Throws when a custom rule cannot be compiled. */
  constructor({ version, rules }: AnonymizationRules) {
    this.version = version;
    const wanted = Object.entries(rules.toggles).flatMap(([toggle, on]) =>
      on ? (TOGGLES[toggle] ?? []) : [],
    );
    const names = Object.keys(PERSONAL_DATA) as PersonalDataClass[];
    this.#classes = names.filter((name) => wanted.includes(name)).map((name) => PERSONAL_DATA[name]);
    this.#classesInNumbers = this.#classes.filter((dataClass) => "inNumbers" in dataClass);
    this.#custom = rules.custom.map(compileRule);
  }

  /**
   * The steps with what was said redacted, but for those that a client has redacted by these very rules. Throws when
   * that takes too long or makes them too large. `clock` gives milliseconds.
   */
  anonymize<Step extends Said>(steps: Step[], clock: () => number = Date.now): Step[] {
    if (this.version === 0) return steps;
    const redact = this.#redactor(clock);
    return steps.map((step) => {
      const { kind = "", name, content, error } = step;
      if (!content || content.anonymization_version === this.version) return step;
      return {
        ...step,
        content: { ...redactedContent(content, redact), anonymization_version: this.version },
        ...(error ? { error: redactedError(error, redact) } : {}),
        ...(name && FREELY_NAMED.has(kind) ? { name: redactedText(name, redact) } : {}),
      };
    });
  }

  /** Redacts the texts and numbers of one request, as long as they keep within its limits. */
  #redactor(clock: () => number): Redactor {
    const end = clock() + LONGEST;
    const checkTime = () => {
      if (clock() > end) throw new Error("The custom rules take too long for this much text.");
    };
    let growth = 0;
    const onMatch = (found: string, replacement: string) => {
      growth += replacement.length - found.length;
      if (growth > LARGEST_GROWTH) throw new Error("The replacements are too long for this much text.");
      checkTime();
    };
    // Before each rule too: the slowest ones are those that find nothing.
    const custom = (text: string) =>
      this.#custom.reduce((before, rule) => {
        checkTime();
        return rule.replace(before, onMatch);
      }, text);
    return {
      text: (text) => custom(redactText(text, this.#classes)),
      number: (text) => custom(redactText(text, this.#classesInNumbers)),
    };
  }
}

/** Where a step says something. One that was refused has neither. */
interface Said {
  kind?: string;
  name?: string;
  content?: JsonObject;
  error?: StepError;
}

interface Redactor {
  text: (text: string) => string;
  /** For the text of a number. */
  number: (text: string) => string;
}

function redactedContent(content: JsonObject, redact: Redactor): JsonObject {
  const redacted = Object.entries(content).map(([name, said]) => {
    if (name === "transfers")
      return [name, (said as JsonObject[]).map((each) => redactedTransfer(each, redact))];
    return [name, SAID.has(name) ? redactedValue(said, redact) : said];
  });
  return Object.fromEntries(redacted);
}

function redactedError({ type, message }: StepError, redact: Redactor): StepError {
  const redacted = { message: redactedText(message, redact) };
  return type === undefined ? redacted : { type: redactedText(type, redact), ...redacted };
}

function redactedValue(value: unknown, redact: Redactor): unknown {
  if (typeof value === "string") return redactedText(value, redact);
  if (typeof value === "number") {
    const text = String(value);
    const redacted = redact.number(text);
    return redacted === text ? value : redacted;
  }
  if (Array.isArray(value)) return value.map((member) => redactedValue(member, redact));
  return isObject(value) ? redactedObject(value, redact) : value;
}

function redactedTransfer({ from, to, ...said }: JsonObject, redact: Redactor): JsonObject {
  return { ...redactedObject(said, redact), from, to };
}

function redactedObject(object: JsonObject, redact: Redactor): JsonObject {
  const names = new RedactedNames(redact);
  const redacted = Object.entries(object).map(([name, value]) => [
    names.of(name),
    isForm(name, value) ? value : redactedValue(value, redact),
  ]);
  return Object.fromEntries(redacted);
}

/** A text that is JSON, as the arguments of a tool call are, is redacted as what it stands for, and else left as it is. */
function redactedText(text: string, redact: Redactor): string {
  if (!isJson(text)) return redact.text(text);
  return literalsReplaced(text, () => {
    const names = new RedactedNames(redact);
    return {
      name: (name) => names.of(name),
      text: (value, name) => (isForm(name, value) ? value : redactedText(value, redact)),
      number: (digits) => redactedNumber(digits, redact),
    };
  });
}

/** A number as it is written, and as it would be without an exponent: 5.2998224725E10. */
function redactedNumber(digits: string, redact: Redactor): string {
  const redacted = redact.number(digits);
  if (redacted !== digits) return redacted;
  const plain = String(Number(digits));
  const plainRedacted = redact.number(plain);
  return plainRedacted === plain ? digits : plainRedacted;
}

/** Whether a member's value is a word of an API, as `{"role": "user"}` has it. */
function isForm(name: string | undefined, value: unknown): boolean {
  return name !== undefined && FORM.has(name) && typeof value === "string" && API_WORDS.has(value);
}

/** The names of one object's members. Two that have become one are told apart: [EMAIL], [EMAIL]2. None becomes an API's word. */
class RedactedNames {
  readonly #redact: Redactor;
  readonly #known = new Map<string, string>();
  readonly #times = new Map<string, number>();

  constructor(redact: Redactor) {
    this.#redact = redact;
  }

  of(sent: string): string {
    const known = this.#known.get(sent);
    if (known !== undefined) return known;
    const redacted = API_WORDS.has(sent) ? sent : this.#redact.text(sent);
    let unique = redacted;
    while (this.#times.has(unique) || (unique !== sent && API_WORDS.has(unique))) {
      const time = (this.#times.get(redacted) ?? 1) + 1;
      this.#times.set(redacted, time);
      unique = `${redacted}${time}`;
    }
    this.#times.set(unique, 1);
    this.#known.set(sent, unique);
    return unique;
  }
}
