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
  'p2p-1K-q0-lockstep CPU per message':
    'With one small packet at a time both brokers pay for system calls: one read and one ' +
    'write a message here, and with the processor shared the difference is within the noise ' +
    'of the runs (0.97 to 1.11).',
  'retained-100K publish':
    'Each is flushed to disk before its PUBACK, with only 640 under way: about 310 flushes, each one ' +
    'hand-over to a thread. The rest is the hash of the topic, the copy into the page and the ' +
    'index of the journal, and the threads of the engine that compile and collect garbage on the ' +
    'same core.',
  'offline-100K replay':
    'Each message is read from the journal and its delivery flushed before it leaves. A fifth of ' +
    'the time collects the objects of that: a record, a view of its body and a planned delivery ' +
    'per message.',
  'lat-p2p-1K-10K-q1 CPU per message': 'The same system calls as in lockstep.',
  'conn-15K connects':
    'A connection costs 32 microseconds here and 25 in Mosquitto. The core of the generator is the ' +
    'limit of both.',
  'lat-p2p-1K-10K-q1 p50 latency':
    'Both stand at 0.05 to 0.06 ms: the difference is within the noise of the runs.',
};

export const NO_REASON = 'Not explained yet.';
