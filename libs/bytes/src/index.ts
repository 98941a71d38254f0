export { ByteWriter } from './byte-writer.ts';
export { crc32c } from './crc32c.ts';
export { decodeUtf8, encodeUtf8, utf8FaultOffset, utf8SequenceLength } from './utf8.ts';
export {
  readVariableByteInteger,
  VARIABLE_BYTE_INTEGER_INCOMPLETE,
  VARIABLE_BYTE_INTEGER_MALFORMED,
  VARIABLE_BYTE_INTEGER_MAX,
  variableByteIntegerSize,
  writeVariableByteInteger,
} from './variable-byte-integer.ts';
