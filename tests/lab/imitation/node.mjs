// Mail libraries of npm: node node.mjs NAME PROTOCOL HOST PORT MODE MECHANISM USER SECRET CLIENT
import { createRequire } from "node:module";
const need = createRequire(process.env.NODE_PATH + "/x.js");
const [name, protocol, host, portText, mode, mechanism, user, secret, client] = process.argv.slice(2);
const port = Number(portText), implicit = mode === "implicit", token = mechanism === "XOAUTH2";
const tls = { rejectUnauthorized: false, minVersion: "TLSv1", ciphers: "DEFAULT@SECLEVEL=0" };
const mail = { from: "a@example.com", to: "b@example.net", subject: "lab", text: "scan" };
setTimeout(() => process.exit(3), 12000).unref();

const libraries = {
  async nodemailer() {
    const auth = mechanism === "none" ? undefined
      : token ? { type: "OAuth2", user, accessToken: secret } : { user, pass: secret };
    const options = { host, port, secure: implicit, requireTLS: true, name: client, tls, auth };
    if (auth && !token && mechanism !== "auto") options.authMethod = mechanism;
    await need("nodemailer").createTransport(options).sendMail(mail);
  },
  async "smtp-client"() {
    const { SMTPClient } = need("smtp-client");
    const one = new SMTPClient({ host, port, secure: implicit, tls });
    await one.connect();
    await one.greet({ hostname: client });
    if (mechanism === "LOGIN") await one.authLogin({ username: user, password: secret });
    if (mechanism === "PLAIN") await one.authPlain({ username: user, password: secret });
    await one.mail({ from: mail.from });
    await one.rcpt({ to: mail.to });
    await one.data("Subject: lab\r\n\r\nscan\r\n");
    await one.quit();
  },
  async emailjs() {
    const { SMTPClient } = await import(process.env.NODE_PATH + "/emailjs/dist/index.js").catch(() => import(process.env.NODE_PATH + "/emailjs/email.js"));
    const options = { user, password: secret, host, port, ssl: implicit ? tls : false, tls: implicit ? false : tls, domain: client };
    if (mechanism !== "auto") options.authentication = [mechanism];
    await new SMTPClient(options).sendAsync(mail);
  },
  async imapflow() {
    const { ImapFlow } = need("imapflow");
    const auth = token ? { user, accessToken: secret } : { user, pass: secret };
    if (!token && mechanism !== "auto") auth.loginMethod = mechanism === "PLAIN" ? "AUTH=PLAIN" : mechanism === "LOGIN" ? "AUTH=LOGIN" : "LOGIN";
    const one = new ImapFlow({ host, port, secure: implicit, doSTARTTLS: !implicit, auth, tls, logger: false });
    await one.connect();
    await one.mailboxOpen("INBOX");
    await one.logout();
  },
  async "node-imap"() {
    const Imap = need("imap");
    const options = { user, host, port, tls: implicit, autotls: implicit ? "never" : "required", tlsOptions: tls };
    if (token) options.xoauth2 = Buffer.from(`user=${user}\x01auth=Bearer ${secret}\x01\x01`).toString("base64");
    else options.password = secret;
    const one = new Imap(options);
    await new Promise((good, bad) => {
      one.once("ready", () => one.openBox("INBOX", true, () => one.end()));
      one.once("error", bad); one.once("end", good); one.connect();
    });
  },
  async "node-pop3"() {
    const Pop3 = need("node-pop3");
    const one = new (Pop3.default || Pop3)({ user, password: secret, host, port, tls: true, tlsOptions: tls, servername: host });
    await one.UIDL();
    await one.QUIT();
  },
};
libraries[name]().then(() => process.exit(0), (fault) => { console.error(String(fault)); process.exit(1); });
