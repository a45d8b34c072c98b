/** A kind of personal data. */
interface PersonalData {
  /** A text with a placeholder for each of them. */
  redact: (text: string) => string;
  /** Whether a bare number can be such data. */
  inNumbers?: boolean;
}

/** What stands between the groups of a number. */
const GAP = "[ .\\-/\\u00a0\\u2010-\\u2015]{0,3}";
/** Not in the middle of a word or a hash. A letter that is an escape's (`\n`, `%3D`) is no word's. */
const START = "(?<!\\d)(?<!(?<!\\\\|%\\d)[A-Za-z])";
const END = "(?![A-Za-z0-9])";

/**
 * In the order in which they are looked for: the stricter form first. The placeholders are those of published clients.
 * Every quantifier is bounded, so that the time grows with the text and no faster.
 */
export const PERSONAL_DATA = {
  email: {
    redact: replacing(
      /[\p{L}\p{M}\p{N}._%+'&-]{1,64}(?:@|%40)(?:[\p{L}\p{M}\p{N}_-]{1,63}\.){1,8}(?!(?:png|jpe?g|gif|svg|webp|t?gz|zip|service)\b)\p{L}{2,24}/gu,
      "[EMAIL]",
    ),
  },
  cnpj: {
    redact: replacing(
      new RegExp(
        `(?<!\\d)\\d{2}${GAP}\\d{3}${GAP}\\d{3}${GAP}\\d{4}${GAP}\\d{2}(?!\\d)|` +
          `${START}[0-9A-Z]{2}\\.?[0-9A-Z]{3}\\.?[0-9A-Z]{3}\\/?[0-9A-Z]{4}-?\\d{2}${END}`,
        "g",
      ),
      "[CNPJ]",
      (found) => /^\d{2}\.\d{3}\.\d{3}\/\d{4}-\d{2}$/.test(found) || isCnpj(found),
    ),
    inNumbers: true,
  },
  cpf: {
    redact: replacing(
      new RegExp(`(?<!\\d)\\d{3}${GAP}\\d{3}${GAP}\\d{3}${GAP}\\d{2}(?!\\d)`, "g"),
      "[CPF]",
      (found) => /^\d{3}\.\d{3}\.\d{3}-\d{2}$/.test(found) || isCpf(found),
    ),
    inNumbers: true,
  },
  credit_card: { redact: redactCards, inNumbers: true },
  rg: {
    redact: replacing(
      /(?<![\w.])(?:[A-Z]{2}-?)?\d{1,2}\.\d{3}\.\d{3}-[\dX](?!\w)|(?<![A-Z])[A-Z]{2}-?\d{1,2}\.\d{3}\.\d{3}(?![.\d])|(?<=\bR\.?G\.?[^\d\n]{0,12})\d[\d.]{4,11}(?:-?[\dX])?(?!\w)/gi,
      "[RG]",
    ),
  },
  ipv6: { redact: (text) => text.replace(/[0-9A-Fa-f:][0-9A-Fa-f:.]{1,60}/g, redactIpv6) },
  ipv4: {
    redact: replacing(
      /(?<![\d.]|[\d/]v|(?:version|[/v]) ?)(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\d|\.\d)/gi,
      "[IP]",
    ),
  },
  phone: {
    redact: replacing(
      new RegExp(
        [
          `(?<![\\w+])\\+[1-9]\\d{0,2}[ ().-]{0,3}\\d(?:[ ().-]{0,2}\\d){6,12}`, // with a country's code
          `\\((?:0?|0xx)[1-9]{2}\\)${GAP}(?:9${GAP})?\\d{4}${GAP}\\d{4}`, // Brazil
          `${START}(?:55${GAP})?[1-9]{2}${GAP}9${GAP}\\d{4}${GAP}\\d{4}`, // a mobile one
          `${START}(?:55${GAP})?[1-9]{2}[ .-]\\d{4}-\\d{4}`,
          `${START}55[1-9]{2}[2-5]\\d{7}`,
          `${START}9[1-9]\\d{3}-\\d{4}`, // without an area's code
          `${START}0800[ -]?\\d{3}[ -]?\\d{4}`,
          `\\([2-9]\\d{2}\\)${GAP}\\d{3}${GAP}\\d{4}`, // North America
          `${START}(?:1[-. ])?[2-9]\\d{2}[-.][2-9]\\d{2}[-.]\\d{4}`,
        ]
          .map((form) => `${form}${END}`)
          .join("|"),
        "g",
      ),
      "[PHONE]",
    ),
    inNumbers: true,
  },
} as const satisfies Record<string, PersonalData>;

export type PersonalDataClass = keyof typeof PERSONAL_DATA;

/** A text without the data of these classes. Full-width digits and letters are read as what they stand for. */
export function redactText(text: string, classes: PersonalData[]): string {
  const plain = text.replace(/[\uff01-\uff5e]/g, (wide) => String.fromCharCode(wide.charCodeAt(0) - 0xfee0));
  const redacted = classes.reduce((before, { redact }) => redact(before), plain);
  return redacted === plain ? text : redacted;
}

function replacing(find: RegExp, placeholder: string, isGenuine?: (found: string) => boolean) {
  return (text: string) =>
    text.replace(find, (found) => (isGenuine?.(found) === false ? found : placeholder));
}

const CARD_FORMS =
  /(?<!\d)(?:\d{13,19}|\d{4}([ .-]{1,2}|\u00a0)\d{4}\1\d{4}\1\d{1,7}|3[47]\d{2}[ .-]\d{6}[ .-]\d{5}|3\d{3}[ .-]\d{6}[ .-]\d{4})(?!\d)/g;

/** Where what looks like a card's number is none, another one may begin after its first group. */
function redactCards(text: string): string {
  const forms = new RegExp(CARD_FORMS);
  let redacted = "";
  let done = 0;
  for (let match = forms.exec(text); match; match = forms.exec(text)) {
    const [found] = match;
    if (isCard(found.replace(/\D/g, ""))) {
      redacted += `${text.slice(done, match.index)}[CARD]`;
      done = forms.lastIndex;
    } else {
      forms.lastIndex = match.index + found.search(/\D|$/);
    }
  }
  return redacted + text.slice(done);
}

/** An issuer's first digits, digits that are not all the same, and a right Luhn sum. */
function isCard(digits: string): boolean {
  const issued = digits.length === 13 ? /^4/ : /^(?:3|4|5|6|2[2-7])/;
  if (!issued.test(digits) || /^(\d)\1*$/.test(digits)) return false;
  let sum = 0;
  for (let place = 0; place < digits.length; place += 1) {
    const digit = Number(digits[digits.length - 1 - place]);
    const counted = place % 2 === 1 ? digit * 2 : digit;
    sum += counted > 9 ? counted - 9 : counted;
  }
  return sum % 10 === 0;
}

function isCpf(text: string): boolean {
  const digits = Array.from(text.replace(/\D/g, ""), Number);
  return (
    digits[9] === checkDigit(digits.slice(0, 9), 11) && digits[10] === checkDigit(digits.slice(0, 10), 11)
  );
}

/** Since July 2026 the first twelve may be letters: each counts as its ASCII code less that of 0. */
function isCnpj(text: string): boolean {
  const values = Array.from(text.replace(/[^0-9A-Z]/g, ""), (character) => character.charCodeAt(0) - 48);
  return (
    values[12] === checkDigit(values.slice(0, 12), 9) && values[13] === checkDigit(values.slice(0, 13), 9)
  );
}

/** The weights begin with 2 at the right end and go up to `highest`, then begin again. */
function checkDigit(values: number[], highest: number): number {
  const weighted = values.toReversed().map((value, place) => value * (2 + (place % (highest - 1))));
  const rest = weighted.reduce((sum, value) => sum + value, 0) % 11;
  return rest < 2 ? 0 : 11 - rest;
}

/** What was found may begin with the end of a word (`node:2001:db8::1`) and end with a colon or a point. */
function redactIpv6(found: string, at: number, text: string): string {
  const [, address = "", end = ""] = /^(.*?)([:.]?)$/.exec(found) ?? [];
  const complete = !address.endsWith(":") || address.endsWith("::");
  for (const [whole, start] of [
    [found, ""],
    [address, ""],
    [address.replace(/^[^:]*:/, ""), /^[^:]*:/.exec(address)?.[0] ?? ""],
  ] as const) {
    const before = start === "" ? (text[at - 1] ?? "") : "";
    if (complete && !/[\w]/.test(before) && isIpv6(whole)) return `${start}[IP]${whole === found ? "" : end}`;
  }
  return found;
}

/**
 * Eight groups of hexadecimal digits, of which `::` stands for some; the last two may be an IPv4 address. With `::` it
 * has a decimal digit, else it may be code (`db::add`). Eight pairs are the address of a device.
 */
function isIpv6(text: string): boolean {
  const [head = "", tail, more] = text.split("::");
  if (more !== undefined || (tail !== undefined && !/\d/.test(text))) return false;
  const groups = [head, tail ?? ""].flatMap((part) => (part === "" ? [] : part.split(":")));
  const last = groups.at(-1) ?? "";
  const size = groups.length + (last.includes(".") ? 1 : 0);
  const valid = groups.every((group, place) =>
    group.includes(".") && place === groups.length - 1
      ? /^(?:\d{1,3}\.){3}\d{1,3}$/.test(group)
      : /^[0-9A-Fa-f]{1,4}$/.test(group),
  );
  if (!valid) return false;
  return tail === undefined ? size === 8 && groups.some((group) => group.length !== 2) : size < 8;
}
