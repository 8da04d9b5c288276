/** The text with its control characters escaped, as `\x1b`: those of a damaged file could change the terminal. Tabs stay. */
export function showControls(text: string): string {
  return text.replace(/[^\P{Cc}\t]/gu, (control) => {
    const code = control.charCodeAt(0).toString(16).padStart(2, '0');
    return `\\x${code}`;
  });
}
