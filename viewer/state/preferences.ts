import { signal } from "@preact/signals";

export const FORMATS = ["text", "markdown", "json"] as const;
export type Format = (typeof FORMATS)[number];

const kept = localStorage.getItem("format");

/** How what was said is shown. */
export const format = signal<Format>(FORMATS.find((name) => name === kept) ?? "text");

export function setFormat(name: Format): void {
  localStorage.setItem("format", name);
  format.value = name;
}

/** Whether single keys do something. Those who speak to their computer, or use a screen reader, may want none. */
export const hasKeys = signal(localStorage.getItem("keys") !== "off");

export function setKeys(isOn: boolean): void {
  localStorage.setItem("keys", isOn ? "on" : "off");
  hasKeys.value = isOn;
}
