// Enough Markdown for a model card: headings, paragraphs, lists, tables, code; built as elements, so that no text becomes markup.

const INLINE = /`([^`]+)`|\*\*([^*]+)\*\*|\[([^\]]+)\]\(([^)]+)\)/g;

function element(name, words) {
  const made = document.createElement(name);
  if (words !== undefined) inline(made, words);
  return made;
}

/** Words with code, emphasis and links; a link leads nowhere, because the page makes no request. */
function inline(parent, words) {
  let from = 0;
  for (const match of words.matchAll(INLINE)) {
    parent.append(words.slice(from, match.index));
    const [all, code, strong, title] = match;
    const made = document.createElement(code ? "code" : strong ? "strong" : "span");
    made.textContent = code ?? strong ?? title;
    parent.append(made);
    from = match.index + all.length;
  }
  parent.append(words.slice(from));
}

function table(lines) {
  const cells = (line) => line.replace(/^\||\|$/g, "").split("|").map((cell) => cell.trim());
  const made = element("table");
  lines.filter((line) => !/^\|[\s:|-]+\|$/.test(line)).forEach((line, idx) => {
    const row = made.insertRow();
    for (const [at, cell] of cells(line).entries()) {
      const made = element(idx === 0 || at === 0 ? "th" : "td", cell);
      if (made.tagName === "TH") made.scope = idx === 0 ? "col" : "row";
      row.append(made);
    }
  });
  const frame = element("div");
  [frame.className, frame.tabIndex] = ["scroll", 0];
  frame.append(made);
  return frame;
}

function list(lines) {
  const made = element("ul");
  for (const line of lines) {
    if (/^([-*]|\d+\.) /.test(line)) made.append(element("li", line.replace(/^([-*]|\d+\.) /, "")));
    else if (made.lastChild) inline(made.lastChild, ` ${line.trim()}`);
  }
  return made;
}

function code(lines) {
  const made = element("pre");
  made.tabIndex = 0;
  made.append(Object.assign(document.createElement("code"), { textContent: lines.join("\n") }));
  return made;
}

/** Blocks of lines that belong together. */
function blocks(text) {
  return text.replace(/```\w*\n([\s\S]*?)```/g, (_, code) => code.replace(/^/gm, "    ")).split(/\n\s*\n/).map((block) =>
    block.split("\n").filter((line) => line.trim()));
}

/** Put a Markdown text into an element; its first heading becomes `level`. */
export function show(parent, text, level) {
  parent.replaceChildren();
  for (const lines of blocks(text)) {
    for (let heading; (heading = lines[0]?.match(/^(#+) (.*)/)); lines.shift()) {
      parent.append(element(`h${Math.min(6, heading[1].length + level - 1)}`, heading[2]));
    }
    if (lines.length === 0) continue;
    if (lines[0].startsWith("|")) parent.append(table(lines));
    else if (/^([-*]|\d+\.) /.test(lines[0])) parent.append(list(lines));
    else if (lines.every((line) => line.startsWith("    "))) parent.append(code(lines.map((line) => line.slice(4))));
    else parent.append(element("p", lines.join(" ")));
  }
}
