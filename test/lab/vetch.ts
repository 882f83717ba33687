/** What `vetch --json` says when it refuses. */
export class VetchFailure extends Error {
  override readonly name = 'VetchFailure';
  readonly status: number;
  readonly code: string;
  readonly hint: string;

  constructor(status: number, stderr: string) {
    const error = parse(stderr);
    super(error.message ?? stderr);
    this.status = status;
    this.code = error.code ?? '';
    this.hint = error.hint ?? '';
  }
}

function parse(stderr: string): { code?: string; message?: string; hint?: string } {
  try {
    return (JSON.parse(stderr) as { error: { code: string; message: string; hint: string } }).error;
  } catch {
    return {};
  }
}

/** What `endpoint attach` answers. */
export interface AttachedEndpoint {
  readonly id: string;
  readonly name: string;
  readonly network: string;
  readonly ifname: string;
  readonly hostIfname: string;
  readonly mac: string;
  readonly addresses: readonly string[];
  readonly gateways: readonly string[];
  readonly identity: number;
  readonly labels: Readonly<Record<string, string>>;
  readonly ports: readonly {
    readonly protocol: string;
    readonly hostAddress: string;
    readonly hostPort: number;
    readonly port: number;
  }[];
}

/** What `status` answers. */
export interface Status {
  readonly version: string;
  readonly node: string;
  readonly kernel: string;
  readonly networks: number;
  readonly endpoints: number;
  readonly drops: Readonly<Record<string, number>>;
  readonly drift: number;
  readonly warnings: readonly string[];
}
