// The pinned npm compiler with the two commands that forge uses: --version, and standard JSON over pipes.
// solcjs's own command line loses input and output beyond a pipe's buffer.
const path = require("path");
const solc = require(path.join(__dirname, "..", "..", "contracts", "node_modules", "solc"));

if (process.argv.includes("--version")) {
  const version = solc.version().split("+");
  const commit = version[1].split(".").slice(0, 2).join(".");
  process.stdout.write(`solc, the solidity compiler commandline interface\nVersion: ${version[0]}+${commit}.Linux.g++\n`);
} else {
  const chunks = [];
  process.stdin.on("data", (chunk) => chunks.push(chunk));
  process.stdin.on("end", () => {
    process.stdout.write(solc.compile(Buffer.concat(chunks).toString("utf8")));
  });
}
