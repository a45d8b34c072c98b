import type { JsonObject } from "../json.ts";

/** How many characters of JSON are still to be repeated in a request, from step to step. */
export interface Room {
  left: number;
}

/** 10,000 steps of a resource as clients send them. Without a limit a few large resources would be gigabytes. */
const MOST_REPEATED = 16 * 1024 * 1024;

const TOLD_ONCE = "(too large to be repeated: see the first step of the same request)";

export function roomOfRequest(): Room {
  return { left: MOST_REPEATED };
}

/** What many steps have in common: the first one has it whole, and the others as far as there is room. */
export interface Shared {
  /** The same for the same members. */
  digest: string;
  ofNextStep: () => JsonObject;
}

export function shared(members: JsonObject, room: Room): Shared {
  const text = JSON.stringify(members);
  const instead = Object.fromEntries(Object.keys(members).map((name) => [name, TOLD_ONCE]));
  let isFirst = true;
  const ofNextStep = () => {
    if (!isFirst && text.length > room.left) return instead;
    isFirst = false;
    room.left -= text.length;
    return members;
  };
  return { digest: digestOf(text), ofNextStep };
}

/** 53 bits (cyrb53, public domain) and the length: nobody gains by two resources that are mistaken for one another. */
function digestOf(text: string): string {
  let [high, low] = [0xdeadbeef, 0x41c6ce57];
  for (let place = 0; place < text.length; place += 1) {
    const unit = text.charCodeAt(place);
    high = Math.imul(high ^ unit, 2654435761);
    low = Math.imul(low ^ unit, 1597334677);
  }
  high = Math.imul(high ^ (high >>> 16), 2246822507) ^ Math.imul(low ^ (low >>> 13), 3266489909);
  low = Math.imul(low ^ (low >>> 16), 2246822507) ^ Math.imul(high ^ (high >>> 13), 3266489909);
  return `${text.length}.${4294967296 * (2097151 & low) + (high >>> 0)}`;
}
