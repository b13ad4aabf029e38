"""A network of eight hidden units learns to spell "hello": the notebook in numpy.

Each "In [n]" is the cell of that number, as in notebook.rs, which has the same names in the same
order and prints the same lines from the same weights. From there on: bptt.rs, then src/bptt.

    python3 crates/rnn/examples/notebook.py        # seed 0
    python3 crates/rnn/examples/notebook.py 7      # other initial weights
"""

# In [19]: what we compute with
import sys

import numpy as np

# In [20]: sample data
text = "hello"
index_to_char = dict(enumerate("helo"))
char_to_index = {char: index for index, char in index_to_char.items()}

# In [21]: sizes
input_size = output_size = len(char_to_index)
hidden_size = 8

# In [22]: small random weights and zero biases; b belongs to the hidden layer, c to the output
np.random.seed(int(sys.argv[1]) if len(sys.argv) > 1 else 0)
U = 0.1 * np.random.randn(hidden_size, input_size)
W = 0.1 * np.random.randn(hidden_size, hidden_size)
V = 0.1 * np.random.randn(output_size, hidden_size)
b = np.zeros((hidden_size, 1))
c = np.zeros((output_size, 1))


# In [23]: h = tanh(U x + W h_prev + b), y_hat = softmax(V h + c)
def forward_pass(input_index, h_prev):
    x = np.eye(input_size)[:, [input_index]]  # a one-hot column
    h = np.tanh(U @ x + W @ h_prev + b)
    exp_o = np.exp(V @ h + c)
    return exp_o / exp_o.sum(), h, x


# In [24]: the surprise, in nats, at the character that came
def cross_entropy_loss(y_hat, target_index):
    return -np.log(y_hat[target_index, 0])


# In [25]: the gradient of one step's loss, through this step alone (see bptt.rs for what is missing)
def backward_pass(y_hat, target_index, h, h_prev, x):
    do = y_hat.copy()
    do[target_index] -= 1
    dhraw = (1 - h**2) * (V.T @ do)
    return dhraw @ x.T, dhraw @ h_prev.T, do @ h.T, dhraw, do


# In [26]: hyperparameters, and the training loop
learning_rate = 0.1
n_epochs = 100

for epoch in range(n_epochs):
    loss = 0.0
    gradients = [np.zeros_like(weights) for weights in (U, W, V, b, c)]
    h_prev = np.zeros((hidden_size, 1))  # each epoch starts from nothing

    for now, after in zip(text, text[1:]):
        target_index = char_to_index[after]
        h_prev_old = h_prev
        y_hat, h_prev, x = forward_pass(char_to_index[now], h_prev_old)
        loss += cross_entropy_loss(y_hat, target_index)
        step = backward_pass(y_hat, target_index, h_prev, h_prev_old, x)
        for total, gradient in zip(gradients, step):
            total += gradient

    for weights, gradient in zip((U, W, V, b, c), gradients):
        weights -= learning_rate * gradient

    print(f"Epoch {epoch + 1}, Loss: {loss:.4f}")

# In [27]: from 'h', always go on with the most likely character
h_prev = np.zeros((hidden_size, 1))
predicted_text = text[0]

while len(predicted_text) < len(text):
    y_hat, h_prev, _ = forward_pass(char_to_index[predicted_text[-1]], h_prev)
    predicted_text += index_to_char[np.argmax(y_hat)]

print(predicted_text)
