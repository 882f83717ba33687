import { closeSync } from 'node:fs';
import { openPin, pinObject } from '../bpffs.ts';
import { check } from '../check.ts';
import { BpfCommand, bpf } from '../ffi/bpf.ts';
import { type LinkInfo, linkInfo } from './link-info.ts';

/** What an attachment needs of a program. */
export interface Attachable {
  readonly fd: number;
  readonly name: string;
}

/**
 * A program attached somewhere. Closing it leaves the attachment only where it is pinned; unpinned, it ends with the
 * last descriptor.
 */
export class Link implements Disposable {
  readonly fd: number;
  readonly id: number;
  #closed = false;

  private constructor(fd: number) {
    this.fd = fd;
    this.id = linkInfo(fd).id;
  }

  /** Takes over a link's descriptor. */
  static own(fd: number): Link {
    try {
      return new Link(fd);
    } catch (error) {
      closeSync(fd);
      throw error;
    }
  }

  /** What it is attached to now: see `LinkInfo.live`. */
  info(): LinkInfo {
    return linkInfo(this.fd);
  }

  /**
   * Puts another program in the place of the attached one: no packet sees neither or both.
   *
   * @throws {KernelError} ENOLINK or EINVAL when what it was attached to is gone, or the program is of another type.
   */
  update(program: Attachable): void {
    const fields = { link_fd: this.fd, new_prog_fd: program.fd };
    check(bpf(BpfCommand.LINK_UPDATE, 'linkUpdate', fields), 'put a program in place of', `link ${this.id}`);
  }

  /** @throws {KernelError} EEXIST when something is pinned there. */
  pin(path: string): void {
    pinObject(this.fd, path);
  }

  /** Ends the attachment, also where the link is pinned: a pin of it stays, and names nothing. */
  detach(): void {
    check(bpf(BpfCommand.LINK_DETACH, 'linkDetach', { link_fd: this.fd }), 'detach', `link ${this.id}`);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    closeSync(this.fd);
  }

  [Symbol.dispose](): void {
    this.close();
  }
}

/**
 * Opens a pinned link. The caller closes it.
 *
 * @throws {KernelError} ENOENT when nothing is pinned there.
 */
export function openPinnedLink(path: string): Link {
  return Link.own(openPin(path));
}
