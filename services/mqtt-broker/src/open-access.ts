import type { AccessSettings } from './settings.ts';
import { AccessControl } from './access-control.ts';

/** The access files as opened, and how to read them again. */
export interface OpenedAccess {
  readonly control: AccessControl;
  reload(): Promise<readonly string[]>;
}

export async function openAccess(settings: AccessSettings): Promise<OpenedAccess> {
  return { control: new AccessControl([], [], settings), reload: async () => [] };
}
