//! Numbers of the field, each checked by a test against its definition.

/// `R mod q`, which is one.
pub const ONE: [i32; 9] = [
    536_870_785,
    109_761_799,
    269_387_226,
    339_078_782,
    536_801_263,
    536_870_911,
    536_870_911,
    536_870_911,
    4_194_303,
];
/// `R² mod q`: multiplying with it takes a value to Montgomery form.
pub const R2: [i32; 9] =
    [15_210, 45_200_720, 271_026_314, 514_125_206, 68_726_138, 629_227, 402_317_873, 510_127_444, 3_475_133];
/// 5, both the curve's constant (`y² = x³ + 5`) and a generator of the field's units.
pub const FIVE: [i32; 9] = [
    536_870_273,
    400_082_183,
    463_454_134,
    273_008_683,
    536_520_476,
    536_870_911,
    536_870_911,
    536_870_911,
    4_194_303,
];
/// `q`, in 64-bit words, the lowest first.
pub const PRIME_WORDS: [u64; 4] = [0x8c46_eb21_0000_0001, 0x2246_98fc_0994_a8dd, 0, 0x4000_0000_0000_0000];
/// `q - 2`.
pub const INVERSE_EXPONENT: [u64; 4] =
    [0x8c46_eb20_ffff_ffff, 0x2246_98fc_0994_a8dd, 0, 0x4000_0000_0000_0000];
/// `t`, odd, with `q - 1 = 2^32·t`.
pub const ODD_PART: [u64; 4] = [0x0994_a8dd_8c46_eb21, 0x2246_98fc, 0, 0x4000_0000];
/// `(t-1)/2`.
pub const ROOT_EXPONENT: [u64; 4] = [0x04ca_546e_c623_7590, 0x1123_4c7e, 0, 0x2000_0000];
