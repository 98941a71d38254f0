/** A port whose connections go to one broker after the other, as behind a load balancer without memory. */
import { connect, createServer, type Server, type Socket } from 'node:net';
import type { BrokerAddress } from '@robustmq/campaign';

export class AlternatingProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #brokers: readonly BrokerAddress[];
  #connections = 0;

  private constructor(brokers: readonly BrokerAddress[]) {
    this.#brokers = brokers;
    this.#server = createServer({ noDelay: true, allowHalfOpen: true }, (client) =>
      this.#relay(client),
    );
  }

  static async open(brokers: readonly BrokerAddress[]): Promise<AlternatingProxy> {
    const proxy = new AlternatingProxy(brokers);
    await new Promise<void>((resolve) => proxy.#server.listen(0, '127.0.0.1', resolve));
    return proxy;
  }

  get port(): number {
    const address = this.#server.address();
    return typeof address === 'object' && address !== null ? address.port : 0;
  }

  get connections(): number {
    return this.#connections;
  }

  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    await new Promise((resolve) => this.#server.close(resolve));
  }

  #relay(client: Socket): void {
    const { host, port } = this.#brokers[this.#connections % this.#brokers.length] as BrokerAddress;
    this.#connections += 1;
    const broker = connect({ host, port, noDelay: true, allowHalfOpen: true });
    for (const [socket, other] of [
      [client, broker],
      [broker, client],
    ] as const) {
      this.#sockets.add(socket);
      socket.pipe(other);
      // As a broker does: whoever is not done with sending finds somebody who reads, until it is.
      socket.once('error', () => other.end());
      socket.once('close', () => {
        this.#sockets.delete(socket);
        other.end();
        other.resume();
      });
    }
  }
}
