import { closeSync, openSync, writeSync } from 'node:fs';

const fileType = { directory: 0o040000, file: 0o100000, symlink: 0o120000 } as const;

/**
 * Writes a cpio archive in the `newc` format, as the kernel unpacks for its initramfs
 * (Documentation/driver-api/early-userspace/buffer-format.rst): every field is 8 hex digits, names and contents
 * are padded to 4 bytes.
 */
export class CpioWriter implements Disposable {
  readonly #fd: number;
  #inode = 1;

  constructor(path: string) {
    this.#fd = openSync(path, 'w');
  }

  directory(path: string): void {
    this.#entry(path, fileType.directory | 0o755, new Uint8Array());
  }

  file(path: string, content: Uint8Array, permissions = 0o644): void {
    this.#entry(path, fileType.file | permissions, content);
  }

  symlink(path: string, target: string): void {
    this.#entry(path, fileType.symlink | 0o777, Buffer.from(target));
  }

  /** Ends the archive and closes the file. */
  [Symbol.dispose](): void {
    this.#entry('TRAILER!!!', 0, new Uint8Array());
    closeSync(this.#fd);
  }

  #entry(path: string, mode: number, content: Uint8Array): void {
    const name = Buffer.from(`${path.replace(/^\/+/, '')}\0`);
    const links = mode === 0 ? 1 : (mode & fileType.directory) === fileType.directory ? 2 : 1;
    // inode, mode, uid, gid, links, mtime, size, device major and minor, special major and minor, name size, check
    const fields = [this.#inode++, mode, 0, 0, links, 0, content.length, 0, 0, 0, 0, name.length, 0];
    const header = Buffer.from(`070701${fields.map((field) => field.toString(16).padStart(8, '0')).join('')}`);
    this.#write(Buffer.concat([header, name, padding(header.length + name.length)]));
    this.#write(content);
    this.#write(padding(content.length));
  }

  #write(bytes: Uint8Array): void {
    for (let written = 0; written < bytes.length; ) written += writeSync(this.#fd, bytes, written);
  }
}

function padding(length: number): Uint8Array {
  return new Uint8Array((4 - (length % 4)) % 4);
}
