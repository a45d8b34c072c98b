/** A kind of personal data: what may be such data, and what becomes of it. */
interface PersonalData {
  /** Every quantifier is bounded, or can match in one way only, so that no text makes it slow. */
  find: RegExp;
  redact: (found: string) => string;
  /** Whether a bare number can be such data. */
  inNumbers?: boolean;
}

/** In the order in which they are looked for: the stricter form first. The placeholders are those of published clients. */
export const PERSONAL_DATA = {
  email: {
    find: /[\p{L}\p{N}._%+-]{1,64}@(?:[\p{L}\p{N}-]{1,63}\.){1,8}\p{L}{2,24}/gu,
    redact: () => "[EMAIL]",
  },
  cnpj: {
    find: /(?<!\w)[0-9A-Z]{2}\.?[0-9A-Z]{3}\.?[0-9A-Z]{3}\/?[0-9A-Z]{4}-?\d{2}(?!\w)/g,
    redact: (found) => (found.includes("/") || isCnpj(found) ? "[CNPJ]" : found),
    inNumbers: true,
  },
  cpf: {
    find: /(?<!\w)\d{3}[. ]?\d{3}[. ]?\d{3}[- ]?\d{2}(?!\w)/g,
    redact: (found) => (/^[\d.]{11}-\d{2}$/.test(found) || isCpf(found) ? "[CPF]" : found),
    inNumbers: true,
  },
  credit_card: {
    find: /(?<!\w)\d+(?:[ -]\d+)*(?!\w)/g,
    redact: redactCards,
    inNumbers: true,
  },
  rg: {
    find: /(?<![\w.])\d{1,2}\.\d{3}\.\d{3}-[\dXx](?!\w)|(?<=\bRG[\s:nNº°.]{1,6})\d[\d.]{4,11}(?:-?[\dXx])?(?!\w)/g,
    redact: () => "[RG]",
  },
  ipv6: {
    find: /(?<![\w:.])[0-9A-Fa-f:][0-9A-Fa-f:.]{1,44}(?<!\.)(?![\w:])/g,
    redact: (found) => (isIpv6(found) ? "[IP]" : found),
  },
  ipv4: {
    find: /(?<![\w.])(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)\.){3}(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?!\w|\.\d)/g,
    redact: () => "[IP]",
  },
  phone: {
    find: new RegExp(
      [
        /\+\d{1,3}[\s().-]{0,3}\d(?:[\s().-]{0,2}\d){6,13}(?!\w)/, // with a country's code
        /\(0?\d{2,3}\)[\s.-]?\d{3,5}[\s.-]?\d{4}(?!\w)/, // with an area's code in parentheses
        /(?<!\w)(?:55[\s.-]?)?[1-9]{2}[\s.-]?(?:9\d{4}|[2-5]\d{3})[\s.-]?\d{4}(?!\w)/, // Brazil, digits alone too
        /(?<!\w)9\d{4}[\s.-]\d{4}(?!\w)/, // Brazil, mobile without an area's code
        /(?<![\w-])\d{3}[\s.-]\d{3}[\s.-]\d{4}(?!\w)/, // North America
      ]
        .map(({ source }) => source)
        .join("|"),
      "g",
    ),
    redact: () => "[PHONE]",
  },
} as const satisfies Record<string, PersonalData>;

export type PersonalDataClass = keyof typeof PERSONAL_DATA;

/** A text without the data of these classes. */
export function redactText(text: string, classes: PersonalData[]): string {
  return classes.reduce((redacted, { find, redact }) => redacted.replace(find, redact), text);
}

/**
 * In groups of digits, those that follow each other and are a card's number together: 13 to 19 digits whose Luhn sum
 * is right. What stands before it or after it (a phone number, the card's code) is left alone.
 */
function redactCards(found: string): string {
  const groups = found.split(/[ -]/);
  const separators = ["", ...(found.match(/[ -]/g) ?? [])];
  let redacted = "";
  for (let start = 0; start < groups.length; ) {
    const length = cardLength(groups, start);
    redacted += `${separators[start]}${length > 0 ? "[CARD]" : groups[start]}`;
    start += Math.max(length, 1);
  }
  return redacted;
}

/** How many groups, from this one on, are a card's number: as many as can be, or none. */
function cardLength(groups: string[], start: number): number {
  let digits = "";
  let length = 0;
  for (let end = start; end < groups.length && digits.length < 19; end += 1) {
    digits += groups[end];
    if (digits.length >= 13 && digits.length <= 19 && passesLuhn(digits)) length = end - start + 1;
  }
  return length;
}

function isCpf(text: string): boolean {
  const digits = Array.from(text.replace(/\D/g, ""), Number);
  return (
    digits[9] === checkDigit(digits.slice(0, 9), 11) && digits[10] === checkDigit(digits.slice(0, 10), 11)
  );
}

/** Since July 2026 the first twelve may be letters: each counts as its ASCII code less that of 0. */
function isCnpj(text: string): boolean {
  const values = Array.from(text.replace(/\W/g, ""), (character) => character.charCodeAt(0) - 48);
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

function passesLuhn(digits: string): boolean {
  const counted = Array.from(digits, Number)
    .toReversed()
    .map((digit, place) => {
      const doubled = place % 2 === 1 ? digit * 2 : digit;
      return doubled > 9 ? doubled - 9 : doubled;
    });
  return counted.reduce((sum, digit) => sum + digit, 0) % 10 === 0;
}

/** Eight groups of hexadecimal digits, of which `::` stands for some; the last two may be an IPv4 address. */
function isIpv6(text: string): boolean {
  const [head = "", tail, more] = text.split("::");
  if (more !== undefined || (head === "" && !tail)) return false;
  const groups = [head, tail ?? ""].flatMap((part) => (part === "" ? [] : part.split(":")));
  const last = groups.at(-1) ?? "";
  const size = groups.length + (last.includes(".") ? 1 : 0);
  const valid = groups.every((group, place) =>
    group.includes(".") && place === groups.length - 1
      ? /^(?:\d{1,3}\.){3}\d{1,3}$/.test(group)
      : /^[0-9A-Fa-f]{1,4}$/.test(group),
  );
  return valid && (tail === undefined ? size === 8 : size < 8);
}
