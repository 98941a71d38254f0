export { ScenarioCommand } from './command.ts';
export { type RunParagraph, runScenario, type ScenarioOutcome } from './scenario.ts';
export { checkScenarioFile, scenarioFilesIn } from './scenario-file.ts';
