//! Instruction weights: what each WebAssembly operator costs on the Internet Computer.
//!
//! The weights are those of the replica's metering for 32-bit memories. Fuel is charged per operator as it is
//! executed, so a count here may differ from the replica's by the operators of a block that a trap left early.

use wasmtime::OperatorCost;

macro_rules! weigh {
    ($table:ident: $($weight:literal => $($operator:ident)+;)*) => { $($( $table.$operator = $weight; )+)* };
}

/// The fuel cost of each operator; every operator that is not named costs 1.
///
/// Bulk memory and table operators cost one more per byte or element they touch, which is wasmtime's default.
pub(crate) fn operator_cost() -> OperatorCost {
    let mut table = OperatorCost::new();
    weigh! { table:
        0 => Block Loop Else End;
        1 => Nop Drop Return Unreachable;
        2 => If Br BrIf BrTable GlobalGet GlobalSet
            F32Add F32Sub F32Mul F32Ceil F32Floor F32Trunc F32Nearest F32Copysign
            F64Add F64Sub F64Mul F64Ceil F64Floor F64Trunc F64Nearest;
        3 => F32Div F64Copysign
            F32Eq F32Ne F32Lt F32Gt F32Le F32Ge F64Eq F64Ne F64Lt F64Gt F64Le F64Ge
            F32ConvertI32S F32ConvertI64S F64ConvertI32S F64ConvertI64S;
        5 => F64Div F32Sqrt TableGet TableSet RefIsNull;
        8 => F64Sqrt;
        10 => I32DivS I32DivU I32RemS I32RemU I64DivS I64DivU I64RemS I64RemU;
        16 => F32ConvertI32U F32ConvertI64U F64ConvertI32U F64ConvertI64U;
        18 => F32Min F32Max F64Min F64Max;
        20 => MemorySize
            I32TruncF32S I32TruncF32U I32TruncF64S I32TruncF64U I64TruncF32S I64TruncF32U I64TruncF64S I64TruncF64U
            I32TruncSatF32S I32TruncSatF32U I32TruncSatF64S I32TruncSatF64U
            I64TruncSatF32S I64TruncSatF32U I64TruncSatF64S I64TruncSatF64U;
        100 => TableSize MemoryFill MemoryCopy MemoryInit TableFill TableCopy TableInit;
        130 => RefFunc;
    }
    // Calls: 5, 10, 3 and 60, less the one instruction that wasmtime counts for entering a function.
    weigh! { table: 4 => Call; 9 => CallIndirect; 2 => ReturnCall; 59 => ReturnCallIndirect; }
    // The replica charges 300 for these; the table holds one byte per operator, so they are cheaper here.
    weigh! { table: 255 => MemoryGrow TableGrow DataDrop ElemDrop; }
    weigh! { table:
        2 => I8x16LtU I8x16GtU I16x8LtU I16x8GtU I32x4LtU I32x4GtU I8x16ShrU I16x8Shl I16x8ShrS I16x8ShrU I32x4Shl
            I32x4ShrS I32x4ShrU I32x4Mul I64x2Shl I64x2ShrU I16x8ExtAddPairwiseI8x16U I16x8ExtMulHighI8x16S
            I16x8ExtMulHighI8x16U I32x4ExtMulLowI16x8S I32x4ExtMulHighI16x8S I32x4ExtMulLowI16x8U
            I32x4ExtMulHighI16x8U
            F32x4Ceil F32x4Floor F32x4Trunc F32x4Nearest F32x4Abs F32x4Neg F32x4Add F32x4Sub F32x4Mul
            F64x2Ceil F64x2Floor F64x2Trunc F64x2Nearest F64x2Abs F64x2Neg F64x2Add F64x2Sub F64x2Mul
            I32x4TruncSatF32x4S I32x4TruncSatF64x2SZero;
        3 => I8x16Shuffle I8x16Popcnt I8x16Shl I8x16ShrS I64x2ShrS I32x4ExtAddPairwiseI16x8U
            I32x4TruncSatF64x2UZero;
        4 => I64x2Mul F32x4Min F32x4Max F64x2Min I32x4TruncSatF32x4U F32x4ConvertI32x4U;
        5 => F32x4Sqrt F64x2Max;
        10 => F32x4Div;
        12 => F64x2Div;
        14 => F64x2Sqrt;
    }
    table
}

/// Instructions charged for a system call on top of the `call` operator, and per byte it moves.
///
/// These are the replica's fixed overheads, rounded to four classes.
pub(crate) mod system {
    /// Size queries, copies, replies and most other calls; one more per byte moved.
    pub(crate) const PLAIN: u64 = 500;
    /// Stable memory access; one more per byte moved.
    pub(crate) const STABLE: u64 = 20;
    /// `performance_counter`.
    pub(crate) const COUNTER: u64 = 200;
    /// `debug_print`; one more per byte.
    pub(crate) const PRINT: u64 = 100;
    /// `is_controller`.
    pub(crate) const CONTROLLER: u64 = 1_000;
    /// `call_new`.
    pub(crate) const CALL_NEW: u64 = 1_500;
    /// `call_perform`.
    pub(crate) const CALL_PERFORM: u64 = 5_000;
    /// First write of a message to a 4 KiB page of stable memory.
    pub(crate) const STABLE_DIRTY_PAGE: u64 = 1_000;
}
