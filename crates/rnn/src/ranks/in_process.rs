//! Ranks as threads of one process, connected by channels: for tests, and to see how ranks work.

use std::io;
use std::sync::Mutex;
use std::sync::mpsc::{Receiver, Sender, channel};

use super::Communicator;

/// One rank: a way to each, and one from each.
struct Threads {
    rank: usize,
    to: Vec<Sender<Vec<u8>>>,
    from: Vec<Mutex<Receiver<Vec<u8>>>>,
}

/// The ranks of one process, each for a thread of its own.
///
/// ```
/// use rnn::ranks::{Ranks, in_process};
///
/// let told = std::thread::scope(|scope| {
///     let rank = |communicator| {
///         let ranks = Ranks::new(communicator)?;
///         ranks.broadcast(if ranks.is_first() { b"hello" } else { b"" })
///     };
///     let threads: Vec<_> = in_process(4)
///         .into_iter()
///         .map(|communicator| scope.spawn(move || rank(communicator)))
///         .collect();
///     threads.into_iter().map(|thread| thread.join().unwrap()).collect::<rnn::Result<Vec<_>>>()
/// })?;
/// assert_eq!(told, [b"hello"; 4]);
/// # Ok::<(), rnn::Error>(())
/// ```
pub fn in_process(count: usize) -> Vec<impl Communicator + use<>> {
    let mut ranks: Vec<Threads> = (0..count)
        .map(|rank| Threads {
            rank,
            to: Vec::new(),
            from: Vec::new(),
        })
        .collect();
    for from in 0..count {
        for to in 0..count {
            let (sender, receiver) = channel();
            ranks[from].to.push(sender);
            ranks[to].from.push(Mutex::new(receiver));
        }
    }
    ranks
}

impl Communicator for Threads {
    fn rank(&self) -> usize {
        self.rank
    }

    fn count(&self) -> usize {
        self.to.len()
    }

    fn swap(&self, partner: usize, out: &[u8], into: &mut [u8]) -> io::Result<()> {
        let gone = || io::Error::from(io::ErrorKind::ConnectionAborted);
        self.to[partner].send(out.to_vec()).map_err(|_| gone())?;
        let from = self.from[partner].lock().map_err(|_| gone())?;
        let sent = from.recv().map_err(|_| gone())?;
        if sent.len() != into.len() {
            return Err(io::ErrorKind::InvalidData.into());
        }
        into.copy_from_slice(&sent);
        Ok(())
    }
}
