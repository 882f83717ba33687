const nothing: Readonly<Record<string, unknown>> = Object.create(null);

/**
 * Has a text that is kept for long lie in memory once, whoever has it, and by itself: what is cut out of a longer one keeps
 * all of that. V8 does so with the names of properties, and what has been looked for as one is one.
 */
export function settleText(text: string): void {
  void nothing[text];
}
