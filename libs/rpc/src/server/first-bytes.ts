import type { Socket } from 'node:net';

/**
 * Reads the first `count` bytes of a socket, and nothing behind them. One that has not said them after
 * `limitMs` is destroyed.
 *
 * @param tell  called once: with null when the socket ends before; whoever gets the bytes hears its errors
 */
export function readFirstBytes(
  socket: Socket,
  { count, limitMs }: { readonly count: number; readonly limitMs: number },
  tell: (bytes: Buffer | null) => void,
): void {
  const late = setTimeout(() => socket.destroy(), limitMs);
  const gone = (): void => {
    clearTimeout(late);
    tell(null);
  };
  const look = (): void => {
    const first = socket.read(count) as Buffer | null;
    if (first === null || first.length < count) return;
    clearTimeout(late);
    socket.off('readable', look).off('close', gone).off('error', ignore);
    tell(first);
  };
  // After an error comes `close`.
  socket.on('readable', look).on('close', gone).on('error', ignore);
  // They may be there already.
  look();
}

function ignore(): void {}
