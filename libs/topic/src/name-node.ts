/**
 * One `/` of the name tree: what stands below a prefix such as `site/7/`. Names that end here are
 * kept under their whole text, which the caller has anyway, so a name costs one map entry. The first
 * name and the first branch are fields, because a map of its own costs about 200 bytes.
 */
export class NameNode<V> {
  /** How the parent finds this node; empty for the root. */
  readonly level: string;
  // Invariant: of each pair of fields, at most one is in use.
  onlyName: string | null = null;
  onlyValue: V | undefined = undefined;
  values: Map<string, V> | null = null;
  onlyBranch: NameNode<V> | null = null;
  branches: Map<string, NameNode<V>> | null = null;

  constructor(level: string) {
    this.level = level;
  }

  value(name: string): V | undefined {
    if (this.onlyName !== null) return this.onlyName === name ? this.onlyValue : undefined;
    return this.values?.get(name);
  }

  has(name: string): boolean {
    if (this.onlyName !== null) return this.onlyName === name;
    return this.values?.has(name) ?? false;
  }

  setValue(name: string, value: V): void {
    const { onlyName } = this;
    if (this.values !== null) {
      this.values.set(name, value);
    } else if (onlyName === null || onlyName === name) {
      this.onlyName = name;
      this.onlyValue = value;
    } else {
      this.values = new Map([
        [onlyName, this.onlyValue as V],
        [name, value],
      ]);
      this.onlyName = null;
      this.onlyValue = undefined;
    }
  }

  /** A map goes only when it is empty: a cursor may be in the middle of it. */
  deleteValue(name: string): void {
    if (this.values !== null) {
      this.values.delete(name);
      if (this.values.size === 0) this.values = null;
    } else if (this.onlyName === name) {
      this.onlyName = null;
      this.onlyValue = undefined;
    }
  }

  branch(level: string): NameNode<V> | null {
    const only = this.onlyBranch;
    if (only !== null) return only.level === level ? only : null;
    return this.branches?.get(level) ?? null;
  }

  addBranch(branch: NameNode<V>): void {
    const only = this.onlyBranch;
    if (this.branches !== null) {
      this.branches.set(branch.level, branch);
    } else if (only === null) {
      this.onlyBranch = branch;
    } else {
      this.branches = new Map([
        [only.level, only],
        [branch.level, branch],
      ]);
      this.onlyBranch = null;
    }
  }

  deleteBranch(branch: NameNode<V>): void {
    if (this.branches !== null) {
      this.branches.delete(branch.level);
      if (this.branches.size === 0) this.branches = null;
    } else if (this.onlyBranch === branch) {
      this.onlyBranch = null;
    }
  }

  isEmpty(): boolean {
    return (
      this.onlyName === null &&
      this.values === null &&
      this.onlyBranch === null &&
      this.branches === null
    );
  }
}
