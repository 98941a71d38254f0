import { settle } from '@robustmq/environment';
import type { DataEntry, Entry, LogIndex, Term } from '@robustmq/raft';
import { expect, test } from 'vitest';
import { ApplyLoop } from './apply-loop.ts';
import { ListMachine, newListDisk } from './testing/list-machine.ts';

function entry(index: number): DataEntry {
  const data = new TextEncoder().encode(`${index}`);
  return { kind: 'data', term: 1 as Term, index: index as LogIndex, data };
}

function loopOver(machine: ListMachine): { loop: ApplyLoop<number>; applied: number[] } {
  const applied: number[] = [];
  const loop = new ApplyLoop(machine, machine.appliedIndex, {
    applied: (entries) => applied.push(...entries.map(({ index }) => index)),
    failed: (error) => {
      throw error;
    },
  });
  return { loop, applied };
}

test('gathers while a batch is being applied, and keeps the order', async () => {
  const machine = new ListMachine(newListDisk());
  const { loop, applied } = loopOver(machine);
  for (let index = 1; index <= 9; index += 1) loop.push([entry(index)]);
  await settle();
  expect(machine.items).toEqual(['1', '2', '3', '4', '5', '6', '7', '8', '9']);
  expect(applied).toEqual([1, 2, 3, 4, 5, 6, 7, 8, 9]);
  expect([loop.appliedIndex, loop.backlogBytes]).toEqual([9, 0]);
});

test('entries without data only move the index', async () => {
  const machine = new ListMachine(newListDisk());
  const { loop, applied } = loopOver(machine);
  const noop: Entry = { kind: 'noop', term: 1 as Term, index: 1 as LogIndex };
  loop.push([noop, entry(2)]);
  await settle();
  expect(machine.items).toEqual(['2']);
  expect(applied).toEqual([1, 2]);
});

test('what a snapshot covers is not applied once more', async () => {
  const machine = new ListMachine(newListDisk());
  const { loop, applied } = loopOver(machine);
  let open: () => void = () => undefined;
  machine.gate = new Promise((resolve) => {
    open = resolve;
  });
  loop.push([entry(1)]);
  await settle();
  const replaced = loop.exclusive(async () => loop.replaced(3 as LogIndex));
  for (let index = 2; index <= 4; index += 1) loop.push([entry(index)]);
  open();
  await replaced;
  await settle();
  expect(machine.items).toEqual(['1', '4']);
  expect(applied).toEqual([1, 4]);
});
