//! Ranks over the scalar field.

use verifier::{F, ff::Field as _};

/// The rank of a matrix, by elimination.
pub fn rank(mut rows: Vec<Vec<F>>) -> usize {
    let columns = rows.first().map_or(0, Vec::len);
    let mut rank = 0;
    for column in 0..columns {
        let Some(pivot) = (rank..rows.len()).find(|&row| rows[row][column] != F::ZERO) else { continue };
        rows.swap(rank, pivot);
        let (done, rest) = rows.split_at_mut(rank + 1);
        let pivot = &done[rank];
        let inverse = pivot[column].invert().unwrap();
        for row in rest {
            let factor = row[column] * inverse;
            row.iter_mut().zip(pivot).for_each(|(cell, own)| *cell -= factor * own);
        }
        rank += 1;
    }
    rank
}

#[test]
fn ranks() {
    let matrix = |rows: &[&[u64]]| rows.iter().map(|row| row.iter().map(|&x| F::from(x)).collect()).collect();
    assert_eq!(rank(Vec::new()), 0);
    assert_eq!(rank(matrix(&[&[0, 0], &[0, 0]])), 0);
    assert_eq!(rank(matrix(&[&[0, 1], &[2, 0]])), 2);
    assert_eq!(rank(matrix(&[&[1, 2, 3], &[2, 4, 6], &[1, 0, 1]])), 2);
    assert_eq!(rank(matrix(&[&[1, 1], &[1, 2], &[1, 3]])), 2);
}
