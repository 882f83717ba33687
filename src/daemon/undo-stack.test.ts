import { expect, test } from 'vitest';
import { UndoStack } from './undo-stack.ts';

test('a failure undoes what was done, newest first, and goes on when an undo fails', async () => {
  const done: string[] = [];
  const operation = async () => {
    await using undo = new UndoStack((what) => done.push(`reported ${what}`));
    undo.push('first', () => void done.push('first'));
    undo.push('second', () => {
      throw new Error('no');
    });
    undo.push('third', async () => void done.push('third'));
    throw new Error('half-way');
  };
  await expect(operation()).rejects.toThrow('half-way');
  expect(done).toEqual(['third', 'reported second', 'first']);
});

test('what was committed stays', async () => {
  const done: string[] = [];
  {
    await using undo = new UndoStack(() => undefined);
    undo.push('first', () => void done.push('first'));
    undo.commit();
  }
  expect(done).toEqual([]);
});
