// What is read first is unpacked and drawn first; the rest follows, panel by panel, and the page
// answers in between.

(async function start() {
  if (!('DecompressionStream' in window)) {
    panel('notes').append(make('li', {}, 'This browser is too old to unpack the page. Use Chrome or Edge 80, Firefox 113, Safari 16.4 or later.'));
    panel('notes').hidden = false;
    return;
  }
  data = JSON.parse(new TextDecoder().decode(await bytesOf('data')));
  config = data.network;
  symbols = Array.from(data.vocabulary);
  length = data.ids.length;
  showHead();
  showLoss();
  showSurprise();
  const pause = () => new Promise((go) => setTimeout(go));
  await pause();
  // What follows the script in the page may not have been read yet.
  if (document.readyState === 'loading') await new Promise((go) => addEventListener('DOMContentLoaded', go));
  takeActivations(await bytesOf('activations'));
  if (data.weights) network = new Network(weightsFrom(await bytesOf('weights'), data.weights));
  for (const show of [showNeurons, showMemory, showLetters, showWriting]) {
    await pause();
    show();
  }
  document.body.dataset.ready = 'yes';
})().catch((error) => {
  panel('notes').append(make('li', {}, `This browser cannot draw the page: ${error.message}.`));
  panel('notes').hidden = false;
  throw error;
});
