//! Serves a model: `POST /complete` streams what it writes, and all requests share its steps.
//!
//! ```sh
//! cargo run --release -p rnn --example server -- shakespeare.safetensors
//! curl -N 127.0.0.1:8000/complete -d '{"prime": "To be", "length": 99, "options": {"seed": 3}}'
//! ```

use std::io::{self, Read, Write};
use std::net::TcpListener;
use std::sync::mpsc::{self, Receiver, Sender};
use std::{iter, thread};

use rnn::{Id, Model, SampleOptions, Sampler, Session};
use socket2::SockRef;
use tiny_http::{Request, Response, Server};

type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;

/// The body of a request, as JSON.
#[derive(serde::Deserialize)]
struct Wish {
    prime: String,
    length: u16,
    #[serde(default)]
    options: SampleOptions,
}

/// A text that is being written, what is still wished for, and where its characters go.
struct Client {
    sampler: Sampler,
    wish: Wish,
    to: Sender<Id>,
}

/// Draws and sends a character; `None` once there are enough, or nobody waits for more.
fn next(client: &mut Client) -> Option<Id> {
    client.wish.length = client.wish.length.checked_sub(1)?;
    let id = client.sampler.draw().ok()?;
    client.to.send(id).is_ok().then_some(id)
}

/// Steps all clients together, for as long as new ones may come.
fn step(arriving: &Receiver<Client>) {
    let (mut clients, mut ids) = (Vec::new(), Vec::new());
    while let Some(first) = clients.pop().or_else(|| arriving.recv().ok()) {
        clients.extend(iter::once(first).chain(arriving.try_iter()));
        clients.retain_mut(|client| next(client).map(|id| ids.push(id)).is_some());
        let sessions = clients.iter_mut().map(|c| c.sampler.session_mut());
        Session::step_all(sessions.zip(ids.drain(..))).expect("memory for a step");
    }
}

/// What is asked for, with the prime read.
fn client(request: &mut Request, model: &Model, to: Sender<Id>) -> Result<Client> {
    let wish: Wish = serde_json::from_reader(request.as_reader().take(1 << 16))?;
    let sampler = model.sample(&wish.prime, &wish.options)?;
    Ok(Client { sampler, wish, to })
}

/// Answers a request with characters as they come, or with what is wrong with it.
fn answer(mut request: Request, model: &Model, clients: &Sender<Client>) -> io::Result<()> {
    let (to, ids) = mpsc::channel();
    match client(&mut request, model, to) {
        Ok(client) => clients.send(client).expect("a thread that steps"),
        Err(why) => {
            let why = Response::from_string(format!("{why}\n"));
            return request.respond(why.with_status_code(400));
        }
    }
    let mut out = request.into_writer();
    out.write_all(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")?;
    while let Ok(first) = ids.recv() {
        let some: Vec<Id> = iter::once(first).chain(ids.try_iter()).collect();
        let text = model.vocabulary().decode_bytes(&some);
        write!(out, "{:x}\r\n", text.len())?;
        out.write_all(&[&text[..], b"\r\n"].concat())?;
        out.flush()?;
    }
    out.write_all(b"0\r\n\r\n")?;
    out.flush()
}

/// Takes requests, each on a thread of its own, while one thread steps. A client may be gone.
pub(crate) fn serve(model: &Model, listener: TcpListener) -> Result<()> {
    SockRef::from(&listener).set_tcp_nodelay(true)?; // Or characters wait for acknowledgements.
    let server = Server::from_listener(listener, None)?;
    let (clients, arriving) = mpsc::channel();
    thread::spawn(move || step(&arriving));
    for request in server.incoming_requests() {
        let (model, clients) = (model.clone(), clients.clone());
        thread::spawn(move || answer(request, &model, &clients).ok());
    }
    Ok(())
}

fn main() -> Result<()> {
    let file = std::env::args().nth(1).ok_or("expected a model")?;
    serve(&Model::load(file)?, TcpListener::bind("127.0.0.1:8000")?)
}
