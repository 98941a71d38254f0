/** Spreads tasks over child processes of the same program, or carries them out in this one. */
import { type ChildProcess, fork } from 'node:child_process';
import { carryOut, type Figures, type Task } from './campaign.ts';

export interface Finished {
  readonly task: Task;
  readonly figures: Figures;
}

/** With this argument the program serves a parent. */
export const SERVE = '--serve';

/**
 * @param onFinished  called as tasks end, in any order
 * @returns in the order of the tasks
 */
export async function carryOutAll(
  tasks: readonly Task[],
  processes: number,
  onFinished: (finished: Finished) => void,
): Promise<readonly Finished[]> {
  const results: Finished[] = [];
  const finish = (at: number, finished: Finished): void => {
    results[at] = finished;
    onFinished(finished);
  };
  if (processes <= 1) {
    for (const [at, task] of tasks.entries()) {
      finish(at, { task, figures: carryOut(task, cpuMs) });
    }
    return results;
  }
  let next = 0;
  const take = (): number => {
    next += 1;
    return next - 1;
  };
  const work = async (): Promise<void> => {
    const child = fork(process.argv[1] ?? '', [SERVE]);
    try {
      for (let at = take(); at < tasks.length; at = take()) {
        const task = tasks[at] as Task;
        finish(at, { task, figures: await ask(child, task) });
      }
    } finally {
      child.disconnect();
    }
  };
  await Promise.all(Array.from({ length: Math.min(processes, tasks.length) }, work));
  return results;
}

/** The other end: one answer for each task that comes in. Ends when the parent does. */
export function serve(): void {
  process.on('message', (task: Task) => {
    process.send?.(carryOut(task, cpuMs));
  });
  process.on('disconnect', () => process.exit());
}

function cpuMs(): number {
  const { user, system } = process.cpuUsage();
  return (user + system) / 1_000;
}

function ask(child: ChildProcess, task: Task): Promise<Figures> {
  return new Promise((resolve, reject) => {
    const onExit = (code: number | null): void => {
      reject(new Error(`a simulating process ended with ${code} at seed ${task.firstSeed}`));
    };
    child.once('exit', onExit);
    child.once('message', (figures: Figures) => {
      child.off('exit', onExit);
      resolve(figures);
    });
    child.send(task);
  });
}
