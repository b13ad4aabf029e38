//! Serving speed: the example server on the loopback, with 1, 8 and 64 clients that each send one request
//! after another.
//!
//! The model is an LSTM of two layers of 256 units with 65 symbols; a request is a prime of 10 characters
//! and an answer of 100. Printed are the median time of a request, that which 1 of 100 exceeds, and the
//! characters a second of all clients together. Clients and server share the machine.

#[allow(dead_code, reason = "every bench uses a part of the harness")]
mod harness;
#[path = "../crates/rnn/examples/server.rs"]
#[allow(dead_code, reason = "its main function is not called")]
mod server;

use std::io::{BufRead, BufReader, Write};
use std::net::{SocketAddr, TcpListener, TcpStream};
use std::thread;
use std::time::Instant;

use harness::Bench;
use rnn::{CellKind, Init, Model, Network, NetworkConfig, Vocabulary};

const CLIENTS: [usize; 3] = [1, 8, 64];
/// Characters of an answer.
const LENGTH: usize = 100;
/// Requests of all clients together.
const REQUESTS: usize = 512;

fn main() {
    let bench = Bench::from_args();
    let requests = if bench.measures() { REQUESTS } else { 1 };
    let model = model();
    let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
    let address = listener.local_addr().expect("an address");
    thread::spawn(move || server::serve(&model, listener).expect("a server"));
    for clients in CLIENTS {
        let case = format!("serving x{clients}");
        if bench.wants(&case) {
            measure(&bench, &case, address, clients, requests.div_ceil(clients));
        }
    }
}

fn model() -> Model {
    let vocabulary = Vocabulary::from_symbols(('0'..='p').collect()).expect("ascending symbols");
    let config = NetworkConfig {
        cell: CellKind::LSTM,
        vocab_size: vocabulary.len(),
        hidden_size: 256,
        num_layers: 2,
    };
    let network = Network::new(config, &Init::default(), 1).expect("sound sizes");
    Model::new(vocabulary, network, None)
}

fn measure(bench: &Bench, case: &str, address: SocketAddr, clients: usize, each: usize) {
    let start = Instant::now();
    let mut times: Vec<f64> = thread::scope(|scope| {
        let client = |seed: usize| scope.spawn(move || requests(address, seed, each));
        let clients: Vec<_> = (0..clients).map(client).collect();
        let times = clients.into_iter().map(|client| client.join());
        times.flat_map(|times| times.expect("answers")).collect()
    });
    let characters = (times.len() * LENGTH) as f64 / start.elapsed().as_secs_f64();
    times.sort_by(f64::total_cmp);
    let at = |share: f64| 1e3 * times[((times.len() - 1) as f64 * share).round() as usize];
    if bench.measures() {
        println!(
            "{case:<14} p50 {:7.1} ms   p99 {:7.1} ms   {characters:8.0} characters/s",
            at(0.5),
            at(0.99)
        );
    }
}

/// Seconds of each request of one client.
fn requests(address: SocketAddr, seed: usize, each: usize) -> Vec<f64> {
    let stream = TcpStream::connect(address).expect("the server");
    stream.set_nodelay(true).expect("a socket");
    let mut stream = BufReader::new(stream);
    let body =
        format!(r#"{{"prime": "0123456789", "length": {LENGTH}, "options": {{"seed": {seed}}}}}"#);
    let head = format!(
        "POST /complete HTTP/1.1\r\nHost: a\r\nContent-Length: {}",
        body.len()
    );
    let request = format!("{head}\r\n\r\n{body}");
    let each = (0..each).map(|_| {
        let start = Instant::now();
        stream
            .get_mut()
            .write_all(request.as_bytes())
            .expect("the server");
        assert_eq!(answer(&mut stream).len(), LENGTH);
        start.elapsed().as_secs_f64()
    });
    each.collect()
}

/// The body of an answer in chunks.
fn answer(stream: &mut impl BufRead) -> Vec<u8> {
    let mut line = String::new();
    while line != "\r\n" {
        line.clear();
        stream.read_line(&mut line).expect("a line of the head");
    }
    let mut body = Vec::new();
    loop {
        line.clear();
        stream.read_line(&mut line).expect("a size");
        let size = usize::from_str_radix(line.trim_end(), 16).expect("a size");
        let start = body.len();
        body.resize(start + size + 2, 0);
        stream.read_exact(&mut body[start..]).expect("a chunk");
        body.truncate(start + size);
        if size == 0 {
            return body;
        }
    }
}
