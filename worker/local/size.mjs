// Prints the total compressed size of files in bytes, each compressed separately.
// Usage: size.mjs gzip|brotli FILE…

import { readFileSync } from "node:fs";
import { brotliCompressSync, gzipSync } from "node:zlib";

const [how, ...files] = process.argv.slice(2);
const compress = { gzip: (data) => gzipSync(data, { level: 9 }), brotli: brotliCompressSync }[how];
if (!compress || files.length === 0) process.exit(1);
console.log(files.reduce((sum, file) => sum + compress(readFileSync(file)).length, 0));
