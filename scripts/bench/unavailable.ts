/** Something that the measurement needs is not on this machine: exit code 69, one sentence. */
export class Unavailable extends Error {
  override readonly name = 'Unavailable';
}

export const EXIT_UNAVAILABLE = 69;
