import { fileURLToPath } from 'node:url';
import { checkScenarioFile, scenarioFilesIn } from '@robustmq/datadriven';
import { describe, expect, test } from 'vitest';
import { commandRunner } from './testing/run-commands.ts';

const directory = fileURLToPath(new URL('../testdata', import.meta.url));

describe('the scenarios of testdata', () => {
  for (const name of scenarioFilesIn(directory)) {
    test(name.replaceAll('_', ' '), () => {
      expect(checkScenarioFile(directory, name, commandRunner())).toEqual([]);
    });
  }
});
