import { type PublishFields, ReasonCode } from '@robustmq/mqtt-codec';
import type { ClientConnection } from './client-connection.ts';

/**
 * Token buckets for published messages and bytes, one second deep. A client beyond its rate is
 * slowed down by not reading from it, never cut off: TCP carries the message.
 */
export function admitsRate(
  connection: ClientConnection,
  _buffer: Buffer,
  fields: PublishFields,
): boolean {
  const { limits } = connection.context.settings;
  const messagesMax = limits.publishesPerSecondPerClientMax;
  const bytesMax = limits.publishBytesPerSecondPerClientMax;
  if (messagesMax === 0 && bytesMax === 0) return true;
  if (connection.creditTick !== connection.context.tick) {
    connection.creditTick = connection.context.tick;
    connection.publishCredit = messagesMax;
    connection.byteCredit = bytesMax;
  }
  connection.publishCredit -= 1;
  connection.byteCredit -= fields.payloadEnd - fields.payloadStart;
  const exceeded =
    (messagesMax > 0 && connection.publishCredit < 0) ||
    (bytesMax > 0 && connection.byteCredit < 0);
  if (!exceeded) return true;
  connection.pauseReading();
  // What is in the receive buffer was read already; more than twice the rate is abuse.
  if (messagesMax > 0 && connection.publishCredit < -64 * messagesMax - 65_536) {
    connection.close(ReasonCode.messageRateTooHigh, `more than ${messagesMax} messages a second`);
    return false;
  }
  return true;
}
