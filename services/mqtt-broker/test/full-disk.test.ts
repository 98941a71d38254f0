import { execFileSync } from 'node:child_process';
import { closeSync, mkdtempSync, openSync, rmSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, describe, expect, test } from 'vitest';
import { whyNoSmallDisk } from './campaign/fulldisk-campaign.ts';
import { eventually } from './conformance.fixture.ts';
import { type DurableWorld, startDurable } from './durable.fixture.ts';
import { acknowledgement, type Peer, publishPacket } from './peer.fixture.ts';

const QUOTA_EXCEEDED = 0x97;
const KEPT = { sessionExpiryIntervalSeconds: 3600 };
const KEPT_SESSION = { version: 5, cleanStart: false, properties: KEPT } as const;

/** A tmpfs that a test fills to the last byte and empties again. */
class SmallDisk {
  readonly folder: string = mkdtempSync(join(tmpdir(), 'robustmq-small-'));

  constructor() {
    execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=12m', 'tmpfs', this.folder]);
  }

  fill(): void {
    const file = openSync(this.#filler, 'w');
    try {
      for (let size = 65_536; size >= 1; size = size >> 1) {
        try {
          for (;;) writeSync(file, Buffer.alloc(size));
        } catch {
          // A smaller piece may still fit.
        }
      }
    } finally {
      closeSync(file);
    }
  }

  clear(): void {
    rmSync(this.#filler, { force: true });
  }

  end(): void {
    execFileSync('umount', [this.folder]);
    rmSync(this.folder, { recursive: true });
  }

  get #filler(): string {
    return join(this.folder, 'filler');
  }
}

const disks: SmallDisk[] = [];
let world: DurableWorld | null = null;

afterEach(async () => {
  // The broker leaves the disk before it is unmounted.
  await world?.end();
  for (const disk of disks.splice(0)) disk.end();
});

async function startOnSmallDisk(): Promise<{ world: DurableWorld; disk: SmallDisk }> {
  const disk = new SmallDisk();
  disks.push(disk);
  const storage = 'disk_free_bytes_min = "0"\nsegment_bytes_max = "1 MiB"';
  world = await startDurable({ within: disk.folder, storage });
  return { world, disk };
}

/**
 * The rest of the journal's last page takes a few small batches yet: in the end not even the smallest,
 * a receipt, finds room, and its PUBREC is withheld.
 */
async function fillUntilRefused(disk: SmallDisk, broker: DurableWorld): Promise<Peer> {
  const peer = await broker.client({ ...KEPT_SESSION, clientId: 'filler' });
  const receiver = await broker.client({ ...KEPT_SESSION, clientId: 'small filler' });
  disk.fill();
  let room = 200;
  while (room > 0 && (await peer.subscribe(`${'x'.repeat(200)}/${room}`))[0] === 0) room -= 1;
  for (; room > 0; room -= 1) {
    receiver.send(publishPacket('nobody', 'x', { qos: 2, packetIdentifier: room }));
    const packet = await receiver.raw.next(15_000);
    if (packet?.kind === 'pubrec') continue;
    expect(packet).toMatchObject({ kind: 'disconnect', reasonCode: QUOTA_EXCEEDED });
    return peer;
  }
  throw new Error('the disk was never full');
}

describe.skipIf(whyNoSmallDisk() !== null)('on a full disk', () => {
  for (const version of [5, 4] as const) {
    const refusal = version === 5 ? QUOTA_EXCEEDED : 0x80;
    const kept = { version, cleanStart: false, properties: version === 5 ? KEPT : {} } as const;
    test(`SUBACK tells a durable session of version ${version} that nothing was subscribed, and it is not`, async () => {
      const { world: broker, disk } = await startOnSmallDisk();
      const peer = await broker.client({ ...kept, clientId: 'durable' });
      const publisher = await broker.client();
      await fillUntilRefused(disk, broker);
      expect(await peer.subscribe('a', { qos: 0 })).toEqual([refusal]);
      await publisher.publish('a', 'x');
      await peer.expectNothing();
      disk.clear();
      await eventually(async () => (await peer.subscribe('a', { qos: 0 }))[0] === 0);
      await publisher.publish('a', 'y');
      expect(await peer.receiveText()).toBe('y');
      await broker.crash();
      const back = await broker.client({ ...kept, clientId: 'durable' });
      await (await broker.client()).publish('a', 'z');
      expect(await back.receiveText()).toBe('z');
    });

    test(`neither UNSUBACK nor PUBCOMP vouches for what is not durable, version ${version}`, async () => {
      const { world: broker, disk } = await startOnSmallDisk();
      const unsubscribing = await broker.client({ ...kept, clientId: 'unsubscribing' });
      const releasing = await broker.client({ ...kept, clientId: 'releasing' });
      await unsubscribing.subscribe('a', { qos: 1 });
      releasing.send(publishPacket('b', 'x', { qos: 2, packetIdentifier: 7 }));
      await releasing.expect('pubrec');
      const filler = await fillUntilRefused(disk, broker);
      const told = version === 5 ? QUOTA_EXCEEDED : null;
      unsubscribing.send({
        kind: 'unsubscribe',
        packetIdentifier: 9,
        filters: ['a'],
        properties: {},
      });
      expect(await unsubscribing.expectClosed()).toBe(told);
      releasing.send(acknowledgement('pubrel', 7));
      expect(await releasing.expectClosed()).toBe(told);
      disk.clear();
      await eventually(async () => ((await filler.subscribe('more', { qos: 1 }))[0] as number) < 3);
      const back = await broker.client({ ...kept, clientId: 'releasing' });
      back.send(acknowledgement('pubrel', 7));
      expect((await back.expect('pubcomp')).reasonCode).toBe(0);
    });
  }

  test('a new durable session is refused and leaves no will', async () => {
    const { world: broker, disk } = await startOnSmallDisk();
    await fillUntilRefused(disk, broker);
    const witness = await broker.client();
    await witness.subscribe('will');
    const will = { topic: 'will', payload: 'gone' };
    await expect(broker.client({ ...KEPT_SESSION, clientId: 'new', will })).rejects.toThrow(
      'CONNACK 151',
    );
    await witness.expectNothing();
  });
});
