/**
 * Where `mqtt-packet` 9.0.2 and this codec differ, as data. A test keeps the list true: when a later
 * version of that package is stricter, the row fails and goes.
 */
import { properties } from './packet-bytes.fixture.ts';

type Version = 4 | 5;
type Accepted = readonly [
  header: string,
  body: string,
  version: Version,
  reasonCode: number,
  why: string,
];
type Refused = readonly [header: string, body: string, version: Version, why: string];

/** Illegal packets that it accepts: first byte, body, version, our reason code, why we refuse. */
export const WRONGLY_ACCEPTED: readonly Accepted[] = [
  [
    '10',
    '"MQTT" 05 02 0000 0d 11 00000001 11 00000002 22 0001 "a"',
    5,
    0x82,
    'session expiry twice, §3.1.2.11.2',
  ],
  [
    '10',
    `"MQTT" 05 02 0000 ${properties('21 0000')} "a"`,
    5,
    0x82,
    'receive maximum 0, §3.1.2.11.3',
  ],
  [
    '10',
    `"MQTT" 05 02 0000 ${properties('27 00000000')} "a"`,
    5,
    0x82,
    'packet size 0, §3.1.2.11.4',
  ],
  ['10', `"MQTT" 05 02 0000 ${properties('17 02')} "a"`, 5, 0x82, 'a boolean of 2, §3.1.2.11.7'],
  [
    '10',
    `"MQTT" 05 02 0000 ${properties('16 "d"')} "a"`,
    5,
    0x82,
    'data without method, §3.1.2.11.10',
  ],
  [
    '10',
    `"MQTT" 05 02 0000 ${properties('23 0001')} "a"`,
    5,
    0x81,
    'a property of PUBLISH, §2.2.2.2',
  ],
  ['10', '"MQTT" 04 42 0000 "a" "p"', 4, 0x81, 'password without user name [MQTT-3.1.2-22]'],
  ['10', '"MQTT" 04 1e 0000 "a" "t" "p"', 4, 0x81, 'will QoS 3 [MQTT-3.1.2-14]'],
  ['10', '"MQTT" 04 06 0000 "a" "t/#" "p"', 4, 0x90, 'a wildcard in the will topic [MQTT-3.3.2-2]'],
  ['10', '"MQTT" 04 02 0000 "a" 00', 4, 0x81, 'a byte too many'],
  ['10', '"MQTT" 04 02 0000 0002 c080', 4, 0x81, 'ill-formed UTF-8 [MQTT-1.5.3-1]'],
  ['10', '"MQTT" 04 02 0000 0003 610062', 4, 0x81, 'U+0000 [MQTT-1.5.3-2]'],
  ['30', '"t/+"', 4, 0x90, 'a wildcard in the topic name [MQTT-3.3.2-2]'],
  ['30', '0000', 4, 0x90, 'an empty topic name [MQTT-4.7.3-1]'],
  ['30', '0000 00', 5, 0x82, 'an empty topic name without an alias, §3.3.2.1'],
  ['38', '"t"', 4, 0x81, 'DUP with QoS 0 [MQTT-3.3.1-2]'],
  ['32', '"t" 0000', 4, 0x82, 'packet identifier 0 [MQTT-2.3.1-1]'],
  ['32', '"t" 00', 4, 0x81, 'half a packet identifier, which becomes -1'],
  ['30', '0003 edb080', 4, 0x81, 'a surrogate, which becomes U+FFFD [MQTT-1.5.3-1]'],
  ['30', `"t" ${properties('01 02')}`, 5, 0x82, 'payload format 2 becomes true, §3.3.2.3.2'],
  ['30', `"t" ${properties('01 00 01 01')}`, 5, 0x82, 'payload format twice, §3.3.2.3.2'],
  ['30', `"t" ${properties('23 0000')}`, 5, 0x94, 'topic alias 0 [MQTT-3.3.2-8]'],
  ['30', `"t" ${properties('08 "a/+"')}`, 5, 0x82, 'a wildcard to respond to [MQTT-3.3.2-14]'],
  ['30', `"t" ${properties('21 0001')}`, 5, 0x81, 'a property of CONNECT, §2.2.2.2'],
  ['40', '0000', 4, 0x82, 'packet identifier 0 [MQTT-2.3.1-1]'],
  ['40', '0001 00', 4, 0x81, 'a byte too many, §3.4.1'],
  ['82', '0001', 4, 0x82, 'no filter [MQTT-3.8.3-3]'],
  ['82', '0001 00', 5, 0x82, 'no filter [MQTT-3.8.3-2]'],
  ['82', '0000 "a" 00', 4, 0x82, 'packet identifier 0 [MQTT-2.3.1-1]'],
  ['82', `0001 ${properties('0b 00')} "a" 00`, 5, 0x82, 'subscription identifier 0, §3.8.2.1.2'],
  ['a2', '0001', 4, 0x82, 'no filter [MQTT-3.10.3-2]'],
  ['c0', '00', 4, 0x81, 'a body in PINGREQ, §3.12'],
  ['e0', '00', 4, 0x81, 'a body in DISCONNECT, §3.14'],
];

/** Legal packets of a server that it refuses: first byte, body, version, what is legal about them. */
export const WRONGLY_REFUSED: readonly Refused[] = [
  ['f0', '', 5, 'success without a body, §3.15.2.1'],
  ['e0', '8c', 5, 'bad authentication method, which §2.4 lists for DISCONNECT'],
];

/** Legal CONNECT packets that it reads but does not write: what its generator says, and why not. */
export const NOT_GENERATED: readonly (readonly [message: RegExp, why: string])[] = [
  [/clientId must be/, 'an empty client identifier is judged by the server, §3.1.3.1'],
  [/Username is required/, '5.0 allows a password without a user name, §3.1.2.9'],
];

/** Two user properties whose order it loses (MQTT-5.0 [MQTT-3.3.2-18]). */
export const ORDER_LOST: readonly [header: string, body: string] = [
  '30',
  `"t" ${properties('26 "a" "1" 26 "b" "2" 26 "a" "3"')}`,
];
