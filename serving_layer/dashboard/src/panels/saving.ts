// What a panel shows as a file: its chart as PNG, twice as large as it is seen; its table as CSV.
const SCALE = 2;

export function savePicture(panel: HTMLElement, name: string): void {
  const svg = panel.querySelector<SVGSVGElement>(".chart svg");
  if (!svg) return;
  const { width, height } = svg.getBoundingClientRect();
  const copy = svg.cloneNode(true) as SVGSVGElement;
  copy.setAttribute("xmlns", "http://www.w3.org/2000/svg");
  const picture = new Image();
  picture.onload = () => {
    const canvas = document.createElement("canvas");
    canvas.width = width * SCALE;
    canvas.height = height * SCALE;
    const context = canvas.getContext("2d")!;
    context.fillStyle = getComputedStyle(panel).backgroundColor;
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(picture, 0, 0, canvas.width, canvas.height);
    save(canvas.toDataURL("image/png"), `${name}.png`);
  };
  picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(new XMLSerializer().serializeToString(copy))}`;
}

export function saveTable(panel: HTMLElement, name: string): void {
  const rows = [...panel.querySelectorAll<HTMLTableRowElement>("table tr")].map((row) => [...row.cells].map((cell) => cell.innerText.trim()));
  save(`data:text/csv;charset=utf-8,${encodeURIComponent(csv(rows))}`, `${name}.csv`);
}

// As the API writes it for spreadsheets: a byte order mark, and an apostrophe before text that would be a formula.
export function csv(rows: string[][]): string {
  const cell = (text: string) => {
    const safe = /^[=+\-@\t\r]/.test(text) && !/^-?[\d.,]+$/.test(text) ? `'${text}` : text;
    return /[",\r\n]/.test(safe) ? `"${safe.replaceAll('"', '""')}"` : safe;
  };
  return `\uFEFF${rows.map((row) => row.map(cell).join(",")).join("\r\n")}\r\n`;
}

function save(address: string, file: string): void {
  const link = document.createElement("a");
  link.download = file;
  link.href = address;
  link.click();
}
