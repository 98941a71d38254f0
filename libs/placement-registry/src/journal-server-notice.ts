/** What a journal server tells about itself in its registration, besides its address. */
export interface JournalServerNotice {
  /** Of its program; empty: it does not say. */
  readonly version: string;
  /** Its disk takes no more appends: it should lead nothing and get nothing new. */
  readonly diskFull: boolean;
}

const NOTHING: JournalServerNotice = { version: '', diskFull: false };

/** As `extendInfo` of a node's record. */
export function encodeServerNotice(notice: JournalServerNotice): string {
  return JSON.stringify(notice);
}

/** Of any `extendInfo`: what is not understood counts as not said. */
export function decodeServerNotice(extendInfo: string): JournalServerNotice {
  try {
    const said = JSON.parse(extendInfo) as Partial<JournalServerNotice> | null;
    return {
      version: typeof said?.version === 'string' ? said.version : '',
      diskFull: said?.diskFull === true,
    };
  } catch (error) {
    if (error instanceof SyntaxError) return NOTHING;
    throw error;
  }
}
