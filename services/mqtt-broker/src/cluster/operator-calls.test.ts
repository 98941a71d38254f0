import {
  type broker,
  defaultChannelLimits,
  defaultServerLimits,
  mqttBrokerService,
  openChannel,
  openRpcServer,
  type RpcChannel,
  RpcError,
  rpcStatus,
  type RpcServer,
  type ServiceClient,
  silentObserver,
} from '@robustmq/rpc';
import { ReasonCode } from '@robustmq/mqtt-codec';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { mountOperatorCalls } from './operator-calls.ts';
import { CALL, type TestBroker, TestCluster } from './test-cluster.fixture.ts';

let cluster: TestCluster;
let one: TestBroker;
let server: RpcServer;
let channel: RpcChannel;
let calls: ServiceClient<broker.MqttBrokerMethods>;

beforeEach(async () => {
  cluster = new TestCluster();
  one = await cluster.broker(1);
  server = await openRpcServer({
    ...{ host: '127.0.0.1', port: 0, tls: null, clusterToken: 'secret' },
    services: [mountOperatorCalls(one.context, () => one.cluster.drain)],
    ...{ limits: defaultServerLimits, observer: silentObserver },
  });
  channel = open('secret');
  calls = channel.clientOf(mqttBrokerService);
});

afterEach(async () => {
  channel.close();
  await server.close(0);
  await cluster.close();
});

function open(token: string | null): RpcChannel {
  const address = `127.0.0.1:${server.port}`;
  return openChannel({ address, tls: null, token, limits: defaultChannelLimits });
}

describe('what operators do with a broker', () => {
  test('clients are listed page by page, and none twice when others leave meanwhile', async () => {
    for (const clientId of ['b', 'a', 'c']) await one.client(clientId).connect();
    const first = await calls.listClients({ after: 0, limit: 2 }, CALL);
    expect(first.clients.map(({ clientId }) => clientId)).toEqual(['b', 'a']);
    one.context.sessions.find('b')?.connection?.close(0x8b, 'gone');
    const second = await calls.listClients({ after: first.next, limit: 2 }, CALL);
    expect(second.clients.map(({ clientId }) => clientId)).toEqual(['c']);
    expect(second.next).toBe(0);
    expect(second.clients[0]).toMatchObject({
      ...{ protocolLevel: 5, userName: '', remoteAddress: '127.0.0.1:1', listener: 'test' },
    });
  });

  test('a client is closed with 0x98, and who is not here is not', async () => {
    const client = one.client('x');
    await client.connect({ expirySeconds: 100 });
    expect(await calls.kickClient({ clientId: 'nobody' }, CALL)).toEqual({ kicked: false });
    expect(await calls.kickClient({ clientId: 'x' }, CALL)).toEqual({ kicked: true });
    await client.until(() => client.isClosed);
    expect(client.disconnectCode).toBe(ReasonCode.administrativeAction);
    expect((await one.client('x').connect({ expirySeconds: 100 }))?.sessionPresent).toBe(true);
  });

  test('a drain is begun, told of and ended', async () => {
    const drain = { clientsPerSecond: 1_000_000, toBroker: 0, permanent: false };
    await expect(calls.drain(drain, CALL)).rejects.toMatchObject({
      status: rpcStatus.FAILED_PRECONDITION,
    });
    await cluster.broker(2);
    await cluster.until(() => one.cluster.aliveCount === 2);
    await one.client('x').connect();
    expect(await calls.drain(drain, CALL)).toMatchObject({ draining: true, clients: 1 });
    await cluster.until(() => one.cluster.drain.progress.clients === 0);
    expect(await calls.getDrain({}, CALL)).toMatchObject({ draining: true, sentAway: 1 });
    expect(await calls.undrain({}, CALL)).toMatchObject({ draining: false });
  });

  test('who does not show the token of the cluster learns nothing', async () => {
    const stranger = open(null);
    const asked = stranger.clientOf(mqttBrokerService).listClients({ after: 0, limit: 0 }, CALL);
    await expect(asked).rejects.toBeInstanceOf(RpcError);
    await expect(asked).rejects.toMatchObject({ status: rpcStatus.UNAUTHENTICATED });
    stranger.close();
  });
});
