/** A PostgreSQL of its own, as Debian's package postgresql has it. */
import { spawnSync } from 'node:child_process';
import { chownSync, existsSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePorts } from '@robustmq/campaign';
import { ServerProcess, temporaryFolder } from './server-process.ts';

const VERSIONS = '/usr/lib/postgresql';
const SYSTEM_USER = 'postgres';

/** Null when it can be started here; else the reason. */
export function whyNoPostgres(): string | null {
  if (binaries() === null) return `${VERSIONS} has no server: install postgresql`;
  return identity() === null ? `there is no user ${SYSTEM_USER} to run PostgreSQL as` : null;
}

export interface PostgresInstance {
  readonly host: string;
  readonly port: number;
  readonly database: string;
  readonly user: string;
  readonly password: string;
  /** As if the machine lost its power. */
  kill(): Promise<void>;
  restart(): Promise<void>;
  close(): Promise<void>;
}

/** @param settings  lines of postgresql.conf */
export async function openPostgres(settings: readonly string[] = []): Promise<PostgresInstance> {
  const folder = temporaryFolder('postgres-');
  const [port = 0] = await freePorts(1);
  const [user, password] = ['journal', 'not-a-secret'];
  const bin = binaries() ?? '';
  const who = identity() ?? {};
  if (who.uid !== undefined && who.gid !== undefined) chownSync(folder, who.uid, who.gid);
  const passwordFile = join(folder, 'password');
  writeFileSync(passwordFile, password, { mode: 0o644 });
  const data = join(folder, 'data');
  const words = ['-D', data, '-U', user, '-A', 'scram-sha-256', '--pwfile', passwordFile];
  const made = spawnSync(join(bin, 'initdb'), [...words, '--no-sync', '-E', 'UTF8', '--locale=C'], {
    ...who,
    cwd: folder,
  });
  if (made.status !== 0) {
    rmSync(folder, { recursive: true, force: true });
    throw new Error(`initdb: ${String(made.stderr)}`);
  }
  const server = new ServerProcess(
    join(bin, 'postgres'),
    [
      ...['-D', data, '-h', '127.0.0.1', '-p', String(port), '-k', folder],
      ...settings.flatMap((setting) => ['-c', setting]),
    ],
    who,
  );
  const start = async (): Promise<void> => {
    server.start();
    await server.answers('it', async () => server.output.includes('ready to accept connections'));
  };
  await start();
  return {
    host: '127.0.0.1',
    port,
    database: 'postgres',
    user,
    password,
    // An immediate shutdown: its processes end without a checkpoint, and none is left behind.
    kill: () => server.end('SIGQUIT'),
    restart: async () => {
      server.forgetOutput();
      await start();
    },
    close: async () => {
      await server.end('SIGQUIT');
      rmSync(folder, { recursive: true, force: true });
    },
  };
}

function binaries(): string | null {
  if (!existsSync(VERSIONS)) return null;
  const newest = readdirSync(VERSIONS).toSorted((left, right) => Number(right) - Number(left));
  const folders = newest.map((version) => join(VERSIONS, version, 'bin'));
  return folders.find((folder) => existsSync(join(folder, 'initdb'))) ?? null;
}

/** PostgreSQL does not run as root; nobody else can change who they are. */
function identity(): { readonly uid?: number; readonly gid?: number } | null {
  if (process.getuid?.() !== 0) return {};
  const [uid, gid] = ['-u', '-g'].map((flag) => {
    const { status, stdout } = spawnSync('id', [flag, SYSTEM_USER]);
    return status === 0 ? Number(String(stdout)) : null;
  });
  return uid == null || gid == null ? null : { uid, gid };
}
