//! Sums over ranks against the binary tree that they stand for, in one thread.

use super::*;

/// Runs `work` on each of so many ranks; what they return, in order.
fn on_ranks<R: Send>(count: usize, work: impl Fn(&Ranks) -> R + Sync) -> Vec<R> {
    std::thread::scope(|scope| {
        let threads: Vec<_> = in_process(count)
            .into_iter()
            .map(|communicator| {
                let ranks = Ranks::new(communicator).unwrap();
                let work = &work;
                scope.spawn(move || work(&ranks))
            })
            .collect();
        threads
            .into_iter()
            .map(|thread| thread.join().unwrap())
            .collect()
    })
}

/// Numbers whose sum depends on the order of additions.
fn part(rank: usize, len: usize) -> Vec<f32> {
    (0..len)
        .map(|at| {
            let mixed = (rank as u32 * 7919 + at as u32).wrapping_mul(0x9e37_79b9);
            (mixed as f32 - 2e9) * libm::powf(10.0, (mixed % 7) as f32 - 3.0)
        })
        .collect()
}

/// The tree over a range of parts.
fn tree(parts: &[Vec<f32>]) -> Vec<f32> {
    if let [part] = parts {
        return part.clone();
    }
    let (left, right) = parts.split_at(parts.len() / 2);
    let (left, right) = (tree(left), tree(right));
    left.iter().zip(&right).map(|(a, b)| a + b).collect()
}

fn bits(values: &[f32]) -> Vec<u32> {
    values.iter().map(|value| value.to_bits()).collect()
}

#[test]
fn a_sum_over_ranks_is_the_binary_tree_of_their_parts_bit_for_bit() {
    for count in [1, 2, 4, 8, 16] {
        for len in [0, 1, 2, 3, 5, 8, 13, 64, 1000, 4099] {
            let parts: Vec<_> = (0..count).map(|rank| part(rank, len)).collect();
            let expected = tree(&parts);
            let sums = on_ranks(count, |ranks| {
                let mut values = part(ranks.rank(), len);
                ranks
                    .sum(&mut values, &mut vec![0.0; len.div_ceil(2)])
                    .unwrap();
                values
            });
            for sum in sums {
                assert_eq!(bits(&sum), bits(&expected), "{count} ranks, {len} numbers");
            }
            // Or the test could not tell one order from another.
            let in_order = parts.iter().skip(1).fold(parts[0].clone(), |sum, part| {
                sum.iter().zip(part).map(|(a, b)| a + b).collect()
            });
            if count > 2 && len > 100 {
                assert_ne!(bits(&in_order), bits(&expected));
            }
        }
    }
}

#[test]
fn every_rank_learns_what_the_first_has_and_the_first_gathers_what_all_have() {
    for count in [1, 2, 4, 8] {
        let seen = on_ranks(count, |ranks| {
            let rank = ranks.rank();
            let told = ranks.broadcast(&vec![rank as u8 + 1; 1001 + rank]).unwrap();
            let number = ranks.of_first(100 + rank as u64).unwrap();
            let mut all = vec![f64::NAN; 3 * count];
            all[3 * rank..3 * rank + 3].fill(rank as f64);
            ranks.gather(&mut all).unwrap();
            let same = ranks.first_other(7).unwrap();
            let other = ranks.first_other(u64::from(rank == count - 1)).unwrap();
            (told, number, all, same, other)
        });
        for (rank, (told, number, all, same, other)) in seen.into_iter().enumerate() {
            assert_eq!(told, [1; 1001]);
            assert_eq!((number, same), (100, None));
            assert_eq!(other, (count > 1).then_some(count - 1));
            if rank == 0 {
                let expected: Vec<f64> = (0..3 * count).map(|at| (at / 3) as f64).collect();
                assert_eq!(all, expected);
            }
        }
    }
}

#[test]
fn three_ranks_are_refused_and_a_rank_that_is_gone_is_named() {
    let three = in_process(3).into_iter().map(Ranks::new);
    for refused in three {
        let error = refused.err().unwrap().to_string();
        assert_eq!(error, "number of ranks must be a power of two, got 3");
    }
    let mut ranks = in_process(2).into_iter();
    let first = Ranks::new(ranks.next().unwrap()).unwrap();
    drop(ranks);
    let error = first.of_first(1).unwrap_err();
    assert!(matches!(error, Error::Rank { rank: 1, .. }), "{error}");
    assert_eq!(error.to_string(), "rank 1 cannot be reached");
}
