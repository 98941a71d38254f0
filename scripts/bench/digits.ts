/** A figure with as many digits as count: `12,345`, `1,234`, `123`, `12.3`, `1.23`. */
export function digits(figure: number): string {
  if (figure >= 1000) return Math.round(figure).toLocaleString('en-US');
  return figure.toFixed(figure >= 100 ? 0 : figure >= 10 ? 1 : 2);
}
