import type { MasterKey } from "../../domain/content-keys.ts";
import type { JsonObject } from "../../domain/json.ts";
import type { MessageOfCall, StepRow } from "../../domain/step.ts";
import { ApiError } from "../../errors.ts";
import { Recent } from "../recent.ts";
import type { ScoreRow } from "../scores.ts";
import type { ListedSession } from "../sessions.ts";
import { cutToFit } from "./cut-to-fit.ts";
import { type DataKeyRow, MasterKeys, type WrappedKey } from "./master-keys.ts";
import { keyNumberOf, type Seal, type Sealed } from "./seal.ts";
import {
  boundId,
  messagesOfCall,
  type SealedContent,
  type SealedSummary,
  sealIn,
  sessionOf,
} from "./sealed-items.ts";
import { TenantKeys } from "./tenant-keys.ts";

const MOST_TOKENS = 1_000;

/** What content is written with: the seal, and how to tell the database of its key. */
export interface Writer {
  seal: Seal;
  work: { known_data_key: number; new_data_key?: WrappedKey };
}

/** The master keys, if there are any, and the data keys that an instance knows, by token. */
export interface KeysKnown {
  masters?: MasterKeys;
  byToken: Recent<TenantKeys>;
}

export function keysKnown(keys: [MasterKey, ...MasterKey[]] | undefined): KeysKnown {
  return { byToken: new Recent(MOST_TOKENS), ...(keys ? { masters: new MasterKeys(keys) } : {}) };
}

/**
 * Encrypts what a request stores and decrypts what it reads (docs/encryption.md). It knows the data keys of its tenant from
 * the answers of the database, which has the last word on them: it tells them where they are not known here, and stores
 * nothing that was not encrypted with the newest one. Without master keys nothing is encrypted, and what is cannot be read.
 */
export class ContentSeal {
  readonly #known: KeysKnown;
  readonly #tokenHash: string;
  readonly #learn: () => Promise<void>;
  #keys: TenantKeys | undefined;
  #learning: Promise<void> | undefined;

  /** `learn` asks the database, which tells the keys that are not known here. */
  constructor(known: KeysKnown, tokenHash: string, learn: () => Promise<void>) {
    this.#known = known;
    this.#tokenHash = tokenHash;
    this.#learn = learn;
    this.#keys = known.byToken.get(tokenHash);
  }

  get isOn(): boolean {
    return this.#known.masters !== undefined;
  }

  /** What each request tells the database. */
  get toTell(): { known_data_key?: number } {
    return this.isOn ? { known_data_key: this.#keys?.newest ?? 0 } : {};
  }

  keep(tenantId: string, rows: DataKeyRow[]): void {
    if (!this.#known.masters) return;
    this.#keys = new TenantKeys(this.#known.masters, tenantId, rows);
    this.#known.byToken.set(this.#tokenHash, this.#keys);
  }

  /** Undefined: the tenant's keys are not known here. Throws `encryption_error` where its key does not open. */
  async writer(): Promise<Writer | undefined> {
    const keys = this.#keys;
    if (!keys) return undefined;
    const { key, isNew } = await keys.toWrite();
    const seal = await this.#usable(() => keys.sealWith(key));
    return { seal, work: { known_data_key: key.number, ...(isNew ? { new_data_key: key } : {}) } };
  }

  /** A key that the database has taken is one of the tenant's. */
  noteStored({ work }: Writer): void {
    const keys = this.#keys;
    if (keys && work.new_data_key) this.keep(keys.tenantId, [...keys.rows, work.new_data_key]);
  }

  /** Steps as they were sent. `maxBytes`: of what was sealed, larger members are left out. */
  openSteps<Row extends StepRow>(rows: Row[], maxBytes?: number): Promise<Row[]> {
    const isPlain = (row: Row) => !sealIn(row.content) && !row.messages?.some(sealIn);
    return each(rows, isPlain, async (row) => {
      const messages = await this.#messages(row);
      const sealed = sealIn(row.content);
      if (!sealed) return { ...row, messages };
      const { content, error, name } = await this.#content(row.id, sealed);
      const whole = { ...row, content, error, name: row.name ?? name, messages };
      return maxBytes === undefined ? whole : cutToFit(whole, maxBytes);
    });
  }

  async #messages({ messages }: StepRow): Promise<MessageOfCall[][] | null> {
    if (!messages) return messages;
    const opened = messages.map(async (list) => {
      const sealed = sealIn(list);
      if (!sealed) return list;
      const { content } = await this.#content((list as unknown as { id: string }).id, sealed);
      return messagesOfCall(content);
    });
    return Promise.all(opened);
  }

  /** Skeletons with what they show of what was said. */
  openSkeletons<Row extends { id: string; error: string | null; name: string | null }>(
    rows: Row[],
  ): Promise<Row[]> {
    const isPlain = ({ error }: Row) => !sealIn(error);
    return each(rows, isPlain, async (row) => {
      const { error, preview, name } = await this.#summary(row.id, sealIn(row.error) as string);
      return { ...row, error, preview, name: row.name ?? name };
    });
  }

  /** Sessions with their first and last messages. */
  openSessions<Session extends ListedSession>(sessions: Session[]): Promise<Session[]> {
    const isPlain = ({ first_message, last_message }: Session) =>
      !sealIn(first_message) && !sealIn(last_message);
    return each(sessions, isPlain, async (session) => ({
      ...session,
      first_message: await this.#shown(session.first_message, ({ first, preview }) => first ?? preview),
      last_message: await this.#shown(session.last_message, ({ preview }) => preview),
    }));
  }

  async #shown(message: unknown, pick: (summary: SealedSummary) => string | null): Promise<string | null> {
    const sealed = sealIn(message);
    if (!sealed) return message as string | null;
    return pick(await this.#summary((message as { id: string }).id, sealed));
  }

  /** `userId`: the one that the session was made for. */
  async openMetadata(metadata: unknown, namespace: string, userId: string | null): Promise<JsonObject> {
    if (typeof metadata !== "string") return metadata as JsonObject;
    return (await this.#open("metadata", sessionOf(namespace, userId), metadata)) as JsonObject;
  }

  /** `orNothing`: what cannot be opened is as if it was taken away. */
  openScores<Row extends ScoreRow & { sealed?: string }>(
    rows: Row[],
    { orNothing = false } = {},
  ): Promise<Row[]> {
    const isPlain = (row: Row) => !sealIn(row);
    return each(rows, isPlain, async ({ sealed, ...row }) => {
      const opening = this.#open("score", boundId(row.id), sealed as string);
      const opened = await (orNothing ? opening.catch(() => ({})) : opening);
      const { text_value, ...said } = opened as { text_value?: string; comment?: string };
      return { ...row, value: row.value ?? text_value ?? null, ...said } as Row;
    });
  }

  #content(id: string, sealed: string): Promise<SealedContent> {
    return this.#open("content", boundId(id), sealed) as Promise<SealedContent>;
  }

  #summary(id: string, sealed: string): Promise<SealedSummary> {
    return this.#open("summary", boundId(id), sealed) as Promise<SealedSummary>;
  }

  async #open(use: Sealed, id: string, sealed: string): Promise<unknown> {
    const number = keyNumberOf(sealed);
    if (!this.isOn) {
      const message = `This was encrypted with data key ${number}, and CONTENT_KEYS is not set.`;
      throw new ApiError("encryption_error", message);
    }
    // A read is told the newest key before it looks for rows: in between, others may have written with a newer one.
    if (number > (this.#keys?.newest ?? 0)) await this.#learnOnce();
    const keys = this.#keys;
    if (!keys) throw new ApiError("encryption_error", `Data key ${number} of this tenant is missing.`);
    const seal = await this.#usable(async () => keys.seal(number));
    return seal.open(use, id, sealed);
  }

  /** Rows that are opened at once learn together. */
  #learnOnce(): Promise<void> {
    this.#learning ??= this.#learn().finally(() => {
      this.#learning = undefined;
    });
    return this.#learning;
  }

  /** A key that does not open is asked for again by the next request: it may be wrapped anew by then. */
  async #usable(open: () => Promise<Seal>): Promise<Seal> {
    try {
      return await open();
    } catch (error) {
      this.#known.byToken.delete(this.#tokenHash);
      throw error;
    }
  }
}

/** Rows of which most are often plain, or all. */
async function each<Row>(
  rows: Row[],
  isPlain: (row: Row) => boolean,
  open: (row: Row) => Promise<Row>,
): Promise<Row[]> {
  if (rows.every(isPlain)) return rows;
  return Promise.all(rows.map((row) => (isPlain(row) ? row : open(row))));
}
