/** An S3 store in this process: s3rver, with its objects in a folder. */
import { rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { temporaryFolder } from './server-process.ts';

/** What s3rver accepts; it brings no types. */
const ACCESS_KEY = 'S3RVER';
const SECRET_KEY = 'S3RVER';
const BUCKET = 'journal';

interface Server {
  run(): Promise<{ readonly port: number }>;
  close(): Promise<void>;
}

type ServerClass = new (options: Readonly<Record<string, unknown>>) => Server;

export interface S3Server {
  readonly endpoint: string;
  readonly bucket: string;
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string };
  /** The objects stay. */
  stop(): Promise<void>;
  /** On the same port. */
  restart(): Promise<void>;
  close(): Promise<void>;
}

export async function openS3Server(): Promise<S3Server> {
  const require = createRequire(import.meta.url);
  const S3rver = require('s3rver') as ServerClass;
  const directory = temporaryFolder('s3-');
  const configureBuckets = [{ name: BUCKET }];
  const options = { address: '127.0.0.1', silent: true, directory, configureBuckets };
  let server = new S3rver({ ...options, port: 0 });
  const { port } = await server.run();
  return {
    endpoint: `http://127.0.0.1:${port}`,
    bucket: BUCKET,
    credentials: { accessKeyId: ACCESS_KEY, secretAccessKey: SECRET_KEY },
    stop: () => server.close(),
    restart: async () => {
      server = new S3rver({ ...options, port });
      await server.run();
    },
    close: async () => {
      await server.close().catch(() => undefined);
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
