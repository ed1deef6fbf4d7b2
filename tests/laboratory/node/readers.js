// Reads mails and verifies signatures, a line of JSON each, and says on a line what it has read.

import { createInterface } from "node:readline";

import { simpleParser } from "mailparser";
import PostalMime from "postal-mime";
import { Webhook as StandardWebhook } from "standardwebhooks";
import { Webhook as SvixWebhook } from "svix";

const AS_IT_IS = { skipHtmlToText: true, skipTextToHtml: true, skipTextLinks: true };

async function mail({ raw }) {
  const bytes = Buffer.from(raw, "base64");
  const [theirs, postal] = [await simpleParser(bytes, AS_IT_IS), await PostalMime.parse(bytes)];
  return {
    mailparser: {
      headers: theirs.headerLines.map((line) => line.key),
      subject: theirs.subject,
      sender: theirs.from.value[0].address,
      to: theirs.to.value.map((each) => each.address),
      text: theirs.text,
      html: theirs.html,
      attachments: theirs.attachments.length,
    },
    "postal-mime": {
      headers: postal.headers.map((header) => header.key),
      subject: postal.subject,
      sender: postal.from.address,
      to: postal.to.map((each) => each.address),
      text: postal.text,
      html: postal.html,
      attachments: postal.attachments.length,
    },
  };
}

function verifies(library, secret, body, headers) {
  try {
    new library(secret).verify(body, headers);
    return true;
  } catch {
    return false;
  }
}

function webhook({ secret, body, headers }) {
  return {
    "standardwebhooks (JavaScript)": verifies(StandardWebhook, secret, body, headers),
    svix: verifies(SvixWebhook, secret, body, headers),
  };
}

const kinds = { mail, webhook };
for await (const line of createInterface({ input: process.stdin, crlfDelay: Infinity })) {
  const asked = JSON.parse(line);
  process.stdout.write(`${JSON.stringify(await kinds[asked.kind](asked))}\n`);
}
