import koffi from 'koffi';

/** An address in C memory; `null` is NULL. */
export type Pointer = bigint | null;

// biome-ignore lint/suspicious/noExplicitAny: the shape of any C function; each declaration narrows it.
type CFunction = (...args: any[]) => any;

interface Declare {
  /** Makes a C function callable, from its prototype. */
  <F extends CFunction>(prototype: string): F;
  /** Likewise, on a thread of koffi's pool: for the few calls that may take longer than the main thread can wait. */
  async<F extends CFunction>(prototype: string): (...args: Parameters<F>) => Promise<ReturnType<F>>;
}

/**
 * Opens a shared library when its first function is called, so that importing a module that declares functions costs
 * nothing and needs nothing installed.
 *
 * @param remedy what the user does when the library is not there.
 */
export function library(file: string, remedy: string): Declare {
  let handle: ReturnType<typeof koffi.load> | undefined;
  const load = () => {
    try {
      handle ??= koffi.load(file);
      return handle;
    } catch (cause) {
      throw new Error(`${file} cannot be loaded: ${remedy}`, { cause });
    }
  };
  const declare = <F extends CFunction>(prototype: string): F => {
    let bound: CFunction | undefined;
    return ((...args) => {
      bound ??= load().func(prototype) as CFunction;
      return bound(...args);
    }) as F;
  };
  declare.async = <F extends CFunction>(prototype: string) => {
    return (...args: Parameters<F>) =>
      new Promise<ReturnType<F>>((resolve, reject) => {
        load()
          .func(prototype)
          .async(...args, (error: Error | null, result: ReturnType<F>) => (error ? reject(error) : resolve(result)));
      });
  };
  return declare;
}
