import { signal } from "@preact/signals";

export const THEMES = ["system", "light", "dark"] as const;
export type Theme = (typeof THEMES)[number];

const KEY = "theme";
const kept = localStorage.getItem(KEY);

export const theme = signal<Theme>(THEMES.find((name) => name === kept) ?? "system");

export function setTheme(name: Theme): void {
  localStorage.setItem(KEY, name);
  theme.value = name;
  showTheme();
}

export function showTheme(): void {
  document.documentElement.dataset.theme = theme.value;
}
