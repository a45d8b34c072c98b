import { Conversation, type Customer } from "./conversation.ts";

export const DESK = "aurora-desk";
export const RESEARCH = "aurora-research";

/** When the afternoon began, in minutes before its end. */
export const AFTERNOON_MINUTES = 240;

/** The desk on one afternoon: opens conversations, whose names say when they began. */
export class Desk {
  readonly end: Date;

  constructor(end: Date) {
    this.end = end;
  }

  /** The moment so many minutes before the end, in milliseconds since 1970. */
  before(minutes: number): number {
    return this.end.getTime() - Math.round(minutes * 60_000);
  }

  opens(
    minutes: number,
    topic: string,
    options: { customer?: Customer; namespace?: string; isTimed?: boolean } = {},
  ): Conversation {
    const begins = this.before(minutes);
    return new Conversation({ namespace: DESK, ...options, id: this.nameOf(minutes, topic), begins });
  }

  /** As `2026-11-22-1432-damaged-bag`, in UTC. */
  nameOf(minutes: number, topic: string): string {
    const [day, time = ""] = new Date(this.before(minutes)).toISOString().split("T");
    return `${day}-${time.slice(0, 5).replace(":", "")}-${topic}`;
  }
}

export type Story = (desk: Desk) => Conversation;
