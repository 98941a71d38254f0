import type { ScenarioCommand } from '@robustmq/datadriven';
import type { ScenarioCluster } from '../cluster.ts';

/** Carries out one command; what it returns is part of the paragraph's output. */
export type CommandRun = (cluster: ScenarioCluster, command: ScenarioCommand) => string;
