// A value in a list of the API's, with whatever stands in it.
export function listed(values: string[]): string {
  return values.map((value) => `"${value.replaceAll('"', '""')}"`).join(",");
}
