// How training went, from the model's own history.

function showLoss() {
  const into = panel('loss'), history = data.history;
  if (history.length < 2) {
    return into.append(make('p', { class: 'soft' }, history.length ? 'The training history has only one evaluation, too few for a curve.' : 'The file has no training history.'));
  }
  const xs = history.map((record) => record.step);
  const best = history.find((record) => record.step === data.best_step);
  const text = ['Mean surprise on the training text and on held-out text, in nats per character; lower is better.'];
  if (best) text.push(` Best on held-out text: ${fixed(best.validation_loss, 4)} nats, ${fixed(best.validation_loss / Math.LN2, 4)} bits, at step ${thousands(best.step)}; the model has the weights of that step.`);
  const series = [
    { name: 'training', hue: 'blue', dashed: true, values: history.map((record) => record.train_loss) },
    { name: 'held out', hue: 'orange', values: history.map((record) => record.validation_loss) },
  ].filter((s) => s.values.some((v) => v !== null));
  into.append(make('p', { class: 'soft' }, text));
  if (series.length) into.append(chart({ name: 'Loss over steps', x: 'step', y: 'nats', xs, series }));
  into.append(chart({
    name: 'Learning rate over steps', x: 'step', y: 'rate', xs, height: 140,
    series: [{ name: 'learning rate', hue: 'grey', values: history.map((record) => record.learning_rate) }],
  }));
}
