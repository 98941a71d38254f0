import { CommandError, ExitCode } from '../exit-code.ts';
import { print } from '../output.ts';
import type { ClusterFlags } from './cluster-flags.ts';
import { timeText } from './run-lists.ts';
import { withRegistries } from './with-registries.ts';
import type { Page, SubscriptionRecord } from '@robustmq/placement-registry';

/** `session show CLIENT`: the session and what it is subscribed to. */
export function runSessionShow(clientId: string, flags: ClusterFlags): Promise<void> {
  return withRegistries(flags, async (registries, call) => {
    const stored = await registries.sessions.read(clientId, call);
    if (stored === null) {
      throw new CommandError(ExitCode.failed, `there is no session of ${JSON.stringify(clientId)}`);
    }
    const subscriptions: SubscriptionRecord[] = [];
    let after: string | null = null;
    do {
      const page: Page<SubscriptionRecord> = await registries.subscriptions.list(
        clientId,
        { after, limit: 500 },
        call,
      );
      for (const { value } of page.items) subscriptions.push(value);
      after = page.next;
    } while (after !== null);
    const { value: session } = stored;
    if (flags.output === 'json') {
      print(JSON.stringify({ ...session, subscriptions }));
      return;
    }
    const { owner } = session;
    print(`client        ${session.clientId}`);
    print(`broker        ${owner === null ? 'none' : String(owner.nodeId)}`);
    print(`epoch         ${String(session.epoch)}`);
    print(`created       ${timeText(session.createdAtMs)}`);
    print(`connected     ${timeText(session.connectedAtMs)}`);
    print(`disconnected  ${timeText(session.disconnectedAtMs)}`);
    for (const { qos, topicFilter } of subscriptions) print(`QoS ${qos}         ${topicFilter}`);
  });
}
