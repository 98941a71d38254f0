/** The proto files, loaded by a second implementation of the wire format. */
import protobuf from 'protobufjs';

const folder = new URL('../../../../proto/', import.meta.url).pathname;

/** @param files  below `proto/` */
export function loadProtoFiles(files: readonly string[]): protobuf.Root {
  const root = new protobuf.Root();
  root.resolvePath = (_origin, target) => folder + target;
  root.loadSync([...files]);
  root.resolveAll();
  return root;
}
