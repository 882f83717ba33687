/** An engine of another distribution, which runs from a folder. */
export interface EngineRelease {
  /** The first numbers of its version. */
  readonly name: string;
  /** Debian's suite that has it. */
  readonly suite: string;
}

/** Beside the machine's own: `make test-engines` runs them. */
export const engineReleases: readonly EngineRelease[] = [
  { name: '26.1', suite: 'trixie' },
  { name: '28.5', suite: 'sid' },
];
