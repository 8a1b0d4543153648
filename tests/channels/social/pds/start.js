// A Bluesky PDS with its directory of names and a small AppView, on loopback and in one folder; see test_pds.py.
// node start.js FOLDER; prints one line of JSON when it is ready, ends when its standard input does.
"use strict";
const net = require("node:net");
const http = require("node:http");
const crypto = require("node:crypto");
const { createRequire } = require("node:module");
const need = createRequire(process.cwd() + "/");

// The PDS listens on every address of the machine otherwise.
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (first, ...rest) {
  if (first && typeof first === "object" && "port" in first) return listen.call(this, { ...first, host: "127.0.0.1" }, ...rest);
  return listen.call(this, first, "127.0.0.1", ...rest.filter((one) => typeof one === "function"));
};

const free = () =>
  new Promise((done) => {
    const server = net.createServer();
    server.listen(0, () => { const { port } = server.address(); server.close(() => done(port)); });
  });

const appview = (port) =>
  http.createServer((request, response) => {
    const { pathname, searchParams } = new URL(request.url, "http://localhost");
    response.setHeader("Content-Type", "application/json");
    if (pathname !== "/xrpc/app.bsky.feed.getPosts") return response.writeHead(501).end("{}");
    const author = { did: "did:plc:aaaaaaaaaaaaaaaaaaaaaaaa", handle: "harbour.test" };
    const posts = searchParams.getAll("uris").map((uri) => ({
      uri, cid: "bafyreihdwdcefgh4dqkjv67uzcmw7ojee6xedzdetojuzjevtenxquvyku", author, record: {},
      indexedAt: new Date().toISOString(), likeCount: 3, repostCount: 2, quoteCount: 1, replyCount: 4,
    }));
    return response.end(JSON.stringify({ posts }));
  }).listen(port);

const main = async (folder) => {
  const { PDS, envToCfg, envToSecrets } = need("@atproto/pds");
  const { PlcServer, Database } = need("@did-plc/server");
  const [plcPort, port, viewPort] = [await free(), await free(), await free()];
  const plc = PlcServer.create({ db: Database.mock(), port: plcPort });
  await plc.start();
  appview(viewPort);
  const secret = () => crypto.randomBytes(32).toString("hex");
  const env = {
    hostname: "localhost", port, dataDirectory: folder, blobstoreDiskLocation: `${folder}/blobs`,
    plcRotationKeyK256PrivateKeyHex: secret(), jwtSecret: secret(), dpopSecret: secret(), adminPassword: secret(),
    didPlcUrl: `http://localhost:${plcPort}`, inviteRequired: false, devMode: true, disableSsrfProtection: true,
    bskyAppViewUrl: `http://localhost:${viewPort}`, bskyAppViewDid: "did:web:view.invalid",
  };
  const pds = await PDS.create(envToCfg(env), envToSecrets(env));
  await pds.start();
  process.stdout.write(JSON.stringify({ url: `http://127.0.0.1:${port}` }) + "\n");
};

process.stdin.resume().on("end", () => process.exit(0));
main(process.argv[2]).catch((error) => { console.error(error); process.exit(1); });
