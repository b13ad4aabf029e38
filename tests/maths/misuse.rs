//! What a program does wrong is said where it is done, by a panic; what its surroundings do wrong is an
//! error that it can handle.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::process::Command;

use rnn::{
    AdaptiveScorer, BatchSampler, Bptt, CellKind, Corpus, Dropout, Init, Model, Network,
    NetworkConfig, Parameters, Reduction, SampleOptions, Scorer, TrainConfig, Trainer, Vocabulary,
    Window,
};

const CONFIG: NetworkConfig = NetworkConfig {
    cell: CellKind::LSTM,
    vocab_size: 4,
    hidden_size: 5,
    num_layers: 2,
};

fn bptt(dropout: bool) -> (Bptt<f64>, Network<f64>) {
    let window = Window {
        batch_size: 2,
        seq_length: 3,
        horizon: None,
        reduction: Reduction::Mean,
        restart: None,
    };
    let network = Network::new(CONFIG, &Init::default(), 1).unwrap();
    (Bptt::new(&CONFIG, window, dropout).unwrap(), network)
}

fn said(work: impl FnOnce()) -> String {
    let panic = catch_unwind(AssertUnwindSafe(work)).unwrap_err();
    match panic.downcast::<String>() {
        Ok(text) => *text,
        Err(panic) => panic.downcast_ref::<&str>().unwrap().to_string(),
    }
}

#[test]
fn a_window_goes_backward_once() {
    let (mut bptt, network) = bptt(false);
    let mut gradient = Parameters::zeros(&CONFIG);
    let (inputs, targets) = ([0, 1, 2, 3, 0, 1], [1, 2, 3, 0, 1, 2]);
    let again = "a backward pass without a window; call Bptt::forward before each Bptt::backward";
    assert_eq!(said(|| bptt.backward(&mut gradient)), again);
    bptt.forward(network.parameters(), &inputs, &targets, None);
    bptt.backward(&mut gradient);
    let once = gradient.clone();
    assert_eq!(said(|| bptt.backward(&mut gradient)), again);
    assert_eq!(gradient, once);
    // After another window it adds.
    bptt.reset_state();
    bptt.forward(network.parameters(), &inputs, &targets, None);
    bptt.backward(&mut gradient);
    for (twice, once) in gradient.as_slice().iter().zip(once.as_slice()) {
        assert!((twice - 2.0 * once).abs() < 1e-15);
    }
}

#[test]
fn dropout_without_buffers_says_how_to_have_them() {
    let (mut bptt, network) = bptt(false);
    let dropout = Some(Dropout::new(0.5, 1, 1));
    let read = || {
        bptt.forward(network.parameters(), &[0, 1], &[1, 2], dropout);
    };
    assert_eq!(
        said(read),
        "dropout in a Bptt made without buffers for it; use Bptt::new(config, window, true)"
    );
}

/// Set in the process that the test below starts.
const CHILD: &str = "RNN_TEST_MISUSE_CHILD";

/// The instruction set is chosen once in a process, so a wrong one needs a process of its own: this very
/// test, which tries everything when it finds [`CHILD`] set.
#[test]
fn a_wrong_instruction_set_is_an_error_and_no_panic() {
    let name = "misuse::a_wrong_instruction_set_is_an_error_and_no_panic";
    if std::env::var_os(CHILD).is_none() {
        let child = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", name, "--nocapture"])
            .env("TENSOR_ISA", "mmx")
            .env(CHILD, "1")
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&child.stdout);
        let told = String::from_utf8_lossy(&child.stderr);
        let is_sound = child.status.success() && said.contains("1 passed");
        assert!(is_sound, "{said}{told}");
        return;
    }
    let corpus = Corpus::from_text(&"to be or not to be ".repeat(20)).unwrap();
    let vocabulary: Vocabulary = corpus.vocabulary().clone();
    let config = NetworkConfig {
        vocab_size: vocabulary.len(),
        ..CONFIG
    };
    let network = Network::new(config, &Init::default(), 1).unwrap();
    let model = Model::new(vocabulary, network, None);
    let model = Model::from_bytes(&model.to_bytes()).unwrap();
    let mut state = model.initial_state();
    let options = SampleOptions::default();
    let embedding = concat!(
        env!("CARGO_MANIFEST_DIR"),
        "/../../tests/fixtures/imports/embedding.safetensors"
    );
    let embedding = std::fs::read(embedding).unwrap();
    let errors = [
        model.step('t', &mut state).err(),
        model.network().forward(&[0], &mut state).err(),
        model.score("to be").err(),
        model.sample("to be", &options).err(),
        BatchSampler::new(&model, &[0], 2, &options).err(),
        Scorer::new(&model).err(),
        AdaptiveScorer::new(&model).err(),
        Model::from_pytorch(&embedding, None).err(),
        Trainer::<f32>::new(corpus, &[1.0], config, TrainConfig::default()).err(),
        rnn::insight::surprises(&model, &[0, 1], 1).err(),
        rnn::insight::letters(model.network()).err(),
    ];
    for (at, error) in errors.into_iter().enumerate() {
        let error = error
            .unwrap_or_else(|| panic!("{at} is no error"))
            .to_string();
        assert!(
            error.starts_with("TENSOR_ISA is \"mmx\"; use one of: "),
            "{at}: {error}"
        );
    }
}
