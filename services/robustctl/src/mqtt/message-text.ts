import type { ReceivedMessage } from '@robustmq/mqtt-client';

/** How `sub` prints a message. */
export type MessageFormat = 'payload' | 'topic' | 'json' | 'hex';

/** One message as one line, or several when the payload holds line breaks. */
export function messageText(message: ReceivedMessage, format: MessageFormat): string {
  const payload = Buffer.from(
    message.payload.buffer,
    message.payload.byteOffset,
    message.payload.byteLength,
  );
  switch (format) {
    case 'payload':
      return payload.toString('utf8');
    case 'topic':
      return `${message.topic} ${payload.toString('utf8')}`;
    case 'hex':
      return `${message.topic} ${payload.toString('hex')}`;
    case 'json':
      return JSON.stringify(messageObject(message, payload));
  }
}

function messageObject(
  message: ReceivedMessage,
  payload: Buffer,
): Readonly<Record<string, unknown>> {
  const text = payload.toString('utf8');
  const isText = Buffer.from(text, 'utf8').equals(payload);
  const { correlationData, ...properties } = message.properties;
  return {
    topic: message.topic,
    qos: message.qos,
    retain: message.retain,
    dup: message.dup,
    ...(isText ? { payload: text } : { payloadBase64: payload.toString('base64') }),
    properties:
      correlationData === undefined
        ? properties
        : { ...properties, correlationDataBase64: Buffer.from(correlationData).toString('base64') },
  };
}
