//! Products column by column, and their reduction. Written out: a loop over columns is not unrolled into locals.

use super::{
    element::{Element, PRIME, TOP_BITS},
    lanes::Lanes,
};

/// Sum of products of limbs.
macro_rules! dot {
    ($a:ident $b:ident $(, $c:ident $d:ident)*) => {{
        let sum = L::times($a, $b);
        $(let sum = L::add(sum, L::times($c, $d));)*
        sum
    }};
}

/// The columns of a product.
#[inline(always)]
pub fn products<L: Lanes>(a: &[L::Limb; 9], b: &[L::Limb; 9]) -> [L::Column; 17] {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = (*a).map(L::factor);
    let [b0, b1, b2, b3, b4, b5, b6, b7, b8] = (*b).map(L::factor);
    [
        dot!(a0 b0),
        dot!(a0 b1, a1 b0),
        dot!(a0 b2, a1 b1, a2 b0),
        dot!(a0 b3, a1 b2, a2 b1, a3 b0),
        dot!(a0 b4, a1 b3, a2 b2, a3 b1, a4 b0),
        dot!(a0 b5, a1 b4, a2 b3, a3 b2, a4 b1, a5 b0),
        dot!(a0 b6, a1 b5, a2 b4, a3 b3, a4 b2, a5 b1, a6 b0),
        dot!(a0 b7, a1 b6, a2 b5, a3 b4, a4 b3, a5 b2, a6 b1, a7 b0),
        dot!(a0 b8, a1 b7, a2 b6, a3 b5, a4 b4, a5 b3, a6 b2, a7 b1, a8 b0),
        dot!(a1 b8, a2 b7, a3 b6, a4 b5, a5 b4, a6 b3, a7 b2, a8 b1),
        dot!(a2 b8, a3 b7, a4 b6, a5 b5, a6 b4, a7 b3, a8 b2),
        dot!(a3 b8, a4 b7, a5 b6, a6 b5, a7 b4, a8 b3),
        dot!(a4 b8, a5 b7, a6 b6, a7 b5, a8 b4),
        dot!(a5 b8, a6 b7, a7 b6, a8 b5),
        dot!(a6 b8, a7 b7, a8 b6),
        dot!(a7 b8, a8 b7),
        dot!(a8 b8),
    ]
}

/// The columns of a square.
#[inline(always)]
pub fn squares<L: Lanes>(a: &[L::Limb; 9]) -> [L::Column; 17] {
    let [a0, a1, a2, a3, a4, a5, a6, a7, a8] = (*a).map(L::factor);
    let d1 = L::plus(a1, a1);
    let d2 = L::plus(a2, a2);
    let d3 = L::plus(a3, a3);
    let d4 = L::plus(a4, a4);
    let d5 = L::plus(a5, a5);
    let d6 = L::plus(a6, a6);
    let d7 = L::plus(a7, a7);
    let d8 = L::plus(a8, a8);
    [
        dot!(a0 a0),
        dot!(a0 d1),
        dot!(a0 d2, a1 a1),
        dot!(a0 d3, a1 d2),
        dot!(a0 d4, a1 d3, a2 a2),
        dot!(a0 d5, a1 d4, a2 d3),
        dot!(a0 d6, a1 d5, a2 d4, a3 a3),
        dot!(a0 d7, a1 d6, a2 d5, a3 d4),
        dot!(a0 d8, a1 d7, a2 d6, a3 d5, a4 a4),
        dot!(a1 d8, a2 d7, a3 d6, a4 d5),
        dot!(a2 d8, a3 d7, a4 d6, a5 a5),
        dot!(a3 d8, a4 d7, a5 d6),
        dot!(a4 d8, a5 d7, a6 a6),
        dot!(a5 d8, a6 d7),
        dot!(a6 d8, a7 a7),
        dot!(a7 d8),
        dot!(a8 a8),
    ]
}

/// The columns divided by `R` modulo the prime, minus an element.
///
/// Of that element, `k·q` is left away, `k` the nearest multiple below by its top limb, so that differences of
/// differences do not grow: what is subtracted is in `(-0.01·q, 1.01·q)`.
#[inline(always)]
pub fn reduce<L: Lanes>(columns: [L::Column; 17], minus: Option<&[L::Limb; 9]>) -> Element<L> {
    let [q1, q2, q3, q4] = PRIME.map(|limb| L::factor(L::splat(limb)));
    let q8 = L::factor(L::splat(1 << TOP_BITS));
    let [c0, c1, c2, c3, c4, c5, c6, c7, c8, c9, c10, c11, c12, c13, c14, c15, c16] = columns;
    let (c9, c10, c11, c12, c13, c14, c15, c16, top) = match minus {
        None => (c9, c10, c11, c12, c13, c14, c15, c16, None),
        Some(minus) => {
            let [s0, s1, s2, s3, s4, s5, s6, s7, s8] = *minus;
            let k = L::shift::<TOP_BITS>(s8);
            let less = |column, limb| L::sub(column, L::widen(limb));
            (
                L::add(less(c9, s0), L::widen(k)),
                L::add(less(c10, s1), L::times(k, q1)),
                L::add(less(c11, s2), L::times(k, q2)),
                L::add(less(c12, s3), L::times(k, q3)),
                L::add(less(c13, s4), L::times(k, q4)),
                less(c14, s5),
                less(c15, s6),
                less(c16, s7),
                Some(L::sub(L::times(k, q8), L::widen(s8))),
            )
        }
    };
    let column = c0;
    let m0 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c1), dot!(m0 q1));
    let m1 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c2), dot!(m1 q1, m0 q2));
    let m2 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c3), dot!(m2 q1, m1 q2, m0 q3));
    let m3 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c4), dot!(m3 q1, m2 q2, m1 q3, m0 q4));
    let m4 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c5), dot!(m4 q1, m3 q2, m2 q3, m1 q4));
    let m5 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c6), dot!(m5 q1, m4 q2, m3 q3, m2 q4));
    let m6 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c7), dot!(m6 q1, m5 q2, m4 q3, m3 q4));
    let m7 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c8), dot!(m7 q1, m6 q2, m5 q3, m4 q4, m0 q8));
    let m8 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c9), dot!(m8 q1, m7 q2, m6 q3, m5 q4, m1 q8));
    let r0 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c10), dot!(m8 q2, m7 q3, m6 q4, m2 q8));
    let r1 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c11), dot!(m8 q3, m7 q4, m3 q8));
    let r2 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c12), dot!(m8 q4, m4 q8));
    let r3 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c13), dot!(m5 q8));
    let r4 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c14), dot!(m6 q8));
    let r5 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c15), dot!(m7 q8));
    let r6 = L::low(column);
    let column = L::sub(L::add(L::carry(column), c16), dot!(m8 q8));
    let r7 = L::low(column);
    let column = L::carry(column);
    let r8 = L::narrow(top.map_or(column, |top| L::add(column, top)));
    Element([r0, r1, r2, r3, r4, r5, r6, r7, r8])
}
