/**
 * Why a figure misses its goal or is behind Mosquitto's: written by hand, printed beside the figure.
 *
 * The key is the `id` of the yardstick: scenario, space, what. A reason whose figure has recovered is
 * not printed; remove it then. Name the cause that a profile shows, not a guess.
 */
export const KNOWN_LOSSES: Readonly<Record<string, string>> = {
  'conn-15K memory per idle session':
    'A connection is a libuv handle and some objects of V8 beside the session itself; a bare Node.js ' +
    'server without any session takes 1.4 to 1.9 KB for it. Mosquitto keeps both in one C structure.',
};

export const NO_REASON = 'Not explained yet.';
