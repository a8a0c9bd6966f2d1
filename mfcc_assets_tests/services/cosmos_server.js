// The npm package @vercel/cosmosdb-server with fixes. cosmos.py starts it and describes them.
// Usage: node cosmos_server.js HOST PORT FOLDER. The folder has the key, the token of an identity, and a certificate
// if the server is to speak HTTPS.
"use strict";

const crypto = require("node:crypto");
const fs = require("node:fs");
const path = require("node:path");

const part = (name) => require(`@vercel/cosmosdb-server/lib/${name}`);
const [host, port, folder] = process.argv.slice(2);
const contents = (name) => fs.readFileSync(path.join(folder, name), "utf8");
const isTls = fs.existsSync(path.join(folder, "server.pem"));
const LARGEST_ITEM = 2 * 1024 * 1024;
const LONE_SURROGATE = /[\ud800-\udfff]/u;

// The package reads its handlers when its routes are first required, so they must be replaced before that.
function replaceHandler(name, answer) {
  const module = part(`handler/${name}`);
  const original = module.default;
  module.default = (account, request, response, names) =>
    answer(() => original(account, request, response, names), account, request, response, names);
}

replaceHandler("read-meta", (original, account, request) => {
  const here = [{ name: "Here", databaseAccountEndpoint: `${isTls ? "https" : "http"}://${request.headers.host}/` }];
  return { ...account.read(), writableLocations: here, readableLocations: here };
});

replaceHandler("read-document", (original, account, request, response, { dbId, collId, docId }) => {
  const [partition] = JSON.parse(request.headers["x-ms-documentdb-partitionkey"]);
  if (account.database(dbId).collection(collId).document(docId, partition).read()) return original();
  response.statusCode = 404;
  return { code: "NotFound", message: "Entity with the specified id does not exist in the system." };
});

part("json").default = async (request) => JSON.parse(request.text);

// In the package, a container was empty after its properties were replaced.
const collections = part("account/collections").default.prototype;
const replace = collections.replace;
collections.replace = function (data, former) {
  const { documents } = this._data.get(former._rid);
  const replaced = replace.call(this, data, former);
  documents._parent = this._data.get(former._rid);
  documents._parent.documents = documents;
  return replaced;
};

// Items disappear after their time to live.
const documents = part("account/documents").default.prototype;
for (const method of ["_item", "query", "read"]) {
  const original = documents[method];
  documents[method] = function (...given) {
    const { defaultTtl } = this._parent.read() || {};
    for (const [rid, item] of defaultTtl ? this._data : []) {
      const { id, ttl, _ts } = item.read();
      const seconds = ttl || defaultTtl;
      if (seconds > 0 && Date.now() >= (_ts + seconds) * 1000) {
        this._data.delete(rid);
        this._index.delete(this._getId("/id", id, this._getPartition(item.read())));
      }
    }
    return original.apply(this, given);
  };
}

function signature(request) {
  const steps = decodeURIComponent(new URL(request.url, "http://x").pathname).split("/").filter(Boolean);
  const isFeed = steps.length % 2 === 1;
  const type = steps[steps.length - (isFeed ? 1 : 2)] || "";
  const link = (isFeed ? steps.slice(0, -1) : steps).join("/");
  const dates = [request.headers["x-ms-date"], request.headers.date].map((date) => (date || "").toLowerCase());
  const signed = [request.method.toLowerCase(), type, link, ...dates, ""].join("\n");
  const key = Buffer.from(contents("cosmos.key"), "base64");
  return crypto.createHmac("sha256", key).update(signed).digest("base64");
}

function refusal(request) {
  const authorization = decodeURIComponent(request.headers.authorization || "");
  const isIdentity = authorization === `type=aad&ver=1.0&sig=${contents("identity.token")}`;
  if (!isIdentity && authorization !== `type=master&ver=1.0&sig=${signature(request)}`)
    return [401, "Unauthorized", "The input authorization token can't serve the request."];
  // With a data-plane role, databases and containers can be read but not made or changed.
  if (isIdentity && request.method !== "GET" && !request.url.includes("/docs"))
    return [403, "Forbidden", "The request cannot be authorized by AAD token in data plane."];
  if (request.text.length > LARGEST_ITEM) return [413, "RequestEntityTooLarge", "Request size is too large"];
  if (request.text && !isUnicode(request.text)) return [400, "BadRequest", "The request is no Unicode."];
  return null;
}

function isUnicode(json) {
  let is = true;
  JSON.parse(json, (name, value) => {
    is &&= !LONE_SURROGATE.test(name) && !(typeof value === "string" && LONE_SURROGATE.test(value));
    return value;
  });
  return is;
}

function answer(response, status, headers, body) {
  response.writeHead(status, { "content-type": "application/json", ...headers });
  response.end(JSON.stringify(body));
}

// Faults that tests plan for the next requests: another answer, or none, before or after the request is executed.
let faults = [];

function fault(request) {
  const meets = ({ method, path, times }) => times > 0 && method === request.method && request.url.includes(path);
  const met = request.url === "/" ? undefined : faults.find(meets);
  if (met) met.times -= 1;
  return met;
}

const server = isTls
  ? part("index").createHttpsServer({ keepAlive: true, cert: contents("server.pem"), key: contents("server.key") })
  : part("index").createHttpServer({ keepAlive: true });
const [serve] = server.listeners("request");
server.removeAllListeners("request");
server.on("request", (request, response) => {
  // A client that is killed during a request must not stop the server.
  respond(request, response).catch(() => request.socket.destroy());
});

async function respond(request, response) {
  request.setEncoding("utf8");
  request.text = "";
  for await (const chunk of request) request.text += chunk;
  if (request.url === "/faults") {
    faults = JSON.parse(request.text);
    return response.end();
  }
  const refused = refusal(request);
  if (refused) return answer(response, refused[0], {}, { code: refused[1], message: refused[2] });
  const met = fault(request);
  if (met && met.status) return answer(response, met.status, met.headers, { code: "Fault", message: "" });
  if (met && !met.is_executed) return request.socket.destroy();
  if (met) response.end = () => request.socket.destroy();
  return serve(request, response);
}

server.keepAliveTimeout = 60_000;
server.listen(Number(port), host);
