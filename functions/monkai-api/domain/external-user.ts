/** The channels that the contract knows. */
export const EXTERNAL_USER_CHANNELS = [
  "whatsapp",
  "web",
  "telegram",
  "slack",
  "email",
  "teams",
  "sms",
  "voice",
  "other",
] as const;

export interface UserAndMetadata {
  metadata?: Record<string, unknown>;
  external_user_id?: string;
  external_user_name?: string;
  external_user_channel?: string;
}

/** An unknown channel (`emulator`, `unknown`) becomes `other`, with what was sent kept in the metadata. */
export function userAndMetadata(sent: UserAndMetadata): UserAndMetadata {
  const { metadata, external_user_id, external_user_name, external_user_channel: channel } = sent;
  if (channel === undefined || (EXTERNAL_USER_CHANNELS as readonly string[]).includes(channel)) {
    return { metadata, external_user_id, external_user_name, external_user_channel: channel };
  }
  return {
    metadata: { external_user_channel: channel, ...metadata, ...clash(metadata, channel) },
    external_user_id,
    external_user_name,
    external_user_channel: "other",
  };
}

/** Where the client's metadata has a member of that name already, both are kept. */
function clash(metadata: Record<string, unknown> | undefined, channel: string): Record<string, string> {
  return metadata && "external_user_channel" in metadata ? { external_user_channel_sent: channel } : {};
}
