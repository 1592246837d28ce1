// HTTP clients of node and npm: node surf.mjs NAME, with the requests as JSON on its standard input
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import https from "node:https";
import http2 from "node:http2";
const need = createRequire(process.env.NODE_PATH + "/x.js");
const plan = JSON.parse(readFileSync(0, "utf8"));
process.env.NODE_TLS_REJECT_UNAUTHORIZED = "0";
setTimeout(() => process.exit(3), 14000).unref();
const agent = new https.Agent({ keepAlive: true, rejectUnauthorized: false, minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" });
const libraries = {
  async "node-fetch"() {
    for (const one of plan.requests)
      await (await fetch(plan.origin + one.path, { method: one.method, headers: one.headers, body: one.body || undefined })).text();
  },
  async "node-https"() {
    for (const one of plan.requests)
      await new Promise((good, bad) => {
        const ask = https.request(plan.origin + one.path, { method: one.method, headers: one.headers, agent }, (reply) => reply.resume().on("end", good));
        ask.on("error", bad); ask.end(one.body);
      });
  },
  async axios() {
    const axios = need("axios");
    for (const one of plan.requests)
      await axios.request({ url: plan.origin + one.path, method: one.method, headers: one.headers, data: one.body || undefined, httpsAgent: agent, validateStatus: () => true });
  },
  async "node-http2"() {
    const link = http2.connect(plan.origin, { rejectUnauthorized: false });
    for (const one of plan.requests)
      await new Promise((good, bad) => {
        const lower = Object.fromEntries(Object.entries(one.headers).map(([k, v]) => [k.toLowerCase(), v]));
        const ask = link.request({ ":method": one.method, ":path": one.path, ...lower });
        ask.on("error", bad).on("end", good).resume(); ask.end(one.body);
      });
    link.close();
  },
};
libraries[process.argv[2]]().then(() => process.exit(0), (fault) => { console.error(String(fault), String(fault.cause)); process.exit(1); });
