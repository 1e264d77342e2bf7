// What a WebAssembly module's exported functions do first, read from its bytes: the JavaScript API shows no code.

const IMPORTS = 2;
const EXPORTS = 7;
const CODE = 10;
const CALL = 0x10;

class Reader {
  constructor(bytes, at = 0) {
    Object.assign(this, { bytes, at });
  }

  byte() {
    return this.bytes[this.at++];
  }

  /** LEB128. */
  number() {
    let value = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = this.byte();
      value += (byte & 127) * 2 ** shift;
      if (byte < 128) return value;
    }
  }

  skip(n) {
    this.at += n;
  }

  name() {
    const length = this.number();
    this.skip(length);
    return Buffer.from(this.bytes.subarray(this.at - length, this.at)).toString();
  }

  limits() {
    const hasMost = this.number() & 1;
    this.number();
    if (hasMost) this.number();
  }
}

/** Where each section's content begins. */
function sections(bytes) {
  const found = new Map();
  const reader = new Reader(bytes, 8);
  while (reader.at < bytes.length) {
    const id = reader.byte();
    const length = reader.number();
    found.set(id, reader.at);
    reader.skip(length);
  }
  return found;
}

/** Number of imported functions: they come first in the count of functions. */
function importedFunctions(bytes, at) {
  const reader = new Reader(bytes, at);
  let found = 0;
  for (let left = reader.number(); left > 0; left--) {
    reader.name();
    reader.name();
    const kind = reader.byte();
    if (kind === 0) found += 1;
    if (kind === 0) reader.number();
    if (kind === 1) reader.skip(1);
    if (kind === 1 || kind === 2) reader.limits();
    if (kind === 3) reader.skip(2);
    if (kind === 4) reader.skip(2);
  }
  return found;
}

/** Name and number of each exported function. */
function exportedFunctions(bytes, at) {
  const reader = new Reader(bytes, at);
  const found = [];
  for (let left = reader.number(); left > 0; left--) {
    const name = reader.name();
    const kind = reader.byte();
    const index = reader.number();
    if (kind === 0) found.push({ name, index });
  }
  return found;
}

/** The exported functions, each with the function that it calls before anything else (absent where it begins otherwise). */
export function firstCalls(bytes) {
  const at = sections(bytes);
  const nImported = importedFunctions(bytes, at.get(IMPORTS));
  const reader = new Reader(bytes, at.get(CODE));
  const bodies = Array.from({ length: reader.number() }, () => {
    const length = reader.number();
    const start = reader.at;
    reader.skip(length);
    return start;
  });
  return exportedFunctions(bytes, at.get(EXPORTS)).map(({ name, index }) => {
    const body = new Reader(bytes, bodies[index - nImported]);
    for (let groups = body.number(); groups > 0; groups--) {
      body.number();
      body.skip(1);
    }
    return { name, calls: body.byte() === CALL ? body.number() : undefined };
  });
}
