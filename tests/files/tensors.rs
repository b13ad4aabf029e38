//! Tensors twice, missing, under another name, on top of each other or apart: each is told from its
//! checksum, and where the liar made that right as well, from what it says.

use crate::hostile_support::{File, Tensor, forged};

const NOT_JSON: &str = "it is not a safetensors file: its header is damaged: ";

#[test]
fn a_tensor_under_another_name_is_refused() {
    for (name, other) in [
        ("decoder.bias", "decoder.Bias"),
        ("decoder.bias", "Decoder.bias"),
        ("decoder.bias", "decoder.bias "),
        ("decoder.bias", "decoder.biaſ"),
        ("decoder.bias", ""),
        ("rnn.weight_ih_l0", "RNN.weight_ih_l0"),
        ("rnn.weight_ih_l0", "rnn.weight_ih_l1"),
        ("rnn.weight_ih_l0", "cell.weight_ih_l0"),
        ("rnn.weight_ih_l0", "decoder.weight_ih_l0"),
    ] {
        let missing = format!("tensor {name:?} is missing");
        forged(other, &[&missing], |file| {
            file.tensor(name).name = other.into()
        });
    }
}

#[test]
fn a_tensor_that_is_there_twice_is_refused() {
    let twice = "its header is not written as safetensors writes it: a tensor is there twice";
    let count = File::small().tensors.len();
    for at in 0..count {
        // Once more where it is; once more behind all others, with data of its own.
        forged("again", &[twice], |file| {
            let again = file.tensors[at].clone();
            file.tensors.insert(at, again);
        });
        forged("again, later", &[twice], |file| {
            let again = file.tensors[at].clone();
            file.tensors.push(again);
        });
        let elsewhere = ["tensor \"", twice, "its "];
        forged("again, elsewhere", &elsewhere, |file| {
            let [begin, end] = file.tensors[at]
                .clone()
                .offsets
                .map(|n| n.parse::<usize>().expect("a number"));
            let len = file.data.len();
            let copy = file.data[begin..end].to_vec();
            file.data.extend(copy);
            let mut again = file.tensors[at].clone();
            again.offsets = [len.to_string(), (len + end - begin).to_string()];
            file.tensors.push(again);
        });
    }
}

#[test]
fn a_tensor_that_is_missing_is_refused() {
    for at in 0..File::small().tensors.len() {
        forged("a gap in its place", &["tensor \"", "its "], |file| {
            drop(file.tensors.remove(at))
        });
        let name = File::small().tensors[at].name.clone();
        let counted = ["it holds ", "tensor "];
        forged(&format!("{name} without a gap"), &counted, |file| {
            let [begin, end] = file
                .tensors
                .remove(at)
                .offsets
                .map(|n| n.parse::<usize>().expect("a number"));
            file.data.drain(begin..end);
            for tensor in &mut file.tensors[at..] {
                move_by(tensor, begin as i64 - end as i64);
            }
        });
    }
    forged("none at all", &["it holds 0 weights"], |file| {
        file.tensors.clear();
        file.data.clear();
    });
}

#[test]
fn a_tensor_too_many_is_refused() {
    forged(
        "a surplus tensor",
        &["it holds ", "its header is not written"],
        |file| {
            let len = file.data.len();
            file.data.extend([0; 4]);
            file.tensors.push(Tensor {
                name: "surplus".into(),
                dtype: "F32".into(),
                shape: vec!["1".into()],
                offsets: [len.to_string(), (len + 4).to_string()],
            });
        },
    );
}

#[test]
fn tensors_on_top_of_each_other_or_apart_are_refused() {
    let count = File::small().tensors.len();
    for at in 0..count {
        for by in [-8, -4, -1, 1, 4, 8] {
            let reasons = ["tensor \"", NOT_JSON, "its "];
            forged(&format!("tensor {at} moved by {by}"), &reasons, |file| {
                move_by(&mut file.tensors[at], by);
            });
            forged(
                &format!("tensors from {at} moved by {by}"),
                &reasons,
                |file| {
                    file.tensors[at..]
                        .iter_mut()
                        .for_each(|tensor| move_by(tensor, by));
                    let len = file.data.len() as i64 + by;
                    file.data.resize(len as usize, 0);
                },
            );
        }
    }
    forged(
        "one tensor in the place of another",
        &["tensor \"", "its header is "],
        |file| {
            let place = file.tensor("rnn.bias_ih_l0").offsets.clone();
            file.tensor("rnn.bias_hh_l0").offsets = place;
        },
    );
    forged("data behind the last", &["its "], |file| {
        file.data.extend([0; 4])
    });
}

fn move_by(tensor: &mut Tensor, by: i64) {
    for offset in &mut tensor.offsets {
        *offset = (offset.parse::<i64>().expect("a number") + by).to_string();
    }
}
