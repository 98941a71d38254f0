/**
 * The part of Node's internal stream bindings that the raw engine stands on.
 *
 * `process.binding` is deprecated in the documentation (DEP0111) but present from Node 20 to 26.
 * Everything that depends on it goes through this file, and `probeRawEngine` exercises it before a
 * listener trusts it, so that a Node version that differs costs speed and not correctness.
 */

/** A TCP socket as libuv sees it; one per connection. Numbers returned are 0 or negative errno values. */
export interface RawHandle<Owner> {
  /** Our own property: the way from the shared callbacks back to the connection. */
  owner_: Owner;
  /** Called with `this` as the handle; the byte count or error is in {@link StreamBinding.state}. */
  onread: (this: RawHandle<Owner>) => undefined;
  useUserBuffer(buffer: Uint8Array): void;
  readStart(): number;
  readStop(): number;
  setNoDelay(enable: boolean): number;
  writeBuffer(request: WriteRequest<Owner>, bytes: Uint8Array): number;
  shutdown(request: ShutdownRequest<Owner>): number;
  getpeername(into: SocketName): number;
  close(afterClose: (this: RawHandle<Owner>) => void): void;
}

export interface SocketName {
  address?: string;
  port?: number;
  family?: string;
}

export interface WriteRequest<Owner> {
  oncomplete: (status: number, handle: RawHandle<Owner>) => void;
}

export interface ShutdownRequest<Owner> {
  oncomplete: (this: ShutdownRequest<Owner>, status: number) => void;
  handle_: RawHandle<Owner>;
}

export interface StreamBinding {
  readonly WriteWrap: new () => object;
  readonly ShutdownWrap: new () => object;
  readonly kReadBytesOrError: number;
  readonly kLastWriteWasAsync: number;
  readonly streamBaseState: Int32Array;
}

/** The server side: what `net.Server` keeps as `_handle`. */
export interface RawServerHandle<Owner> {
  onconnection: (status: number, client: RawHandle<Owner> | undefined) => void;
}

let loaded: StreamBinding | null = null;

/** @throws Error when this Node version does not offer the binding in the expected shape */
export function loadStreamBinding(): StreamBinding {
  if (loaded !== null) return loaded;
  const binding = bindingOf('stream_wrap') as Partial<StreamBinding>;
  if (
    typeof binding.WriteWrap !== 'function' ||
    typeof binding.ShutdownWrap !== 'function' ||
    typeof binding.kReadBytesOrError !== 'number' ||
    typeof binding.kLastWriteWasAsync !== 'number' ||
    !(binding.streamBaseState instanceof Int32Array)
  ) {
    throw new Error(`Node ${process.version} has no stream binding of the expected shape`);
  }
  loaded = binding as StreamBinding;
  return loaded;
}

/** Calls `process.binding` without the deprecation warning that `--pending-deprecation` prints. */
function bindingOf(name: string): unknown {
  const host = process as unknown as {
    binding?: (name: string) => unknown;
    noDeprecation?: boolean;
  };
  if (typeof host.binding !== 'function') {
    throw new Error(`Node ${process.version} has no process.binding`);
  }
  const before = host.noDeprecation;
  host.noDeprecation = true;
  try {
    return host.binding(name);
  } finally {
    if (before === undefined) delete host.noDeprecation;
    else host.noDeprecation = before;
  }
}
