// What is read first is drawn first; the rest follows, panel by panel, and the page answers in
// between.

(async function start() {
  data = JSON.parse(panel('data').textContent);
  config = data.network;
  symbols = Array.from(data.vocabulary);
  length = data.ids.length;
  showHead();
  showLoss();
  showSurprise();
  const pause = () => new Promise((go) => setTimeout(go));
  await pause();
  // The weights follow the script in the page and may not have been read yet.
  if (document.readyState === 'loading') await new Promise((go) => addEventListener('DOMContentLoaded', go));
  network = new Network(floatsOf('weights'));
  for (const show of [showNeurons, showMemory, showLetters, showWriting]) {
    await pause();
    show();
  }
  document.body.dataset.ready = 'yes';
})().catch((error) => {
  panel('failure').textContent = `This browser cannot draw the page: ${error.message}.`;
  panel('failure').hidden = false;
  throw error;
});
