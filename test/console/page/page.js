// A dashboard's console: a terminal whose bytes pass over a websocket, and whose size
// is told to the service by the page's own server.
//
//   /?socket=URL&protocols=binary,base64
//
// The test reads `console_` and types with the keys of the browser.
'use strict';

const query = new URLSearchParams(location.search);
const terminal = new Terminal({ scrollback: 1000, cursorBlink: false });
const console_ = { opened: false, protocol: '', closed: null, sized: '', screen };

/** The text of the terminal, wrapped lines joined, without the empty ones at its end. */
function screen() {
  const buffer = terminal.buffer.active;
  let text = '';
  for (let i = 0; i < buffer.length; i++) {
    const line = buffer.getLine(i);
    text += (i > 0 && !line.isWrapped ? '\n' : '') + line.translateToString(true);
  }
  return text.trimEnd();
}

/** Fits the terminal to the window; a cell takes 9 by 18 pixels here. */
async function fit() {
  const [cols, rows] = [Math.floor(innerWidth / 9), Math.floor(innerHeight / 18)];
  terminal.resize(cols, rows);
  const answer = await fetch(`/size?w=${cols}&h=${rows}`, { method: 'POST' });
  if (answer.ok) {
    console_.sized = `${cols}x${rows}`;
  }
}

function encode(bytes) {
  return socket.protocol === 'base64' ? btoa(String.fromCharCode(...bytes)) : bytes;
}

function decode(data) {
  return typeof data === 'string' ? Uint8Array.from(atob(data), (c) => c.charCodeAt(0)) : new Uint8Array(data);
}

terminal.open(document.getElementById('terminal'));
const socket = new WebSocket(query.get('socket'), query.get('protocols').split(','));
socket.binaryType = 'arraybuffer';
socket.onopen = () => {
  Object.assign(console_, { opened: true, protocol: socket.protocol });
  terminal.onData((text) => socket.send(encode(new TextEncoder().encode(text))));
  terminal.focus();
  addEventListener('resize', fit);
  fit();
};
socket.onmessage = (message) => terminal.write(decode(message.data));
socket.onclose = (end) => {
  console_.closed = { code: end.code, reason: end.reason, clean: end.wasClean };
};
